"""Tries mutants of the trusted decisions against their tests: `python -m tests.mutants`.

Every mutant of the complete modules, or of those that are named (`authority/grant.py`, `gate`);
`--sample 100 --seed S` draws some; a mutant's short name tries that one and shows its difference.
Results of a full run are kept in build/mutants/ and not tried again while code and tests stay the
same. Exit 0: every survivor is listed. 1: some are not. 2: misuse.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import PACKAGE, ROOT, Mutant
from tests.mutants.reach import SECONDS, SECONDS_MORE, Reach, digest
from tests.mutants.scope import COMPLETE, TESTS, chosen, every_module, known_survivors, sample
from tests.mutants.server import Server
from tests.mutants.trial import Result

KEPT = ROOT / "build" / "mutants"


@dataclass(frozen=True, slots=True)
class Tried:
    """One mutant and what came of it."""

    mutant: Mutant
    result: Result


def main(arguments: Sequence[str]) -> int:
    """Run the command."""
    asked = parsed(arguments)
    if asked.list:
        for mutant in chosen(asked.modules):
            print(mutant)
        return 0
    mutants = chosen(asked.modules)
    if asked.sample:
        mutants = sample(mutants, asked.sample, asked.seed)
    if asked.mutant:
        mutants = [mutant for mutant in mutants if mutant.id in asked.mutant]
    began = time.monotonic()
    tried = list(run(mutants, asked))
    return report(tried, asked, time.monotonic() - began)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; modules become a list of paths."""
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__)
    parser.add_argument("place", nargs="*", help="module or folder below src/capbox")
    parser.add_argument("--sample", type=int, metavar="N", help="draw N mutants")
    parser.add_argument("--seed", default="", help="of the sample")
    parser.add_argument("--mutant", action="append", default=[], metavar="ID", help="this one")
    parser.add_argument("--tests", action="append", metavar="PATH", help="instead of all tests")
    parser.add_argument("--list", action="store_true", help="name the mutants, try none")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    parser.add_argument("--again", action="store_true", help="forget kept results")
    asked = parser.parse_args(arguments)
    modules = every_module() if asked.place or asked.mutant else list(COMPLETE)
    places = [place.removeprefix("src/capbox/").rstrip("/") for place in asked.place]
    asked.modules = [m for m in modules if not places or any(inside(m, p) for p in places)]
    if not asked.modules:
        parser.error(f"no module is at {', '.join(places)}; there are {', '.join(modules)}")
    return asked


def inside(module: str, place: str) -> bool:
    """Say whether a module is this place or below it."""
    return module == place or module.startswith(place + "/")


def run(mutants: Sequence[Mutant], asked: argparse.Namespace) -> Iterator[Tried]:
    """Try each mutant that has no kept result."""
    tests = asked.tests or list(TESTS)
    known = known_survivors()
    KEPT.mkdir(parents=True, exist_ok=True)
    results = Results(KEPT / "results.jsonl", digest(tests), forget=asked.again)
    with tempfile.TemporaryDirectory(prefix="capbox-mutants-") as place:
        server = Server(tests, Path(place))
        reach = reach_of(server, KEPT / f"reach-{results.state}.json")
        for number, mutant in enumerate(mutants, 1):
            result = None if asked.mutant or asked.sample else results.of(mutant)
            if result is None:
                began = time.monotonic()
                result = attempt(server, mutant, reach, SECONDS)
                if result.outcome == "survived" and not any(k.names(mutant) for k in known):
                    result = attempt(server, mutant, reach, SECONDS_MORE)
                results.keep(mutant, result, time.monotonic() - began)
            if result.outcome not in ("killed", "timeout"):
                print(f"{number}/{len(mutants)} {result.outcome} {mutant}", file=sys.stderr)
            yield Tried(mutant, result)
        server.close()


def attempt(server: Server, mutant: Mutant, reach: Reach, seconds: float) -> Result:
    """Try the quick way; what it cannot tell is tried from the import on."""
    tests = reach.tests(mutant, seconds)
    if not tests:
        return Result("survived", "no test gets there")
    result = server.swapped(mutant, tests)
    if result.outcome in ("killed", "timeout"):
        return result
    if result.outcome == "survived" and not reach.needs_import(mutant):
        return result
    return server.imported(mutant, tests)


def reach_of(server: Server, kept: Path) -> Reach:
    """Measure which test calls what, unless that is known."""
    imported = kept.with_name(f"imports-{digest(())}.json")
    if not imported.exists():
        server.imports(imported)
    if not kept.exists():
        server.measure(every_module(), kept)
    read = json.loads(kept.read_text())
    if read["failed"]:
        print(f"left out, they fail or are skipped unchanged: {read['failed']}", file=sys.stderr)
    return Reach(read["seconds"], read["runners"], frozenset(json.loads(imported.read_text())))


class Results:
    """What is known from earlier runs, in a file with a line for each mutant that was tried.

    A kill holds until the mutant's module changes: more tests do not undo it. (`--again` forgets
    it, for when tests were taken away.) A survivor is tried again after any change.
    """

    def __init__(self, path: Path, state: str, *, forget: bool) -> None:
        self.path, self.state = path, state
        self.found: dict[str, tuple[str, str, Result]] = {}
        if forget:
            path.unlink(missing_ok=True)
        for line in path.read_text().splitlines() if path.exists() else ():
            name, source, tests, outcome, test, _ = json.loads(line)
            self.found[name] = (source, tests, Result(outcome, test))

    def of(self, mutant: Mutant) -> Result | None:
        """Return what came of this mutant, if that still holds."""
        source, state, result = self.found.get(mutant.id, ("", "", Result("broken", "")))
        if result.outcome == "killed" and source == source_of(mutant):
            return result
        return result if state == self.state else None

    def keep(self, mutant: Mutant, result: Result, seconds: float) -> None:
        """Add a line."""
        known = [mutant.id, source_of(mutant), self.state, result.outcome, result.test]
        with self.path.open("a") as file:
            file.write(json.dumps([*known, round(seconds, 3)]) + "\n")


def source_of(mutant: Mutant) -> str:
    """Name the state of the mutant's module."""
    return hashlib.sha256((PACKAGE / mutant.module).read_bytes()).hexdigest()[:16]


def report(tried: Sequence[Tried], asked: argparse.Namespace, seconds: float) -> int:
    """Say what came of them; 1 if a survivor is not listed."""
    known = known_survivors()
    alive = [t.mutant for t in tried if t.result.outcome == "survived"]
    unlisted = [m for m in alive if not any(entry.names(m) for entry in known)]
    counts = Counter(t.result.outcome for t in tried)
    if asked.json:
        print(
            json.dumps(
                {
                    "tried": len(tried),
                    "outcomes": dict(counts),
                    "seconds": round(seconds, 1),
                    "unlisted": [{"id": m.id, "mutant": str(m), "diff": diff(m)} for m in unlisted],
                }
            )
        )
        return bool(unlisted)
    for t in tried if asked.mutant else ():
        print(f"{t.mutant}\n{diff(t.mutant)}{t.result.outcome}: {t.result.test}\n")
    for mutant in unlisted if not asked.mutant else ():
        print(f"{mutant}\n{diff(mutant)}")
    if not (asked.sample or asked.mutant or asked.tests):
        stale(tried, known)
    print(f"{len(tried)} mutants in {seconds:.0f} s: {dict(counts)}; {len(unlisted)} not listed")
    return bool(unlisted)


def stale(tried: Sequence[Tried], known: Sequence) -> None:
    """Name listed survivors of the tried modules that are none any more."""
    modules = {t.mutant.module for t in tried}
    alive = [t.mutant for t in tried if t.result.outcome == "survived"]
    for entry in known:
        if entry.module in modules and not any(entry.names(mutant) for mutant in alive):
            print(f"listed, but does not survive: {entry}")


def diff(mutant: Mutant) -> str:
    """Show what a mutant changes."""
    text = (PACKAGE / mutant.module).read_text()
    lines = difflib.unified_diff(
        text.splitlines(),
        mutant.source(text).splitlines(),
        mutant.module,
        mutant.id,
        n=2,
        lineterm="",
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
