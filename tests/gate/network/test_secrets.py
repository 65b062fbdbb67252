"""A secret goes to its exact origin alone, and no echo of it comes back."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest
from tests.gate.network.conftest import HERE, Online
from tests.servers.answers import at
from tests.servers.http import Exchange, HttpServer
from tests.servers.replies import Behaviour, echo, in_chunks, raw, redirect, reply

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAMES = {"localhost": at("127.0.0.1"), "other.localhost": at("127.0.0.1")}
VALUE = "hunter2-hunter2"
SECRETS = {"KEY": VALUE, "OTHER": "swordfish-swordfish"}


def granted(server: HttpServer, *more: str, host: str = "localhost") -> tuple[str, ...]:
    return (f"fetch:http://{host}:{server.port} {HERE}", *more)


async def test_it_goes_to_its_origin_and_nowhere_else(online: Connect, http_server: Start) -> None:
    server, other = http_server({"*": echo}), http_server({"*": echo})
    line = online(NAMES, SECRETS)
    guest = line.guest(
        line.desk.seat(
            *granted(server, f"secret:KEY@http://localhost:{server.port}"),
            *granted(server, host="other.localhost"),
            *granted(other),
            f"fetch:http://127.0.0.1:{server.port}",
        )
    )
    urls = {
        server.url("/x?y", host="localhost"): [f"Bearer {VALUE}"],
        server.url("/", host="other.localhost"): ["mine"],
        other.url("/", host="localhost"): ["mine"],
        server.url("/"): ["mine"],
    }
    for url, expected in urls.items():
        found = await guest.request(url, headers={"authorization": "mine"})
        assert found.status == 200
        seen = (other if f":{other.port}" in url else server).requests[-1]
        assert seen.values("authorization") == expected, url
        assert VALUE.encode() not in await guest.body(found)
    assert line.network.secret("KEY") == VALUE


@pytest.mark.parametrize(
    ("caveats", "header", "sent"),
    [
        ("", "Authorization", f"Bearer {VALUE}"),
        ("header=X-Key", "X-Key", VALUE),
        ('header=X-Key format="Key {}"', "X-Key", f"Key {VALUE}"),
        ('format="token {}"', "Authorization", f"token {VALUE}"),
    ],
)
async def test_the_guests_own_credentials_do_not_go_along(
    caveats: str, header: str, sent: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    own = {"Authorization": "a", "Cookie": "b", "X-Api-Key": "c", "x-key": "d", "Accept": "e"}
    for number, secret in enumerate((f"secret:KEY@{origin} {caveats}".strip(), None)):
        texts = granted(server, *([secret] if secret else []))
        guest = line.guest(line.desk.seat(*texts, run=f"run-{number}"))
        assert (await guest.request(f"{origin}/", headers=own)).status == 200
    with_secret, without = server.requests
    assert with_secret.values(header) == [sent]
    kept = {n.lower(): v for n, v in with_secret.headers if n.lower() in map(str.lower, own)}
    expected = {"accept": "e", header.lower(): sent}
    assert kept == expected
    assert {n: without.values(n) for n in own} == {n: [v] for n, v in own.items()}


async def test_two_secrets_for_one_origin_go_in_their_own_headers(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    seat = line.desk.seat(
        *granted(server, f"secret:KEY@{origin}", f"secret:OTHER@{origin} header=X-Other")
    )
    assert (await line.guest(seat).request(origin)).status == 200
    seen = server.requests[0]
    assert seen.values("authorization") == [f"Bearer {VALUE}"]
    assert seen.values("x-other") == [SECRETS["OTHER"]]
    assert seat.secrets == SECRETS
    (record,) = [r for r in line.desk.recorded() if r["kind"] == "request"]
    assert len(record["grants"]) == 3  # type: ignore[arg-type]


async def test_a_secret_is_for_the_tools_that_request_it(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    seat = line.desk.seat(*granted(server, f"secret:KEY@{origin}"))
    for requests in (("fetch:*",), ("fetch:*", f"secret:KEY@{origin}")):
        assert (await line.guest(seat, *requests).request(origin)).status == 200
    assert [r.values("authorization") for r in server.requests] == [[], [f"Bearer {VALUE}"]]


async def test_a_secret_bounds_its_use(online: Connect, http_server: Start) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin} uses=1")))
    for _ in range(2):
        assert (await guest.request(origin)).status == 200
    assert [r.values("authorization") for r in server.requests] == [[f"Bearer {VALUE}"], []]


async def test_a_secret_that_is_not_set_ends_the_request(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, {})
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    found = await guest.request(origin)
    assert (found.error, server.connections) == ("secret", ())
    assert "capbox secret set KEY" in found.message


@pytest.mark.parametrize("value", ["p\u00e4ssword-p\u00e4ssword", "\u20acuro-\u20acuro-\u20ac"])
async def test_a_secret_that_no_header_carries_is_told_and_not_sent(
    value: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"*": echo})
    line = online(NAMES, {"KEY": value})
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    found = await guest.request(origin)
    assert (found.error, server.connections) == ("secret", ())
    assert value not in json.dumps(found.answer, ensure_ascii=False)


def told(make: Callable[[bytes], Behaviour]) -> Behaviour:
    """Answer with what is made of the credentials that came."""

    def behave(exchange: Exchange) -> None:
        sent = exchange.request.values("authorization")[0].removeprefix("Bearer ")
        make(sent.encode("latin-1"))(exchange)

    return behave


GZIP = [("Content-Encoding", "gzip")]
ECHOES: dict[str, Callable[[bytes], Behaviour]] = {
    "plain": lambda s: reply(b"you sent " + s),
    "gzip": lambda s: reply(gzip.compress(b"you sent " + s), headers=GZIP),
    "base64": lambda s: reply(base64.b64encode(s)),
    "base64 of the header": lambda s: reply(base64.b64encode(b"Authorization: Bearer " + s)),
    "hex": lambda s: reply(s.hex().encode()),
    "percent": lambda s: reply(quote(s).encode()),
    "JSON": lambda s: reply(json.dumps({"key": s.decode()}).encode()),
    "bytes apart": lambda s: in_chunks(*(bytes([b]) for b in b"<" + s + b">")),
    "gzip apart": lambda s: in_chunks(*(bytes([b]) for b in gzip.compress(s)), headers=GZIP),
    "a header": lambda s: reply(b"", headers=[("X-You", s.decode())]),
    "a header's name": lambda s: reply(b"", headers=[(f"X-{s.decode()}", "y")]),
    "the reason": lambda s: raw(b"HTTP/1.1 200 " + s + b"\r\nContent-Length: 0\r\n\r\n"),
    "a cookie": lambda s: reply(b"", headers=[("Set-Cookie", f"k={s.decode()}")]),
    "an error": lambda s: reply(b"bad key " + s, status=401),
}


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize("kind", ECHOES)
async def test_no_echo_comes_back(
    kind: str, decode: bool, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": told(ECHOES[kind])})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    found = await guest.request(f"{origin}/", decode=decode)
    came = json.dumps(found.answer).encode() + await guest.body(found, 7)
    for spelling in (
        VALUE.encode(),
        base64.b64encode(VALUE.encode())[:-4],
        VALUE.encode().hex().encode(),
        gzip.compress(VALUE.encode(), mtime=0)[10:-8],
    ):
        assert spelling not in came
    assert b"[secret:KEY]" in came or (kind == "a header's name" and b"[secret" in came)


@pytest.mark.parametrize("location", ["http://{}.localhost/", "/?k={}", "/{}/x", "//{}/x"])
async def test_no_redirect_carries_it_on(
    location: str, online: Connect, http_server: Start
) -> None:
    def away(sent: bytes) -> Behaviour:
        return redirect(location.format(sent.decode()))

    server = http_server({"/on": told(away), "*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    found = await guest.request(f"{origin}/on")
    assert (found.error, len(server.connections)) == ("redirects", 1)
    assert VALUE not in json.dumps(found.answer) + json.dumps(line.desk.recorded())
    assert line.asked == ["localhost"]
    stayed = await guest.request(f"{origin}/on", redirects=0)
    assert stayed.status == 302 and VALUE not in json.dumps(stayed.answer)


async def test_a_redirect_to_another_origin_leaves_it_behind(
    online: Connect, http_server: Start
) -> None:
    other = http_server({"/": reply(b"")})
    server = http_server({"/": redirect(other.url("/", host="localhost"))})
    line = online(NAMES, SECRETS)
    texts = granted(server, f"secret:KEY@http://localhost:{server.port}")
    guest = line.guest(line.desk.seat(*texts, *granted(other)))
    assert (await guest.request(server.url("/", host="localhost"))).status == 200
    assert server.requests[0].values("authorization") == [f"Bearer {VALUE}"]
    assert VALUE.encode() not in other.requests[0].raw


async def test_a_length_is_not_told_where_an_echo_would_change_it(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": told(lambda s: reply(b"you sent " + s))})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    found = await guest.request(f"{origin}/")
    body = await guest.body(found)
    assert (found.answer["length"], body) == (None, b"you sent [secret:KEY]")
    assert "content-length" not in [name for name, _ in found.answer["headers"]]
    head = await guest.request(f"{origin}/", "HEAD")
    assert head.answer["length"] == len(b"you sent ") + len(VALUE)


async def test_what_a_guest_asks_with_the_secret_in_it_is_recorded_without(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    guest = line.guest(line.desk.seat(*granted(server, f"secret:KEY@{origin}")))
    assert (await guest.request(origin)).status == 200
    for url in (f"{origin}/?k={VALUE}", f"http://{VALUE}.evil.test/"):
        found = await guest.request(url)
        assert VALUE not in json.dumps(found.answer)
    await guest.egress.aclose()
    assert VALUE not in json.dumps(line.desk.recorded())
    assert VALUE not in str(guest.egress.reached)
