"""May this request be sent, where to, and with which secrets: decided anew after every wait.

Guarantees: a name is looked up only once something permits it; every one of its addresses must be
public or named by the grant; what is missing is asked for while the guest waits. Does not: send.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from capbox.broker.asked import Asked

from capbox.authority.authority import Authority, Minted
from capbox.authority.decision import Denied, Standing
from capbox.authority.paths import quoted
from capbox.authority.values.draws import Draw
from capbox.authority.web.addresses import PRIVATE, Address, address_of, refusal
from capbox.authority.web.places import FetchAccess
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Headers
from capbox.broker.network import Network
from capbox.gate.approver import AskRequest, ask_request, neutral
from capbox.gate.asking import confirmed, lease_for
from capbox.gate.holdings import Holdings, Tally
from capbox.gate.manifest import Request
from capbox.gate.network.credentials import Credentials
from capbox.gate.result import denial_of, lesson, without_secrets
from capbox.gate.rights.labels import Reading
from capbox.gate.runner import Tool
from capbox.gate.seat import Held, Seat
from capbox.journal.event import Decided, NameLookedUp
from capbox.messages import Denial
from capbox.sandbox.spec import UnderWay

_SEEN_SHOWN = 40
_BODY_BYTES_SHOWN = 300


class DeniedError(NetworkError):
    """A request that was refused; the guest learns which grant is missing."""

    def __init__(self, message: str, missing: str | None) -> None:
        super().__init__("denied", message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Permit:
    """One request may be sent: under `minted`, to `addresses`, with `secrets` in its `headers`."""

    minted: Minted
    addresses: tuple[Address, ...]
    secrets: tuple[Minted, ...]
    headers: Headers


@dataclass(slots=True, eq=False)
class Permission:
    """What one call of `tool` may do on the network. `once` are the leases for this call alone."""

    seat: Seat
    call: str
    tool: Tool
    network: Network
    holdings: Holdings
    standing: Callable[[], Standing]
    intent: int  # the entry of the call in the journal
    reading: Reading
    once: tuple[Authority, ...] = ()
    denied: list[Denial] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    credentials: Credentials = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = Credentials(self.seat, self.tool, self.network)

    async def of(self, access: FetchAccess, asked: Asked, under_way: UnderWay) -> Permit:
        """Return what allows the request. Raises DeniedError, NetworkError and JournalError."""
        looked_up: list[Minted] = []
        permit: Permit | None = None
        self.reading.touched = under_way.touched
        try:
            permit = await self._decided(access, asked, under_way, looked_up)
        finally:
            # Attack: names that do not exist, or lead to a private address, would cost nothing,
            # and each tells whoever answers for them something.
            if permit is None:
                for minted in looked_up:
                    self.holdings.draw(minted, self.standing().now, self.tally)
        return permit

    async def _decided(
        self,
        access: FetchAccess,
        asked: Asked,
        under_way: UnderWay,
        looked_up: list[Minted],
    ) -> Permit:
        requests = [r for r in self.tool.manifest.requests if r.selects(access)]
        if not requests:
            reason = f"the tool {self.tool.manifest.name} does not request it"
            self.refuse(denial_of(Denied(access, reason, None), self.seat.layout))
        literal = address_of(access.origin.host.strip("[]"))
        addresses: tuple[Address, ...] | None = None if literal is None else (literal,)
        agreed: set[Minted] = set()
        while True:
            if self.seat.stopped is not None:
                reason = self.seat.stopped.message
                self.refuse(denial_of(Denied(access, reason, None), self.seat.layout))
            held = self.held()
            decision = held.decide(access)
            if isinstance(decision, Denied):
                await self._lease(decision, access, asked, under_way)
                continue
            found = held.holding.permitting(access, held.standing)
            if addresses is not None:
                found = self._reaching(access, found, requests, addresses)
            minted = next((m for m in found if m.grant.asks is None or m in agreed), None)
            if minted is None:
                # Before the name is looked up: whoever answers for it would learn it from that.
                await self._confirm(found[0], access, asked, under_way)
                agreed.add(found[0])
                continue
            if addresses is None:
                # On record and counted: below a wildcard the name itself carries data.
                self.spend(access, Draw("sinks", 1, f"web:{access.origin}"))
                self.seat.journal.append(NameLookedUp(self.intent, access.origin.host, minted.id))
                looked_up.append(minted)
                addresses = await self.network.addresses(access.origin)
                continue
            if await self.credentials.fetch(held):
                continue
            secrets = self.credentials.of(access, held)
            headers = self.credentials.headers(access, held, secrets, asked.headers)
            return Permit(minted, addresses, secrets, headers)

    def spend(self, access: FetchAccess, *draws: Draw) -> None:
        """Take from the run's purse. Raises DeniedError and JournalError."""
        overspent = self.seat.purse.spend(*draws)
        if overspent is not None:
            self.refuse(denial_of(Denied(access, str(overspent), None), self.seat.layout))

    def held(self) -> Held:
        """Return what the run holds at this moment."""
        return self.seat.held(self.standing(), *self.once, reading=self.reading)

    def refuse(self, denial: Denial) -> NoReturn:
        """Record a refusal and tell the guest. Raises DeniedError and JournalError."""
        clean = self.record(denial)
        raise DeniedError(lesson(clean, self.held()), clean.missing)

    def record(self, denial: Denial) -> Denial:
        """Keep a refusal for the result and the journal. Raises JournalError."""
        clean = without_secrets(denial, self.seat.redactor)
        self.denied.append(clean)
        self.seat.journal.append(Decided("denial", clean.access, clean.reason, self.call))
        return clean

    async def _lease(
        self, denied: Denied, access: FetchAccess, asked: Asked, under_way: UnderWay
    ) -> None:
        """Ask for what is missing while the guest waits. Raises DeniedError when it is not lent."""
        question = self._question(access, asked, under_way)
        with under_way.paused():
            async with self.seat.asking:
                if self.seat.stopped is not None:
                    return
                if not isinstance(self.held().decide(access), Denied):
                    return  # another call of this run was answered meanwhile
                lease = await lease_for(denied, self.seat, question, self.call, self.standing)
        if isinstance(lease, Denied):
            self.refuse(denial_of(lease, self.seat.layout))
        self.once = (*self.once, lease)

    async def _confirm(
        self, minted: Minted, access: FetchAccess, asked: Asked, under_way: UnderWay
    ) -> None:
        """Have a person confirm the use of a grant that says `ask=`. Raises DeniedError."""
        question = self._question(access, asked, under_way)
        with under_way.paused():
            async with self.seat.asking:
                if self.seat.stopped is not None:
                    return
                denied = await confirmed(minted, access, self.seat, question, self.call)
        if denied is not None:
            self.refuse(denial_of(denied, self.seat.layout))

    def _reaching(
        self,
        access: FetchAccess,
        found: Sequence[Minted],
        requests: Iterable[Request],
        addresses: tuple[Address, ...],
    ) -> tuple[Minted, ...]:
        """Return the grants that name every one of the addresses. Raises DeniedError."""
        reaching = tuple(m for m in found if not any(map(m.grant.keeps_from, addresses)))
        if not reaching:
            self._refuse_addresses(access, found[0], addresses)
        if not any(r.reaches(addresses) for r in requests):
            reason = f"{self.tool.manifest.name} leaves out an address of {access.origin.host}"
            self.refuse(denial_of(Denied(access, reason, None), self.seat.layout))
        return reaching

    def _question(self, access: FetchAccess, asked: Asked, under_way: UnderWay) -> AskRequest:
        seen = (*self.seat.seen, *(t.path for t in under_way.touched() if t.action == "read"))
        return ask_request(
            access,
            run=self.seat.run,
            tool=self.tool.manifest.name,
            tool_digest=self.tool.digest,
            host=None,
            arguments="",
            details=(*_sent(asked), _read(tuple(dict.fromkeys(seen)))),
        )

    def _refuse_addresses(
        self, access: FetchAccess, minted: Minted, addresses: tuple[Address, ...]
    ) -> NoReturn:
        """Refuse a name because of where it leads; which address that is stays here."""
        block = next(filter(None, map(minted.grant.keeps_from, addresses)))
        left_out = any(map(minted.grant.network_left_out, addresses))
        host, does = access.origin.host, "leaves out" if left_out else "does not name"
        reason = f"{host} has an address in {block}, which {minted.grant} {does}"
        named = (*minted.grant.networks, *PRIVATE)
        private = not left_out and not any(refusal(address, named) for address in addresses)
        missing = f"{access.missing} net=private" if private else None
        flag = None if missing is None else f"--grant {shlex.quote(missing)}"
        self.refuse(Denial(neutral(str(access)), neutral(reason), missing, flag))


def _sent(asked: Asked) -> tuple[str, ...]:
    """Say what would leave besides the URL: anything in it may be data."""
    body = asked.body[:_BODY_BYTES_SHOWN].decode(errors="replace")
    more = " ..." if len(asked.body) > _BODY_BYTES_SHOWN else ""
    content = f": {body}{more}" if body else ""
    headers = ", ".join(f"{name}: {value}" for name, value in asked.headers) or "no headers"
    return f"sends {len(asked.body)} bytes{content}", f"with {headers}"


def _read(seen: tuple[str, ...]) -> str:
    """Say what the run has read; what was read last comes first."""
    last = [quoted(name) if "," not in name else json.dumps(name) for name in reversed(seen)]
    shown = ", ".join(last[:_SEEN_SHOWN]) or "nothing"
    more = f" and {len(last) - _SEEN_SHOWN} more before" if len(last) > _SEEN_SHOWN else ""
    return f"this run has read {shown}{more}"
