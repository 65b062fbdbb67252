"""fetch, search, curl and wget on real servers on loopback, through the gate and the sandbox."""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.servers.http import HttpServer
from tests.servers.replies import cut_in_body, echo, endless, redirect, reply, silence
from tests.servers.tls import CertificateMaker

from capbox import app
from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.broker.headers import outgoing
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

HTML = ("Content-Type", "text/html; charset=utf-8")
PLAIN = ("Content-Type", "text/plain")
KANA = ("Content-Type", "text/plain; charset=shift_jis")
BYTES = ("Content-Type", "application/octet-stream")
PAGE = '<h1>Hello</h1><p>a <a href="/next">link</a> <img src="/x?d=1" alt="a cat">'
SQUEEZED = gzip.compress(b"squeezed " * 1000)
ROUTES = {
    "/page": reply(PAGE.encode(), headers=[HTML]),
    "/kana": reply("日本語".encode("shift_jis"), headers=[KANA]),
    "/gzip": reply(SQUEEZED, headers=[PLAIN, ("Content-Encoding", "gzip")]),
    "/to": redirect("/page"),
    "/loop": redirect("/loop"),
    "/out": redirect("http://127.0.0.1:1/"),
    "/bytes": reply(bytes(range(256)) * 4, headers=[BYTES]),
    "/endless": endless(headers=[BYTES]),
    "/silent": silence,
    "/echo": echo,
    "/cut": cut_in_body(b"half"),
    "/deep": reply(b"<div>" * 100_000 + b"end", headers=[HTML]),
    "/tags": reply(b"<b id=x>y<p>" * 400_000, headers=[HTML]),
    "/attribute": reply(b"<p title='" + b"a" * 5_000_000 + b"'>end", headers=[HTML]),
    "/cells": reply(b"<table><td colspan=99999 rowspan=99999>x" * 100_000, headers=[HTML]),
}
ELSEWHERE = "http://127.0.0.1:1/"
MISSING = f'fetch:"GET {ELSEWHERE}"'

StartServer = Callable[..., HttpServer]
CallTool = Callable[..., Awaitable[ToolResult]]


@pytest.fixture
def server(http_server: StartServer) -> HttpServer:
    """A server with a page for each way that a request can end."""
    return http_server(ROUTES)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An empty workspace."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def call(engine: LocalEngine, place: Path) -> CallTool:
    """Call a tool that may fetch from a server, and write in the workspace."""

    async def called(server: HttpServer, tool: str, **arguments: str | int) -> ToolResult:
        there = server.url("")
        texts = {k: str(v).replace("SERVER", there) for k, v in arguments.items()}
        given = {k: v if isinstance(v, int) else texts[k] for k, v in arguments.items()}
        grants = (f"fetch:{there}", "write:/workspace")
        limits = Limits(body_bytes=6_000_000)
        async with Box(workspace=place, grants=grants, engine=engine, limits=limits) as box:
            return await box.call(tool, **given)

    return called


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        (
            {"url": "SERVER/page"},
            "# Hello\n\na [link][1] [image: a cat]\n\n[1]: SERVER/next",
        ),
        ({"url": "SERVER/to", "format": "text"}, "Hello\n\na link [image: a cat]"),
        ({"url": "SERVER/page", "format": "raw"}, PAGE),
        ({"url": "SERVER/page", "selector": "a"}, "[link][1]\n\n[1]: SERVER/next"),
        ({"url": "SERVER/kana"}, "日本語"),
        (
            {"url": "SERVER/gzip", "max_chars": 8},
            "squeezed\n\n[8,992 characters more: offset=8]",
        ),
        (
            {"url": "SERVER/bytes", "save_to": "b"},
            "saved b: application/octet-stream, 1,024 bytes, from SERVER/bytes",
        ),
        ({"url": "SERVER/deep"}, "end"),
        ({"url": "SERVER/attribute"}, "end"),
    ],
)
async def test_fetch_shows_what_a_server_sends(
    call: CallTool, server: HttpServer, arguments: dict[str, str | int], content: str
) -> None:
    result = await call(server, "fetch", **arguments)
    assert (result.error, result.content) == (None, content.replace("SERVER", server.url("")))


@pytest.mark.parametrize("path", ["/tags", "/cells"])
async def test_a_hostile_page_ends_within_the_usual_bounds(
    call: CallTool, server: HttpServer, path: str
) -> None:
    result = await call(server, "fetch", url=server.url(path))
    assert result.ok and "too large to be read whole" in result.content


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"url": "SERVER/none"}, "http_status", "404 Not Found"),
        ({"url": "SERVER/bytes"}, "binary", "1,024 bytes"),
        ({"url": "SERVER/loop"}, "redirects", "SERVER/loop"),
        ({"url": "SERVER/cut"}, "protocol", "broken"),
        ({"url": "SERVER/endless", "save_to": "big"}, "too_large", "body_bytes"),
        ({"url": ELSEWHERE}, "denied", MISSING),
        ({"url": "SERVER/out"}, "denied", MISSING),
        ({"url": "SERVER/page", "selector": "table"}, "no_match", "table"),
        ({"url": "SERVER/page", "save_to": "/etc/x"}, "denied", "write:/etc/x"),
    ],
)
async def test_fetch_says_why_nothing_came_and_leaves_no_file(
    call: CallTool,
    place: Path,
    server: HttpServer,
    arguments: dict[str, str | int],
    code: str,
    words: str,
) -> None:
    result = await call(server, "fetch", **arguments)
    assert result.error is not None
    assert (result.error.code, left(place)) == (code, [])
    assert words.replace("SERVER", server.url("")) in result.error.message


def left(place: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in place.iterdir())


async def test_no_certificate_is_believed_that_nobody_vouches_for(
    call: CallTool, http_server: StartServer, certificates: CertificateMaker
) -> None:
    secure = http_server(ROUTES, tls=certificates.valid("127.0.0.1").context())
    script = "curl -s SERVER/page; echo $?; wget -q SERVER/page; echo $?"
    result = await call(secure, "fetch", url="SERVER/page")
    shell = await call(secure, "bash", script=script)
    assert result.error is not None and result.error.code == "tls"
    assert (shell.content, secure.requests) == ("60\n5\n", ())


@pytest.mark.parametrize(
    ("script", "content"),
    [
        ("curl -sL SERVER/to -o page; cat page", PAGE),
        ("curl -s --compressed SERVER/gzip | wc -c", "9000\n"),
        (
            "curl -so /dev/null -w '%{http_code} %{num_redirects} %{size_download}' -L SERVER/to",
            f"200 1 {len(PAGE)}",
        ),
        ("curl -sf SERVER/none; echo $?", "22\n"),
        ("curl -s -m 0.3 SERVER/silent; echo $?", "28\n"),
        ("wget -q -T 0.3 SERVER/silent; echo $?", "4\n"),
        ("timeout 0.3 curl SERVER/silent; echo $?; timeout 9 curl -s SERVER/page", f"124\n{PAGE}"),
        ("timeout 0.3 wget -nv SERVER/silent; echo $?", "124\n"),
        ("curl -sL SERVER/loop; echo $?", "47\n"),
        ("curl -s SERVER/cut -o f; echo $?", "18\n"),
        ("curl -s SERVER/endless -o f; echo $?", "63\n"),
        (
            "wget -q SERVER/bytes && wc -c bytes && wget -q SERVER/bytes && ls",
            "1024 bytes\nbytes\nbytes.1\n",
        ),
        ("wget -qO- SERVER/kana | wc -c", "6\n"),
        ("wget -q SERVER/none; echo $?", "8\n"),
        # Nothing is looked for but the file itself: every other look would be a refusal.
        ("echo x > n.txt; curl -sF f=@n.txt SERVER/echo | grep -c text/plain", "1\n"),
        ("for p in page to; do curl -s SERVER/$p & done; wait", PAGE),
    ],
)
async def test_scripts_reach_what_was_granted(
    call: CallTool, server: HttpServer, script: str, content: str
) -> None:
    result = await call(server, "bash", script=script)
    assert (result.ok, result.content, result.denied) == (True, content, ())


@pytest.mark.parametrize(
    "script", [f"curl -s {ELSEWHERE}", "curl -sL SERVER/out", f"wget -q {ELSEWHERE}"]
)
async def test_scripts_are_told_which_grant_is_missing(
    call: CallTool, server: HttpServer, script: str
) -> None:
    result = await call(server, "bash", script=script)
    assert MISSING in result.content
    assert [one.missing for one in result.denied] == [MISSING]


async def test_without_settings_search_says_what_it_needs(
    call: CallTool, server: HttpServer
) -> None:
    result = await call(server, "search", query="x")
    assert result.error is not None and result.error.code == "not_configured"
    assert "config.toml, the table [search]" in result.error.message


async def test_search_asks_the_engine_that_is_configured_over_tls_of_its_own_authority(
    home: Home, place: Path, http_server: StartServer, certificates: CertificateMaker
) -> None:
    found = {"web": {"hits": [{"title": "A <b>title</b>", "url": "https://a.test/", "text": "t"}]}}
    secure = http_server(
        {"/find": reply(json.dumps(found).encode())}, tls=certificates.valid("127.0.0.1").context()
    )
    configure(home, secure, certificates)
    async with (
        app.local_engine(home=home, spares=False) as engine,
        Box(workspace=place, grants=(f"fetch:{secure.url('')}",), engine=engine) as box,
    ):
        result = await box.call("search", query="a & b", count=3)
    assert result.content == "1. A title\n   https://a.test/\n   t"
    assert [one.target for one in secure.requests] == ["/find?q=a+%26+b&n=3"]


def configure(home: Home, server: HttpServer, certificates: CertificateMaker) -> None:
    """Write the operator's configuration: where to search, and whom to believe."""
    home.config.mkdir(parents=True, mode=0o700)
    authority = home.config / "ca.pem"
    authority.write_bytes(certificates.pem)
    (home.config / "config.toml").write_text(
        f'[network]\nca_files = ["{authority}"]\n[search]\nresults = "web.hits"\ntext = "text"\n'
        f'url = "{server.url("/find")}?q={{query}}&n={{count}}"\n'
    )


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "x_forwarded_for", "Proxy-Authorization", "Sec-Fetch-Site"]
)
async def test_a_header_that_is_never_sent_is_refused_by_name(
    engine: LocalEngine, server: HttpServer, name: str
) -> None:
    """Whatever the parent leaves out is told, and not dropped."""
    assert outgoing(((name, "x"),)) == ()
    async with Box(grants=(f"fetch:{server.url('')}",), engine=engine) as box:
        result = await box.call("fetch", url=server.url("/page"), headers={name: "x"})
    assert result.error is not None and result.error.code == "invalid_arguments"
    assert name in result.error.message and server.requests == ()


async def test_a_bound_that_was_met_is_told_to_a_silent_script(
    engine: LocalEngine, server: HttpServer
) -> None:
    url = server.url("/page")
    script = f"n=0; while curl -s {url} >/dev/null 2>&1; do n=$((n+1)); done; echo $n"
    limits = Limits(requests=3)
    async with Box(grants=(f"fetch:{server.url('')}",), engine=engine, limits=limits) as box:
        result = await box.call("bash", script=script)
    told = [(one.access, one.reason) for one in result.denied]
    most = "more requests than a call may make: 3 (--limit requests=)"
    assert (result.content, told) == ("3\n", [(f"fetch GET {url}", most)])
