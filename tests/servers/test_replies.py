"""Each behaviour sends what its name says: compared as bytes, not through a client that repairs."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from threading import Event

import pytest
from tests.servers.client import connected, get, head_of, talk
from tests.servers.http import HttpServer, Tap
from tests.servers.replies import (
    ODD_LINES,
    Behaviour,
    chunked_garbage,
    cut_in_body,
    cut_in_head,
    drip,
    drip_head,
    endless,
    gzip_bomb,
    header_lines,
    held,
    huge_headers,
    in_chunks,
    informational,
    raw,
    redirect,
    reply,
    silence,
    smuggled,
    tapped,
    wrong_length,
)

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSED: Mapping[str, tuple[Behaviour, bytes]] = {
    "bytes of any kind": (raw(b"SSH-2.0-x\r\n"), b"SSH-2.0-x\r\n"),
    "nothing": (raw(), b""),
    "a reset": (raw(reset=True), b"<reset>"),
    "half a head": (cut_in_head(), OK + b"Content-Ty"),
    "half a body": (cut_in_body(b"half"), OK + b"Content-Length: 8\r\n\r\nhalf"),
    "half a chunked body": (cut_in_body(b"half", chunked=True), CHUNKED + b"4\r\nhalf\r\n"),
    "too short": (wrong_length(b"abc", "9"), OK + b"Content-Length: 9\r\n\r\nabc"),
    "too long": (wrong_length(b"abc", "1"), OK + b"Content-Length: 1\r\n\r\nabc"),
    "no number": (wrong_length(b"", "-1"), OK + b"Content-Length: -1\r\n\r\n"),
    "no chunks": (chunked_garbage(b"zz\r\n", b"!"), CHUNKED + b"zz\r\n!"),
}
KEPT: Mapping[str, tuple[Behaviour, bytes]] = {
    "a reply": (reply(b"x", 418), b"HTTP/1.1 418 I'm a Teapot\r\nContent-Length: 1\r\n\r\nx"),
    "a file": (
        redirect("file:///etc/passwd", 307),
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: file:///etc/passwd\r\n"
        b"Content-Length: 0\r\n\r\n",
    ),
    "an unknown status": (reply(status=799), b"HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n"),
    "chosen chunks": (in_chunks(b"a", b"bcd"), CHUNKED + b"1\r\na\r\n3\r\nbcd\r\n0\r\n\r\n"),
    "two responses": (
        smuggled(b"1", b"22"),
        OK + b"Content-Length: 1\r\n\r\n1" + OK + b"Content-Length: 2\r\n\r\n22",
    ),
    "hints first": (
        informational(2, body=b"x"),
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" * 2
        + OK
        + b"Content-Length: 1\r\n\r\nx",
    ),
    "large headers": (
        huge_headers(2, 70_000),
        b"HTTP/1.1 200 OK\r\nX-0: %s\r\nX-1: %s\r\nContent-Length: 0\r\n\r\n"
        % (b"a" * 70_000, b"a" * 70_000),
    ),
    **{
        name: (header_lines(line), OK + b"Content-Length: 4\r\n" + line + b"\r\n\r\nbody")
        for name, line in ODD_LINES.items()
    },
}


@pytest.mark.parametrize("name", CLOSED)
def test_these_end_the_connection(name: str) -> None:
    behaviour, expected = CLOSED[name]
    with HttpServer({"/": behaviour}) as server:
        assert talk(server, get("/")) == expected


@pytest.mark.parametrize("name", KEPT)
def test_these_keep_the_connection(name: str) -> None:
    behaviour, expected = KEPT[name]
    with HttpServer({"/": behaviour, "/end": raw(b"<end>")}) as server:
        assert talk(server, get("/") + get("/end")) == expected + b"<end>"


def test_head_gets_no_body() -> None:
    with HttpServer({"/": reply(b"body"), "/end": raw(b"<end>")}) as server:
        expected = OK + b"Content-Length: 4\r\n\r\n<end>"
        assert talk(server, get("/", "HEAD") + get("/end")) == expected


ENDLESS: Mapping[str, tuple[Behaviour, bytes]] = {
    "a body": (endless(b"ab"), OK + b"\r\n" + b"ab" * 500),
    "hints": (informational(None, 100), (b"HTTP/1.1 100 Continue\r\nLink: <")),
    "a head by drops": (drip_head(0.001), OK + b"X-More: and more\r\n" * 50),
    "a body by drops": (drip(b"a", 0.001, Event()), CHUNKED + b"1\r\na\r\n" * 50),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_these_go_on_until_the_client_leaves(name: str) -> None:
    behaviour, expected = ENDLESS[name]
    with HttpServer({"/": behaviour}) as server:
        assert talk(server, get("/"), bytes_max=len(expected)).startswith(expected)
        server.until(lambda seen: seen[0].over)
        assert server.connections[0].sent >= len(expected)


@pytest.mark.parametrize("name", ENDLESS)
def test_these_go_on_until_the_server_ends(name: str) -> None:
    with HttpServer({"/": ENDLESS[name][0]}) as server:
        stream = connected(server)
        stream.sendall(get("/"))
        server.until(lambda seen: bool(seen) and seen[0].sent > 0)
    stream.close()


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gzip_bomb_is_small_until_it_is_decoded(layers: int) -> None:
    with HttpServer({"/": gzip_bomb(30_000_000, layers=layers), "/end": raw()}) as server:
        head, _, body = talk(server, get("/") + get("/end")).partition(b"\r\n\r\n")
    assert b"Content-Encoding: " + b", ".join([b"gzip"] * layers) in head
    assert len(body) < 40_000 // layers
    for _ in range(layers):
        body = zlib.decompress(body, 16 + zlib.MAX_WBITS)
    assert (len(body), body.strip(b"\0")) == (30_000_000, b"")


def test_a_tap_is_in_the_hands_of_the_test() -> None:
    tap = Tap()
    with HttpServer({"/": tapped(tap)}) as server, connected(server) as stream:
        stream.sendall(get("/"))
        assert head_of(stream) == CHUNKED
        for piece in (b"one", b"\xff"):
            tap.give(piece)
            wanted = b"%x\r\n%s\r\n" % (len(piece), piece)
            assert stream.recv(100) == wanted
        tap.end()
        assert stream.recv(100) == b"0\r\n\r\n"


def test_drops_end_when_the_test_says_so() -> None:
    until = Event()
    with HttpServer({"/": drip(b"a", 0.001, until), "/end": raw()}) as server:
        with connected(server) as stream:
            stream.sendall(get("/") + get("/end"))
            server.until(lambda seen: bool(seen) and seen[0].sent > 100)
            until.set()
            came = b""
            while piece := stream.recv(65_536):
                came += piece
        assert came.startswith(CHUNKED + b"1\r\na\r\n") and came.endswith(b"1\r\na\r\n0\r\n\r\n")


def test_a_held_answer_waits_for_the_test() -> None:
    event = Event()
    with HttpServer({"/": held(event, raw(b"now"))}) as server, connected(server) as stream:
        stream.sendall(get("/"))
        server.until(lambda seen: bool(seen) and len(seen[0].requests) == 1)
        stream.settimeout(0.1)
        with pytest.raises(TimeoutError):
            stream.recv(1)
        event.set()
        stream.settimeout(20)
        assert stream.recv(3) == b"now"


def test_silence_sends_nothing_and_reads_on() -> None:
    with HttpServer({"/": silence}) as server:
        with connected(server) as stream:
            stream.sendall(get("/") + b"more")
            server.until(lambda seen: bool(seen) and bytes(seen[0].received).endswith(b"more"))
            stream.settimeout(0.1)
            with pytest.raises(TimeoutError):
                stream.recv(1)
        server.until(lambda seen: seen[0].over)
        assert server.connections[0].sent == 0
