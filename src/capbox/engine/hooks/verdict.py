"""What a hook may answer: no, narrower bounds, a text. Pure.

    {}  or nothing at all                 no objection
    {"deny": "no pushes on a Friday"}     PreToolUse, UserPromptSubmit, RunStart
    {"limits": {"wall_seconds": 5}}       PreToolUse
    {"add": "Today is a Friday."}         UserPromptSubmit
    {"go_on": "the tests were not run"}   Stop

Guarantees: what is not one of these for its event is no answer; a bound can only be lowered; a text
is bounded and has nothing that a terminal would obey. Does not: widen anything: no answer can.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from capbox.authority.limits import Limits
from capbox.engine.hooks.hook import EventName
from capbox.gate.approver import neutral
from capbox.gate.protocol import strict_json
from capbox.messages import Json

REASON_CHARACTERS_MAX = 500
ADDED_CHARACTERS_MAX = 4_000
_KEYS: Mapping[EventName, tuple[str, ...]] = {
    "PreToolUse": ("deny", "limits"),
    "UserPromptSubmit": ("deny", "add"),
    "RunStart": ("deny",),
    "Stop": ("go_on",),
}
_BOUNDS = tuple(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`deny` is why not (None: no objection), `limits` are the bounds that it is lowered to."""

    deny: str | None = None
    limits: Limits | None = None
    add: str = ""
    go_on: str = ""

    def __str__(self) -> str:
        """Return it as the record has it."""
        if self.deny is not None:
            return f"denied: {self.deny}"
        lowered = () if self.limits is None else ("limits lowered",)
        said = ("text added" * bool(self.add), f"go on: {self.go_on}" * bool(self.go_on))
        return ", ".join((*lowered, *filter(None, said))) or "no objection"


def parse_verdict(event: EventName, text: str, ours: Limits) -> Verdict | str:
    """Read an answer; returns what is wrong with it. `ours` are the bounds until now."""
    if not text.strip():
        return Verdict()
    try:
        found = strict_json(text)
    except ValueError as error:
        return f"its answer is no JSON: {neutral(str(error))[:REASON_CHARACTERS_MAX]}"
    if not isinstance(found, dict):
        return "its answer is no JSON object"
    known = _KEYS.get(event, ())
    unknown = sorted(set(found).difference(known))
    if unknown:
        there = ", ".join(known) or "nothing"
        return f"its answer has {neutral(unknown[0][:64])!r}; a {event} hook may say: {there}"
    return _verdict(found, ours)


def _verdict(found: Mapping[str, Json], ours: Limits) -> Verdict | str:
    limits = _limits(found["limits"], ours) if "limits" in found else None
    if isinstance(limits, str):
        return limits
    texts = {key: found[key] for key in ("deny", "add", "go_on") if key in found}
    said: dict[str, str] = {}
    for key, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            return f"{key} is a text that says something"
        most = ADDED_CHARACTERS_MAX if key == "add" else REASON_CHARACTERS_MAX
        said[key] = neutral(value)[:most]
    return Verdict(said.get("deny"), limits, said.get("add", ""), said.get("go_on", ""))


def _limits(given: Json, ours: Limits) -> Limits | str:
    if not isinstance(given, Mapping) or not set(given) <= set(_BOUNDS):
        return f"limits is a table of: {', '.join(_BOUNDS)}"
    whole = {k: v for k, v in given.items() if isinstance(v, int) or k == "wall_seconds"}
    numbers = {
        k: v for k, v in whole.items() if isinstance(v, int | float) and not isinstance(v, bool)
    }
    if len(numbers) != len(given):
        return "limits holds numbers"
    try:
        wanted = replace(ours, **numbers)  # type: ignore[arg-type]
    except ValueError as error:
        return str(error)
    # Attack: a hook that somebody misled raises what it was asked to bound.
    return wanted if wanted.within(ours) else "a hook lowers limits, it does not raise them"
