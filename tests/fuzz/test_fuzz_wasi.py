"""The short form of the fuzzer; `python tests/fuzz/fuzz_wasi.py` is the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_hostile_calls_reach_no_canary_and_raise_nothing(request: pytest.FixtureRequest) -> None:
    calls = request.config.getoption("--fuzz-calls")
    program = Path(__file__).with_name("fuzz_wasi.py")
    command = [sys.executable, str(program), "--calls", str(calls), "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith(f"{calls} calls")
