"""`capbox demo` as people and programs run it: every attack bites elsewhere, none gets through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.furnished import furnished

from capbox.surfaces.demo.attacks.catalogue import ATTACKS

START = "import sys; from capbox.app import main; sys.exit(main())"


def demo(home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", START, "demo", *flags],
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CAPBOX_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_person_sees_every_attack_contained_and_the_journal_verified(
    tmp_path: Path, cache: Path
) -> None:
    home = furnished(tmp_path / "home", cache)
    done = demo(home)
    lines = done.stdout.splitlines()
    assert (done.returncode, lines[-1]) == (0, f"contained: {len(ATTACKS)} of {len(ATTACKS)}")
    assert lines[-2].startswith("journal: 4 of 4 runs closed")
    assert "\x1b" not in done.stdout
    assert [line for line in lines if line != line.rstrip()] == []
    assert sorted(p.name for p in home.iterdir()) == ["cache"]


@pytest.mark.slow
def test_a_program_gets_one_array_and_nothing_else(tmp_path: Path, cache: Path) -> None:
    done = demo(furnished(tmp_path / "home", cache), "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert [row["id"] for row in rows] == [attack.id for attack in ATTACKS]
    assert {tuple(row) for row in rows} == {("id", "bites_on_naive", "stopped_by", "evidence")}
    assert {row["bites_on_naive"] for row in rows} == {True}
    assert all(row["stopped_by"] and isinstance(row["evidence"], str) for row in rows)


def test_there_are_at_least_thirty_attacks_with_ids_and_titles_of_their_own() -> None:
    assert len(ATTACKS) >= 30
    assert len({attack.id for attack in ATTACKS}) == len(ATTACKS)
    assert len({attack.title for attack in ATTACKS}) == len(ATTACKS)
