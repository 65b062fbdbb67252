"""A secret is on the wire to its origin, and nowhere else: not in a guest, a worker, or any file.

The canary has to be found where it may be (the server's log), and a value that a guest did read in
its worker's memory, or finding nothing would say nothing.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from gzip import compress
from pathlib import Path
from threading import Event

import anyio
import anyio.to_thread
import pytest
from tests.servers.http import Exchange, HttpServer
from tests.servers.replies import echo, held, reply, response

from capbox import app
from capbox.agent.events import Event as RunEvent
from capbox.box import Box
from capbox.broker.redact import spellings
from capbox.broker.secrets import SecretStore
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

CANARY = "canary-7f3d9a51c0de-b1rd/+&"
WITNESS = "witness-of-what-a-guest-has-read-5b1e"
SECRETS = ("secrets.json", "secrets.key")


def plain(exchange: Exchange) -> None:
    """Answer with every form of the secret that came, in headers, body, and a redirect's place."""
    [value] = exchange.request.values("Authorization")
    key = value.removeprefix("Bearer ")
    forms = b"\n".join(spellings(key))
    headers = (("X-Echo", key), ("Set-Cookie", f"k={b64encode(key.encode()).decode()}"))
    exchange.send(response(forms, headers=headers))


def zipped(exchange: Exchange) -> None:
    """The same, in an encoding that was not asked for."""
    [value] = exchange.request.values("Authorization")
    exchange.send(response(compress(value.encode()), headers=(("Content-Encoding", "gzip"),)))


def traces(content: bytes) -> list[bytes]:
    """Return the forms of the canary that are in `content`."""
    return [form for form in spellings(CANARY) if form in content]


def descendants(parent: int) -> Iterator[int]:
    """Yield the processes below `parent`: zygotes and workers."""
    for task in Path(f"/proc/{parent}/task").iterdir():
        with suppress(OSError):
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def memory_of(pid: int) -> Iterator[bytes]:
    """Yield every readable region of a process, guest memory included."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, access, *_ = line.split()
            start, end = (int(part, 16) for part in place.split("-"))
            # Address space that wasm has only reserved cannot be read.
            if access.startswith("r"):
                with suppress(OSError, ValueError, OverflowError):
                    memory.seek(start)
                    yield memory.read(end - start)


def searched(pids: list[int]) -> tuple[set[int], list[bytes]]:
    """Return in which processes the witness is, and every trace of the canary in any."""
    witnessed: set[int] = set()
    found: list[bytes] = []
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended meanwhile, and its memory with it
            for region in memory_of(pid):
                found += traces(region)
                if WITNESS.encode() in region:
                    witnessed.add(pid)
    return witnessed, found


def kept_in(*directories: Path) -> dict[str, list[bytes]]:
    """Return what of the canary is in any file, but the sealed one."""
    files = (file for place in directories for file in place.rglob("*") if file.is_file())
    found = {str(file): traces(file.read_bytes()) for file in files}
    return {name: forms for name, forms in found.items() if forms}


@pytest.fixture
async def keeper(home: Home) -> AsyncIterator[LocalEngine]:
    """An engine whose operator has set the secret."""
    home.prepare()
    SecretStore(home.state, keyring=lambda: None).set("KEY", CANARY)
    async with app.local_engine(home=home) as engine:
        yield engine


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the witness."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "notes.txt").write_text(WITNESS)
    return folder


def call(tool: str, **arguments: str) -> ScriptedReply:
    return ScriptedReply(tool_calls=(ScriptedCall(tool, json.dumps(arguments)),))


async def test_a_secret_is_nowhere_but_on_the_wire(
    http_server: Callable[..., HttpServer],
    home: Home,
    keeper: LocalEngine,
    workspace: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server = http_server({"/echo": echo, "/plain": plain, "/zip": zipped})
    origin = server.url("").rstrip("/")
    curl = f"curl -s -H 'Authorization: Bearer mine' {origin}/echo; curl -si {origin}/plain"
    script = (
        call("read", path="notes.txt"),
        call("fetch", url=f"{origin}/plain", format="raw"),
        call("fetch", url=f"{origin}/zip", format="raw"),
        call("bash", script=f"{curl} | tee copy.txt; KEPT=$(curl -s {origin}/plain)"),
        call("bash", script="echo $KEPT | base64 | head -c 2000"),
        call("fetch", url=f"{origin}/plain", save_to="saved.txt"),
        ScriptedReply(text="done"),
    )
    grants = (f"fetch:{origin}", f"secret:KEY@{origin}", "write:/workspace")
    events: list[RunEvent] = []
    async with Box(workspace=workspace, grants=grants, engine=keeper) as box:
        async for event in box.run("go", model=ScriptedModel("scripted/x", script)):
            events.append(event)
    sent = [request.values("Authorization") for request in server.requests]
    assert sent == [[f"Bearer {CANARY}"]] * 6
    assert "[secret:KEY]" in repr(events)
    out, err = capfd.readouterr()
    assert traces(repr(events).encode() + out.encode() + err.encode()) == []
    assert kept_in(home.config, home.state, home.cache / "scratch", workspace) == {}
    assert "[secret:KEY]" in (workspace / "saved.txt").read_text()


async def test_a_worker_in_the_middle_of_a_transfer_does_not_hold_it(
    http_server: Callable[..., HttpServer], home: Home, keeper: LocalEngine, workspace: Path
) -> None:
    release = Event()
    server = http_server({"/slow": held(release, reply(b"at last"))})
    origin = server.url("").rstrip("/")
    grants = (f"fetch:{origin}", f"secret:KEY@{origin}", "read:/workspace")
    results: list[ToolResult] = []
    async with (
        Box(workspace=workspace, grants=grants, engine=keeper) as box,
        anyio.create_task_group() as tasks,
    ):

        async def ask() -> None:
            script = (
                f"cat notes.txt > /tmp/kept; x=$(cat notes.txt); curl -s {origin}/slow; echo $x"
            )
            results.append(await box.call("bash", script=script))

        tasks.start_soon(ask)
        await anyio.to_thread.run_sync(server.until, lambda seen: bool(seen and seen[0].requests))
        pids = list(descendants(os.getpid()))
        witnessed, found = await anyio.to_thread.run_sync(searched, pids)
        release.set()
    assert found == []
    assert witnessed
    assert results[0].ok, results
    assert server.requests[0].values("Authorization") == [f"Bearer {CANARY}"]
