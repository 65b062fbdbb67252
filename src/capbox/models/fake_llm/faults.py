"""Scripted faults: how a reply goes wrong, once.

    {"fault": {"status": 429, "retry_after": 2}}  refused with 400..599; Retry-After in seconds
    {"fault": "cut"}                              the connection drops in the middle of the reply
    {"fault": "stall", "seconds": 60}             silence in the middle of the reply, then the rest
    {"fault": "slow", "seconds": 60}              silence before the first byte, then the reply
    {"fault": "error_event"}                      an error of the provider inside a started stream
    {"fault": "malformed_event"}                  an event in the middle that is not JSON
    {"fault": "overflow"}                         refused: the conversation does not fit
    {"fault": "malformed_tool_json"}              every tool call loses the end of its arguments
    {"fault": "unknown_tool"}                     every tool call names a tool that does not exist
    {"fault": "huge_tool_call"}                   every tool call has 4 MB more of arguments
    {"fault": "duplicate_ids"}                    all tool calls have the same id
    {"fault": "refusal"}                          the model refuses instead
    {"fault": "length"}                           half of the text, then the bound on output
    {"fault": "empty"}                            a reply with nothing in it

A fault strikes the first request for its reply and is then spent: the same request sent again gets
the reply as scripted. Of a list of faults each strikes one request, in their order. What is spent
is forgotten when the server ends.
Guarantees: a fault that cannot be read is a `FaultError` with a reason, never no fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from capbox.messages import Json
from capbox.models.script import ScriptedCall, ScriptedReply

Spoiling = Literal[
    "malformed_tool_json",
    "unknown_tool",
    "huge_tool_call",
    "duplicate_ids",
    "refusal",
    "length",
    "empty",
]
"""What makes a whole reply of another kind than the one in the script."""

_SPOILINGS: Final[tuple[Spoiling, ...]] = get_args(Spoiling)
_SIMPLE = ("cut", "error_event", "malformed_event", "overflow")
_TIMED = ("stall", "slow")
_NAMES = f"{', '.join((*_SIMPLE, *_TIMED, *_SPOILINGS))} or an object with a status"
_HUGE_CHARACTERS = 4_000_000


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
class Slow:
    """Silence before the first byte, then the reply."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A whole reply, but not the one in the script."""

    how: Spoiling


@dataclass(frozen=True, slots=True)
class Overflow:
    """A refusal, since the conversation does not fit."""


@dataclass(frozen=True, slots=True)
class MalformedEvent:
    """Half of the reply, an event that is not JSON, the other half."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Half of the reply, then the provider's own error event."""


Fault = Refused | Overflow | Cut | Stall | Slow | MalformedEvent | ErrorEvent | Spoiled


@dataclass(frozen=True, slots=True)
class FaultError:
    """Why a fault cannot be read."""

    reason: str


def parse_faults(reply: ScriptedReply) -> tuple[Fault, ...] | FaultError:
    """Return the faults of a scripted reply, in the order in which they strike."""
    if not isinstance(reply.fault, list):
        fault = parse_fault(reply)
        return fault if isinstance(fault, FaultError) else () if fault is None else (fault,)
    if not reply.fault or (reply.seconds is not None and not set(_TIMED) & set(_names(reply))):
        return FaultError("a list of faults holds one at least, and seconds are of stall and slow")
    faults: list[Fault] = []
    for one in reply.fault:
        timed = one in _TIMED
        parsed = parse_fault(replace(reply, fault=one, seconds=reply.seconds if timed else None))
        if parsed is None or isinstance(parsed, FaultError):
            return parsed or FaultError(f"fault {one!r} is unknown: {_NAMES}")
        faults.append(parsed)
    return tuple(faults)


def _names(reply: ScriptedReply) -> list[str]:
    listed = reply.fault if isinstance(reply.fault, list) else []
    return [one for one in listed if isinstance(one, str)]


def parse_fault(reply: ScriptedReply) -> Fault | FaultError | None:
    """Return the one fault of a scripted reply, None when it has none."""
    if reply.seconds is not None and reply.fault not in _TIMED:
        return FaultError("seconds belong to the faults stall and slow")
    match reply.fault:
        case None:
            return None
        case "cut":
            return Cut()
        case "error_event":
            return ErrorEvent()
        case "malformed_event":
            return MalformedEvent()
        case "overflow":
            return Overflow()
        case "stall" | "slow" as name:
            return _timed(name, reply.seconds)
        case Mapping() as fields:
            return _refused(fields)
        case other:
            how = next((one for one in _SPOILINGS if one == other), None)
            return FaultError(f"fault {other!r} is unknown: {_NAMES}") if not how else Spoiled(how)


def spoiled(reply: ScriptedReply, how: Spoiling) -> ScriptedReply:
    """Return the reply that comes instead."""
    match how:
        case "refusal":
            return replace(reply, text="I will not.", tool_calls=(), stop="refused")
        case "length":
            half = reply.text[: len(reply.text) // 2]
            return replace(reply, text=half, tool_calls=(), stop="length")
        case "empty":
            return replace(reply, text="", thinking="", tool_calls=(), stop=None)
        case _:
            calls = tuple(_spoiled(call, how) for call in reply.tool_calls)
            return replace(reply, tool_calls=calls)


CallSpoiling = Literal["malformed_tool_json", "unknown_tool", "huge_tool_call", "duplicate_ids"]


def _spoiled(call: ScriptedCall, how: CallSpoiling) -> ScriptedCall:
    match how:
        case "malformed_tool_json":
            return replace(call, arguments=call.arguments[:-1])
        case "unknown_tool":
            return replace(call, name="no_such_tool")
        case "huge_tool_call":
            padded = {"padding": "x" * _HUGE_CHARACTERS}
            return replace(call, arguments=json.dumps(padded))
        case "duplicate_ids":
            return replace(call, id="call_same")


def _timed(name: Literal["stall", "slow"], value: Json) -> Stall | Slow | FaultError:
    seconds = _seconds(value)
    if seconds is None:
        return FaultError(f"the fault {name} needs seconds, a number not below 0")
    return Stall(seconds) if name == "stall" else Slow(seconds)


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
