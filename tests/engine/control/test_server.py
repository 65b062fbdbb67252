"""The control socket: who is answered, for how long, and what is left of it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from anyio import to_thread

from capbox import app
from capbox.engine.control import server
from capbox.engine.control.client import Reply, ask_all, ask_one
from capbox.engine.control.place import Place
from capbox.engine.control.wire import REQUEST_BYTES_MAX, WireError, packed, unpacked
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.messages import JsonObject

OpenSession = Callable[..., Session]


async def asked(home: Home, request: JsonObject) -> list[Reply]:
    return await to_thread.run_sync(lambda: list(ask_all(home.control, request)))


def raw(home: Home, name: str, *pieces: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    with Place(home.control) as place:
        connection = place.connected(name, 10)
        assert connection is not None
        with connection:
            connection.settimeout(20)
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))


async def test_it_appears_with_the_first_run_and_goes_with_the_engine(
    open_session: OpenSession, home: Home
) -> None:
    async with open_session("read:/workspace") as session:
        assert not home.control.exists()
        await session.call("read", {"path": "a.txt"})
        (name,) = os.listdir(home.control)
        found = (home.control / name).lstat()
        assert (home.control.stat().st_mode & 0o777, found.st_mode & 0o777) == (0o700, 0o600)
        (reply,) = await asked(home, {"do": "runs"})
        assert reply.problem is None and reply.pid == str(os.getpid())


async def test_an_engine_that_ended_leaves_nothing(home: Home, workspace: Path) -> None:
    async with (
        app.local_engine(home=home, spares=False) as engine,
        app.session(engine, Settings(workspace=workspace)) as session,
    ):
        await session.call("read", {"path": "a.txt"})
        assert len(os.listdir(home.control)) == 1
    assert os.listdir(home.control) == []
    assert await asked(home, {"do": "runs"}) == []


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", "the request ended in the middle"),
        (b'{"do": "runs"}', "the request ended in the middle"),
        (b"\xff\xfe\n", "that is not JSON"),
        (b"[1]\n", "that is not a JSON object"),
        (b"[" * 20_000 + b"\n", "that is not JSON"),
        (b"x" * (REQUEST_BYTES_MAX + 70_000), f"a request has at most {REQUEST_BYTES_MAX} bytes"),
    ],
)
async def test_what_is_no_request_is_answered_with_an_error_and_ends_nothing(
    open_session: OpenSession, home: Home, sent: bytes, error: str
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        (name,) = os.listdir(home.control)
        try:
            answer = await to_thread.run_sync(raw, home, name, sent)
            assert json.loads(answer) == {"error": error}
        except (ConnectionResetError, BrokenPipeError):
            assert len(sent) > REQUEST_BYTES_MAX  # it hung up on the rest
        assert [reply.problem for reply in await asked(home, {"do": "runs"})] == [None]


async def test_silent_clients_are_left_and_do_not_keep_others_out(
    open_session: OpenSession, home: Home
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        (name,) = os.listdir(home.control)
        with Place(home.control) as place:
            silent = [place.connected(name, 10) for _ in range(server.CLIENTS_MAX)]
            replies = [reply.problem for reply in await asked(home, {"do": "runs"})]
            assert replies == ["too many ask at once"]
            for one in silent:
                assert one is not None
                one.close()
        with anyio.fail_after(20):
            while [reply.problem for reply in await asked(home, {"do": "runs"})] != [None]:
                await anyio.lowlevel.checkpoint()


def test_a_socket_that_nobody_listens_on_is_swept(home: Home) -> None:
    home.control.mkdir(parents=True, mode=0o700)
    with Place(home.control) as place:
        name, listener = place.listening()
        listener.close()
        assert place.names() == (name,)
        assert list(ask_all(home.control, {"do": "runs"})) == []
        assert place.names() == ()
        assert ask_one(home.control, name, {"do": "runs"}) is None


def test_what_many_killed_processes_left_is_swept_by_the_next(home: Home) -> None:
    home.control.mkdir(parents=True, mode=0o700)
    with Place(home.control) as place:
        for _ in range(33):
            place.listening()[1].close()
        kept, listener = place.listening()
        with listener:
            assert place.names() == (kept,)


def test_a_process_that_hangs_is_named_within_a_deadline(home: Home) -> None:
    home.control.mkdir(parents=True, mode=0o700)
    with Place(home.control) as place:
        name, listener = place.listening()
        with listener:
            (reply,) = ask_all(home.control, {"do": "runs"})
    assert reply == Reply(name, {}, "did not answer within 3 s")


@pytest.mark.parametrize("mode", [0o755, 0o710])
def test_a_directory_that_is_open_to_others_is_not_used(home: Home, mode: int) -> None:
    home.control.mkdir(parents=True)
    home.control.chmod(mode)
    with pytest.raises(PermissionError, match="chmod 700"):
        list(ask_all(home.control, {"do": "runs"}))


def test_a_directory_that_is_a_link_is_not_used(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    home.state.mkdir(parents=True)
    home.control.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        Place(home.control)


def test_a_path_may_be_longer_than_an_address_of_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True, mode=0o700)
    with Place(deep) as place:
        name, listener = place.listening()
        with listener:
            client = place.connected(name, 5)
            assert client is not None
            client.close()


OTHER = """
import socket, sys
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
try:
    client.sendall(b'{"do": "runs"}\\n')
    print(client.recv(100))
except ConnectionError:
    print(b"")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="takes two users")
async def test_another_user_is_not_answered_even_where_the_modes_let_him_in(
    open_session: OpenSession, home: Home, ordinary_user: object
) -> None:
    """Both open the same socket; only the kernel's word on who they are tells them apart."""
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        (name,) = os.listdir(home.control)
        door = ordinary_user.home / "door"
        os.link(home.control / name, door)
        os.chmod(door, 0o777)
        theirs = await to_thread.run_sync(
            lambda: ordinary_user.run([ordinary_user.python, "-c", OTHER, str(door)])
        )
        ours = await to_thread.run_sync(
            lambda: subprocess.run(
                [sys.executable, "-c", OTHER, str(door)], capture_output=True, text=True, check=True
            )
        )
    assert (theirs.stdout.strip(), theirs.returncode) == ("b''", 0)
    assert ours.stdout.startswith("""b'{"pid": """)


def test_a_message_is_one_line_and_nothing_else_is_one() -> None:
    assert unpacked(packed({"a": "b\nc\u2028"})[:-1]) == {"a": "b\nc\u2028"}
    assert packed({"a": "b\nc"}).count(b"\n") == 1
    assert unpacked(packed({"a": "x" * (5 << 20)})[:-1]) == {"error": "the answer is too long"}
    with pytest.raises(WireError):
        unpacked(b'{"a": 1} {"b": 2}')
