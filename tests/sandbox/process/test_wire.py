"""Frames on a blocking socket, as zygote and workers read them."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from capbox.sandbox.process import wire


def test_a_frame_and_its_descriptors_arrive_whole() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, open("/dev/null", "rb") as null:
        wire.send(ours, {"text": "ä\ud800"}, b"body", [null.fileno()])
        header, body, fds = wire.receive(theirs, fds_max=3)
        assert (header, body) == ({"text": "ä\ud800"}, b"body")
        assert [os.readlink(f"/proc/self/fd/{fd}") for fd in fds] == ["/dev/null"]
        assert [os.get_inheritable(fd) for fd in fds] == [False]
        os.close(fds[0])


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", struct.pack("<II", 5, 0) + b"{}", struct.pack("<II", 2, 3) + b"{}12", b"\xff" * 8],
    ids=["nothing", "half a prefix", "half a header", "half a body", "too much"],
)
def test_less_than_a_frame_is_a_hangup(content: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        with ours:
            ours.sendall(content)
        with pytest.raises(wire.Hangup):
            wire.receive(theirs, fds_max=1)


def test_an_other_end_that_is_gone_is_a_hangup() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours, pytest.raises(wire.Hangup):
        wire.send(ours, {}, bytes(1 << 20))
