"""One exchange against a server that answers slowly, without end, broken, or too much."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from ipaddress import ip_address
from threading import Event
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import (
    ODD_LINES,
    Behaviour,
    chunk,
    chunked_garbage,
    cut_in_body,
    cut_in_head,
    drip,
    drip_head,
    echo,
    endless,
    gzip_bomb,
    head,
    header_lines,
    huge_headers,
    in_chunks,
    informational,
    raw,
    reply,
    response,
    silence,
    smuggled,
    tapped,
    wrong_length,
)
from tests.servers.tls import CertificateMaker

from capbox.authority.web.places import FetchAccess
from capbox.broker.dial import dial
from capbox.broker.errors import NetworkError
from capbox.broker.exchange import Exchange
from capbox.broker.headers import Headers
from capbox.broker.url import locate

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
TEXT = b"the quick brown fox jumps over the lazy dog. " * 40


async def opened(server: HttpServer, method: str = "GET", **options: Any) -> tuple[Exchange, Any]:
    """Connect for one exchange in plain HTTP, whatever the server speaks."""
    access = locate(method, server.url("/").replace("https:", "http:", 1))
    assert isinstance(access, FetchAccess)
    connection, _ = await dial(access.origin, [ip_address(server.host)], None, 20.0)
    patience = options.get("patience_seconds", 20.0)
    return Exchange(connection, options.get("body_bytes_max", 1 << 20), patience), access


async def fetched(
    server: HttpServer,
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    wanted: bool = True,
    **options: Any,
) -> tuple[int, bytes]:
    """Make one exchange to its end; return the status and the body."""
    exchange, access = await opened(server, method, **options)
    try:
        answer = await exchange.request(access, headers, body)
        exchange.decode(answer, wanted=wanted)
        came = b""
        while piece := await exchange.chunk(65_536):
            came += piece
        return answer.status, came
    finally:
        await exchange.aclose()


async def failure(server: HttpServer, **options: Any) -> str:
    """Return the code with which an exchange fails."""
    with pytest.raises(NetworkError) as error:
        await fetched(server, **options)
    return error.value.code


async def test_a_request_goes_out_as_it_is_and_once(http_server: Start) -> None:
    server = http_server({"/": echo})
    status, body = await fetched(
        server, method="POST", headers=(("X-A", "b"), ("X-A", "\xe9")), body=b"content"
    )
    (seen,) = server.requests
    assert (status, seen.method, seen.target, seen.body) == (200, "POST", "/", b"content")
    assert seen.headers == (
        ("Host", f"127.0.0.1:{server.port}"),
        ("X-A", "b"),
        ("X-A", "\xe9"),
        ("Content-Length", "7"),
        ("Connection", "close"),
    )
    assert b"content" in body


@pytest.mark.parametrize(
    ("method", "length"), [("GET", []), ("HEAD", []), ("POST", ["0"]), ("DELETE", [])]
)
async def test_an_empty_body_is_framed_where_one_is_meant(
    method: str, length: list[str], http_server: Start
) -> None:
    server = http_server({"/": reply(TEXT)})
    status, body = await fetched(server, method=method)
    assert (status, body) == (200, b"" if method == "HEAD" else TEXT)
    assert server.requests[0].values("content-length") == length


MEMBERS = gzip.compress(TEXT[:900]) + gzip.compress(b"") + gzip.compress(TEXT[900:])
RAW_DEFLATE = zlib.compressobj(wbits=-15)
ENCODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("x-gzip", gzip.compress(TEXT)),
    "shouted": ("GZIP", gzip.compress(TEXT)),
    "zlib as deflate": ("deflate", zlib.compress(TEXT)),
    "raw deflate": ("deflate", RAW_DEFLATE.compress(TEXT) + RAW_DEFLATE.flush()),
    "several members": ("gzip", MEMBERS),
    "zeros behind": ("gzip", gzip.compress(TEXT) + bytes(600)),
    "garbage behind": ("gzip", gzip.compress(TEXT) + b"garbage"),
    "identity": ("identity", TEXT),
    "nothing said": ("", TEXT),
}


@pytest.mark.parametrize("border", [1, 2, 3, 7, 1_000_000])
@pytest.mark.parametrize("name", ENCODED)
async def test_an_encoding_is_undone_wherever_it_is_cut(
    name: str, border: int, http_server: Start
) -> None:
    encoding, body = ENCODED[name]
    pieces = [body[at : at + border] for at in range(0, len(body), border)]
    server = http_server({"/": in_chunks(*pieces, headers=[("Content-Encoding", encoding)])})
    assert await fetched(server) == (200, TEXT)
    assert await fetched(server, wanted=False) == (200, body)


TOO_SHORT = gzip.compress(TEXT)[:-9]
DAMAGED = gzip.compress(TEXT)[:-8] + bytes(8)
BROKEN_ENCODING: dict[str, tuple[Behaviour, str]] = {
    "unknown": (reply(TEXT, headers=[("Content-Encoding", "br")]), "encoding"),
    "two": (reply(TEXT, headers=[("Content-Encoding", "gzip, gzip")]), "encoding"),
    "two layers of a bomb": (gzip_bomb(1 << 24, layers=2), "encoding"),
    "cut short": (reply(TOO_SHORT, headers=[("Content-Encoding", "gzip")]), "protocol"),
    "its first byte": (reply(b"\x1f", headers=[("Content-Encoding", "gzip")]), "protocol"),
    "damaged": (reply(DAMAGED, headers=[("Content-Encoding", "gzip")]), "encoding"),
    "not at all": (reply(b"\xff\xff\xff\xff", headers=[("Content-Encoding", "gzip")]), "encoding"),
    "too much": (gzip_bomb(1 << 26), "too_large"),
}


@pytest.mark.parametrize("name", BROKEN_ENCODING)
async def test_an_encoding_that_cannot_be_undone_is_told(name: str, http_server: Start) -> None:
    behaviour, code = BROKEN_ENCODING[name]
    assert await failure(http_server({"/": behaviour})) == code


async def test_the_encoding_is_found_in_whichever_header_says_it(http_server: Start) -> None:
    # Attack: an echo of a secret behind a header that a guest reads and we did not.
    said = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")]
    server = http_server({"/": reply(gzip.compress(TEXT), headers=said)})
    assert await fetched(server) == (200, TEXT)


async def test_a_body_is_bounded_after_decoding_and_is_delivered_up_to_there(
    http_server: Start,
) -> None:
    bomb = http_server({"/": gzip_bomb(1 << 26)})
    exchange, access = await opened(bomb, body_bytes_max=1 << 20)
    exchange.decode(await exchange.request(access, (), b""), wanted=True)
    came = 0
    with pytest.raises(NetworkError) as error:
        while piece := await exchange.chunk(65_536):
            came += len(piece)
    await exchange.aclose()
    assert (error.value.code, came) == ("too_large", 1 << 20)
    for size, code in ((1 << 20, None), ((1 << 20) + 1, "too_large")):
        server = http_server({"/": reply(bytes(size))})
        if code is None:
            assert await fetched(server) == (200, bytes(size))
        else:
            assert await failure(server) == code


async def test_a_body_without_end_is_cut(http_server: Start) -> None:
    server = http_server({"/": endless()})
    assert await failure(server) == "too_large"
    server.until(lambda seen: seen[0].over)


GZIPPED = [("Content-Encoding", "gzip")]
EMPTY_BLOCK = b"\0\0\0\xff\xff"
NOTHING = {
    "members": (b"", gzip.compress(b"")),
    "members of zlib": (b"", zlib.compress(b"")),
    "blocks": (gzip.compress(b"")[:10], EMPTY_BLOCK),
    "padding": (gzip.compress(b""), bytes(100)),
}


async def excess(server: HttpServer, body_bytes_max: int) -> tuple[str, int]:
    """Return the code with which a body without end fails, and how much of it had come."""
    exchange, access = await opened(server, body_bytes_max=body_bytes_max)
    exchange.decode(await exchange.request(access, (), b""), wanted=True)
    with pytest.raises(NetworkError) as error:
        while await exchange.chunk(100):
            pass
    await exchange.aclose()
    server.until(lambda seen: seen[0].over)
    return error.value.code, exchange.received


@pytest.mark.parametrize("name", NOTHING)
async def test_what_holds_nothing_does_not_go_on_for_ever(name: str, http_server: Start) -> None:
    start, nothing = NOTHING[name]
    code, received = await excess(http_server({"/": endless(nothing * 500, GZIPPED, start)}), 1_000)
    assert (code, received < 1 << 20) == ("encoding", True)


async def test_a_body_is_bounded_before_decoding_too(http_server: Start) -> None:
    letter = EMPTY_BLOCK * 10_000 + b"\0\1\0\xfe\xffa"
    server = http_server({"/": endless(letter, GZIPPED, gzip.compress(b"")[:10])})
    code, received = await excess(server, 1_000)
    assert (code, received < 1 << 20) == ("too_large", True)


async def test_others_have_their_turn_while_a_body_is_decoded(http_server: Start) -> None:
    # All of it comes with the head, so nothing else is waited for.
    members = 2_000
    body = zlib.compress(b"") * members + gzip.compress(TEXT)
    exchange, access = await opened(http_server({"/": raw(response(body, headers=GZIPPED))}))
    exchange.decode(await exchange.request(access, (), b""), wanted=True)
    turns = 0
    async with anyio.create_task_group() as tasks:

        async def other() -> None:
            nonlocal turns
            while True:
                await anyio.lowlevel.checkpoint()
                turns += 1

        tasks.start_soon(other)
        assert await exchange.chunk(65_536) == TEXT
        tasks.cancel_scope.cancel()
    await exchange.aclose()
    assert turns >= members


BROKEN: dict[str, tuple[Behaviour, str]] = {
    "a cut head": (cut_in_head(), "protocol"),
    "a reset head": (cut_in_head(reset=True), "protocol"),
    "a cut body": (cut_in_body(TEXT), "protocol"),
    "a reset body": (cut_in_body(TEXT, reset=True), "protocol"),
    "a cut chunked body": (cut_in_body(TEXT, chunked=True), "protocol"),
    "nothing": (raw(b""), "protocol"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "protocol"),
    "HTTP/0.9": (raw(b"<html>hello</html>"), "protocol"),
    "HTTP/2": (raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "protocol"),
    "a long length": (wrong_length(TEXT, "999999"), "protocol"),
    "a length that is none": (wrong_length(TEXT, "-1"), "protocol"),
    "a length in hex": (wrong_length(TEXT, "0x10"), "protocol"),
    "two lengths": (header_lines(b"Content-Length: 0"), "protocol"),
    "chunks that are none": (chunked_garbage(b"zz\r\nhello\r\n"), "protocol"),
    "a negative chunk": (chunked_garbage(b"-5\r\nhello\r\n"), "protocol"),
    "a huge chunk size": (chunked_garbage(b"f" * 30 + b"\r\n"), "protocol"),
    "a chunk size without end": (chunked_garbage(b"1;" + b"a" * 200_000), "protocol"),
    "an upgrade": (raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "protocol"),
    "hints without end": (informational(None), "protocol"),
    "a large header": (huge_headers(), "protocol"),
    "many headers": (huge_headers(2_000, 100), "protocol"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_answer_is_told_as_such(name: str, http_server: Start) -> None:
    behaviour, code = BROKEN[name]
    assert await failure(http_server({"/": behaviour})) == code


@pytest.mark.parametrize("line", ODD_LINES)
async def test_an_odd_header_is_refused_or_has_one_reading(line: str, http_server: Start) -> None:
    server = http_server({"/": header_lines(ODD_LINES[line])})
    exchange, access = await opened(server)
    try:
        answer = await exchange.request(access, (), b"")
    except NetworkError as error:
        assert error.code == "protocol"
    else:
        names = [name for name, _ in answer.texts]
        # A bare LF ends a line for whoever reads leniently (RFC 9112, 2.2), h11 among them.
        assert set(names) <= {"content-length", "transfer-encoding", "x-a", "set-cookie"}
        assert ("set-cookie" in names) is (line == "a bare LF")
        assert not any(c in value for _, value in answer.texts for c in "\r\n\0")
    finally:
        await exchange.aclose()


def padded(bytes_count: int, interim: bytes = b"") -> Behaviour:
    """Answer with a head of so many bytes, interim responses included, in one piece."""
    start, end = interim + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ", b"\r\n\r\n"
    return raw(start + b"a" * (bytes_count - len(start + end)) + end)


HINT = head(103, [("Link", "</style.css>; rel=preload")])
HEADS: dict[str, tuple[Behaviour, Behaviour]] = {
    "bytes": (padded(65_536), padded(65_537)),
    "bytes with hints": (padded(65_536, HINT * 3), padded(65_537, HINT * 3)),
    "headers": (header_lines(*[b"a:"] * 199), header_lines(*[b"a:"] * 200)),
    "headers in one piece": (header_lines(b"a:"), header_lines(*[b"a:"] * 15_000)),
}


@pytest.mark.parametrize("name", HEADS)
async def test_a_head_is_bounded_however_it_comes(name: str, http_server: Start) -> None:
    allowed, denied = HEADS[name]
    assert (await fetched(http_server({"/": allowed})))[0] == 200
    assert await failure(http_server({"/": denied})) == "protocol"


QUOTED = "pa'ss\"word-0123456789"
TELLING: dict[str, tuple[Behaviour, str]] = {
    "a status line": (raw(b"HTTP/1.1 2OO %s\r\n\r\n" % QUOTED.encode()), "protocol"),
    "a header": (header_lines(b"X: a\0%s" % QUOTED.encode()), "protocol"),
    "a header without a name": (header_lines(QUOTED.encode()), "protocol"),
    "a chunk": (chunked_garbage(QUOTED.encode() + b"\r\n"), "protocol"),
    "an encoding": (reply(b"", headers=[("Content-Encoding", QUOTED)]), "encoding"),
}


@pytest.mark.parametrize("name", TELLING)
async def test_a_failure_quotes_nothing_that_came(name: str, http_server: Start) -> None:
    # Attack: an echo of a secret where Python's spelling of it is what comes back.
    behaviour, code = TELLING[name]
    with pytest.raises(NetworkError) as error:
        await fetched(http_server({"/": behaviour}))
    assert (error.value.code, "0123456789" in told(error.value)) == (code, False)


@pytest.mark.parametrize(
    "value", [f"{QUOTED} ", f"{QUOTED}\r\nX: y", f"{QUOTED}\0", f"{QUOTED}\u20ac"]
)
async def test_a_failure_quotes_nothing_that_would_go_out(value: str, http_server: Start) -> None:
    server = http_server({"/": echo})
    with pytest.raises(NetworkError) as error:
        await fetched(server, headers=(("X-A", value),))
    assert (error.value.code, "0123456789" in told(error.value)) == ("invalid", False)
    assert (await fetched(server, headers=(("X-A", QUOTED),)))[0] == 200
    assert [one.values("x-a") for one in server.requests] == [[QUOTED]]


def told(error: NetworkError) -> str:
    """Return what may be shown of an error, its cause too."""
    return f"{error} {error.__cause__}"


async def test_a_body_that_ends_too_early_is_told_as_such(http_server: Start) -> None:
    for behaviour, message in (
        (cut_in_body(TEXT), "the server ended the connection too early"),
        (raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "not an HTTP response"),
    ):
        with pytest.raises(NetworkError) as error:
            await fetched(http_server({"/": behaviour}))
        assert str(error.value) == message


async def test_a_server_that_speaks_tls_is_hinted_at(
    http_server: Start, certificates: CertificateMaker
) -> None:
    """Some answer plain HTTP with an alert, some with nothing at all."""
    hint = "; if it speaks TLS, write https://"
    secure = certificates.valid("127.0.0.1").context()
    for server, hinted in (
        (http_server({}, tls=secure), True),
        (http_server({"/": raw(b"\x15\x03\x01\x00\x02\x02\x46")}), True),
        (http_server({"/": raw()}), True),
        (http_server({"/": raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")}), False),
        (http_server({"/": cut_in_body(TEXT)}), False),
    ):
        with pytest.raises(NetworkError) as error:
            await fetched(server)
        assert str(error.value).endswith(hint) == hinted, error.value


async def test_a_few_hints_are_passed_over(http_server: Start) -> None:
    assert await fetched(http_server({"/": informational(3)})) == (200, b"at last")


async def test_a_second_response_is_never_read(http_server: Start) -> None:
    server = http_server({"/": smuggled(b"first", b"second")})
    exchange, access = await opened(server)
    answer = await exchange.request(access, (), b"")
    assert (answer.status, await exchange.chunk(100)) == (200, b"first")
    assert [await exchange.chunk(100) for _ in range(3)] == [b"", b"", b""]
    await exchange.aclose()


async def test_a_body_until_the_end_of_the_connection_is_whole(http_server: Start) -> None:
    assert await fetched(http_server({"/": raw(head(200), TEXT)})) == (200, TEXT)


async def test_every_border_of_chunks_and_reads_gives_the_same(http_server: Start) -> None:
    server = http_server({"/": in_chunks(*(TEXT[at : at + 1] for at in range(len(TEXT))))})
    exchange, access = await opened(server)
    await exchange.request(access, (), b"")
    came = b""
    while piece := await exchange.chunk(1 + len(came) % 5):
        came += piece
    await exchange.aclose()
    assert came == TEXT and exchange.received == len(TEXT)


async def test_no_wait_is_without_end(http_server: Start) -> None:
    never = Event()
    slow = {
        "silent": silence,
        "a head that drips": drip_head(0.01),
    }
    for name, behaviour in slow.items():
        server = http_server({"/": behaviour})
        assert await failure(server, patience_seconds=0.2) == "timeout", name
        server.until(lambda seen: seen[0].over)
    stopped = http_server({"/": tapped(Tap())})
    assert await failure(stopped, patience_seconds=0.2) == "timeout"
    # Each piece in time: that is slow, and ends by the deadline of the call.
    dripping = http_server({"/": drip(b"x", 0.001, never)})
    assert await failure(dripping, body_bytes_max=50) == "too_large"


async def test_an_answer_before_the_request_is_read_counts(http_server: Start) -> None:
    early = http_server({"/": reply(b"no", status=413)})
    assert await fetched(early, method="POST", body=bytes(1 << 20)) == (413, b"no")


async def test_what_is_not_read_is_not_fetched(http_server: Start) -> None:
    server = http_server({"/": endless()})
    exchange, access = await opened(server)
    await exchange.request(access, (), b"")
    assert await exchange.chunk(10)
    await exchange.aclose()
    server.until(lambda seen: seen[0].over)
    assert exchange.received < 1 << 20


async def test_a_chunk_comes_as_soon_as_it_is_there(http_server: Start) -> None:
    tap = Tap()
    exchange, access = await opened(http_server({"/": tapped(tap)}))
    await exchange.request(access, (), b"")
    for piece in (b"one", b"two"):
        tap.give(piece)
        assert await exchange.chunk(100) == piece
    tap.end()
    assert await exchange.chunk(100) == b""
    await exchange.aclose()
    assert chunk(b"one") == b"3\r\none\r\n"
