"""A fresh sample of mutants has to be noticed by the tests; and the harness itself has to bite."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from tests.mutants.catalogue import ROOT, mutants_of
from tests.mutants.reach import Reach
from tests.mutants.scope import COMPLETE, Known, chosen, every_module, known_survivors, sample

SIZE = 40
BYTES = ("authority/decision.py", "Standing.reached", "self.bytes.get(grant, 0) > count")
TURNS = ("authority/budget.py", "Budget", "51")


def mutants(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command, in a process that has neither capbox nor a wasm engine in it yet."""
    command = [sys.executable, "-m", "tests.mutants", "--json", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_no_mutant_of_a_fresh_sample_survives_unlisted() -> None:
    seed = datetime.now(UTC).date().isoformat()
    print(f"python -m tests.mutants --sample {SIZE} --seed {seed}")
    ran = mutants("--sample", str(SIZE), "--seed", seed)
    assert ran.returncode in (0, 1), ran.stderr
    said = json.loads(ran.stdout)
    assert said["unlisted"] == [], f"seed {seed}: {ran.stdout}\n{ran.stderr}"
    assert said["tried"] == SIZE
    assert said["outcomes"].get("killed", 0) > SIZE * 3 / 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutant", "blind", "seeing"),
    [
        (BYTES, "tests/authority/test_authority.py", "tests/authority/test_decision.py"),
        (TURNS, "tests/authority/test_limits.py", "tests/authority/test_budget.py"),
    ],
    ids=["swapped into what is there", "there from the import on"],
)
def test_a_changed_decision_is_reported_unless_a_test_notices(
    mutant: tuple[str, str, str], blind: str, seeing: str
) -> None:
    module, function, becomes = mutant
    (it,) = (m for m in mutants_of(module) if (m.function, m.becomes) == (function, becomes))
    missed = mutants(module, "--mutant", it.id, "--tests", blind)
    assert (missed.returncode, missed.stderr.count("survived")) == (1, 1), missed.stderr
    (reported,) = json.loads(missed.stdout)["unlisted"]
    assert reported["id"] == it.id
    assert becomes in reported["diff"]
    noticed = mutants(module, "--mutant", it.id, "--tests", seeing)
    assert (noticed.returncode, json.loads(noticed.stdout)["outcomes"]) == (0, {"killed": 1})


def test_every_listed_survivor_is_a_mutant_that_there_is() -> None:
    known = known_survivors()
    there = chosen({entry.module for entry in known})
    assert [entry for entry in known if not any(entry.names(m) for m in there)] == []


def test_lines_that_nobody_was_seen_to_run_are_tried_with_tests_of_their_function() -> None:
    module = "gate/network/egress.py"
    *_, it = (m for m in mutants_of(module) if m.function == "Egress._answered")
    assert it.body is not None
    for line, tests in ((it.body[1] + 3, ["t"]), (it.body[1] - 3, []), (it.last_line + 1, [])):
        reach = Reach({"t": 1.0}, {module: {str(line): ["t"]}}, frozenset())
        assert reach.tests(it) == tests


def test_an_entry_names_its_mutant_and_no_other() -> None:
    some = mutants_of("authority/budget.py")
    one = some[0]
    entry = Known(one.module, one.function, one.was, (one.becomes,), "because")
    assert [m for m in some if entry.names(m)] == [one]
    assert not any(entry.names(m) for m in mutants_of("authority/limits.py"))


def test_a_sample_is_the_same_for_the_same_seed_and_no_other() -> None:
    some = mutants_of("authority/grant.py")
    assert sample(some, 50, "a") == sample(some, 50, "a")
    assert sample(some, 50, "a") != sample(some, 50, "b")


def test_what_is_complete_is_a_module() -> None:
    assert set(COMPLETE) <= set(every_module())
    assert len(COMPLETE) == len(set(COMPLETE))
