"""A small internet for attacks: a friend, a thief, a service inside, and names for them.

Harm is what can be measured: the thief or a name server learned the secret, the friend was used
with the thief's key, the service inside was reached, or the guest got a local file.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import dns.exception
import pytest
from tests.servers.answers import at
from tests.servers.dns import DnsServer, Script
from tests.servers.http import HttpServer
from tests.servers.replies import Behaviour, reply

from capbox import app
from capbox.authority.web.addresses import Address
from capbox.box import Box
from capbox.broker.errors import NetworkError
from capbox.broker.network import Network
from capbox.engine.home import Home

SECRET = "hunter2"
LOCAL = "swordfish"  # in a file outside of the grants
INSIDE = "127.0.0.2"
THIEFS_KEY = "mallory-mallory"
NAMES: Mapping[str, Script] = {
    "friend.test": at("127.0.0.1"),
    "good.friend.test": at("127.0.0.1"),
    "localhost": at("127.0.0.1"),
    "evil.test": at("127.0.0.1"),
    "evilfriend.test": at("127.0.0.1"),
    "friend.test.evil.test": at("127.0.0.1"),
    "inside.test": at(INSIDE),
    "dual.test": at("127.0.0.1", INSIDE),
    "rebind.test": [at("127.0.0.1"), at(INSIDE)],
}


@dataclass
class World:
    """Servers of one attack; `output` is what the guest got to see."""

    names: DnsServer
    friend: HttpServer
    thief: HttpServer
    inside: HttpServer
    folder: Path
    home: Home
    output: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def harm(self) -> str:
        """What the attack achieved, "" for nothing."""
        if any(SECRET in question.name for question in self.names.questions):
            return "a name server learned the secret"
        if any(SECRET.encode() in bytes(one.received) for one in self.thief.connections):
            return "the thief learned the secret"
        if any(THIEFS_KEY.encode() in bytes(one.received) for one in self.friend.connections):
            return "the friend was used with the thief's key"
        if self.inside.connections:
            return "the service inside was reached"
        return "the guest got a local file" if LOCAL in self.output else ""

    def url(self, host: str, path: str = "/", *, of: HttpServer | None = None) -> str:
        """Return a URL at the thief's port, or another server's."""
        return f"http://{host}:{(of or self.thief).port}{path}"

    def lookup(self, host: str) -> str:
        """Resolve as a naive client does: spelt-out addresses as the C library reads them."""
        try:
            return str(socket.getaddrinfo(host, 80, flags=socket.AI_NUMERICHOST)[0][4][0])
        except OSError:
            return self.names.resolve(host)[0]

    def get(
        self,
        url: str,
        *,
        host: str | None = None,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> bytes:
        """Fetch as a client that checks nothing; `host` is the one to connect to instead."""
        parts = urlsplit(url)
        address = self.lookup(host or parts.hostname or "")
        connection = HTTPConnection(address, parts.port or 80, timeout=20)
        try:
            target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            location = answer.headers.get("Location")
            content = answer.read()
        finally:
            connection.close()
        return self.get(location, follow=True) if follow and location else content

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Resolve for capbox, at the same server."""
        try:
            found = await anyio.to_thread.run_sync(self.names.resolve, host)
        except dns.exception.DNSException as error:
            raise NetworkError("dns", f"{host} could not be resolved") from error
        return tuple(map(ip_address, found))

    @property
    def network(self) -> Network:
        """Return the network of a process whose names are these."""
        return Network(resolve=self.resolve, secret=self.secrets.get)

    @asynccontextmanager
    async def box(self, *grants: str) -> AsyncIterator[Box]:
        """Open a box with a real guest, whose names are these."""
        async with (
            app.local_engine(home=self.home, spares=False, network=self.network) as engine,
            Box(workspace=self.folder, grants=(*grants, "read:/workspace"), engine=engine) as box,
        ):
            yield box

    async def run(self, grants: Sequence[str], *scripts: str, **urls: str) -> None:
        """Run scripts in real guests, and fetch a URL with the tool for it."""
        async with self.box(*grants) as box:
            for script in scripts:
                result = await box.call("bash", script=script)
                self.output += f"{result.content}{result.data}{result.error}"
            for url in urls.values():
                result = await box.call("fetch", url=url)
                self.output += f"{result.content}{result.data}"


def none(inside: HttpServer) -> Mapping[str, Behaviour]:
    """No routes of its own."""
    return {}


Make = Callable[..., World]
Naive = Callable[[World], object]
Attack = Callable[[World], Awaitable[None]]


@pytest.fixture
def world(
    http_server: Callable[..., HttpServer],
    dns_server: Callable[..., DnsServer],
    home: Home,
    tmp_path: Path,
) -> Make:
    """Make a world; `routes` are the friend's, who knows where the service inside listens."""

    def made(name: str, routes: Callable[[HttpServer], Mapping[str, Behaviour]] = none) -> World:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "notes.txt").write_text("nothing in here\n")
        inside = http_server({"*": reply(b"from inside")}, host=INSIDE)
        return World(
            dns_server(NAMES),
            http_server({"*": reply(b"friendly"), **routes(inside)}),
            http_server({"*": reply(b"thanks")}),
            inside,
            folder,
            home,
        )

    return made
