"""Which secret goes along, in which header, and what comes of one that cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import anyio
import pytest
from tests.gate.network.conftest import HERE, Guest, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer
from tests.servers.replies import reply

from capbox.authority.decision import AuthorityId
from capbox.broker.secrets import SecretError

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAMES = {"localhost": at("127.0.0.1"), "other.localhost": at("127.0.0.1")}
SECRETS = {"KEY": "hunter2-hunter2", "OTHER": "swordfish-swordfish"}


def granted(line: Online, server: HttpServer, *more: str) -> Guest:
    """A guest that may fetch from the server; HERE in the other grants stands for its origin."""
    origin = f"http://localhost:{server.port}"
    texts = (text.replace("HERE", origin) for text in more)
    return line.guest(line.desk.seat(f"fetch:{origin} {HERE}", *texts))


@pytest.mark.parametrize(
    ("secrets", "headers"),
    [
        # Of two for one header the first goes, however either is spelt.
        (["secret:KEY@HERE", 'secret:OTHER@HERE format="x {}"'], {"authorization": "Bearer {KEY}"}),
        (
            ["secret:KEY@HERE header=X-Key", "secret:OTHER@HERE header=x-key"],
            {"x-key": "{KEY}", "authorization": None},
        ),
        (
            ["secret:KEY@HERE header=X-Key", "secret:OTHER@HERE header=X-Other"],
            {"x-key": "{KEY}", "x-other": "{OTHER}"},
        ),
        # One for another place does not hide it.
        (
            ["secret:OTHER@http://other.localhost", "secret:KEY@HERE"],
            {"authorization": "Bearer {KEY}"},
        ),
    ],
)
async def test_one_secret_goes_in_each_header(
    secrets: list[str], headers: dict[str, str | None], online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    guest = granted(online(NAMES, SECRETS), server, *secrets)
    assert (await guest.request(server.url("/", host="localhost"))).status == 200
    (seen,) = server.requests
    for name, value in headers.items():
        expected = [] if value is None else [value.format(**SECRETS)]
        assert seen.values(name) == expected, name


@pytest.mark.parametrize(
    ("header", "goes", "goes_with_a_secret"),
    [("Range", True, False), ("Accept", True, True), ("Authorization", True, False)],
)
async def test_what_a_guest_may_not_say_where_a_secret_goes(
    header: str, goes: bool, goes_with_a_secret: bool, online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES, SECRETS)
    origin = f"http://localhost:{server.port}"
    for number, texts in enumerate(((), (f"secret:KEY@{origin} header=X-Key",))):
        seat = line.desk.seat(f"fetch:{origin} {HERE}", *texts, run=f"run-{number}")
        assert (await line.guest(seat).request(origin, headers={header: "mine"})).status == 200
    assert [bool(r.values(header)) for r in server.requests] == [goes, goes_with_a_secret]


class Keyring:
    """A store of secrets that does something before it answers."""

    def __init__(self, ask: Callable[[str], str | None]) -> None:
        self.get = ask


async def test_a_store_that_fails_is_told_and_what_needs_it_is_not_sent(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    asked: list[str] = []

    def ask(name: str) -> str | None:
        asked.append(name)
        if name == "BROKEN":
            raise SecretError("the keyring", "is locked", "unlock it")
        return SECRETS[name]

    line = online(NAMES, Keyring(ask))
    port = server.port
    guest = line.guest(
        line.desk.seat(
            *(f"fetch:http://{host}:{port} {HERE}" for host in NAMES),
            f"secret:BROKEN@http://localhost:{port}",
            f"secret:KEY@http://other.localhost:{port}",
        )
    )
    for _ in range(2):
        found = await guest.request(server.url("/", host="localhost"))
        assert (found.error, "is locked" in found.message) == ("secret", True)
    # What does not need it goes on, and nobody is asked for its password again.
    assert (await guest.request(server.url("/", host="other.localhost"))).status == 200
    assert asked == ["BROKEN", "KEY"] and len(server.requests) == 1


async def test_what_ends_while_a_secret_is_fetched_is_not_sent(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})

    def ask(name: str) -> str | None:
        line.desk.holdings.revoke(AuthorityId("root"))
        return SECRETS[name]

    line = online(NAMES, Keyring(ask))
    guest = granted(line, server, "secret:KEY@HERE")
    assert (await guest.request(server.url("/", host="localhost"))).error == "denied"
    assert server.connections == ()


async def test_a_store_that_never_answers_does_not_keep_a_call(
    online: Connect, http_server: Start
) -> None:
    server, event, answered = http_server({"*": reply(b"")}), Event(), list[str]()

    def ask(name: str) -> str | None:
        event.wait(5)
        answered.append(name)
        return None

    guest = granted(online(NAMES, Keyring(ask)), server, "secret:KEY@HERE")
    with anyio.move_on_after(0.05) as scope:
        await guest.request(server.url("/", host="localhost"))
    assert (scope.cancelled_caught, answered) == (True, [])
    event.set()
