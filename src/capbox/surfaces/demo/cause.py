"""What stopped an attack, told from the real results of its calls and from nothing else.

Guarantees: a failure of the sandbox, or of a tool, is never reported as a defence. Does not: say
whether the attack was stopped; its own predicate does.
"""

from __future__ import annotations

from dataclasses import dataclass

from capbox.messages import ToolResult
from capbox.sandbox.spec import BOUNDS

# A call that somebody stopped was not stopped by a bound.
_STOPS = BOUNDS.keys() - {"revoked", "interrupted"}
_GATE = {
    "unknown_tool": "no such tool",
    "invalid_arguments": "arguments",
    "repeated": "same call again",
}
_FAILURES = frozenset({"sandbox_failed", "tool_crashed", "tool_protocol"})
_EVIDENCE_CHARACTERS = 160


_REASONS = (
    ("no grant", "no grant"),
    ("excluded", "excluded name"),
    ("never rule", "never rule"),
    ("a link leads", "link leads out"),
    ("not a regular", "special file"),
    ("hard links are", "no hard links"),
    ("the file has several", "hard-linked file"),
)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who stopped it (`gate`, `host`, `bound`, `tool` or `absent`), why, and the words for it."""

    who: str
    why: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.who}: {self.why}"


def cause(results: tuple[ToolResult, ...], lacks: str) -> Cause | None:
    """Return the cause, or None when the results name none that counts.

    `lacks` is what an attack that nobody refused did not find; without it that is no cause.
    """
    if any(r.error is not None and r.error.code in _FAILURES for r in results):
        return None
    refusals = (_refusal(result) for result in results)
    refusal = next((one for one in refusals if one is not None), None)
    if refusal is not None or not results:
        return refusal
    last = results[-1]
    if last.error is not None:
        return Cause("tool", last.error.code, _line(last.error.message))
    return Cause("absent", lacks, _line(last.content)) if lacks else None


def _refusal(result: ToolResult) -> Cause | None:
    code = result.error.code if result.error is not None else ""
    message = _line(result.error.message) if result.error is not None else ""
    if code in _STOPS:
        return Cause("bound", code, message)
    if code in _GATE:
        return Cause("gate", _GATE[code], message)
    if not result.denied:
        return None
    # Before the call, the gate judges the paths that it names; during it, the WASI host each one.
    denial, started = result.denied[0], result.spent.memory_bytes > 0
    why = next((w for start, w in _REASONS if denial.reason.startswith(start)), denial.reason)
    return Cause("host" if started else "gate", why, denial.access)


def _line(text: str) -> str:
    """Return the last line that says something, made safe to print."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    telling = [line for line in lines if line and not line.startswith("exit code")]
    shown = (telling or lines or [""])[-1]
    return "".join(c if c.isprintable() else "?" for c in shown)[:_EVIDENCE_CHARACTERS]
