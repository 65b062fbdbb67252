"""What the guest of one call asks of the embedding program's functions.

Guarantees: a frame has one reading, or is refused; each invocation goes through the gate as a call
of its own, on record before and after; what it does and says is the effect and the source of the
guest's call too. Does not: trust the worker that asks, or decide; the gate does.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from capbox.authority.access import InvokeAccess
from capbox.authority.decision import Denied
from capbox.authority.grant import NameSelector
from capbox.authority.limits import Limits
from capbox.authority.values.label import Source
from capbox.gate.approver import neutral
from capbox.gate.budget.charge import EXCEEDED, UNREADABLE
from capbox.gate.invocation.caller import Caller
from capbox.gate.network.egress import Egress
from capbox.gate.network.permission import DeniedError, Permission
from capbox.gate.protocol import strict_json
from capbox.gate.result import denial_of
from capbox.gate.seat import Seat
from capbox.messages import Denial, Json, JsonObject, ToolCall, ToolResult
from capbox.sandbox.spec import INVOKED_BYTES_MAX, Answer, UnderWay

Call = Callable[[ToolCall, Seat, Limits | None, Caller], Awaitable[ToolResult]]
_NAME_CHARACTERS_SHOWN = 64


@dataclass(slots=True, eq=False)
class Invocations:
    """Those of the call that `permission` and `egress` are of; `call` is the gate's."""

    permission: Permission
    egress: Egress
    call: Call
    _asked: int = 0

    async def serve(self, header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        """Answer one operation of the guest. Raises JournalError."""
        if "invoke" not in header:
            return await self.egress.serve(header, body, under_way)
        try:
            told = await self._told(header, body, under_way)
        except DeniedError as error:
            told = _error("denied", str(error), error.missing)
        return {"invoke": 0}, json.dumps(told, ensure_ascii=False).encode(errors="replace")

    async def _told(self, header: JsonObject, body: bytes, under_way: UnderWay) -> JsonObject:
        self._asked += 1
        if self._asked > self.egress.limits.requests:
            return self._too_many()
        match header:
            case {"invoke": ["list"]} if len(header) == 1 and not body:
                return {"functions": self._listed()}
            case {"invoke": ["call", str(name)]} if len(header) == 1:
                return await self._called(name, body, under_way)
            case _:
                return _error("invalid", "no such operation")

    def _too_many(self) -> JsonObject:
        most = self.egress.limits.requests
        reason = f"more invocations than a call may make: {most} (--limit requests=)"
        if self._asked == most + 1:  # once: a guest may try without end
            self.permission.record(Denial("invoke", reason, None, None))
        return _error("limit", reason)

    async def _called(self, name: str, body: bytes, under_way: UnderWay) -> JsonObject:
        permission, reading = self.permission, self.permission.reading
        if not self._requests(name):
            shown = InvokeAccess(neutral(name[:_NAME_CHARACTERS_SHOWN]))
            reason = f"the tool {permission.tool.manifest.name} does not request it"
            permission.refuse(denial_of(Denied(shown, reason, None), permission.seat.layout))
        reading.touched = under_way.touched

        def note(result: ToolResult) -> None:
            self.egress.effects.extend(result.effects)
            reading.reached.add(Source("function", name))

        caller = Caller(
            access=InvokeAccess,
            within=permission.intent,
            reading=reading,
            paused=under_way.paused,
            details=(f"asked for by what {permission.tool.manifest.name} runs",),
            note=note,
        )
        arguments, wrong = _arguments(body)
        call = ToolCall(f"{permission.call}/{self._asked}", name, arguments, wrong or None)
        limits = self.egress.limits
        limits = replace(limits, output_bytes=min(limits.output_bytes, INVOKED_BYTES_MAX))
        result = await self.call(call, permission.seat, limits, caller)
        permission.denied.extend(result.denied)
        if result.error is None:
            return {"content": result.content, "truncated": result.truncated}
        missing = next((denial.missing for denial in result.denied), None)
        because = f": {neutral(wrong)}" if wrong else ""
        code = "limit" if result.error.code in (EXCEEDED, UNREADABLE) else result.error.code
        return _error(code, f"{result.error.message}{because}", missing)

    def _listed(self) -> list[Json]:
        """Return what the run may call at this moment, with the schema and the grants of each."""
        held, listed = self.permission.held(), list[Json]()
        live = [m.grant for m in held.holding.live(held.standing) if m.grant.action == "invoke"]
        for name, tool in sorted(self.permission.seat.functions.items()):
            grants = [str(grant) for grant in live if grant.selector == NameSelector(name)]
            if grants and self._requests(name):
                about = tool.manifest
                listed.append(
                    {
                        "name": name,
                        "description": about.description,
                        "input_schema": about.schema.document,
                        "grants": grants,
                    }
                )
        return listed

    def _requests(self, name: str) -> bool:
        asked = (r for r in self.permission.tool.manifest.requests if r.kind == "invoke")
        return any(request.name in (None, name) for request in asked)


def _arguments(body: bytes) -> tuple[JsonObject, str]:
    """Return the arguments, and "" or what is wrong with them."""
    if len(body) > INVOKED_BYTES_MAX:
        return {}, f"longer than {INVOKED_BYTES_MAX} bytes"
    try:
        found = strict_json(body.decode())
    except ValueError as error:
        return {}, str(error)
    return (found, "") if isinstance(found, dict) else ({}, "{...} is expected")


def _error(code: str, message: str, missing: str | None = None) -> JsonObject:
    return {"error": {"code": code, "message": message, "missing": missing}}
