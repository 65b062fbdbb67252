"""Plays a recorded run at a gate of its own: the same calls, at the same times, decided anew.

Read `Player._call` downwards. Guarantees: nothing outside the copied tree is written, nothing is
sent, no secret is opened; what could not be executed as it was is named, with the reason, and never
passes for a difference. Does not: verify the record (see `recorded`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.authority.decision import AuthorityId
from capbox.authority.grant import EnvSelector
from capbox.engine.grounding import grounds_told
from capbox.engine.replay.comparing import Difference, difference, told, touched
from capbox.engine.replay.during import During
from capbox.engine.replay.opening import limits_of, settings_digest
from capbox.engine.replay.recorded import Entry, Recorded, Run, objects, texts
from capbox.engine.replay.runner import ReplayRunner
from capbox.engine.replay.seating import Notes
from capbox.engine.replay.tree.changed import Since
from capbox.engine.results.stowing import Stowing
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.protocol import Reply, parse_reply
from capbox.gate.rights.stores import GUEST
from capbox.gate.seat import Seat
from capbox.messages import Json, JsonObject, ToolCall
from capbox.sandbox.effects import READ_ACTIONS

State = Literal["identical", "from the record", "not replayable", "different"]
_STORE = f"store {GUEST}/"  # as an intent lists it
_FROM_OUTSIDE = {
    "revoked": "its authority was revoked while it went on",
    "interrupted": "it was interrupted",
    "sandbox_failed": "its sandbox had failed",
}


@dataclass(frozen=True, slots=True)
class Played:
    """What became of one call; `reason` says why it could not be executed as it was."""

    seq: int
    tool: str
    state: State
    reason: str = ""


@dataclass(slots=True, eq=False)
class Player:
    """Plays `run` at `gate`, from `seat`. `at` sets the gate's clock, and `now` reads it.

    `settings` are the operator's for tools at present. `found` is the first difference.
    """

    run: Run
    gate: Gate
    seat: Seat
    notes: Notes
    holdings: Holdings
    runner: ReplayRunner
    since: Since
    settings: Mapping[str, JsonObject]
    at: Callable[[Json], None]
    now: Callable[[], float]
    stowing: Stowing
    other_tools: bool = False
    forgotten: set[str] = field(default_factory=set)  # tools whose state nobody knows
    calls: list[Played] = field(default_factory=list)
    decisions: int = 0
    found: Difference | None = None

    async def play(self, report: Callable[[Played], None]) -> None:
        """Play every call until the first difference, and `report` each."""
        revoked = list(self.run.revocations)
        for call in self.run.calls:
            while revoked and revoked[0][0] < call.before:
                self._revoke(revoked.pop(0)[1])
            played = await self._call(call)
            self.calls.append(played)
            report(played)
            if self.found is not None:
                return

    async def _call(self, call: Recorded) -> Played:
        self.seat.grounds |= call.said
        for stowed in call.stowed:
            self.stowing.keep(stowed)
        asked = call.asked.get("asked")
        if call.asked.get("redacted") is True or not isinstance(asked, dict):
            return self._left(call, "its arguments held a secret, which is not kept")
        if call.intent is not None and not call.of("outcome"):
            return self._left(call, "it never ended")
        function = call.tool in self.run.opening.functions
        reason = "" if function else self._hindrance(call)
        self.runner.begin(call, verbatim=function or bool(reason))
        self.seat.repeats.counting = call.asked.get("counting") is not False
        self.at(call.asked.get("at"))
        limits, first = call.asked.get("limits"), self.notes.entries
        bounds = None if limits is None else limits_of(limits)
        result = await self.gate.call(_asked(call, asked), self.seat, bounds)
        if call.tool == "ask_user" and function:
            self.seat.grounds |= grounds_told(result.data)  # as the run did
        now = [told(event) for event in self.notes.events[first:]]
        outcome = None if reason else self.runner.outcome
        found = difference(call, now, outcome, other_tools=self.other_tools) or self._unheard(call)
        if found is None:
            found = During(self.seat, self.holdings, self.now()).again(call)
        self.decisions += len(call.entries) + len(call.within)
        if found is None and reason:
            return self._left(call, reason)
        if found is None:
            self._touched(call)
            state: State = "from the record" if function else "identical"
            return Played(call.seq, call.tool, state)
        reason = self._excuse(call, now)
        if reason:
            return self._left(call, reason)
        self.found = found
        return Played(call.seq, call.tool, "different")

    def _revoke(self, name: str) -> None:
        ceiling, names = self.seat.ceiling, {name for _, name in self.run.revocations}
        if name == self.seat.authority.id and ceiling is not None and ceiling.id not in names:
            self.seat.ceiling = None  # the whole run was ended: nothing is lent from then on
        self.holdings.revoke(AuthorityId(name))

    def _hindrance(self, call: Recorded) -> str:
        """Say why a call cannot be executed as it was, if that is known beforehand."""
        if call.intent is None:
            return ""
        if call.reply is None:
            return "what it replied was not kept"
        seen = self._host_variables(call)
        if seen:
            return f"it saw this machine's variable {seen[0]}, whose value is not kept"
        stores = _named(call, _STORE)
        if stores:
            return f"it had store:{stores[0]}, and what that held is not on record"
        if any(one.header.get("redacted") is True for one in call.heard):
            return "it sent a secret, which is not kept"
        if call.reply.header.get("redacted") is True:
            return "its result held a secret, which is not kept"
        outside = _FROM_OUTSIDE.get(str(call.of("outcome").get("detail")))
        if outside is not None:
            return outside
        then, settings = self.run.opening.settings.get(call.tool), self.settings.get(call.tool)
        if then != (None if settings is None else settings_digest(settings)):
            return f"what config.toml says for {call.tool} is not what it was"
        return ""

    def _host_variables(self, call: Recorded) -> list[str]:
        held = (self.seat.authority, *self.seat.leases)
        selectors = [minted.grant.selector for one in held for minted in one.grants]
        given = {s.name for s in selectors if isinstance(s, EnvSelector) and s.value is not None}
        return [name for name in _named(call, "env ") if name not in given]

    def _unheard(self, call: Recorded) -> Difference | None:
        """Return what the call asked of the network or of a function otherwise than it did then."""
        was, now = self.runner.unheard or ("", "")
        if self.runner.unheard is None and self.runner.unasked:
            was, now = f"{len(call.heard)} requests, reads and invocations", "fewer"
        if not was:
            return None
        return Difference(call.seq, "what it asked for outside", (f"-{was}", f"+{now}"))

    def _excuse(self, call: Recorded, now: list[JsonObject]) -> str:
        """Say what somebody else did that can be why a call came out differently; "" if nothing."""
        entries: list[Entry] = [*call.entries, *((0, content) for content in now)]
        self.since.ours |= _changes(entries)
        if any(_overspent(content) for _, content in call.entries):
            return "a budget did not allow all of it, and what others had spent is not on record"
        if any(content.get("result") == "repeated" for _, content in call.entries):
            return "the same call had no result yet, several times over, when it was refused"
        if call.tool in self.forgotten:
            return f"what {call.tool} had kept from a call before it is not on record"
        started = call.of("intent").get("started_ns") or call.asked.get("at")
        changed = self.since.first(touched(entries), started if isinstance(started, int) else 0)
        if changed is not None:
            why = "is too deep to be copied" if self.since.deep(changed) else "changed since"
            return f"{self.seat.layout.canonical(changed)} {why}"
        if any(content.get("detail") == "time" for _, content in entries):
            return "its time limit ended it, then or now"
        read = self.runner.outcome is not None and self.runner.outcome.clock
        if read and call.of("outcome").get("clock") == "":
            return "it read the clock more often than is kept"
        return ""

    def _left(self, call: Recorded, reason: str) -> Played:
        """Go on after a call that was not executed as it was: what it made is in doubt."""
        self.since.doubtful |= _changes(call.entries)
        if call.reply is not None and call.reply.header.get("end") == "finished":
            reply = parse_reply(call.reply.body, len(call.reply.body))
            if isinstance(reply, Reply) and reply.state is not None:
                self.seat.states[call.tool] = reply.state
            if call.reply.header.get("redacted") is True:
                self.forgotten.add(call.tool)
        return Played(call.seq, call.tool, "not replayable", reason)

    def _touched(self, call: Recorded) -> None:
        """Take note of what a call has changed in the copy, and give that its recorded times."""
        changed = _changes(call.entries)
        self.since.ours |= changed
        self.since.doubtful -= changed
        if call.intent is not None:
            self.since.settle(call.intent)


def _asked(call: Recorded, asked: JsonObject) -> ToolCall:
    arguments, malformed = asked.get("arguments"), asked.get("malformed")
    return ToolCall(
        call.id,
        call.tool,
        arguments if isinstance(arguments, dict) else {},
        malformed if isinstance(malformed, str) else None,
    )


def _named(call: Recorded, kind: str) -> list[str]:
    """Return the names of the rights of one kind that a call had, as its intent lists them."""
    rights = texts(call.of("intent").get("rights"))
    return [right.removeprefix(kind) for right in rights if right.startswith(kind)]


def _overspent(content: JsonObject) -> bool:
    """Say whether a budget refused the call, or something that it was about to do."""
    reasons = [
        content.get("result"),
        *(one.get("reason") for one in objects(content.get("denied"))),
    ]
    return any("budget_" in str(one) or "the budget of" in str(one) for one in reasons)


def _changes(entries: Iterable[Entry]) -> set[str]:
    return {
        str(effect.get("host_path"))
        for _, content in entries
        for effect in objects(content.get("effects"))
        if effect.get("action") not in READ_ACTIONS and effect.get("host_path") is not None
    }
