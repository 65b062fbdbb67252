"""Calls of the file tools, each with the one right answer.

Guarantees: an act knows, from model and rights alone, what the call must answer, and what files
hold after it. Does not: run anything; `life` does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.soaking.rights import Rights
from bench.soaking.world import NAMES, WHOLE, Change, Workspace, text
from capbox.messages import Json, ToolResult

Check = Callable[[ToolResult], str | None]
"""Return what is wrong with an answer that has the right error code, or with none."""


@dataclass(frozen=True, slots=True)
class Act:
    """One call: `code` is the error that it must give (None: none), `steps` what it changes.

    With "either" as `code` it gives an answer, or the error `also`; `check` judges both.
    """

    tool: str
    arguments: Mapping[str, Json]
    check: Check
    code: str | None = None
    steps: tuple[Change, ...] = ()
    keeps: tuple[tuple[str, str], ...] = ()  # variables and scratch files that later calls see
    also: str | None = None

    def __str__(self) -> str:
        """Return the call as one line."""
        shown = {
            k: v if len(str(v)) < 300 else f"{str(v)[:300]}..." for k, v in self.arguments.items()
        }
        return f"{self.tool} {shown}"


@dataclass(slots=True)
class Stage:
    """Where acts are drawn for: one life's workspace, area, rights, and what bash remembers."""

    rng: random.Random
    files: Workspace
    area: str
    rights: Rights
    kept: dict[str, str]
    muddled: bool = False  # a call that was cut short may have kept something or not

    def own(self, names: tuple[str, ...] = NAMES) -> str:
        """Return a path in the own area."""
        return f"{self.area}/{self.rng.choice(names)}"

    def any_path(self) -> str:
        """Return a path that may be one's own or not."""
        others = [
            f"{area}/{name}" for area in self.files.areas if area != self.area for name in WHOLE
        ]
        elsewhere = [*others, *self.files.constant, f"{self.area}/missing.txt"]
        return self.own() if self.rng.random() < 0.6 else self.rng.choice(elsewhere)


def passes(_result: ToolResult) -> str | None:
    """Accept whatever the answer says beside its code."""
    return None


def lacks(grant: str) -> Check:
    """Return a check that a refusal names this grant as missing."""

    def check(result: ToolResult) -> str | None:
        named = [denial.missing for denial in result.denied]
        return None if grant in named else f"the missing grant is {grant}, not {named}"

    return check


def says(wanted: str) -> Check:
    """Return a check for the whole content."""

    def check(result: ToolResult) -> str | None:
        same = result.content == wanted
        return None if same else f"{result.content[:400]!r} instead of {wanted[:400]!r}"

    return check


def numbered(content: bytes) -> str:
    """Return a file as `read` shows it."""
    lines = content.decode().splitlines()
    return "\n".join(f"{number:6d}\t{line}" for number, line in enumerate(lines, 1))


def refused(stage: Stage, tool: str, path: str, kind: str, more: Mapping[str, Json]) -> Act:
    """Return a call that the gate must refuse."""
    # Once revoked, the tool itself is missing, and that is said first.
    missing = f"tool:{tool}" if stage.rights.revoked else f"{kind}:/workspace/{path}"
    return Act(tool, {"path": path, **more}, lacks(missing), "denied")


def read(stage: Stage) -> Act:
    """Read any file, allowed or not."""
    path = stage.any_path()
    if not stage.rights.permits(path):
        return refused(stage, "read", path, "read", {})
    if not path.startswith(f"{stage.area}/") and path not in stage.files.constant:
        return _read_of_another(stage, path)
    content = stage.files.known(path)
    if content is None:
        return Act("read", {"path": path}, passes, "not_found")
    first = stage.rng.randint(1, max(content.count(b"\n"), 1))
    if stage.rng.random() < 0.5:
        return Act("read", {"path": path}, says(numbered(content)))
    part = "\n".join(numbered(content).split("\n")[first - 1 :])
    return Act("read", {"path": path, "offset": first}, says(part))


def _read_of_another(stage: Stage, path: str) -> Act:
    """Read what another seat may replace meanwhile: any of its contents, but one and whole."""
    since = time.monotonic()

    def check(result: ToolResult) -> str | None:
        may = stage.files.possible(path, since)
        if result.error is not None:
            return None if None in may else f"{path} exists, and the answer is {result.error}"
        whole = {numbered(content) for content in may if content is not None}
        return None if result.content in whole else f"{result.content[:300]!r} never was in {path}"

    return Act("read", {"path": path}, check, "either", also="not_found")


def write(stage: Stage) -> Act:
    """Write a whole file, allowed or not."""
    path = stage.own(WHOLE) if stage.rng.random() < 0.8 else stage.any_path()
    content = text(stage.rng, stage.area, stage.rng.randint(1, 40))
    more = {"content": content.decode()}
    if not stage.rights.permits(path, write=True):
        return refused(stage, "write", path, "write", more)
    if path.endswith("missing.txt"):
        return read(stage)
    done = "created" if stage.files.known(path) is None else "replaced"
    lines = content.count(b"\n")
    wanted = f"{done} {path}: {lines} line{'s' if lines > 1 else ''}, {len(content)} bytes"
    return Act("write", {"path": path, **more}, says(wanted), steps=({path: content},))


def edit(stage: Stage) -> Act:
    """Replace one token of a file by another."""
    path = stage.own(WHOLE)
    before = stage.files.known(path)
    lines = [] if before is None else before.decode().splitlines()
    old = stage.rng.choice(lines) if lines else "@nobody@ 0"
    new = text(stage.rng, stage.area, 1).decode().strip()
    more = {"old": old, "new": new}
    if not stage.rights.permits(path, write=True):
        return refused(stage, "edit", path, "write", more)
    if before is None:
        return Act("edit", {"path": path, **more}, passes, "not_found")
    if stage.rng.random() < 0.2:
        return Act("edit", {"path": path, "old": "not there", "new": new}, passes, "no_match")
    if before.count(old.encode()) != 1:
        return read(stage)
    after = before.replace(old.encode(), new.encode())
    return Act("edit", {"path": path, **more}, passes, steps=({path: after},))


def grep(stage: Stage) -> Act:
    """Search the own area for one token: every line that has it, and no other."""
    if not stage.rights.permits(f"{stage.area}/anything"):
        return read(stage)
    mine = {n: c for n, c in stage.files.content.items() if n.startswith(f"{stage.area}/")}
    tokens = sorted({line.split()[1] for c in mine.values() for line in c.decode().splitlines()})
    if not tokens:
        return read(stage)
    token = stage.rng.choice(tokens)
    hits = sorted(
        f"{name}:{number}:{line}"
        for name, content in mine.items()
        for number, line in enumerate(content.decode().splitlines(), 1)
        if token in line and stage.rights.permits(name)
    )

    def check(result: ToolResult) -> str | None:
        if not hits:
            fine = result.content.startswith("[no matches")
        else:
            fine = sorted(result.content.split("\n")) == hits
        return None if fine else f"{result.content[:400]!r} instead of {hits}"

    return Act("grep", {"pattern": token, "path": stage.area}, check)


def glob(stage: Stage) -> Act:
    """List the own area: every file that may be read, and no other."""
    if not stage.rights.permits(f"{stage.area}/anything"):
        return read(stage)
    wanted = {
        name
        for name in stage.files.content
        if name.startswith(f"{stage.area}/") and stage.rights.permits(name)
    }

    def check(result: ToolResult) -> str | None:
        paths = (result.data or {}).get("paths")
        found = set(map(str, paths)) if isinstance(paths, list) else set()
        # What the link leads to lies outside; whether its name is shown is nobody's loss.
        found.discard(f"{stage.area}/link.txt")
        return None if found == wanted else f"{found} instead of {wanted}"

    return Act("glob", {"pattern": "**/*", "path": stage.area}, check)


def link(stage: Stage) -> Act:
    """Read through a link that leads to the secret."""
    path = f"{stage.area}/link.txt"
    if stage.rights.permits("secret/x.txt"):
        return read(stage)
    if not stage.rights.permits(path):
        return refused(stage, "read", path, "read", {})
    return Act("read", {"path": path}, passes, "denied")


def wrong(stage: Stage) -> Act:
    """Call what is no tool, or with what is no argument."""
    return stage.rng.choice(
        (
            Act("nothing", {}, passes, "unknown_tool"),
            Act("read", {}, passes, "invalid_arguments"),
            Act("read", {"path": "x", "more": 1}, passes, "invalid_arguments"),
            Act("read", {"path": "a\0b"}, passes, "invalid_arguments"),
            Act("grep", {"pattern": "(", "path": "common"}, passes, "invalid_pattern")
            if stage.rights.permits("common/c0.txt")
            else Act("write", {"path": "x", "content": 7}, passes, "invalid_arguments"),
        )
    )


FILE_ACTS = (read, read, read, write, write, edit, edit, grep, glob, link, wrong)
