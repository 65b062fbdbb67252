"""Which modules are mutated, which tests have to notice, and which survivors are known.

`COMPLETE` are the modules of which every mutant has been tried and every survivor has a reason in
survivors.toml; the sample that CI draws comes from these alone.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import PACKAGE, Mutant, mutants_of

TESTS = ("tests/authority", "tests/gate")
FOLDERS = ("authority", "gate")
COMPLETE: tuple[str, ...] = (
    "authority/access.py",
    "authority/authority.py",
    "authority/budget.py",
    "authority/caveats.py",
    "authority/decision.py",
    "authority/exclusions.py",
    "authority/grant.py",
    "authority/holding.py",
    "authority/limits.py",
    "authority/parse.py",
    "authority/paths.py",
    "authority/policy.py",
    "authority/values/arguments.py",
    "authority/values/draws.py",
    "authority/values/grounding.py",
    "authority/values/kinds.py",
    "authority/values/label.py",
    "authority/values/parse.py",
    "authority/web/addresses.py",
    "authority/web/older.py",
    "authority/web/places.py",
    "authority/web/suffixes.py",
    "gate/approver.py",
    "gate/arguments.py",
    "gate/asking.py",
    "gate/gate.py",
    "gate/holdings.py",
    "gate/manifest.py",
    "gate/protocol.py",
    "gate/recording.py",
    "gate/result.py",
    "gate/runner.py",
    "gate/seat.py",
    "gate/budget/charge.py",
    "gate/budget/purse.py",
    "gate/invocation/caller.py",
    "gate/invocation/invocations.py",
    "gate/network/credentials.py",
    "gate/network/egress.py",
    "gate/network/permission.py",
    "gate/rights/ending.py",
    "gate/rights/files.py",
    "gate/rights/labels.py",
    "gate/rights/variables.py",
)
SURVIVORS = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True, slots=True)
class Known:
    """A survivor, or all of one function's that change the same text, and why it may live."""

    module: str
    function: str
    was: str
    becomes: tuple[str, ...]  # empty: whatever it becomes
    reason: str

    def names(self, mutant: Mutant) -> bool:
        """Say whether this entry is about this mutant."""
        return (self.module, self.function, self.was) == (
            mutant.module,
            mutant.function,
            mutant.was,
        ) and (not self.becomes or mutant.becomes in self.becomes)


def known_survivors(path: Path = SURVIVORS) -> list[Known]:
    """Read the list; an entry without a reason, or with a field unknown, is an error."""
    entries = tomllib.loads(path.read_text())["survivor"]
    found = [Known(**(entry | {"becomes": tuple(entry.get("becomes", ()))})) for entry in entries]
    assert all(entry.reason.strip() for entry in found)
    return found


def every_module() -> list[str]:
    """Return the modules of the folders that are mutated, as paths below the package."""
    found = (path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))
    return sorted(str(path.relative_to(PACKAGE)) for path in found if path.stat().st_size > 100)


def chosen(modules: Iterable[str]) -> list[Mutant]:
    """Return every mutant of these modules."""
    return [mutant for module in modules for mutant in mutants_of(module)]


def sample(mutants: Sequence[Mutant], size: int, seed: str) -> list[Mutant]:
    """Draw from the mutants, the same for the same seed, and sorted by place for speed."""
    drawn = random.Random(seed).sample(mutants, min(size, len(mutants)))
    return sorted(drawn, key=lambda mutant: (mutant.module, mutant.start, mutant.becomes))
