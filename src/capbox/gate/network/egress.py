"""The network of one call: what its guest asks for is decided, recorded, and only then sent.

Read `Egress._sent` downwards. Guarantees: the record precedes the request; a redirect is a request
like any other; a revoked or expired grant ends its transfers at the next chunk; whatever ends the
call, every request is among its effects. Does not: speak HTTP (`broker.exchange` does), or trust
the worker that asks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

import anyio

# What speaks HTTP is loaded at the first request, in the functions below: most calls make none.
if TYPE_CHECKING:
    from capbox.authority.web.places import FetchAccess
    from capbox.broker.asked import Asked
    from capbox.broker.transfer import Transfer

from capbox.authority.authority import Minted
from capbox.authority.caveats import Bytes
from capbox.authority.decision import Denied
from capbox.authority.limits import Limits
from capbox.authority.values.label import Source
from capbox.authority.web.places import Origin
from capbox.broker.errors import NetworkError
from capbox.gate.approver import neutral
from capbox.gate.budget.charge import requested
from capbox.gate.network.permission import DeniedError, Permission
from capbox.gate.result import Reached, denial_of
from capbox.journal.event import RequestSent
from capbox.messages import Denial, Effect, Json, JsonObject
from capbox.sandbox.spec import Answer, UnderWay

OPEN_MAX = 16
_SHOWN_CHARACTERS_MAX = 500


@dataclass(slots=True, eq=False)
class Egress:
    """The requests of one call, as far as `permission` lets them."""

    permission: Permission
    limits: Limits
    effects: list[Effect] = field(default_factory=list)
    _requests: int = 0
    _last: int = 0
    _open: dict[int, Transfer] = field(default_factory=dict)

    async def serve(self, header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        """Answer one operation of the guest. Raises JournalError."""
        try:
            match header.get("http"):
                case ["request", str(text)]:
                    handle, answer = await self._request(text, body, under_way)
                    return {"http": [handle, 0]}, json.dumps(answer).encode()
                case ["read", int(handle), int(count)] if count > 0:
                    piece = await self._read(handle, count)  # of what has come, at most that
                    return {"http": [len(piece), 0]}, piece
                case ["close", int(handle)]:
                    await self._close(handle)
                    return {"http": [0, 0]}, b""
                case _:
                    raise NetworkError("invalid", "no such operation")
        except NetworkError as error:
            missing = error.missing if isinstance(error, DeniedError) else None
            told = {"code": error.code, "message": self._redacted(str(error)), "missing": missing}
            return {"http": [0, 0]}, json.dumps({"error": told}).encode()

    @property
    def reached(self) -> Reached:
        """Return what happened until now; a transfer counts from its end on."""
        return Reached(tuple(self.effects), tuple(self.permission.denied))

    async def aclose(self) -> None:
        """End every transfer; what they did is in `effects` then."""
        for handle in tuple(self._open):
            await self._close(handle)

    async def _request(self, text: str, body: bytes, under_way: UnderWay) -> tuple[int, JsonObject]:
        """Send a request and those that its redirects lead to; return a handle and the head."""
        from capbox.broker.asked import parse_asked

        if len(body) > self.limits.body_bytes:
            raise NetworkError("too_large", "the body is larger than --limit body_bytes= allows")
        if len(self._open) >= OPEN_MAX:
            raise NetworkError("invalid", f"{OPEN_MAX} responses are open already: close one")
        asked = parse_asked(text, body)
        with _within(asked.seconds, under_way) as waiting:
            transfer, passed = await self._answered(asked, waiting)
        self._last += 1
        self._open[self._last] = transfer
        return self._last, transfer.answer(passed)

    async def _answered(self, asked: Asked, under_way: UnderWay) -> tuple[Transfer, list[Json]]:
        """Return the response that no redirect leads away from, and those that did."""
        from capbox.broker.asked import redirect_of
        from capbox.broker.headers import first

        passed = list[Json]()
        while True:
            transfer = await self._sent(asked, under_way)
            try:
                location = redirect_of(transfer.head, transfer.access) if asked.redirects else None
            except NetworkError:
                await self._end(transfer)
                raise
            if location is None:
                return transfer, passed
            await self._end(transfer)
            raw = first(transfer.head.texts, "location") or ""
            if self._redacted(location) != location or self._redacted(raw) != raw:
                # Attack: a server puts the secret that it was sent into another server's URL.
                raise NetworkError("redirects", "the server redirects to a URL with a secret")
            passed.append({"status": transfer.head.status, "url": location})
            asked = asked.redirected(transfer.access, transfer.head.status, location)

    async def _sent(self, asked: Asked, under_way: UnderWay) -> Transfer:
        """Send one request, if it may be sent, and return its response."""
        from capbox.broker.transfer import Transfer
        from capbox.broker.url import Unreachable, locate

        access = locate(asked.method, asked.url)
        shown = neutral(f"fetch {access.method} {access.url}"[:_SHOWN_CHARACTERS_MAX])
        self._requests += 1
        if self._requests > self.limits.requests:
            reason = (
                f"more requests than a call may make: {self.limits.requests} (--limit requests=)"
            )
            if self._requests == self.limits.requests + 1:  # once: a guest may try without end
                self.permission.record(Denial(shown, reason, None, None))
            raise NetworkError("limit", reason)
        if isinstance(access, Unreachable):
            self.permission.refuse(Denial(shown, access.reason, None, None))
        permit = await self.permission.of(access, asked, under_way)
        # From that decision to the record nothing is waited for.
        # What a guest may say in a URL or a header counts as what it says in a body.
        size = sum(len(n) + len(v) for n, v in asked.headers) + len(access.url) + len(asked.body)
        self.permission.spend(access, *requested(access, size))
        holdings, now = self.permission.holdings, self.permission.standing().now
        drawn = tuple(g for m in (permit.minted, *permit.secrets) for g, _ in m.counters)
        for one in (permit.minted, *permit.secrets):
            holdings.draw(one, now, self.permission.tally)
        if not holdings.spend(permit.minted, size, self.permission.tally):
            self._used_up(permit.minted, access)
        names = self.permission.credentials.names(permit.secrets)
        self._label(access.origin, names)
        transfer = Transfer(access, permit.minted, names, self.permission.seat.redactor)
        self.permission.seat.journal.append(
            RequestSent(
                intent=self.permission.intent,
                method=access.method,
                url=self._redacted(access.url),
                address=", ".join(map(str, permit.addresses)),
                body_bytes=len(asked.body),
                grants=tuple(one.id for one in (permit.minted, *permit.secrets)),
                draws=drawn,
                at=now if drawn else None,
            )
        )
        answered = False
        try:
            with self._while_it_lasts(permit.minted, access):
                await transfer.open(
                    self.permission.network, permit.addresses, permit.headers, asked, self.limits
                )
                answered = True
        finally:
            if not answered:
                await self._end(transfer)
        return transfer

    def _label(self, origin: Origin, secrets: tuple[str, ...]) -> None:
        """Note that the call reads what this origin says, to whom it was told these secrets."""
        known = (Source("secret", f"{name}@{origin}", origin=origin) for name in secrets)
        self.permission.reading.reached.update((Source("web", str(origin)), *known))

    async def _read(self, handle: int, count: int) -> bytes:
        transfer = self._open.get(handle)
        if transfer is None:
            raise NetworkError("invalid", "no such response is open")
        before, done = transfer.received, False
        try:
            held = self.permission.held()
            if not held.holding.upholds(transfer.minted, held.standing):
                self._refused(transfer.access, f"{transfer.minted.grant} has ended")
            try:
                with self._while_it_lasts(transfer.minted, transfer.access):
                    piece = await transfer.chunk(count)
            finally:  # what came of a broken answer came all the same
                within = self.permission.holdings.spend(
                    transfer.minted, transfer.received - before, self.permission.tally
                )
            if not within:
                self._used_up(transfer.minted, transfer.access)
            done = True
        finally:
            if not done:
                await self._close(handle)
        return piece

    @contextmanager
    def _while_it_lasts(self, minted: Minted, access: FetchAccess) -> Iterator[None]:
        """End a wait when the grant expires under which it waits. Raises DeniedError then."""
        seconds = math.inf
        if minted.expires_ms is not None:
            seconds = minted.expires_ms / 1000 - self.permission.standing().now
        with anyio.move_on_after(seconds):
            yield
            return
        self._refused(access, f"{minted.grant} has expired")

    def _used_up(self, minted: Minted, access: FetchAccess) -> NoReturn:
        """Refuse what the bytes of a grant do not suffice for. Raises DeniedError."""
        counted, now = minted.counters, self.permission.standing()
        met = next(b for grant, b in counted if isinstance(b, Bytes) and now.reached(grant, b))
        self._refused(access, f"used up ({met}): {minted.grant}")

    def _refused(self, access: FetchAccess, reason: str) -> NoReturn:
        denied = Denied(access, reason, None)
        self.permission.refuse(denial_of(denied, self.permission.seat.layout))

    async def _close(self, handle: int) -> None:
        transfer = self._open.pop(handle, None)
        if transfer is not None:
            await self._end(transfer)

    async def _end(self, transfer: Transfer) -> None:
        with anyio.CancelScope(shield=True):
            self.effects.append(await transfer.end())

    def _redacted(self, text: str) -> str:
        return self.permission.seat.redactor.text(text)


@contextmanager
def _within(seconds: float, under_way: UnderWay) -> Iterator[UnderWay]:
    """End a wait in time; a person's time does not count, as it does not for the call."""
    scope = anyio.CancelScope(deadline=anyio.current_time() + seconds)

    @contextmanager
    def paused() -> Iterator[None]:
        left, scope.deadline = scope.deadline - anyio.current_time(), math.inf
        try:
            with under_way.paused():
                yield
        finally:
            scope.deadline = anyio.current_time() + left

    with scope:
        yield UnderWay(under_way.touched, paused)
    if scope.cancelled_caught:
        raise NetworkError("timeout", f"there was no response within {seconds:g} s")
