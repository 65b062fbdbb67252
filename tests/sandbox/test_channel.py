"""The parent's end of a socket: a hostile other end can only hang up."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from capbox.sandbox.channel import HEADER_BYTES_MAX, Channel
from capbox.sandbox.process import wire


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """Yield a channel and the bare socket at its other end."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    yield channel, theirs
    channel.close()
    theirs.close()


Ends = tuple[Channel, socket.socket]
HEADER = b'{"a":1}'


def frame(header: bytes = HEADER, body: bytes = b"") -> bytes:
    return struct.pack("<II", len(header), len(body)) + header + body


HOSTILE = {
    "nothing": b"",
    "half a prefix": frame()[:5],
    "half a header": frame()[:-1],
    "half a body": frame(body=b"1234")[:-1],
    "a header beyond the bound": struct.pack("<II", HEADER_BYTES_MAX + 1, 0),
    "a header of 4 GiB": struct.pack("<II", 0xFFFFFFFF, 0),
    "a body beyond the bound": struct.pack("<II", 2, 11) + b"{}",
    "no JSON": frame(b"{"),
    "an empty header": frame(b""),
    "a list": frame(b"[]"),
    "bytes that are no text": frame(b'{"a":"\xff"}'),
    "nesting without end": frame(b"[" * 200_000),
    "a number without end": frame(b'{"a":' + b"9" * 500_000 + b"}"),
    "two frames": frame() + frame(),
    "one byte more": frame() + b"x",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_nonsense_is_a_hangup(name: str, ends: Ends) -> None:
    channel, theirs = ends
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pour, theirs, HOSTILE[name])
        with pytest.raises(wire.Hangup):
            await channel.receive(body_bytes_max=10)
        channel.close()


@pytest.mark.parametrize("body", [b"", b"0123456789"])
async def test_a_frame_within_its_bounds_arrives(body: bytes, ends: Ends) -> None:
    channel, theirs = ends
    theirs.sendall(frame(body=body))
    assert await channel.receive(body_bytes_max=10) == ({"a": 1}, body, [])


async def test_others_have_their_turn_within_a_frame_that_comes_in_pieces(ends: Ends) -> None:
    channel, theirs = ends
    body = bytes(100_000)
    theirs.sendall(frame(body=body))  # all of it is there, in more than one piece for the reader
    turns: list[None] = []

    async def other() -> None:
        turns.append(None)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        assert await channel.receive(body_bytes_max=len(body)) == ({"a": 1}, body, [])
        assert len(turns) == 1


async def test_a_large_frame_arrives_at_an_end_that_reads_slowly(ends: Ends) -> None:
    channel, theirs = ends
    body = os.urandom(1 << 20) * 3
    got: list[bytes] = []

    def read() -> None:
        got.append(wire.receive(theirs)[1])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(channel.send, {"a": 1}, body)
        tasks.start_soon(anyio.to_thread.run_sync, read)
    assert got == [body]


async def test_sending_to_an_end_that_never_reads_can_be_cancelled(ends: Ends) -> None:
    channel, _ = ends
    with anyio.move_on_after(0.05) as scope:
        await channel.send({}, bytes(10_000_000))
    assert scope.cancelled_caught


async def test_sending_to_an_end_that_is_gone_is_a_hangup(ends: Ends) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(wire.Hangup):
        await channel.send({})


async def test_descriptors_arrive_whole_and_not_more_than_expected(
    ends: Ends, tmp_path: Path
) -> None:
    channel, theirs = ends
    await channel.send({"a": 1}, fds=[os.open(tmp_path, os.O_RDONLY)])
    header, _, fds = wire.receive(theirs, fds_max=1)
    assert (header, [os.readlink(f"/proc/self/fd/{fd}") for fd in fds]) == (
        {"a": 1},
        [str(tmp_path)],
    )
    socket.send_fds(theirs, [frame()], fds)
    answer, _, back = await channel.receive(fds_max=1)
    assert (answer, len(back), os.get_inheritable(back[0])) == ({"a": 1}, 1, False)
    socket.send_fds(theirs, [frame()], fds)
    assert (await channel.receive())[2] == []


@pytest.mark.parametrize("name", ["half a header", "no JSON", "two frames"])
async def test_descriptors_that_came_with_nonsense_are_closed(name: str, ends: Ends) -> None:
    channel, theirs = ends
    null = os.open("/dev/null", os.O_RDONLY)
    before = nulls()
    socket.send_fds(theirs, [HOSTILE[name]], [null])
    theirs.shutdown(socket.SHUT_WR)
    with pytest.raises(wire.Hangup):
        await channel.receive(fds_max=1)
    assert nulls() == before
    os.close(null)


async def test_quiet_is_an_end_that_lives_and_says_nothing(ends: Ends) -> None:
    channel, theirs = ends
    assert channel.quiet()
    theirs.send(b"x")
    assert not channel.quiet()
    assert (theirs.close(), channel.quiet()) == (None, False)


async def test_draining_ends_with_the_other_end_whatever_it_said(ends: Ends) -> None:
    channel, theirs = ends
    theirs.sendall(bytes(100_000))
    theirs.close()
    await channel.drained()
    assert not channel.quiet()


async def pour(to: socket.socket, content: bytes) -> None:
    """Write everything and hang up; the other end may do so first."""

    def write() -> None:
        try:
            to.sendall(content)
            to.shutdown(socket.SHUT_WR)
        except OSError:
            return

    await anyio.to_thread.run_sync(write)


def nulls() -> int:
    """Count the open descriptors of /dev/null."""
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{fd}") == "/dev/null"
        except OSError:
            continue
    return found
