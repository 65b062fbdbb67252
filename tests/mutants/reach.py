"""Which test runs which line, and how long it takes: measured once, kept until code changes.

A mutant is tried with the tests that run its lines, those of its module's own test file first,
then the quickest; one outside a function, with those that run anything in its module. A mutant
gets at most `SECONDS` of tests, as measured with coverage on, and one that would be reported gets
`SECONDS_MORE`: what only a slow test would notice deserves a quick one, but where the first budget
ends is chance.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from types import CodeType

import pytest
from coverage import Coverage
from tests.mutants.catalogue import PACKAGE, ROOT, Mutant
from tests.mutants.trial import PASSED, Watch

SECONDS, SECONDS_MORE = 10.0, 60.0
# Where capbox has to be imported anew, the tests come from so many files: each is imported too.
FILES = 6


@dataclass(frozen=True, slots=True)
class Reach:
    """For each passing test its seconds; for each module and line the numbers of tests that run it.

    `imported` are the functions that run while capbox is imported.
    """

    seconds: Mapping[str, float]
    runners: Mapping[str, Mapping[str, Sequence[str]]]
    imported: frozenset[str]

    def tests(self, mutant: Mutant, seconds: float = SECONDS) -> list[str]:
        """Return the tests that may notice this mutant, in order, within so many seconds."""
        lines = self.runners.get(mutant.module, {})
        folder, name = PurePath(mutant.module).parent, PurePath(mutant.module).name
        mirror = f"tests/{folder}/test_{name}"
        around = range(mutant.first_line, mutant.last_line + 1)
        found = {test for line in around for test in lines.get(str(line), ())}
        if not found and mutant.body is not None:
            # Lines after a wait that was cut short are run unseen: Python 3.11 traces no `throw`.
            begins = range(mutant.body[1], mutant.last_line)
            found = {test for line in begins for test in lines.get(str(line), ())}
        if not found and self.needs_import(mutant):
            found = {test for tests in lines.values() for test in tests}
            # What looks at a table of the module alone runs none of its lines.
            found |= {test for test in self.seconds if test.startswith(mirror)}
        if self.needs_import(mutant):
            files = Counter({mirror: 1_000_000})
            files.update(test.split("::")[0] for test in found)
            few = {file for file, _ in files.most_common(FILES)}
            found = {test for test in found if test.split("::")[0] in few}
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda t: (not t.startswith(mirror), self.seconds[t], t)):
            spent += self.seconds[test]
            if spent > seconds and chosen:
                break
            chosen.append(test)
        return chosen

    def needs_import(self, mutant: Mutant) -> bool:
        """Say whether what the mutant changes has run before the tests begin."""
        return mutant.body is None or place_of(mutant) in self.imported


def place_of(mutant: Mutant) -> str:
    """Name the function around a mutant as the measurement does."""
    name, line = mutant.body or ("", 0)
    return f"{mutant.module}:{name}:{line}"


def place_of_code(code: CodeType) -> str:
    """Name a function of capbox by its code, whatever file it is from."""
    module = code.co_filename.removeprefix(f"{PACKAGE}/")
    return f"{module}:{code.co_qualname}:{code.co_firstlineno}"


def imports(kept: Path) -> int:
    """Import capbox under a profile; write which functions that calls. For the child of a fork."""
    seen: set[CodeType] = set()
    sys.setprofile(lambda frame, event, _: seen.add(frame.f_code) if event == "call" else None)
    importlib.import_module("capbox.app")
    sys.setprofile(None)
    kept.write_text(json.dumps(sorted({place_of_code(code) for code in seen})))
    return PASSED


def measure(session: pytest.Session, modules: Sequence[str], kept: Path, watch: Watch) -> int:
    """Run every collected test; write which lines each runs. For the child of a fork."""
    outcomes = Outcomes()
    session.config.pluginmanager.register(outcomes)
    watch.pytest_runtest_logreport = lambda report: None  # type: ignore[method-assign]
    paths = [str(PACKAGE / module) for module in modules]
    coverage = Coverage(data_file=None, include=paths, branch=False, config_file=False)
    seconds: dict[str, float] = {}
    items = session.items
    coverage.start()
    for item, following in zip(items, [*items[1:], None], strict=True):
        began = time.monotonic()
        watch.pytest_runtest_logstart(item.nodeid)
        coverage.switch_context(item.nodeid)
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.nodeid not in outcomes.failed:
            seconds[item.nodeid] = round(time.monotonic() - began, 4)
    coverage.stop()
    data = coverage.get_data()
    runners = {
        module: {
            str(line): [test for test in tests if test in seconds]
            for line, tests in data.contexts_by_lineno(path).items()
        }
        for module, path in zip(modules, paths, strict=True)
    }
    written = {"seconds": seconds, "runners": runners, "failed": sorted(outcomes.failed)}
    kept.write_text(json.dumps(written))
    return PASSED


class Outcomes:
    """Keeps which tests failed, or were skipped: neither can notice a mutant."""

    def __init__(self) -> None:
        self.failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note every phase that is not a pass."""
        if not report.passed:
            self.failed.add(report.nodeid)


def digest(tests: Sequence[str]) -> str:
    """Name the state of the code and of the tests that a measurement belongs to."""
    state = hashlib.sha256(repr(sorted(tests)).encode())
    for folder in (PACKAGE, ROOT / "tests"):
        for path in sorted(p for p in folder.rglob("*.py") if p.parent.name != "mutants"):
            state.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return state.hexdigest()[:16]
