"""Approvals for always that are counted: how much of one is used, and which run holds it now.

Guarantees: a counted approval is held by one run at a time, in whatever process (the kernel keeps
the lock, and drops it with the process); what a run used of it is read from its journal, once that
run is over, also if it was killed. Does not: believe a record that `verify` does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capbox.authority.caveats import Bytes, Uses
from capbox.authority.decision import GrantId
from capbox.authority.grant import Grant
from capbox.journal.counting import Used, used_of
from capbox.journal.errors import JournalError
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.lock import try_lock
from capbox.journal.verify import Broken, verify
from capbox.store.journal import read

_TIMES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """What was `used` in runs that are over, and the run that holds it, as the grant `name`."""

    used: Used = field(default_factory=Used)
    run: str | None = None
    name: str | None = None

    def left(self, grant: Grant) -> bool:
        """Say whether anything is left of what can be used up for good."""
        for bound in grant.counted:
            if isinstance(bound, Uses) and self.used.uses >= bound.count:
                return False
            if isinstance(bound, Bytes) and self.used.bytes >= bound.count:
                return False
        return True

    def told(self, grant: Grant) -> str:
        """Return how much is used, as in `used 2 of 5`; "" where nothing can be used up."""
        parts: list[str] = []
        for bound in grant.counted:
            if isinstance(bound, Uses):
                parts.append(f"used {self.used.uses} of {bound.count}")
            if isinstance(bound, Bytes):
                parts.append(f"used {self.used.bytes} of {bound.count} B")
        return ", ".join(parts)

    def to_json(self) -> dict[str, object]:
        """Return what the file holds of it."""
        times = list(self.used.times[-_TIMES_MAX:])
        used = {"uses": self.used.uses, "bytes": self.used.bytes, "times": times}
        return {**used, "run": self.run, "name": self.name}


def count_of(value: object) -> Count:
    """Read what `to_json` wrote. Raises ValueError."""
    expected = {"uses", "bytes", "times", "run", "name"}
    if not isinstance(value, Mapping) or set(value) != expected:
        raise ValueError(f"a count has {', '.join(sorted(expected))}")
    uses, size, times, run, name = (value[k] for k in ("uses", "bytes", "times", "run", "name"))
    numbers = type(uses) is int and type(size) is int and uses >= 0 and size >= 0
    if not numbers or not isinstance(times, list) or (run is None) != (name is None):
        raise ValueError("a count has whole numbers and a list of times")
    if not all(isinstance(at, int | float) for at in times):
        raise ValueError("times are numbers")
    held = (None, None) if run is None else (str(run), str(name))
    return Count(Used(uses, size, tuple(map(float, times))), *held)


class Counts:
    """The counts of one process: `journal` is the directory of the runs, `signer` their key."""

    def __init__(self, journal: Path, signer: Signer) -> None:
        """Read from there."""
        self._journal = journal
        self._signer = signer

    def settled(self, count: Count) -> Count | str:
        """Return a count with what its last run used, which is over; a text: why nobody knows."""
        if count.run is None or count.name is None:
            return count
        run = RunId(count.run)
        try:
            verdicts = verify(self._journal, self._signer, run)
            broken = next((v for v in verdicts if isinstance(v, Broken)), None)
            if broken is not None or not verdicts:
                why = "is missing" if broken is None else f"is broken: {broken.reason}"
                return f"what it used is not known: the record of {run} {why}"
            used = used_of(record.content for record in read(self._journal, run))
        except (JournalError, ValueError) as error:
            return f"what it used is not known: the record of {run}: {error}"
        return Count(count.used + used.get(GrantId(count.name), Used()))


class Claims:
    """The counted approvals that one run holds, each by a locked file beside `path`."""

    def __init__(self, path: Path) -> None:
        """Hold none."""
        self._path = path
        self._held: dict[str, int] = {}

    def claim(self, name: str) -> bool:
        """Hold `name`, unless another run does. Raises OSError."""
        if name in self._held:
            return True
        lock = try_lock(self._path.with_name(f"{self._path.name}.{name}"))
        if lock is None:
            return False
        self._held[name] = lock
        return True

    def forget(self, name: str) -> None:
        """Remove the file of an approval that is gone, unless a run still holds it."""
        beside = self._path.with_name(f"{self._path.name}.{name}")
        lock = try_lock(beside)
        if lock is not None:
            beside.with_name(f"{beside.name}.lock").unlink(missing_ok=True)
            os.close(lock)

    def release(self) -> None:
        """Let go of all: the journal of the run is closed."""
        for lock in self._held.values():
            os.close(lock)
        self._held.clear()
