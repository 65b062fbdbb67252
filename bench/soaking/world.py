"""What every file must hold: the model that answers and the disk are compared with.

Eight seats share four workspaces, two in each. A seat alone changes its area (`a3/`): `w*.txt`
only by whole replacements, `s*.txt` by scripts too. Guarantees: what may be in a file is known also
while it is being replaced, and after a call that was cut short. Every line names its owner
(`@a3@`), so that a line in the wrong hands is seen. Does not: look at an answer; `judge` does.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.soaking.wrong import Wrong

WHOLE = tuple(f"w{n}.txt" for n in range(4))
SCRIPTED = (*(f"s{n}.txt" for n in range(4)), "d/t0.txt", "d/t1.txt")
NAMES = (*WHOLE, *SCRIPTED)
FILE_BYTES_MAX = 8_000
_HISTORY = 200
_LINES = re.compile(rb"(?:@[a-z0-9]+@ [0-9a-f]+\n)+")
_TAG = re.compile(r"@([a-z0-9]+)@")

Change = Mapping[str, bytes | None]
"""File names, relative to the workspace, and what they hold afterwards; None: they are gone."""


def text(rng: random.Random, owner: str, lines: int) -> bytes:
    """Return random lines that name their owner."""
    return "".join(f"@{owner}@ {rng.getrandbits(32):08x}\n" for _ in range(lines)).encode()


def owners(shown: str) -> set[str]:
    """Return whose lines appear in a text."""
    return set(_TAG.findall(shown))


class Workspace:
    """One workspace on disk, and what is known of it."""

    def __init__(self, root: Path, areas: Iterable[str], rng: random.Random) -> None:
        """Make the folder with what never changes: `common`, `secret`, and a `.env` an area."""
        self.root = root
        self.areas = tuple(areas)
        self.content: dict[str, bytes] = {}
        self._possible: dict[str, set[bytes | None]] = {}
        self._superseded: deque[tuple[float, str, bytes | None]] = deque(maxlen=_HISTORY)
        self.constant = {
            "common/c0.txt": text(rng, "common", 5),
            "common/c1.txt": text(rng, "common", 50),
            "secret/x.txt": text(rng, "secret", 5),
            **{f"{area}/.env": text(rng, "env", 2) for area in self.areas},
        }
        for name, content in self.constant.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        for area in self.areas:
            (root / area / "d").mkdir()
            (root / area / "link.txt").symlink_to(root / "secret" / "x.txt")

    def known(self, name: str) -> bytes | None:
        """Return what a file that nobody is changing holds."""
        return self.constant.get(name, self.content.get(name))

    def fill(self, area: str, rng: random.Random) -> None:
        """Give an area new content, each file in one step; some are missing."""
        for name in (f"{area}/{n}" for n in NAMES):
            wanted = text(rng, area, rng.randint(1, 30)) if rng.random() < 0.8 else None
            self.begin([{name: wanted}])
            place = self.root / name
            if wanted is None:
                place.unlink(missing_ok=True)
            else:
                beside = self.root / f"{area}.new"
                beside.write_bytes(wanted)
                beside.replace(place)
            self._settle(name, wanted)

    def begin(self, steps: Iterable[Change]) -> None:
        """Note what files may hold from now on, until `settle` or `reconcile`."""
        for step in steps:
            for name, content in step.items():
                self._possible.setdefault(name, {self.known(name)}).add(content)

    def settle(self, steps: Iterable[Change]) -> str | None:
        """Every step was done: return what on disk contradicts that."""
        final: dict[str, bytes | None] = {}
        for step in steps:
            final.update(step)
        complaints = [
            f"{name} holds {_shown(found)} instead of {_shown(wanted)}"
            for name, wanted in final.items()
            if (found := self._on_disk(name)) != wanted
        ]
        for name, wanted in final.items():
            self._settle(name, wanted)
        return "; ".join(complaints) or None

    def reconcile(self, steps: Iterable[Change]) -> str | None:
        """Some steps were done, the last perhaps in part: take what is there, if it can be."""
        complaints: list[str] = []
        for name in {name for step in steps for name in step}:
            found = self._on_disk(name)
            possible = self._possible.get(name, {self.known(name)})
            partly = not name.rpartition("/")[2].startswith("w") and found is not None
            if found not in possible and not (
                partly and any(p is not None and p.startswith(found or b"") for p in possible)
            ):
                complaints.append(f"{name} holds {_shown(found)}, which nobody wrote")
            if found is not None and not _LINES.fullmatch(found):
                (
                    self.root / name
                ).unlink()  # half of a file, as it may be; the next acts want lines
                found = None
            self._settle(name, found)
        return "; ".join(complaints) or None

    def possible(self, name: str, since: float) -> set[bytes | None]:
        """Return everything that a `w` file may have held at some moment since then."""
        now = self._possible.get(name, {self.known(name)})
        return now | {held for at, what, held in self._superseded if what == name and at >= since}

    def audit(self, area: str) -> str | None:
        """Compare a whole area, at rest, and everything constant with the model."""
        there = {
            str(path.relative_to(self.root))
            for path in (self.root / area).rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        wanted = {n for n in self.content if n.startswith(f"{area}/")} | {f"{area}/.env"}
        if there != wanted:
            return (
                f"files that nobody made: {there - wanted}; files that are gone: {wanted - there}"
            )
        for name in (*wanted, *self.constant):
            if self._on_disk(name) != self.known(name):
                return f"{name} holds {_shown(self._on_disk(name))}, which nobody wrote"
        return None

    def temporaries(self, area: str) -> set[str]:
        """Return the names of what a killed call prepared for a replacement, or was moving."""
        return {str(p.relative_to(self.root)) for p in (self.root / area).rglob(".capbox-*")}

    def sweep(self, area: str, made: set[str] | None) -> None:
        """Remove what calls that were cut short prepared. Raises Wrong for what none made.

        Where nobody knows what was `made` (None), everything goes.
        """
        for path in (self.root / area).rglob("*"):
            name = str(path.relative_to(self.root))
            if path.is_dir() or name in self.content or name in self.constant:
                continue
            if path.name == "link.txt":
                continue
            if made is not None and name not in made:
                raise Wrong("journal", f"{name} is there, and no recorded effect made it")
            path.unlink()

    def _settle(self, name: str, content: bytes | None) -> None:
        now = time.monotonic()
        for held in self._possible.pop(name, {self.known(name)}) - {content}:
            self._superseded.append((now, name, held))
        if content is None:
            self.content.pop(name, None)
        else:
            self.content[name] = content

    def _on_disk(self, name: str) -> bytes | None:
        try:
            with (self.root / name).open("rb") as file:
                return file.read(1 + (1 << 20))
        except FileNotFoundError:
            return None


def _shown(content: bytes | None) -> str:
    if content is None:
        return "nothing (it is missing)"
    return f"{len(content)} bytes {content[:60]!r}"


def workspaces(place: Path, seats: int, rng: random.Random) -> list[Workspace]:
    """Make the workspaces of so many seats, two seats in each."""
    made = []
    for number in range((seats + 1) // 2):
        root = place / f"w{number}"
        root.mkdir(parents=True)
        areas = [f"a{seat}" for seat in (2 * number, 2 * number + 1) if seat < seats]
        made.append(Workspace(Path(os.path.realpath(root)), areas, rng))
    return made
