"""Nine thousand calls leave no memory and no descriptor behind, in no process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("leak_program.py")
GROWTH_BYTES_MAX = 2_000_000  # 1.1 MB measured, nearly all of it the ids of the calls


@pytest.mark.slow
def test_from_the_second_to_the_eleventh_thousand_calls_nothing_grows(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", str(PROGRAM), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    early, late = json.loads(done.stdout)
    assert set(early) == set(late) == {"parent", "zygote", "worker 0"}
    assert {name: late[name][1] for name in late} == {name: early[name][1] for name in early}
    grown = {name: late[name][0] - early[name][0] for name in late}
    assert sum(grown.values()) <= GROWTH_BYTES_MAX, grown
