"""The reference monitor: the one way from a tool call to an effect. Read `Gate._call` downwards.

Find the tool, check its arguments, decide on what it names (asking where a lease may be lent), cut
its rights to what the run holds and the manifest requests, record the intent, run, record the
outcome, return. Guarantees: `call` returns a result whatever the model wrote and whatever the tool
did; nothing runs without a recorded intent; every refusal is recorded. Does not: enforce rights on
files; the sandbox does, at the effect, on the mounts it is given here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

from capbox.authority.access import ReadAccess, WriteAccess
from capbox.authority.authority import Authority, FileRight, Minted
from capbox.authority.decision import Allowed, AuthorityId, Denied, GrantId, Standing
from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.broker.network import Network
from capbox.gate.approver import ask_request, neutral
from capbox.gate.arguments import Declared, declared, on_record
from capbox.gate.asking import lease_for
from capbox.gate.budget.charge import Charge, charged
from capbox.gate.holdings import Holdings, Reservation
from capbox.gate.invocation.caller import PRINCIPAL, Caller
from capbox.gate.invocation.invocations import Invocations
from capbox.gate.network.egress import Egress
from capbox.gate.network.permission import Permission
from capbox.gate.protocol import DEPTH_MAX, Envelope, deeper
from capbox.gate.result import Concluded, concluded, denial_of, ended, labelled, lesson, redacted
from capbox.gate.rights.ending import told, until
from capbox.gate.rights.files import Cut, cut, host_path, mounts
from capbox.gate.rights.stores import Stores, stores
from capbox.gate.rights.variables import Variables, variables
from capbox.gate.runner import Tool
from capbox.gate.seat import REPEATS_REFUSED, REPEATS_WARNED, Held, Seat, call_key
from capbox.journal.errors import JournalError
from capbox.journal.event import CallIntended, Decided
from capbox.messages import JsonObject, ToolCall, ToolFailure, ToolResult
from capbox.sandbox.spec import Broken, Job, Outcome
from capbox.sandbox.undo.asking import Saving

_SUBJECT_CHARACTERS_MAX = 500
ARGUMENTS_CHARACTERS_MAX = 16_000_000
STATE_BYTES_MAX = 64 << 10
_LOOKING = frozenset({"read", "list"})
_ENCODER = json.JSONEncoder(sort_keys=True, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """A call whose tool exists and whose arguments fit; `text` is their canonical JSON."""

    call: ToolCall
    tool: Tool
    text: str
    key: bytes
    limits: Limits
    caller: Caller


@dataclass(frozen=True, slots=True)
class Permit:
    """What one call may do, fixed at one moment."""

    arguments: JsonObject
    held: Held
    cut: Cut
    variables: Variables
    stores: Stores
    ending: Minted | None  # what it uses all along, and ends first
    reserved: Reservation
    charge: Charge
    once: tuple[Authority, ...] = ()


class Gate:
    """The gate of one process. `clock_ns` is nanoseconds since 1970, `entropy` gives n bytes."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        *,
        holdings: Holdings,
        clock_ns: Callable[[], int],
        entropy: Callable[[int], bytes],
        network: Network | None = None,
    ) -> None:
        """Guard `tools`, by name; `network` None is the system's, without secrets."""
        self._tools = tools
        self._holdings = holdings
        self._clock_ns = clock_ns
        self._entropy = entropy
        self._network = network or Network()
        self._under_way: list[tuple[Permission, Held]] = []

    async def call(self, call: ToolCall, seat: Seat, limits: Limits | None = None) -> ToolResult:
        """Run one tool call, or refuse it. `limits` may only lower what the run has.

        Never raises for anything that the model, the tool or the disk did; cancellation stops the
        tool, is recorded, and goes on.
        """
        try:
            counting, call = seat.repeats.counting, seat.named(call)
            seat.recording.asked(call, limits, seat.journal.entries, counting=counting)
            result = await self._call(call, seat, limits)
        except JournalError as error:
            # No record, no effect: from here on this run may do nothing.
            seat.stopped = ToolFailure("sandbox_failed", f"the journal cannot be written: {error}")
            result = _failure(seat.stopped)
        return replace(result, journal=seat.run)

    def revoke(self, name: AuthorityId | GrantId) -> None:
        """End an authority or a grant now, its descendants, and every guest that runs under one."""
        self._holdings.revoke(name)
        for permission, held in self._under_way:
            seat = permission.seat
            drawn_on = (*held.holding.authorities, *seat.leases, *permission.once)
            if any(one.rests_on(name) for one in drawn_on):
                permission.tool.runner.stop_run(seat.run)

    async def _call(
        self, call: ToolCall, seat: Seat, limits: Limits | None, caller: Caller = PRINCIPAL
    ) -> ToolResult:
        if seat.stopped is not None:
            return _failure(seat.stopped)
        checked = self._checked(call, seat, limits, caller)
        if isinstance(checked, ToolFailure):
            return self._refused(call, seat, checked, caller)
        with seat.repeats.under_way(checked.key):
            permit = await self._permitted(checked, seat)
            if isinstance(permit, Denied):
                return self._denied(call, seat, permit)
            if isinstance(permit, ToolFailure):
                return self._refused(call, seat, permit, caller)
            return await self._run(checked, permit, seat)

    def _checked(
        self, call: ToolCall, seat: Seat, limits: Limits | None, caller: Caller
    ) -> Checked | ToolFailure:
        shipped = self._tools if caller is PRINCIPAL else {}  # a guest calls functions alone
        tool = shipped.get(call.name) or seat.functions.get(call.name)
        if tool is None:
            names = ", ".join(sorted({*shipped, *seat.functions})) or "none"
            shown = neutral(call.name[:64])
            return ToolFailure("unknown_tool", f"there is no tool {shown}; there are: {names}")
        if call.malformed is not None:
            return ToolFailure("invalid_arguments", "the arguments are not one JSON object")
        if deeper(call.arguments, DEPTH_MAX):
            message = f"the arguments are nested deeper than {DEPTH_MAX} levels"
            return ToolFailure("invalid_arguments", message)
        try:
            text = _ENCODER.encode(call.arguments)
        except (ValueError, TypeError) as error:
            return ToolFailure("invalid_arguments", f"the arguments are not JSON: {error}")
        if len(text) > ARGUMENTS_CHARACTERS_MAX:
            message = f"the arguments are longer than {ARGUMENTS_CHARACTERS_MAX} characters"
            return ToolFailure("invalid_arguments", message)
        complaints = tool.manifest.complaints(call.arguments, characters=len(text))
        if complaints:
            return ToolFailure("invalid_arguments", neutral("; ".join(complaints)))
        key = call_key(call.name, text)
        if caller is PRINCIPAL and seat.repeats.exhausted(key):
            times = REPEATS_REFUSED - 1
            message = f"this same call was made {times} times, for one result; do something else"
            return ToolFailure("repeated", message)
        ours = seat.authority.limits
        if limits is not None and not limits.within(ours):
            return ToolFailure("invalid_arguments", "a limit may be lowered for a call, not raised")
        bounds = ours.narrowed(tool.manifest.limits)
        bounds = bounds if limits is None else bounds.narrowed(limits)
        return Checked(call, tool, text, key, bounds, caller)

    async def _permitted(self, checked: Checked, seat: Seat) -> Permit | Denied | ToolFailure:
        """Decide on the tool and on every path it names; from the last decision on, no await."""
        once: tuple[Authority, ...] = ()
        caller, reading = checked.caller, checked.caller.reading
        while True:
            arguments, manifest = checked.call.arguments, checked.tool.manifest
            named = declared(manifest, arguments, seat.layout, seat.grounds, caller.access)
            if not isinstance(named, Declared):
                return ToolFailure("invalid_arguments", f"{neutral(named.text)}: {named.reason}")
            wanted = (named.tool, *named.accesses)
            held = seat.held(self._standing(), *once, reading=reading)
            denied = held.first_denied(wanted)
            if denied is None:
                permit = self._permit(checked, seat, held, named)
                return permit if isinstance(permit, ToolFailure) else replace(permit, once=once)
            async with caller.turn(seat):
                # Another call of this run may have been answered while this one waited.
                held = seat.held(self._standing(), *once, reading=reading)
                denied = held.first_denied(wanted)
                if seat.stopped is not None:
                    return seat.stopped
                if denied is None:
                    continue
                lease = await self._lease(denied, checked, seat)
            if not isinstance(lease, Authority):
                return lease
            once = (*once, lease)

    async def _lease(
        self, denied: Denied, checked: Checked, seat: Seat
    ) -> Authority | Denied | ToolFailure:
        file = denied.access if isinstance(denied.access, ReadAccess | WriteAccess) else None
        question = ask_request(
            denied.access,
            run=seat.run,
            tool=checked.call.name,
            tool_digest=checked.tool.digest,
            host=None if file is None else host_path(file.path, seat.layout),
            arguments=checked.text,
            details=checked.caller.details,
        )
        lease = await lease_for(denied, seat, question, checked.call.id, self._standing)
        return lease if seat.stopped is None else seat.stopped

    def _permit(
        self, checked: Checked, seat: Seat, held: Held, named: Declared
    ) -> Permit | ToolFailure:
        manifest, size = checked.tool.manifest, len(checked.text)
        nested = checked.caller is not PRINCIPAL
        charge = charged(seat.purse, manifest, named.tool, size, checked.limits, nested=nested)
        if isinstance(charge, ToolFailure):
            return charge
        name, requests = checked.call.name, manifest.requests
        live, rights = held.holding.live(held.standing), held.holding.file_rights(held.standing)
        kept = seat.cuts.get(name)
        if kept is None or kept.held != rights:
            kept = seat.cuts[name] = cut(rights, requests, seat.layout)
        seen = variables(live, requests, seat.environment)
        lasting = stores(live, requests, checked.tool.digest, seat.stores)
        if isinstance(lasting, ToolFailure):
            return lasting
        reserved, ending = Reservation(), None
        if held.holding.lapses:
            tool, files = held.decide(named.tool), {r.grant for r in kept.rights}
            certain = {
                *seen.shown,
                *lasting.shown,
                *([tool.grant] if isinstance(tool, Allowed) else ()),
            }
            reserved = self._holdings.reserve(live, certain, files)
            # Those of the network are looked at while they are used.
            ending = held.holding.first_to_end(held.standing, certain | files)
        return Permit(named.arguments, held, kept, seen, lasting, ending, reserved, charge)

    async def _run(self, checked: Checked, permit: Permit, seat: Seat) -> ToolResult:
        """Record the intent, run, record the outcome: also when the call is cancelled half way."""
        asked = permit.charge.within(checked.limits)
        limits = until(permit.ending, asked, permit.held.standing.now)
        try:
            job = self._job(checked, permit, seat, limits)
            could = seat.context.possible(_readable(permit, seat))
            intent = seat.journal.append(_intent(checked, permit, job, seat))
        except JournalError:
            self._holdings.cancel(permit.reserved)
            raise
        reports = [Outcome(Broken("the runner ended without a report"), effects_whole=False)]
        held, name = permit.held, f"{seat.run}.{intent}"
        private = bool(permit.variables.of_host)
        live = held.holding.live(held.standing)
        reading = seat.context.begin(could, permit.variables.of_host, name, live)
        permission = Permission(
            *(seat, checked.call.id, checked.tool, self._network, self._holdings, self._standing),
            once=permit.once,
            intent=intent,
            reading=reading,
        )
        egress = Egress(permission, limits)
        changes = permit.charge.may_change, reading.about_to_write
        saving = Saving(seat.keeper, job, intent, *changes)
        under_way = (permission, permit.held)
        self._under_way.append(under_way)
        try:
            answers = saving.beside(Invocations(permission, egress, self._call).serve)
            serve = seat.recording.beside(answers, intent, private=private)
            reports.append(await checked.tool.runner.run(job, reports.append, serve))
        finally:
            self._under_way.remove(under_way)
            await egress.aclose()
            outcome = told(await saving.ended(reports[-1]), permit.ending, limits, asked)
            drew = self._holdings.settle(permit.reserved, _exercised(outcome, permit))
            read = checked.tool.manifest.reply
            end = concluded(outcome, limits.output_bytes, permit.held, egress.reached, read)
            end = redacted(labelled(end, seat.context.end(reading, outcome)), seat.redactor)
            checked.caller.note(end.result)
            drawn, mark = (
                permission.tally.listed(drew),
                seat.recording.ended(outcome, intent, private=private),
            )
            seat.journal.append(ended(intent, end, outcome, drawn, mark))
            seat.context.keep(outcome.touched, reading)
            permit.charge.ended(outcome)
        return _kept(checked, end, outcome, seat) if checked.caller is PRINCIPAL else end.result

    def _job(self, checked: Checked, permit: Permit, seat: Seat, limits: Limits) -> Job:
        ends_ms = None if permit.ending is None else permit.ending.expires_ms
        envelope = Envelope(
            call_id=checked.call.id,
            env=permit.variables.values,
            state=seat.states.get(checked.call.name),
            wall_seconds=limits.wall_seconds,
            output_bytes=limits.output_bytes,
            settings=checked.tool.settings,
        )
        request, argv = checked.tool.manifest.start(permit.arguments, envelope)
        return Job(
            run=seat.run,
            module=checked.tool.module,
            mounts=(*mounts(permit.cut.places), *permit.stores.mounts),
            scratch=seat.scratch,
            limits=limits,
            request=request,
            argv=argv,
            seed=self._entropy(32),
            started_ns=self._clock_ns(),
            expires_ns=None if ends_ms is None else ends_ms * 1_000_000,
            keeps=seat.keeper is not None,
        )

    def _refused(
        self, call: ToolCall, seat: Seat, failure: ToolFailure, caller: Caller
    ) -> ToolResult:
        subject = f"{caller.access.action} {call.name}"[:_SUBJECT_CHARACTERS_MAX]
        seat.journal.append(Decided("denial", subject, failure.code, call.id))
        return _failure(failure)

    def _denied(self, call: ToolCall, seat: Seat, denied: Denied) -> ToolResult:
        denial = denial_of(denied, seat.layout)
        seat.journal.append(Decided("denial", denial.access, denial.reason, call.id))
        failure = ToolFailure("denied", lesson(denial, seat.held(self._standing())))
        return replace(_failure(failure), denied=(denial,))

    def _standing(self) -> Standing:
        return self._holdings.standing(self._clock_ns() / 1e9)


def _failure(failure: ToolFailure) -> ToolResult:
    return ToolResult(ok=False, content="", error=failure)


def _readable(permit: Permit, seat: Seat) -> list[tuple[FileRight, HostPath]]:
    files = [(right, host_path(right.path, seat.layout)) for right in permit.cut.rights]
    return [*files, *permit.stores.readable]


def _exercised(outcome: Outcome, permit: Permit) -> frozenset[GrantId]:
    """Return the bounded grants that the effects drew on."""
    found: set[GrantId] = set()
    if not outcome.effects_whole:
        return permit.reserved.possible  # what is not listed may have drawn on any of them
    for touched in outcome.touched if permit.reserved.possible else ():
        path = permit.held.layout.grant_of(touched.path)
        if path is not None:
            access = ReadAccess if touched.action in _LOOKING else WriteAccess
            decision = permit.held.decide(access(path))
            found.update(decision.counters if isinstance(decision, Allowed) else ())
    return frozenset(found)


def _intent(checked: Checked, permit: Permit, job: Job, seat: Seat) -> CallIntended:
    files = (f"{'write' if r.write else 'read'} {r.path} by {r.grant}" for r in permit.cut.rights)
    return CallIntended(
        call=checked.call.id,
        tool=checked.call.name,
        digest=checked.tool.digest,
        arguments=on_record({k: seat.redactor.json(v) for k, v in permit.arguments.items()}),
        authorities=tuple(a.id for a in permit.held.holding.authorities),
        rights=(*files, *(f"env {n}" for n in permit.variables.values), *permit.stores.listed),
        seed=job.seed.hex(),
        started_ns=job.started_ns,
        within=checked.caller.within,
        draws=tuple(sorted(permit.reserved.certain | permit.reserved.possible)),
    )


def _kept(checked: Checked, end: Concluded, outcome: Outcome, seat: Seat) -> ToolResult:
    """Remember state and repetition for the next call, and say so where it matters."""
    result, notes = end.result, list[str]()
    if not outcome.effects_whole:
        notes.append("[not every effect of this call could be read back; the list is incomplete]")
    if end.state is not None and len(json.dumps(end.state)) <= STATE_BYTES_MAX:
        seat.states[checked.call.name] = end.state
    elif end.state is not None:
        notes.append("[the state of this tool was too large and was not kept]")
    said = result.error.message if result.error is not None else ""
    digest = sha256(f"{result.content}\n{said}\n{result.data}".encode(errors="replace"))
    changed = any(effect.action not in _LOOKING for effect in result.effects)
    seat.note_seen(e.path for e in result.effects if e.action in ("read", "fetch"))
    times = seat.repeats.count(checked.key, digest.hexdigest(), changed=changed)
    if times >= REPEATS_WARNED:
        notes.append(
            f"[this same call has given the same result {times} times; "
            f"from time {REPEATS_REFUSED} on it is refused]"
        )
    return replace(result, content="\n".join([result.content, *notes])) if notes else result
