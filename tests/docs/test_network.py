"""docs/network.md is true: its examples are executed, its tables are asked of the code.

A real server on loopback stands for `localhost:8000` and, with a certificate of the tests' own
authority, for `localhost:8443`; `/home/me` is a fresh home.
"""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.page import agrees, blocks, code, holds, rows, steps, text_of
from tests.servers.http import Exchange
from tests.servers.replies import redirect, reply, response

from capbox import app
from capbox.authority.grant import Grant
from capbox.authority.limits import MB, Limits
from capbox.authority.parse import parse_grant
from capbox.authority.web.addresses import PRIVATE, Address
from capbox.authority.web.places import FetchAccess
from capbox.box import Box
from capbox.broker import asked, dial, headers, network
from capbox.broker.network import Network
from capbox.broker.url import locate
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.operator import read_operator
from capbox.engine.principal import resolve as resolved
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.manifest import Manifest, ManifestError, parse_manifest
from capbox.gate.network import egress

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.servers.tls import CertificateMaker

PAGE = text_of("network.md")
SECRET = "n0tes-key-of-mine"


def whoami(exchange: Exchange) -> None:
    """Say which credentials came."""
    values = exchange.request.values("authorization")
    exchange.send(response(f'your Authorization is "{" ".join(values)}"\n'.encode()))


def typed(kind: str) -> list[tuple[str, str]]:
    """Return the header that names a body's type."""
    return [("Content-Type", kind)]


NOTES = b'<title>Notes</title><h1>Notes</h1><p>Buy <a href="/milk">milk</a>.'
FOUND = {"title": "Milk", "url": "https://milk.example/", "content": "All about milk."}
ROUTES = {
    "/": reply(NOTES, headers=typed("text/html")),
    "/milk": reply(b"2 litres\n", headers=typed("text/plain")),
    "/v1/items": reply(b'{"items":["milk","bread"]}\n', headers=typed("application/json")),
    "/old": redirect("/milk"),
    "/loop": redirect("/loop"),
    "/away": redirect("https://elsewhere.example/"),
    "/whoami": whoami,
    "/search": reply(json.dumps({"results": [FOUND]}).encode()),
}


# --- its examples ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Machine:
    """A person's machine: an empty folder to work in, a home, and where the page's names lead."""

    work: Path
    home: Path
    named: Mapping[str, str]

    def real(self, text: str) -> str:
        """Return a text of the page as it is to be used here."""
        for name, here in self.named.items():
            text = text.replace(name, here)
        return text

    def shown(self, text: str) -> str:
        """Return an output as the page has it."""
        for name, here in self.named.items():
            text = text.replace(here, name)
        # The digest of a tool changes with every build; a first call may compile.
        text = re.sub(r"^compiling .*\n", "", text.replace("\r\n", "\n"), flags=re.MULTILINE)
        return digestless(text)

    def run(self, *command: str) -> str:
        """Run a program to its end, with a person who says no where one is asked."""
        controller, terminal = pty.openpty()
        asking = "--ask" in command[-1]
        with subprocess.Popen(
            command,
            cwd=self.work,
            env=self._environment,
            stdin=terminal if asking else subprocess.DEVNULL,
            stdout=terminal if asking else subprocess.PIPE,
            stderr=terminal if asking else subprocess.STDOUT,
        ) as running:
            os.close(terminal)
            printed = answered(controller) if asking else running.communicate(timeout=120)[0]
        os.close(controller)
        return self.shown(printed.decode())

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "TERM": "dumb",
            "COLUMNS": "200",
        }


def digestless(text: str) -> str:
    """Return the text with one digest for every tool."""
    return re.sub(r"\(sha256 [0-9a-f]{12}\)", "(sha256 -)", text)


def answered(controller: int) -> bytes:
    """Read what a terminal shows, and answer its question with no."""
    seen = b""
    while True:
        try:
            piece = os.read(controller, 65_536)
        except OSError:  # the other end is closed
            return seen
        if not piece:
            return seen
        seen += piece
        if seen.endswith(b"[s]top: "):
            os.write(controller, b"n\n")


@pytest.fixture
def machine(
    tmp_path: Path,
    cache: Path,
    http_server: Callable[..., HttpServer],
    certificates: CertificateMaker,
) -> Machine:
    """A machine on which the page's server runs."""
    work, home = tmp_path / "work", tmp_path / "me"
    work.mkdir()
    home.mkdir()
    (home / "notes.key").write_text(f"{SECRET}\n", encoding="utf-8")
    (home / ".cache" / "capbox").mkdir(mode=0o700, parents=True)
    if (cache / "compiled").is_dir():
        shutil.copytree(cache / "compiled", home / ".cache" / "capbox" / "compiled")
    authority = tmp_path / "company.pem"
    authority.write_bytes(certificates.pem)
    plain = http_server(ROUTES)
    secure = http_server(ROUTES, tls=certificates.valid("localhost").context())
    named = {
        ":8000": f":{plain.port}",
        ":8443": f":{secure.port}",
        "/etc/ssl/company.pem": str(authority),
        "/home/me": str(home),
    }
    return Machine(work, home, named)


def test_the_examples_print_what_the_page_shows(machine: Machine) -> None:
    """From top to bottom, as a reader would type them; what a command keeps is there for the next.

    Each configuration replaces the one before.
    """
    kinds = [block.kind for block in blocks(PAGE)]
    assert (kinds.count("console"), kinds.count("python"), kinds.count("json")) == (10, 1, 1)
    printed = ""
    for block in blocks(PAGE):
        match block.kind:
            case "console":
                for command, shown in steps(block.text):
                    printed = machine.run("bash", "-c", machine.real(command))
                    if not command.endswith("--json"):
                        lines = [digestless(line) for line in shown]
                        assert agrees(lines, printed), f"{command!r} printed:\n{printed}"
            case "json":
                assert holds(json.loads(block.text), json.loads(printed)), printed
            case "toml config.toml":
                file = machine.home / ".config" / "capbox" / "config.toml"
                file.write_text(machine.real(block.text), encoding="utf-8")
                assert read_operator(file) != read_operator(Path("/nonexistent"))
            case _:
                continue


def test_the_python_example_prints_what_the_page_shows(machine: Machine) -> None:
    found = blocks(PAGE)
    (number,) = (n for n, block in enumerate(found) if block.kind == "python")
    printed = machine.run(sys.executable, "-c", machine.real(found[number].text))
    assert agrees(found[number + 1].text.splitlines(), printed), printed


# --- its tables --------------------------------------------------------------------------------


def grant(text: str) -> Grant:
    """Read a grant of the page, which must be one."""
    found = parse_grant(text)
    assert isinstance(found, Grant), found
    return found


def request(text: str) -> FetchAccess:
    """Read a request of the page, which must be one that can be granted."""
    found = locate(*text.split(" "))
    assert isinstance(found, FetchAccess), found
    return found


def minted(text: str) -> str:
    """Return what `--grant` says of a grant; nothing if it is granted."""
    settings = Settings(grants=(text,), environ={})
    try:
        app.mint(resolved(settings), settings, ())
    except SettingsError as error:
        return re.sub(r"^at character \d+: ", "", error.reason)
    return ""


@pytest.mark.parametrize("row", rows(PAGE, "grant", "covers", "does not cover"), ids=" ".join)
def test_a_grant_covers_what_the_page_says(row: list[str]) -> None:
    (text,) = code(row[0])
    assert str(grant(text)) == text, "the page shows the canonical text"
    assert code(row[1]) and code(row[2])
    for one in code(row[1]):
        assert grant(text).selects(request(one)), one
    for one in code(row[2]):
        assert not grant(text).selects(request(one)), one


@pytest.mark.parametrize("row", rows(PAGE, "caveat", "of", "it says"), ids=" ".join)
def test_a_caveat_belongs_to_the_grants_that_the_page_says(row: list[str]) -> None:
    caveat = code(row[0])[0]
    taken = {
        kind
        for kind, text in (
            ("fetch", f"fetch:https://api.example.com {caveat}"),
            ("secret", f"secret:NAME@https://api.example.com {caveat}"),
        )
        if not minted(text)
    }
    assert taken == ({"fetch", "secret"} if row[1] == "both" else {row[1]})
    for other in code(row[2]):
        if other.startswith(caveat.partition("=")[0] + "="):
            assert minted(f"{row[1]}:https://api.example.com {other}") == "", other


@pytest.mark.parametrize("row", rows(PAGE, "grant", "what it says"), ids=" ".join)
def test_a_grant_is_refused_in_the_words_of_the_page(row: list[str]) -> None:
    assert minted(code(row[0])[0]) == row[1]


def test_every_flag_on_the_page_is_a_grant() -> None:
    """Also those in the text; and one of them covers each search engine that is configured."""
    given = re.findall(r"--(fetch|secret|grant) (?:'([^']*)'|([^\s'`]+))", PAGE)
    texts = [
        quoted or bare if kind == "grant" else f"{kind}:{json.dumps(quoted or bare)}"
        for kind, quoted, bare in given
        if (quoted or bare) not in ("[METHODS ]URL", "NAME@ORIGIN")
    ]
    assert len(texts) > 15
    assert {text: minted(text) for text in texts} == dict.fromkeys(texts, "")
    urls = re.findall(r'^url = "(.*)"$', PAGE, re.MULTILINE)
    assert len(urls) == 2
    for url in urls:
        asked_for = request(f"GET {url.format(query='fresh+milk', count=8)}")
        assert any(grant(text).selects(asked_for) for text in texts), url


async def wiki(host: str, port: int) -> tuple[Address, ...]:
    """Know the one host of which the page tells the address."""
    return (ip_address("10.1.2.3"),) if host == "wiki.example.com" else ()


@pytest.fixture
async def engine(home: Home) -> AsyncIterator[LocalEngine]:
    """An engine whose resolver knows one name."""
    async with app.local_engine(home=home, spares=False, network=Network(resolve=wiki)) as running:
        yield running


@pytest.mark.anyio
async def test_requests_are_refused_in_the_words_of_the_page(
    engine: LocalEngine, tmp_path: Path
) -> None:
    refused = rows(PAGE, "grant", "request", "what it says")
    assert len(refused) == 11
    (tmp_path / "work").mkdir()
    for granted, wanted, reason in refused:
        method, url = code(wanted)[0].split(" ")
        async with Box(
            engine=engine, workspace=tmp_path / "work", grants=code(granted), tools=["fetch"]
        ) as box:
            result = await box.call("fetch", url=url, method=method)
        assert [one.reason for one in result.denied] == [reason], wanted


def test_the_bounds_are_those_of_the_code() -> None:
    bounds = Limits()
    silence = bounds.wall_seconds * network.PATIENCE
    assert dial.RESOLVE_SECONDS_MAX == dial.CONNECT_SECONDS_MAX
    assert [row[1] for row in rows(PAGE, "bound", "without a flag", "flag")] == [
        f"{bounds.requests}",
        f"{bounds.body_bytes // MB} MB",
        f"{dial.CONNECT_SECONDS_MAX:.0f} s each",
        f"two thirds of the call's time: {silence:.0f} s",
        f"{egress.OPEN_MAX}",
        f"{asked.REDIRECTS_MAX}",
        "64 KiB, 200 headers; "
        f"{headers.HEADERS_MAX} headers, {headers.HEADERS_CHARACTERS_MAX // 1024} KiB",
    ]
    private = [str(one).removesuffix("/128") for one in PRIVATE]
    assert f"`net=private` is {', '.join(private[:-1])} and {private[-1]}." in " ".join(
        PAGE.split()
    )


MANIFEST = """\
name = "weather"
version = "1.0.0"
description = "Tells the weather."
license = "MIT"
abi = "json"
module = "weather.wasm"
access = "none"
{}
[input_schema]
type = "object"
"""


def test_settings_of_other_systems_are_read_as_the_page_says() -> None:
    found = blocks(PAGE)
    (number,) = (n for n, block in enumerate(found) if block.kind == "toml tool.toml")
    manifest = parse_manifest(MANIFEST.format(found[number].text), "tool.toml")
    assert isinstance(manifest, Manifest), manifest
    assert [str(one.web) for one in manifest.requests] == found[number + 1].text.splitlines()
    for key, _, refused in rows(PAGE, "key", "takes", "refused, for example"):
        lines, _, message = refused.removeprefix("`").partition("`: ")
        assert lines.startswith(code(key)[0])
        assert parse_manifest(MANIFEST.format(lines), "tool.toml") == ManifestError(
            "tool.toml", message
        )
