"""What was decided while a call went on, decided again: requests, invocations, leases on record.

Guarantees: nothing is looked up or sent. Does not: decide again what turned on the address of a
name, on a counter of bytes, on a person's word or on what a guest had read by then: the record has
those alone. A refused invocation has no arguments on record, one with long ones their digest.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import get_args

from capbox.authority.access import InvokeAccess
from capbox.authority.authority import Authority
from capbox.authority.decision import Allowed, AuthorityId, Denied, GrantId
from capbox.authority.values.label import NOTHING, Kind, Source
from capbox.authority.web.places import FetchAccess, Origin, parse_origin
from capbox.broker.url import locate
from capbox.engine.replay.comparing import Difference, network_seen
from capbox.engine.replay.opening import grant_of
from capbox.engine.replay.recorded import Recorded, texts
from capbox.gate.arguments import Declared, declared
from capbox.gate.asking import ONE_CALL
from capbox.gate.holdings import Holdings
from capbox.gate.seat import Held, Seat
from capbox.messages import JsonObject

_OF_THE_AUTHORITY = ("no grant covers it", "expired: ", "revoked: ", "excluded: ")


@dataclass(slots=True, eq=False)
class During:
    """Decides again for `seat`, at `now` (seconds since 1970)."""

    seat: Seat
    holdings: Holdings
    now: float
    _once: tuple[Authority, ...] = field(default=())

    def again(self, call: Recorded) -> Difference | None:
        """Return the first decision of a call that is another one now, and catch up with it."""
        secret = any(one.header.get("redacted") is True for one in call.heard)
        for seq, content in sorted((*call.entries, *call.within), key=itemgetter(0)):
            found = None
            if content.get("kind") == "request":
                found = self._request(seq, content)
            elif content.get("within") is not None and not secret:
                found = self._invoked(seq, content)
            elif network_seen(content) or "/" in str(content.get("call")):
                found = self._decided(seq, content)
            if found is not None:
                return found
        self._learn(texts(call.of("outcome").get("sources")))
        return None

    def _held(self) -> Held:
        return self.seat.held(self.holdings.standing(self.now), *self._once)

    def _request(self, seq: int, content: JsonObject) -> Difference | None:
        access = locate(str(content.get("method")), str(content.get("url")))
        if not isinstance(access, FetchAccess):
            return None  # a secret was taken out of its URL
        held, grants = self._held(), texts(content.get("grants"))
        permitting = {m.id: m for m in held.holding.permitting(access, held.standing)}
        live = {minted.id: minted for minted in held.holding.live(held.standing)}
        missing = [one for one in grants if GrantId(one) not in live]
        if not grants or grants[0] not in permitting or missing:
            decision = held.decide(access)
            now = decision.reason if isinstance(decision, Denied) else "allowed by another grant"
            lines = (f"-{access}: allowed by {', '.join(grants)}", f"+{access}: {now}")
            return Difference(seq, "the decision on a request", lines)
        for grant in grants:
            self.holdings.draw(live[GrantId(grant)], self.now)
        return None

    def _invoked(self, seq: int, content: JsonObject) -> Difference | None:
        arguments, tool = content.get("arguments"), self.seat.functions.get(str(content["tool"]))
        if tool is None or not isinstance(arguments, dict):
            return None
        if "" in arguments and any(s.argument not in arguments for s in tool.manifest.sinks):
            return None  # they are too long to be on record, and may have named a place
        layout, grounds = self.seat.layout, self.seat.grounds
        named = declared(tool.manifest, arguments, layout, grounds, InvokeAccess)
        if not isinstance(named, Declared):
            now = f"+{named.text}: {named.reason}"
            return Difference(seq, "the arguments of an invocation", (now,))
        held = self._held()
        held = replace(held, standing=replace(held.standing, sources=NOTHING))
        denied = held.first_denied((named.tool, *named.accesses))
        if denied is not None:
            lines = (f"-{denied.access}: allowed", f"+{denied.access}: {denied.reason}")
            return Difference(seq, "the decision on an invocation", lines)
        decision, live = held.decide(named.tool), held.holding.live(held.standing)
        drawn = {decision.grant} if isinstance(decision, Allowed) else set[GrantId]()
        self.holdings.settle(self.holdings.reserve(live, drawn, frozenset()), frozenset())
        return None

    def _decided(self, seq: int, content: JsonObject) -> Difference | None:
        subject, result = str(content.get("subject")), str(content.get("result"))
        match content.get("what"):
            case "ask":
                self.seat.asks += 1
                self.seat.numbered += 1
            case "lease":
                self._lend(AuthorityId(str(content.get("authority"))), subject, result)
            case "denial" if result.startswith(_OF_THE_AUTHORITY):
                _, method, url = [*subject.split(" ", 2), "", ""][:3]
                access = locate(method, url)
                if isinstance(access, FetchAccess):
                    decision = self._held().decide(access)
                    if isinstance(decision, Allowed):
                        lines = (f"-{subject}: {result}", f"+{subject}: allowed")
                        return Difference(seq, "the decision on a request", lines)
            case _:
                pass
        return None

    def _lend(self, name: AuthorityId, grant: str, term: str) -> None:
        """Lend what was lent in the middle of a call."""
        ceiling = self.seat.ceiling
        lease = None
        if ceiling is not None:
            lease = ceiling.attenuate([grant_of(grant)], id=name, now=self.now)
        if isinstance(lease, Authority) and term == ONE_CALL:
            self._once = (*self._once, lease)
        elif isinstance(lease, Authority):
            self.seat.leases = (*self.seat.leases, lease)

    def _learn(self, sources: list[str]) -> None:
        """Let the run know the sources that only the network, or the table of labels, knew of."""
        known = {str(source) for source in self.seat.context.sources}
        for text in sources:
            kind, _, name = text.partition(":")
            origin = parse_origin(name.partition("@")[2]) if kind == "secret" else None
            place = origin if isinstance(origin, Origin) else None
            found = next((one for one in get_args(Kind) if one == kind), None)
            if text not in known and found is not None:
                self.seat.context.sources |= {Source(found, name, origin=place)}
