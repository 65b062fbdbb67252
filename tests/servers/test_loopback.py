"""Listeners end all they began, and a closed port stays closed."""

from __future__ import annotations

import socket
import threading

import pytest
from tests.servers.loopback import Listener, Threads, closed_port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.3.2.1"])
def test_stopping_ends_connections_that_wait(host: str) -> None:
    ended = threading.Event()
    came = threading.Event()

    def serve(stream: socket.socket) -> None:
        came.set()
        assert stream.recv(1) == b""
        ended.set()

    with Listener(serve, host) as listener:
        client = socket.create_connection((listener.host, listener.port), 20)
        assert came.wait(20)
        assert not ended.is_set()
    assert ended.is_set()
    assert client.recv(1) == b""
    client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, listener.port), 20)


def test_a_thread_that_does_not_end_is_reported() -> None:
    threads, free = Threads("slow", join_seconds=0.01), threading.Event()
    ended = threading.Event()

    def wait() -> None:
        free.wait()
        ended.set()

    threads.start(wait)
    with pytest.raises(RuntimeError, match="1 threads of slow did not end"):
        threads.join()
    free.set()
    ended.wait(20)


def test_a_closed_port_refuses_and_is_held() -> None:
    with closed_port() as port:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 20)
        with pytest.raises(OSError, match="in use"):
            Listener(lambda stream: None, port=port)
