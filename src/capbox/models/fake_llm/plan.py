"""What the fake server will say: a script, with its faults read.

Guarantees: every fault is known before the server starts. Does not: remember what was said.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from capbox.models.fake_llm.faults import Fault, FaultError, parse_faults
from capbox.models.script import Script, ScriptedReply, ScriptError, read_script


@dataclass(frozen=True, slots=True)
class PlannedReply:
    """One reply, and what goes wrong at the first requests for it, once each."""

    reply: ScriptedReply
    faults: tuple[Fault, ...] = ()


Plan = tuple[PlannedReply, ...]


def read_plan(file: Path) -> Plan | ScriptError:
    """Read a script file with faults."""
    script = read_script(file)
    return script if isinstance(script, ScriptError) else plan_of(script, str(file))


def plan_of(script: Script, file: str) -> Plan | ScriptError:
    """Read the faults of a script; `file` only names it in errors."""
    planned: list[PlannedReply] = []
    for number, reply in enumerate(script):
        faults = parse_faults(reply)
        if isinstance(faults, FaultError):
            return ScriptError(file, number, faults.reason)
        planned.append(PlannedReply(reply, faults))
    return tuple(planned)
