"""A guest without a sandbox around it: what its worker would send, over a real gate and servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import anyio
import dns.exception
import pytest
from tests.gate.conftest import Desk
from tests.servers.dns import DnsServer, Script

from capbox.authority.limits import Limits
from capbox.authority.values.label import NOTHING
from capbox.authority.web.addresses import Address
from capbox.broker.errors import NetworkError
from capbox.broker.network import Network
from capbox.gate.manifest import Manifest, parse_manifest
from capbox.gate.network.egress import Egress
from capbox.gate.network.permission import Permission
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.messages import JsonObject
from capbox.sandbox.spec import Touched, UnderWay

HERE = "net=127.0.0.1/32"
"""What the names of tests may resolve to: 127.0.0.1 stands for all that is allowed."""


def manifest(*requests: str) -> Manifest:
    """The manifest of a tool that takes nothing and requests these rights."""
    parsed = parse_manifest(
        f"""
name = "fetch"
version = "1"
description = "for tests"
license = "Apache-2.0"
abi = "json"
module = "toolbox.wasm"
access = "read"
[input_schema]
type = "object"
[requests]
optional = {json.dumps(requests)}
""",
        "fetch",
    )
    assert isinstance(parsed, Manifest), parsed
    return parsed


@dataclass(frozen=True)
class Reply:
    """What the guest learns: the answer, and the handle of a body."""

    handle: int
    answer: dict[str, Any]

    @property
    def status(self) -> int:
        return int(self.answer["status"])

    @property
    def error(self) -> str:
        """The code of an error, "" if there is none."""
        return str(self.answer.get("error", {}).get("code", ""))

    @property
    def message(self) -> str:
        return str(self.answer.get("error", {}).get("message", ""))

    @property
    def missing(self) -> str | None:
        found = self.answer.get("error", {}).get("missing")
        return None if found is None else str(found)


@dataclass
class Guest:
    """One call's guest; `touched` is what it has read so far."""

    egress: Egress
    touched: list[Touched] = field(default_factory=list)
    pauses: list[str] = field(default_factory=list)

    async def serve(self, *operation: Any, body: bytes = b"") -> tuple[JsonObject, bytes]:
        """Send one frame, as a worker would."""
        under_way = UnderWay(lambda: tuple(self.touched), self._paused)
        return await self.egress.serve({"http": list(operation)}, body, under_way)

    async def request(
        self,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        redirects: int = 5,
        decode: bool = True,
        waits: Mapping[str, int] | None = None,
    ) -> Reply:
        """Send a request and return its head."""
        head = {
            "method": method,
            "url": url,
            "headers": [list(pair) for pair in (headers or {}).items()],
            "redirects": redirects,
            "decode": decode,
            **(waits or {}),
        }
        answer, content = await self.serve("request", json.dumps(head), body=body)
        assert isinstance(answer["http"], list)
        return Reply(answer["http"][0], json.loads(content))

    async def read(self, reply: Reply, count: int = 65_536) -> bytes | str:
        """Return the next bytes of a body, or the code of an error."""
        answer, content = await self.serve("read", reply.handle, count)
        assert isinstance(answer["http"], list)
        if answer["http"][0] == 0 and content:
            return str(json.loads(content)["error"]["code"])
        return content

    async def body(self, reply: Reply, count: int = 65_536) -> bytes:
        """Return a whole body."""
        came = b""
        while piece := await self.read(reply, count):
            assert isinstance(piece, bytes), piece
            came += piece
        return came

    @contextmanager
    def _paused(self) -> Iterator[None]:
        self.pauses.append("begin")
        yield
        self.pauses.append("end")


@dataclass
class Online:
    """A desk with a network: names are looked up at a real DNS server with a scripted table."""

    desk: Desk
    names: DnsServer
    network: Network
    tool: Tool

    def guest(self, seat: Seat, *requests: str, limits: Limits | None = None) -> Guest:
        """Begin a call of a tool that requests these rights, all of the network by default."""
        made = manifest(*(requests or ("fetch:*", "secret:*")))
        tool = Tool(made, self.tool.module, self.tool.digest, self.tool.runner)
        permission = Permission(
            seat=seat,
            call="c1",
            tool=tool,
            network=self.network,
            holdings=self.desk.holdings,
            standing=self.standing,
            intent=0,
            reading=seat.context.begin(NOTHING, ()),
        )
        return Guest(Egress(permission, limits or Limits()))

    def standing(self) -> Any:
        return self.desk.holdings.standing(self.desk.now)

    def kinds(self, run: str = "run-1") -> list[str]:
        """What the journal holds, by kind; of decisions which one."""
        return [str(r.get("what") or r["kind"]) for r in self.desk.recorded(run)]

    @property
    def asked(self) -> list[str]:
        """The names that were looked up, each time it was (A and AAAA count as one)."""
        return [q.name for q in self.names.questions if q.kind == "A"]


@pytest.fixture
def online(
    desk: Desk, dns_server: Callable[..., DnsServer]
) -> Callable[[Mapping[str, Script]], Online]:
    """Connect the desk to a network where these names exist."""

    def made(table: Mapping[str, Script], secrets: Mapping[str, str] | None = None) -> Online:
        names = dns_server(table)

        async def resolve(host: str, port: int) -> tuple[Address, ...]:
            try:
                found = await anyio.to_thread.run_sync(names.resolve, host)
            except dns.exception.DNSException as error:
                raise NetworkError("dns", f"{host} could not be resolved") from error
            return tuple(map(ip_address, found))

        network = Network(resolve=resolve, secret=(secrets or {}).get)
        return Online(desk, names, network, desk.tools["read"])

    return made
