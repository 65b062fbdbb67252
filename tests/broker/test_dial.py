"""From a name to a connection: which addresses are tried, and whose certificate is believed."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from threading import Event

import anyio
import pytest
from tests.servers.http import HttpServer
from tests.servers.loopback import Listener, closed_port
from tests.servers.replies import reply
from tests.servers.tls import BAD, CertificateMaker

from capbox.authority.limits import Limits
from capbox.authority.web.addresses import Address
from capbox.authority.web.places import Origin
from capbox.broker.asked import Asked
from capbox.broker.dial import addresses_of, dial, tls_context
from capbox.broker.errors import NetworkError
from capbox.broker.exchange import Exchange
from capbox.broker.network import Network
from capbox.broker.url import locate

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
HERE = ip_address("127.0.0.1")
ASKED = Asked("GET", "https://name.test/", (), b"", 0, True)


@pytest.fixture
def authority(certificates: CertificateMaker, tmp_path: Path) -> Path:
    """The operator's extra authority, as a file."""
    file = tmp_path / "ca.pem"
    file.write_bytes(certificates.pem)
    return file


async def code_of(origin: Origin, *addresses: str, tls: ssl.SSLContext | None = None) -> str:
    """Dial, and return why that failed, "" if it did not."""
    try:
        connection, _ = await dial(origin, [ip_address(a) for a in addresses], tls, 2.0)
    except NetworkError as error:
        return error.code
    await anyio.aclose_forcefully(connection)
    return ""


async def test_the_name_that_was_granted_is_the_one_that_is_asked_for(
    http_server: Start, certificates: CertificateMaker, authority: Path
) -> None:
    good = certificates.valid("name.test").context()
    server = http_server({"/": reply(b"hello")}, tls=good)
    network = Network(authorities=(authority,))
    access = locate("GET", f"https://name.test:{server.port}/")
    exchange, address = await network.connect(access.origin, (HERE,), Limits(), ASKED)  # type: ignore[union-attr]
    assert isinstance(exchange, Exchange)
    await exchange.request(access, (), b"")  # type: ignore[arg-type]
    assert await exchange.chunk(100) == b"hello"
    await exchange.aclose()
    (seen,) = server.connections
    assert (seen.name, address) == ("name.test", HERE)
    assert seen.requests[0].values("host") == [f"name.test:{server.port}"]


@pytest.mark.parametrize(
    ("certified", "asked", "code"),
    [
        ("name.test", "name.test", ""),
        ("name.test", "other.test", "tls"),
        ("*.name.test", "a.name.test", ""),
        ("*.name.test", "a.b.name.test", "tls"),
        ("127.0.0.1", "127.0.0.1", ""),
        ("name.test", "127.0.0.1", "tls"),
        ("::1", "[::1]", ""),
        ("127.0.0.1", "[::1]", "tls"),
    ],
)
async def test_a_certificate_is_for_the_host_whatever_its_address(
    certified: str,
    asked: str,
    code: str,
    http_server: Start,
    certificates: CertificateMaker,
    authority: Path,
) -> None:
    server = http_server({}, tls=certificates.valid(certified).context())
    origin = Origin("https", asked, server.port)
    assert await code_of(origin, "127.0.0.1", tls=tls_context([authority])) == code


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_certificate_ends_it_before_a_byte_is_sent(
    kind: str, http_server: Start, certificates: CertificateMaker, authority: Path
) -> None:
    server = http_server({}, tls=BAD[kind](certificates, "name.test").context())
    origin = Origin("https", "name.test", server.port)
    # The second address is not asked: it would be no more genuine.
    assert await code_of(origin, "127.0.0.1", "127.0.0.1", tls=tls_context([authority])) == "tls"
    server.until(lambda seen: seen[0].over)
    (seen,) = server.connections
    assert bytes(seen.received) == b""


async def test_the_systems_store_alone_does_not_trust_ours(
    http_server: Start, certificates: CertificateMaker
) -> None:
    server = http_server({}, tls=certificates.valid("name.test").context())
    origin = Origin("https", "name.test", server.port)
    assert await code_of(origin, "127.0.0.1", tls=tls_context([])) == "tls"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_what_speaks_no_tls_or_an_old_one_is_refused(
    http_server: Start, certificates: CertificateMaker, authority: Path
) -> None:
    old = certificates.valid("name.test").context()
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with Listener(lambda stream: stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        for port in (plain.port, http_server({}, tls=old).port):
            origin = Origin("https", "name.test", port)
            assert await code_of(origin, "127.0.0.1", tls=tls_context([authority])) == "tls"


async def test_an_authority_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("not a certificate")
    for name in ("no.pem", "missing.pem"):
        network = Network(authorities=(tmp_path / name,))
        with pytest.raises(NetworkError) as error:
            await network.connect(Origin("https", "name.test", 1), (HERE,), Limits(), ASKED)
        assert error.value.code == "tls"


async def test_another_address_is_tried_where_one_refuses(http_server: Start) -> None:
    server = http_server({"/": reply(b"six")}, host="::1")
    found, address = await dial(
        Origin("http", "name.test", server.port), [HERE, ip_address("::1")], None, 2.0
    )
    await anyio.aclose_forcefully(found)
    assert str(address) == "::1"


async def told(origin: Origin, tls: ssl.SSLContext | None = None) -> str:
    """Dial this machine in vain, and return what is said of it."""
    with pytest.raises(NetworkError) as error:
        await dial(origin, [HERE], tls, 2.0)
    return str(error.value)


async def test_a_signer_that_nobody_knows_comes_with_the_way_to_trust_it(
    http_server: Start, certificates: CertificateMaker, authority: Path
) -> None:
    fix = "; to trust who signed it, name its PEM file in [network] ca_files of config.toml"
    for kind, known, fixed in (
        ("self-signed", [authority], True),
        ("valid", [], True),
        ("expired", [authority], False),
    ):
        made = BAD[kind](certificates, "a.test") if kind in BAD else certificates.valid("a.test")
        server = http_server({}, tls=made.context())
        said = await told(Origin("https", "a.test", server.port), tls_context(known))
        assert said.startswith("the certificate of a.test is not valid: ")
        assert said.endswith(fix) == fixed, said


async def test_the_other_scheme_is_hinted_at_where_a_server_speaks_it() -> None:
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with Listener(lambda stream: stream.sendall(answer)) as plain:
        said = await told(Origin("https", "name.test", plain.port), tls_context([]))
    assert said.endswith("; if it speaks no TLS, write http://"), said


async def test_a_closed_port_refuses(http_server: Start) -> None:
    with closed_port() as port:
        origin = Origin("http", "name.test", port)
        assert await told(origin) == f"http://name.test:{port} refused the connection"


async def test_no_connection_is_told(http_server: Start) -> None:
    with closed_port() as port:
        assert await code_of(Origin("http", "name.test", port), "127.0.0.1") == "connect"
        assert await code_of(Origin("http", "name.test", port), *["127.0.0.1"] * 9) == "connect"


def keeps(hold: Event, left: Event) -> Callable[[socket.socket], None]:
    """Say nothing, and note when the client leaves."""

    def serve(stream: socket.socket) -> None:
        stream.recv(65_536)  # the client's hello
        hold.set()
        if stream.recv(65_536) == b"":
            left.set()

    return serve


async def test_a_handshake_without_end_is_cut(authority: Path) -> None:
    hold, left = Event(), Event()
    with Listener(keeps(hold, left)) as silent:
        origin = Origin("https", "name.test", silent.port)
        with pytest.raises(NetworkError) as error:
            await dial(origin, [HERE], tls_context([authority]), 0.2)
        assert error.value.code == "timeout"
        assert await anyio.to_thread.run_sync(left.wait, 20)


async def test_a_call_that_ends_during_the_handshake_leaves_no_connection(authority: Path) -> None:
    hold, left = Event(), Event()
    with Listener(keeps(hold, left)) as silent:
        origin = Origin("https", "name.test", silent.port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(dial, origin, [HERE], tls_context([authority]), 60.0)
            assert await anyio.to_thread.run_sync(hold.wait, 20)
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(left.wait, 5)


async def never(host: str, port: int) -> tuple[Address, ...]:
    raise AssertionError("nothing is looked up")


def resolving(*texts: str) -> Callable[[str, int], object]:
    async def answer(host: str, port: int) -> tuple[Address, ...]:
        return tuple(map(ip_address, texts))

    return answer


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[64:ff9b::a00:1]", "10.0.0.1"])
async def test_a_literal_address_is_not_looked_up(host: str) -> None:
    assert await addresses_of(Origin("http", host, 80), never) == (ip_address(host.strip("[]")),)


@pytest.mark.parametrize(
    ("host", "answer", "code"),
    [
        ("name.test", ["8.8.8.8", "::1"], ""),
        ("name.test", [], "dns"),
        ("localhost", ["127.0.0.1", "::1"], ""),
        ("localhost", ["127.0.0.1", "10.0.0.1"], "dns"),
        ("a.localhost", ["93.184.216.34"], "dns"),
    ],
)
async def test_every_address_of_a_name_is_told(host: str, answer: list[str], code: str) -> None:
    resolve = resolving(*answer)
    try:
        found = await addresses_of(Origin("http", host, 80), resolve)  # type: ignore[arg-type]
    except NetworkError as error:
        assert error.code == code
    else:
        assert (found, code) == (tuple(map(ip_address, answer)), "")
