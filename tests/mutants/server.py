"""A process that has imported and collected everything, and forks a child for each mutant.

It is forked from a process that has imported pytest and the third-party libraries but not capbox;
that one forks too, for mutants that must be there before capbox is imported. Neither ever
compiles or runs WebAssembly: a child forked after that would hang.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from tests.mutants import trial
from tests.mutants.catalogue import PACKAGE, ROOT, Mutant
from tests.mutants.planted import Functions, functions_there, plant, swap
from tests.mutants.reach import imports, measure
from tests.mutants.trial import Result, Watch, in_child

# What the tests import anyway, once for all children. Not capbox.
LIBRARIES = (
    *(
        "anyio",
        "anyio.pytest_plugin",
        "asyncio",
        "wasmtime",
        "cryptography.hazmat.primitives.asymmetric.ed25519",
    ),
    *("jsonschema_rs", "h11", "can_ada", "publicsuffixlist", "typer", "rich.console", "rich.table"),
    *("markdown_it", "platformdirs", "hypothesis", "hypothesis.stateful", "pytest_httpserver"),
    *("inline_snapshot", "dns.message", "sqlalchemy"),
)


class Quick:
    """The same examples for every mutant, from no database, and none made smaller."""

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Replace the profile of tests/conftest.py, which is loaded by now."""
        settings.register_profile(
            "mutants",
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


def options(place: Path) -> list[str]:
    """Return pytest's options; every child empties and uses the same temporary directory."""
    return ["-p", "no:cacheprovider", "-q", f"--basetemp={place / 'tmp'}", f"--rootdir={ROOT}"]


class Server:
    """The near end: started before anything imports capbox."""

    def __init__(self, tests: Sequence[str], place: Path) -> None:
        for library in LIBRARIES:
            importlib.import_module(library)
        self.place = place
        self.pipe, far = Pipe()
        self.child = os.fork()
        if self.child == 0:
            self.pipe.close()
            serve(far, tests, place)
        far.close()

    def measure(self, modules: Sequence[str], kept: Path) -> None:
        """Have the tests measured into a file."""
        self.pipe.send(("measure", (modules, kept)))
        result: Result = self.pipe.recv()
        if result.outcome != "survived":
            raise RuntimeError(f"the tests could not be measured: {result}")

    def imports(self, kept: Path) -> None:
        """Have the functions that an import calls written into a file."""
        in_child(lambda _: imports(kept))

    def swapped(self, mutant: Mutant, tests: Sequence[str]) -> Result:
        """Try a mutant in the collected process."""
        self.pipe.send(("try", (mutant, tests)))
        result: Result = self.pipe.recv()
        return result

    def imported(self, mutant: Mutant, tests: Sequence[str]) -> Result:
        """Try a mutant from the import on."""
        text = (PACKAGE / mutant.module).read_text()

        def work(watch: Watch) -> int:
            plant(mutant, text)
            return trial.run_fresh(tests, options(self.place), [watch, Quick()])

        return in_child(work)

    def close(self) -> None:
        """End the collected process."""
        with suppress(BrokenPipeError):
            self.pipe.send(("end", ()))
        self.pipe.close()
        os.waitpid(self.child, 0)


class Loop:
    """Takes the place of pytest's loop over the collected tests."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Answer until told to end."""
        there = functions_there()
        gc.freeze()  # a child's collector need not touch, and so copy, what it inherits
        while True:
            asked, arguments = self.pipe.recv()
            if asked == "end":
                return True
            answer = self.measured if asked == "measure" else partial(self.tried, there)
            self.pipe.send(answer(session, *arguments))

    def measured(self, session: pytest.Session, modules: Sequence[str], kept: Path) -> Result:
        """Measure the tests, as long as that takes."""
        return in_child(lambda watch: measure(session, modules, kept, watch), 300.0)

    def tried(
        self, there: Functions, session: pytest.Session, mutant: Mutant, tests: Sequence[str]
    ) -> Result:
        """Try one mutant in a child."""
        text = (PACKAGE / mutant.module).read_text()
        items = {item.nodeid: item for item in session.items}

        def work(watch: Watch) -> int:
            if not swap(mutant, text, there):
                return trial.UNABLE
            return trial.run_items(session, [items[test] for test in tests], watch)

        return in_child(work)


def serve(pipe: Connection, tests: Sequence[str], place: Path) -> None:
    """In the fork: collect, serve, leave."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    try:
        pytest.main([*options(place), *tests], plugins=[Quick(), Loop(pipe)])
    finally:
        sys.stderr.flush()
        os._exit(0)
