"""Write into the case files what the tools of this machine give.

    python -m tests.conformance.record [THEME...]      # all themes by default

Each case gets the outcome of real bash. Where capbox gives another one the case keeps `differs`,
its reason, with both outcomes; without a reason the difference is printed and the status is 1. A
`differs` that no longer holds is dropped. New cases need a name and a script only.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.conformance.case import CASES, KEYS, Outcome, parsed, tables
from tests.conformance.play import Boxes, Play, cannot_ask, complaint, real

from capbox import app
from capbox.engine.home import Home


def main(themes: list[str]) -> int:
    """Record the themes; 1 if a difference has no reason."""
    status = 0
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "c", Path(place) / "s", app.home_of(os.environ).cache)
        with Boxes(home, Path(place)) as boxes:
            for path in sorted(CASES.glob("*.toml")):
                if themes and path.stem not in themes:
                    continue
                drafts = enumerate(tables(path))
                done = [recorded(path.stem, i, raw, boxes.play) for i, raw in drafts]
                path.write_text("\n".join(as_toml(raw) for raw, _ in done), encoding="utf-8")
                for problem in filter(None, (problem for _, problem in done)):
                    print(problem, end="\n\n")
                    status = 1
    return status


def recorded(
    theme: str, index: int, raw: dict[str, object], play: Play
) -> tuple[dict[str, object], str]:
    """Play one case on both sides; give its table anew, and what is wrong with it."""
    draft = {"stdout": "", "status": 0, **raw}
    if "path" in draft:
        draft.setdefault("tree", {})
    reason = draft.pop("differs", None)
    draft.pop("real", None)
    case = parsed(theme, index, draft)
    if why := cannot_ask(case):
        return raw, f"{case}: {why}; left as it was"
    truth, said = real(case)
    problem = "" if reason else complaint(case, truth, said, truth)
    got, complained = play(case)
    draft.update(values(truth))
    problem = problem or complaint(case, got, complained, truth)
    if got == truth or not reason:
        return draft, problem
    mine, theirs = values(got), values(truth)
    draft.update(mine)
    draft["differs"] = reason
    draft["real"] = {key: theirs[key] for key in theirs if theirs[key] != mine[key]}
    return draft, ""


def values(outcome: Outcome) -> dict[str, object]:
    """Give the keys of an outcome."""
    found: dict[str, object] = {"stdout": outcome.stdout, "status": outcome.status}
    if outcome.tree is not None:
        found["tree"] = dict(outcome.tree)
    return found


def as_toml(raw: Mapping[str, object]) -> str:
    """Write one case, its keys in the order of KEYS."""
    lines = [f"{key} = {value_as_toml(raw[key])}" for key in KEYS if key in raw]
    return "\n".join(["[[case]]", *lines, ""])


def value_as_toml(value: object) -> str:
    """Write one value: texts as they are where TOML has a form for that."""
    if isinstance(value, dict):
        pairs = (f"{quoted(key)} = {inline(inner)}" for key, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, str):
        plain = all((c >= " " and c != "\x7f") or c in "\n\t" for c in value)
        if plain and "\n" in value and "'''" not in value and not value.endswith("'"):
            return f"'''\n{value}'''"
        if plain and "'" not in value and "\n" not in value:
            return f"'{value}'"
        return quoted(value)
    return json.dumps(value)


def inline(value: object) -> str:
    """Write a value that must stay on one line."""
    return value_as_toml(value) if isinstance(value, dict) else quoted(value)


def quoted(value: object) -> str:
    """Write a text or number as TOML's basic form, which JSON's is but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
