"""A real zygote and its workers, spoken to by hand: walls first, or no service at all."""

# ruff: noqa: ASYNC110, ASYNC240 - small local files, and polling for what has no event

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.process import wire
from capbox.sandbox.process.frames import Assignment, Birth, Request, Walls, parse_report
from capbox.sandbox.spec import Broken, Finished, Job, Mount, Rule
from capbox.sandbox.wasi.call import CallBounds

KEY = EngineKey(False, 1 << 20)
ECHO = """(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 4096))
    (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
BOUNDS = CallBounds(1 << 61, 1_000, 1_000, 10, 10, 1_000, 0, bytes(32))
FILE_CAPABILITIES = 1 << 0 | 1 << 1 | 1 << 3  # CHOWN, DAC_OVERRIDE, FOWNER
WALLS = Walls(landlock=True, seccomp=True, openat2=True, memfd=True)


@dataclass
class Zygote:
    """A zygote process and our end of its socket."""

    child: subprocess.Popen[bytes]
    peer: socket.socket

    def ask(self, birth: Birth) -> tuple[dict[str, object], socket.socket]:
        """Ask for a worker; return the answer and our end of the worker's socket."""
        ours, theirs = socket.socketpair()
        with theirs:
            wire.send(self.peer, birth.header(), fds=[theirs.fileno()])
        answer, _, fds = wire.receive(self.peer, fds_max=1)
        for fd in fds:
            os.close(fd)
        ours.settimeout(20)
        return dict(answer), ours


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fd = theirs.fileno()
        program = [sys.executable, "-I", "-m", "capbox.sandbox.process.zygote"]
        arguments = [str(fd), "0", str(KEY.stack_bytes)]
        with subprocess.Popen(program + arguments, env={}, pass_fds=[fd]) as child:
            theirs.close()
            ours.settimeout(20)
            yield Zygote(child, ours)
            child.kill()


@pytest.fixture
async def birth(compiled: HostPath, job: Callable[..., Job]) -> Birth:
    module = job(ECHO).module
    path = await CompileCache(compiled, lambda line: None).compiled(module, KEY)
    return Birth(module.digest, path, True, False, 64 << 20, True)


def assign(peer: socket.socket, *fds: int, walls: Walls = WALLS, mounts: int = 1) -> None:
    mount = Mount(GuestPath("/workspace"), HostPath("/x"), (Rule(write=False),))
    wire.send(peer, Assignment((mount,) * mounts, walls, 64).header(), fds=fds)


def request(peer: socket.socket, stdin: bytes) -> object:
    """Send a request; return the end, or "closed"."""
    try:
        wire.send(peer, *Request(BOUNDS, None, stdin).frame())
        header, body, _ = wire.receive(peer)
    except wire.Hangup:
        return "closed"
    return parse_report(header, body).end


@pytest.mark.parametrize("shipped", [True, False], ids=["parked", "not parked"])
async def test_a_worker_serves_call_after_call(shipped: bool, zygote: Zygote, birth: Birth) -> None:
    _, peer = zygote.ask(replace(birth, shipped=shipped))
    with peer:
        assign(peer, os.memfd_create("effects"), os.open("/usr/share", os.O_PATH))
        assert [request(peer, text) for text in (b"one", b"two")] == [
            Finished(b"one"),
            Finished(b"two"),
        ]


async def test_every_thread_of_a_worker_is_without_what_its_calls_do_not_take(
    zygote: Zygote, birth: Birth
) -> None:
    answer, peer = zygote.ask(birth)
    with peer:
        assign(peer, os.memfd_create("effects"), os.open("/usr/share", os.O_PATH))
        assert request(peer, b"one") == Finished(b"one")
        threads = list(Path(f"/proc/{answer['pid']}/task").iterdir())
        for thread in threads:
            lines = (thread / "status").read_text().splitlines()
            status = {
                key: value.strip() for key, _, value in (line.partition(":") for line in lines)
            }
            assert status["NoNewPrivs"] == "1"
            assert int(status["CapPrm"], 16) & ~FILE_CAPABILITIES == 0
            assert status["CapEff"] == status["CapPrm"]
    assert len(threads) > 1


ROTTEN: dict[str, Callable[[socket.socket], None]] = {
    "a descriptor is missing": lambda peer: assign(peer, os.memfd_create("e")),
    "there are no descriptors": lambda peer: assign(peer),
    "Landlock refuses": lambda peer: assign(peer, os.memfd_create("e"), socket.socket().detach()),
}


@pytest.mark.parametrize("shipped", [True, False], ids=["parked", "not parked"])
@pytest.mark.parametrize("name", ROTTEN)
async def test_a_worker_whose_walls_do_not_stand_says_so_and_never_serves(
    name: str, shipped: bool, zygote: Zygote, birth: Birth
) -> None:
    """A parked guest's own read is where the walls go up: no error may end as its errno."""
    answer, peer = zygote.ask(replace(birth, shipped=shipped))
    with peer:
        ROTTEN[name](peer)
        assert isinstance(request(peer, b"secret"), Broken)
        assert request(peer, b"secret") == "closed"
    wire.send(zygote.peer, {"ended": int(str(answer["pid"]))})
    status = wire.receive(zygote.peer)[0]["status"]
    assert status == 1 << 8


async def test_a_request_before_any_rights_ends_the_worker(zygote: Zygote, birth: Birth) -> None:
    _, peer = zygote.ask(birth)
    with peer:
        assert request(peer, b"secret") == "closed"


async def test_a_wall_that_is_demanded_and_not_there_is_found_by_trying(
    zygote: Zygote, birth: Birth, tmp_path: Path
) -> None:
    if not probe().landlock:
        pytest.skip("no Landlock here")
    _, peer = zygote.ask(birth)
    with peer:
        # The right to read all of / under another name: the self-check must notice.
        assign(peer, os.memfd_create("effects"), os.open("/", os.O_PATH))
        end = request(peer, b"secret")
        assert isinstance(end, Broken)
        assert end.reason == "worker: a wall does not stand: the root directory could be opened"


async def test_workers_end_when_either_parent_goes(zygote: Zygote, birth: Birth) -> None:
    (first, one), (second, two) = zygote.ask(birth), zygote.ask(birth)
    one.close()
    wire.send(zygote.peer, {"ended": int(str(first["pid"]))})
    assert wire.receive(zygote.peer)[0] == {"status": 0}
    zygote.peer.close()
    assert zygote.child.wait(timeout=20) == 0
    two.settimeout(20)
    assert two.recv(1) == b""
    with anyio.fail_after(20):
        while Path(f"/proc/{second['pid']}/stat").exists():
            await anyio.sleep(0.01)


BAD_BIRTHS: dict[str, dict[str, object]] = {
    "a file that is not there": {"compiled": "/nowhere", "digest": "other"},
    "a file that is no compiled guest": {"compiled": "/etc/passwd", "digest": "other"},
}


@pytest.mark.parametrize("name", BAD_BIRTHS)
async def test_what_cannot_be_loaded_is_an_error_and_the_zygote_lives(
    name: str, zygote: Zygote, birth: Birth
) -> None:
    answer, peer = zygote.ask(replace(birth, **BAD_BIRTHS[name]))
    assert list(answer) == ["error"]
    assert peer.recv(1) == b""
    answer, peer = zygote.ask(birth)
    with peer:
        assert list(answer) == ["pid"]


async def test_a_birth_without_a_socket_is_an_error(zygote: Zygote, birth: Birth) -> None:
    wire.send(zygote.peer, birth.header())
    assert list(wire.receive(zygote.peer)[0]) == ["error"]


@pytest.mark.parametrize("header", [{}, {"birth": []}, {"ended": "1"}, {"do": "fork"}])
def test_nonsense_ends_a_zygote(header: dict[str, object], zygote: Zygote) -> None:
    wire.send(zygote.peer, header)  # type: ignore[arg-type]
    assert zygote.child.wait(timeout=20) == 0


def test_the_end_of_a_stranger_is_not_known(zygote: Zygote) -> None:
    wire.send(zygote.peer, {"ended": 1})
    assert wire.receive(zygote.peer)[0] == {"status": None}
