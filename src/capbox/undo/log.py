"""One index file, read back: what was saved, in order, and how each call left it.

Guarantees: a last line that was torn off is left out, any other that makes no sense is an error; no
name in it leads out of its root. Does not: look at the tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from capbox.messages import Json, JsonObject
from capbox.sandbox.undo.index import VERSION
from capbox.sandbox.undo.state import Signature, State, parse_state
from capbox.sandbox.undo.walk import is_name, joined
from capbox.undo.errors import UndoError

Left = tuple[Signature, int] | None
"""How a path was left: its signature and time of change, None for nothing there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line about a path; `kind` is pre, edited, again, rename or post."""

    line: int
    kind: str
    call: int
    root: str
    name: str
    state: State | None = None
    new: str = ""
    staged: str = ""
    left: Left = None

    @property
    def path(self) -> str:
        """Return the host path, of a rename the old one."""
        return joined(self.root, self.name)

    @property
    def new_path(self) -> str:
        """Return the host path that a rename gives."""
        return joined(self.root, self.new)


@dataclass(slots=True, eq=False)
class Log:
    """An index file; `steps` are outcomes by the line of its source, if it is an undo's."""

    file: Path
    header: JsonObject = field(default_factory=dict)
    roots: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    void: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    missed: list[str] = field(default_factory=list)
    steps: dict[int, str] = field(default_factory=dict)
    closed: bool = False
    lines: int = 0

    def changes(self) -> Iterator[Entry]:
        """Yield what can be undone, in the order in which it was done."""
        for entry in self.entries:
            if entry.kind in ("pre", "edited", "rename") and entry.line not in self.void:
                yield entry

    def add(self, line: Json) -> None:
        """Take the next line. Raises ValueError."""
        match line:
            case ["run", int(version), dict(header)] if self.lines == 0 and version == VERSION:
                self.header = header
            case ["root", str(host)] if host.startswith("/"):
                self.roots.append(host)
            case ["pre" | "edited" as kind, int(call), int(root), str(name), state]:
                self._entry(str(kind), call, root, name, state=parse_state(state))
            case ["again", int(call), int(root), str(name)]:
                self._entry("again", call, root, name)
            case ["rename", int(call), int(root), str(old), str(new), str(staged)]:
                if not (is_name(new) and is_name(staged)):
                    raise ValueError("not a name")
                self._entry("rename", call, root, old, new=new, staged=staged)
            case ["post", int(call), int(root), str(name), left]:
                self._entry("post", call, root, name, left=_left(left))
            case ["void", int(number)]:
                self.void.add(number)
            case ["missed", int(), str(path)]:
                self.missed.append(path)
            case ["end", int(call)]:
                self.ended.add(call)
            case ["step", int(number), str(outcome)]:
                self.steps[number] = outcome
            case ["closed", int()]:
                self.closed = True
            case _:
                raise ValueError("no such line")
        self.lines += 1

    def _entry(
        self,
        kind: str,
        call: int,
        root: int,
        name: str,
        *,
        state: State | None = None,
        new: str = "",
        staged: str = "",
        left: Left = None,
    ) -> None:
        if not 0 <= root < len(self.roots) or not (name == "" or is_name(name)):
            raise ValueError("not a name beneath a known root")
        host = self.roots[root]
        self.entries.append(Entry(self.lines, kind, call, host, name, state, new, staged, left))


def read_log(file: Path) -> Log:
    """Read one index file. Raises UndoError."""
    log = Log(file)
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError as error:
        raise UndoError(str(file), error.strerror or str(error)) from error
    for line in lines[:-1]:
        try:
            log.add(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise UndoError(str(file), f"line {log.lines} is damaged: {error}") from error
    return log


def _left(value: Json) -> Left:
    match value:
        case None:
            return None
        case [[*signature], int(mtime_ns)]:
            return tuple(signature), mtime_ns
        case _:
            raise ValueError("not a signature")
