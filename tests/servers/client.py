"""A client that speaks bytes, for the servers' own tests."""

from __future__ import annotations

import socket

from tests.servers.http import HttpServer

SECONDS = 20.0


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x.test\r\n\r\n".encode()


def connected(server: HttpServer) -> socket.socket:
    return socket.create_connection((server.host, server.port), SECONDS)


def talk(server: HttpServer, sent: bytes, *, bytes_max: int = 1 << 24) -> bytes:
    """Send bytes, and return what comes until the server ends it or it is as much as that.

    A reset is shown as such behind what came before it.
    """
    with connected(server) as stream:
        stream.sendall(sent)
        came = b""
        while len(came) < bytes_max:
            try:
                piece = stream.recv(65_536)
            except ConnectionResetError:
                return came + b"<reset>"
            if not piece:
                break
            came += piece
        return came


def head_of(stream: socket.socket) -> bytes:
    """Read one response without a body."""
    came = b""
    while not came.endswith(b"\r\n\r\n"):
        piece = stream.recv(1)
        assert piece, came
        came += piece
    return came
