"""fetch and invoke: what was granted answers, what was not is an error that names the grant."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.servers.http import HttpServer
from tests.servers.replies import cut_in_body, echo, endless, redirect, reply, silence

from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.local import LocalEngine

ROUTES = {
    "/json": reply(json.dumps({"a": [1, 2]}).encode(), headers=[("X-Own", "v")]),
    "/gzip": reply(gzip.compress(b"squeezed " * 1000), headers=[("Content-Encoding", "gzip")]),
    "/to": redirect("/json"),
    "/loop": redirect("/loop"),
    "/bytes": reply(bytes(range(256)) * 2000),
    "/echo": echo,
    "/cut": cut_in_body(b"half"),
    "/silent": silence,
    "/endless": endless(),
    "/out": redirect("http://127.0.0.1:1/"),
}  # fmt: skip
MISSING = 'fetch:"GET http://127.0.0.1:1/"'


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("const r = await fetch('SERVER/json'); [r.status, r.ok, r.headers.get('x-own'), (await "
         "r.json()).a]", "[ 200, true, 'v', [ 1, 2 ] ]\n"),
        ("const r = await fetch(new URL('SERVER/to')); [r.redirected, r.url.endsWith('/json'), "
         "r.type]", "[ true, true, 'basic' ]\n"),
        ("(await fetch('SERVER/to', { redirect: 'manual' })).status", "302\n"),
        ("(await (await fetch('SERVER/gzip')).text()).length", "9000\n"),
        ("(await (await fetch('SERVER/bytes')).arrayBuffer()).byteLength", "512000\n"),
        ("let n = 0; for await (const part of (await fetch('SERVER/bytes')).body) n += "
         "part.length; n", "512000\n"),
        ("(await fetch('SERVER/none')).status", "404\n"),
        ("const r = await fetch('SERVER/json'); const c = r.clone(); [await r.text() === await "
         "c.text(), r.bodyUsed]", "[ true, true ]\n"),
        ("(await Promise.all(['json', 'to'].map((p) => fetch(`SERVER/${p}`).then((r) => "
         "r.json())))).length", "2\n"),
        ("const r = await fetch('SERVER/json'); await r.text(); r.text().catch((e) => "
         "e.message)", "Body is unusable: Body has already been read\n"),
    ],
)  # fmt: skip
async def test_fetch_gives_what_a_granted_server_says(
    engine: LocalEngine, http_server: Callable[..., HttpServer], code: str, content: str
) -> None:
    server = http_server(ROUTES)
    async with Box(grants=(f"fetch:{server.url('')}",), engine=engine) as box:
        result = await box.call("javascript", code=code.replace("SERVER", server.url("")))
    assert (result.content, result.denied) == (content, ())


async def test_fetch_sends_method_headers_and_body(
    engine: LocalEngine, http_server: Callable[..., HttpServer]
) -> None:
    server = http_server(ROUTES)
    code = (
        f"const url = '{server.url('/echo')}';"
        "await fetch(url, { method: 'post', headers: { 'X-One': '1' }, body: JSON.stringify({ "
        "a: 'é' }) });"
        "await fetch(url, { method: 'PUT', body: new URLSearchParams({ q: 'a b' }) });"
        "await fetch(new Request(url, { method: 'PATCH', body: new Uint8Array([1, 2]) }))"
    )
    async with Box(grants=(f"fetch:{server.url('')}",), engine=engine) as box:
        result = await box.call("javascript", code=code)
    assert result.data is not None and result.data["exit_code"] == 0, result.content
    sent = [(one.method, one.body) for one in server.requests]
    assert sent == [("POST", '{"a":"é"}'.encode()), ("PUT", b"q=a+b"), ("PATCH", b"\x01\x02")]
    kinds = [
        dict((k.lower(), v) for k, v in one.headers).get("content-type") for one in server.requests
    ]
    assert kinds[:2] == [
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded;charset=UTF-8",
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("await fetch('http://127.0.0.1:1/')", MISSING),
        ("await fetch('SERVER/out')", MISSING),
        ("await fetch('SERVER/loop')", "more than 5 redirects"),
        ("await fetch('SERVER/to', { redirect: 'error' })", "unexpected redirect"),
        ("await (await fetch('SERVER/cut')).text()", "fetch failed"),
        ("await (await fetch('SERVER/endless')).text()", "body_bytes"),
        ("await fetch('SERVER/silent', { signal: AbortSignal.timeout(100) })", "TimeoutError"),
        ("await fetch('SERVER/json', { signal: AbortSignal.abort() })", "AbortError"),
        ("await fetch('/relative')", "Invalid URL"),
        ("await fetch('SERVER/json', { body: 'x' })", "cannot have body"),
        ("await fetch('SERVER/json', { headers: { 'a b': 'c' } })", "invalid header name"),
        ("await fetch('file:///etc/passwd')", "fetch failed"),
    ],
)
async def test_fetch_says_why_nothing_came(
    engine: LocalEngine, http_server: Callable[..., HttpServer], code: str, words: str
) -> None:
    server = http_server(ROUTES)
    limits = Limits(body_bytes=100_000)
    async with Box(grants=(f"fetch:{server.url('')}",), engine=engine, limits=limits) as box:
        result = await box.call("javascript", code=code.replace("SERVER", server.url("")))
    assert result.data is not None and result.data["exit_code"] == 1
    assert words in result.content
    missing = [one.missing for one in result.denied if one.missing]
    assert missing == ([MISSING] if words == MISSING else [])


@pytest.mark.parametrize(
    ("grants", "code", "content"),
    [
        (("invoke:double",), "await invoke('double', { n: 21 })", "42\n"),
        (("invoke:double",), "(await invoke.list()).map((f) => f.name)", "[ 'double' ]\n"),
        ((), "await invoke('double', { n: 21 }).catch((e) => e.code + ' ' + "
         "e.missing)", "denied invoke:double\n"),
        ((), "await invoke.list()", "[]\n"),
        (("invoke:double",), "await invoke('double', { m: 1 }).catch((e) => "
         "e.code)", "invalid_arguments\n"),
    ],
)  # fmt: skip
async def test_invoke_calls_functions_that_were_granted(
    engine: LocalEngine, place: Path, grants: tuple[str, ...], code: str, content: str
) -> None:
    box = Box(workspace=place, grants=grants, engine=engine)

    @box.tool(effect="read")
    def double(n: int) -> int:
        """Double a number."""
        return 2 * n

    async with box:
        result = await box.call("javascript", code=code)
    assert result.content == content
