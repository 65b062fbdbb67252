"""The good certificate is accepted, and each bad one is refused for its own reason."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

import pytest
from tests.servers.client import get
from tests.servers.http import HttpServer
from tests.servers.replies import raw
from tests.servers.tls import BAD, CertificateMaker

WHY: Mapping[str, str] = {
    "expired": "certificate has expired",
    "not yet valid": "certificate is not yet valid",
    "for another name": "Hostname mismatch",
    "self-signed": "self-signed certificate",
    "from a stranger": "unable to get local issuer",
}


def fetched(server: HttpServer, context: ssl.SSLContext, name: str) -> bytes:
    """Ask over TLS, and return what comes."""
    with (
        socket.create_connection((server.host, server.port), 20) as plain,
        context.wrap_socket(plain, server_hostname=name) as stream,
    ):
        stream.sendall(get("/"))
        return stream.recv(100)


@pytest.mark.parametrize("name", ["example.test", "127.0.0.1", "::1"])
def test_a_valid_certificate_is_accepted(name: str, certificates: CertificateMaker) -> None:
    good = certificates.valid("example.test", "127.0.0.1", "::1")
    host = "::1" if name == "::1" else "127.0.0.1"
    with HttpServer({"/": raw(b"secret")}, host=host, tls=good.context()) as server:
        assert fetched(server, certificates.trusting(), name) == b"secret"
        server.until(lambda seen: seen[0].over)
        (seen,) = server.connections
        assert (seen.name, seen.failure) == (name if name == "example.test" else None, "")
        assert bytes(seen.received) == get("/") == server.requests[0].raw
    assert server.url("/x", host="example.test") == f"https://example.test:{server.port}/x"


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_certificate_is_refused(kind: str, certificates: CertificateMaker) -> None:
    bad = BAD[kind](certificates, "example.test")
    with HttpServer({"/": raw(b"secret")}, tls=bad.context()) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=WHY[kind]):
            fetched(server, certificates.trusting(), "example.test")
        careless = ssl._create_unverified_context()
        assert fetched(server, careless, "example.test") == b"secret"
        server.until(lambda seen: len(seen) == 2 and all(one.over for one in seen))
        first, second = server.connections
        assert (first.name, first.requests) == ("example.test", [])
        assert (len(second.requests), second.failure) == (1, "")


def test_what_is_no_tls_is_a_failure_on_record(certificates: CertificateMaker) -> None:
    with HttpServer({"/": raw(b"")}, tls=certificates.valid("x.test").context()) as server:
        with socket.create_connection((server.host, server.port), 20) as plain:
            plain.sendall(get("/"))
            server.until(lambda seen: bool(seen) and seen[0].over)
        assert "HTTP_REQUEST" in server.connections[0].failure.upper().replace(" ", "_")
        assert server.requests == ()


def test_the_server_ends_in_the_middle_of_a_handshake(certificates: CertificateMaker) -> None:
    with HttpServer({}, tls=certificates.valid("x.test").context()) as server:
        plain = socket.create_connection((server.host, server.port), 20)
        server.until(lambda seen: len(seen) == 1)
    plain.close()
    assert server.connections[0].over
