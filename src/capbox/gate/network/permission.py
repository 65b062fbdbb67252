"""May this request be sent, where to, and with which secrets: decided anew after every wait.

Guarantees: a name is looked up only once something permits it; every one of its addresses must be
public or named by the grant; what is missing is asked for while the guest waits. Does not: send.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import anyio

from capbox.authority.authority import Authority, Minted
from capbox.authority.decision import Denied, Standing
from capbox.authority.grant import SecretSelector
from capbox.authority.web.addresses import PRIVATE, Address, address_of, refusal
from capbox.authority.web.places import FetchAccess
from capbox.broker.errors import NetworkError
from capbox.broker.headers import Headers, without_credentials
from capbox.broker.network import Network
from capbox.broker.secrets import SecretError
from capbox.gate.approver import AskRequest, ask_request, neutral
from capbox.gate.asking import confirmed, lease_for
from capbox.gate.manifest import Request
from capbox.gate.result import denial_of, lesson
from capbox.gate.runner import Tool
from capbox.gate.seat import Held, Seat
from capbox.journal.event import Decided
from capbox.messages import Denial
from capbox.sandbox.spec import UnderWay

_SEEN_SHOWN = 8


class DeniedError(NetworkError):
    """A request that was refused; the guest learns which grant is missing."""

    def __init__(self, message: str, missing: str | None) -> None:
        super().__init__("denied", message)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Permit:
    """One request may be sent: under `minted`, to `addresses`, with `secrets`."""

    minted: Minted
    addresses: tuple[Address, ...]
    secrets: tuple[Minted, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the secrets."""
        return tuple(_selector(one).name for one in self.secrets)


@dataclass(slots=True, eq=False)
class Permission:
    """What one call of `tool` may do on the network. `once` are the leases for this call alone."""

    seat: Seat
    call: str
    tool: Tool
    network: Network
    standing: Callable[[], Standing]
    once: tuple[Authority, ...] = ()
    denied: list[Denial] = field(default_factory=list)

    async def of(self, access: FetchAccess, body_bytes: int, under_way: UnderWay) -> Permit:
        """Return what allows the request. Raises DeniedError, NetworkError and JournalError."""
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
                await self._lease(decision, access, body_bytes, under_way)
                continue
            found = held.holding.permitting(access, held.standing)
            if addresses is not None:
                found = self._reaching(access, found, requests, addresses)
            minted = next((m for m in found if m.grant.asks is None or m in agreed), None)
            if minted is None:
                # Before the name is looked up: whoever answers for it would learn it from that.
                await self._confirm(found[0], access, body_bytes, under_way)
                agreed.add(found[0])
                continue
            if addresses is None:
                addresses = await self.network.addresses(access.origin)
                continue
            secrets = self._secrets(access, held)
            if await self._fetched(secrets):
                continue
            return Permit(minted, addresses, secrets)

    def with_secrets(self, permit: Permit, headers: Headers) -> Headers:
        """Return the guest's headers with the secrets of the permit, and without its own."""
        if not permit.secrets:
            return headers
        pairs = tuple(
            one.grant.header_for(self.seat.secrets[_selector(one).name]) for one in permit.secrets
        )
        return (*pairs, *without_credentials(headers, (name for name, _ in pairs)))

    def held(self) -> Held:
        """Return what the run holds at this moment."""
        return self.seat.held(self.standing(), *self.once)

    def refuse(self, denial: Denial) -> NoReturn:
        """Record a refusal and tell the guest. Raises DeniedError and JournalError."""
        text = self.seat.redactor.text
        clean = Denial(
            text(denial.access),
            text(denial.reason),
            None if denial.missing is None else text(denial.missing),
            None if denial.flag is None else text(denial.flag),
        )
        self.denied.append(clean)
        self.seat.journal.append(Decided("denial", clean.access, clean.reason, self.call))
        raise DeniedError(lesson(clean, self.held()), clean.missing)

    async def _lease(
        self, denied: Denied, access: FetchAccess, body_bytes: int, under_way: UnderWay
    ) -> None:
        """Ask for what is missing while the guest waits. Raises DeniedError when it is not lent."""
        question = self._question(access, body_bytes, under_way)
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
        self, minted: Minted, access: FetchAccess, body_bytes: int, under_way: UnderWay
    ) -> None:
        """Have a person confirm the use of a grant that says `ask=`. Raises DeniedError."""
        question = self._question(access, body_bytes, under_way)
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

    def _question(self, access: FetchAccess, body_bytes: int, under_way: UnderWay) -> AskRequest:
        seen = (*self.seat.seen, *(t.path for t in under_way.touched() if t.action == "read"))
        distinct = tuple(dict.fromkeys(seen))
        shown = ", ".join(distinct[-_SEEN_SHOWN:]) or "nothing"
        more = f" and {len(distinct) - _SEEN_SHOWN} more" if len(distinct) > _SEEN_SHOWN else ""
        return ask_request(
            access,
            run=self.seat.run,
            tool=self.tool.manifest.name,
            tool_digest=self.tool.digest,
            host=None,
            arguments="",
            details=(f"sends {body_bytes} bytes", f"this run has read {shown}{more}"),
        )

    def _secrets(self, access: FetchAccess, held: Held) -> tuple[Minted, ...]:
        """Return the secrets that go with the request, one for each header."""
        requests = tuple(r for r in self.tool.manifest.requests if r.kind == "secret")
        found: dict[str, Minted] = {}
        for minted in held.holding.live(held.standing):
            selector = minted.grant.selector
            if not isinstance(selector, SecretSelector) or selector.origin != access.origin:
                continue
            if any(r.name in (None, str(selector)) for r in requests):
                found.setdefault(minted.grant.header_for("")[0].lower(), minted)
        return tuple(found.values())

    async def _fetched(self, secrets: tuple[Minted, ...]) -> bool:
        """Fetch the values that this run has not used yet; say whether that was waited for."""
        names = [_selector(one).name for one in secrets]
        missing = [name for name in names if name not in self.seat.secrets]
        for name in missing:
            # In a thread: a keyring may ask a person for its password.
            try:
                value = await anyio.to_thread.run_sync(self.network.secret, name)
            except SecretError as error:
                raise NetworkError("secret", str(error)) from error
            if value is None:
                hint = f"run capbox secret set {name}"
                raise NetworkError("secret", f"the secret {name} is not set: {hint}")
            if not value.isascii():
                # Servers disagree on what other bytes mean, and so would the search for an echo.
                raise NetworkError("secret", f"a header carries ASCII alone, {name} holds more")
            self.seat.keep_secret(name, value)
        return bool(missing)

    def _refuse_addresses(
        self, access: FetchAccess, minted: Minted, addresses: tuple[Address, ...]
    ) -> NoReturn:
        """Refuse a name because of where it leads; which address that is stays here."""
        block = next(filter(None, map(minted.grant.keeps_from, addresses)))
        host = access.origin.host
        reason = f"{host} has an address in {block}, which {minted.grant} does not name"
        named = (*minted.grant.networks, *PRIVATE)
        private = not any(refusal(address, named) for address in addresses)
        missing = f"{access.missing} net=private" if private else None
        flag = None if missing is None else f"--grant {shlex.quote(missing)}"
        self.refuse(Denial(neutral(str(access)), neutral(reason), missing, flag))


def _selector(secret: Minted) -> SecretSelector:
    selector = secret.grant.selector
    if not isinstance(selector, SecretSelector):
        raise TypeError(f"not a secret: {secret.grant}")
    return selector
