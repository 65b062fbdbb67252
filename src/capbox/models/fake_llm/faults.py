"""Scripted faults: how a reply goes wrong, once.

    {"fault": {"status": 429, "retry_after": 2}}  refused with 400..599; Retry-After in seconds
    {"fault": "cut"}                              the connection drops in the middle of the reply
    {"fault": "stall", "seconds": 60}             silence in the middle of the reply, then the rest
    {"fault": "malformed_tool_json"}              every tool call loses the end of its arguments
    {"fault": "error_event"}                      an error of the provider inside a started stream

A fault strikes the first request for its reply and is then spent: the same request sent again gets
the reply as scripted. What is spent is forgotten when the server ends.
Guarantees: a fault that cannot be read is a `FaultError` with a reason, never no fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from capbox.messages import Json
from capbox.models.script import ScriptedCall, ScriptedReply

_NAMES = "cut, stall, malformed_tool_json, error_event or an object with a status"


@dataclass(frozen=True, slots=True)
class Refused:
    """An HTTP error status instead of a reply."""

    status: int
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Half of the reply, then the connection drops."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Half of the reply, silence, the other half."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MalformedToolJson:
    """Tool-call arguments that are not JSON."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Half of the reply, then the provider's own error event."""


Fault = Refused | Cut | Stall | MalformedToolJson | ErrorEvent


@dataclass(frozen=True, slots=True)
class FaultError:
    """Why a fault cannot be read."""

    reason: str


def parse_fault(reply: ScriptedReply) -> Fault | FaultError | None:
    """Return the fault of a scripted reply, None when it has none."""
    if reply.seconds is not None and reply.fault != "stall":
        return FaultError("seconds belong to the fault stall")
    match reply.fault:
        case None:
            return None
        case "cut":
            return Cut()
        case "malformed_tool_json":
            return MalformedToolJson()
        case "error_event":
            return ErrorEvent()
        case "stall":
            return _stall(reply.seconds)
        case Mapping() as fields:
            return _refused(fields)
        case other:
            return FaultError(f"fault {other!r} is unknown: {_NAMES}")


def spoiled(reply: ScriptedReply) -> ScriptedReply:
    """Return the reply with the last character of every call's arguments missing."""
    calls = tuple(ScriptedCall(call.name, call.arguments[:-1]) for call in reply.tool_calls)
    return replace(reply, tool_calls=calls)


def _stall(value: Json) -> Stall | FaultError:
    seconds = _seconds(value)
    if seconds is None:
        return FaultError("the fault stall needs seconds, a number not below 0")
    return Stall(seconds)


def _refused(fields: Mapping[str, Json]) -> Refused | FaultError:
    if unknown := set(fields) - {"status", "retry_after"}:
        return FaultError(f"unknown key {min(unknown)!r} in fault; known: retry_after, status")
    status, retry_after = fields.get("status"), _seconds(fields.get("retry_after"))
    if isinstance(status, bool) or not isinstance(status, int) or not 400 <= status <= 599:
        return FaultError("the status of a fault must be a whole number from 400 to 599")
    if "retry_after" in fields and retry_after is None:
        return FaultError("retry_after of a fault must be seconds, a number not below 0")
    return Refused(status, retry_after)


def _seconds(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        return None
    return float(value)
