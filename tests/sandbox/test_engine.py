"""Engines: few of them, and compiled code that fits them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from capbox.sandbox.engine import EngineKey, identity, make_engine

CLAMPED = {
    0: 64 << 10,
    1: 64 << 10,
    100_000: 64 << 10,
    (1 << 20) - 1: 512 << 10,
    1 << 20: 1 << 20,
    (1 << 20) + 1: 1 << 20,
    2 << 20: 2 << 20,
    1 << 40: 2 << 20,
}


@pytest.mark.parametrize("asked", CLAMPED)
def test_a_stack_is_never_larger_than_asked_beyond_the_least_nor_than_wasmtime_survives(
    asked: int,
) -> None:
    key = EngineKey(False, asked).clamped()
    assert key == EngineKey(False, CLAMPED[asked])
    make_engine(key)


def test_compiled_code_is_told_apart_by_metering_and_not_by_the_stack() -> None:
    plain, deep, metered = EngineKey(False, 1 << 20), EngineKey(False, 2 << 20), EngineKey(True, 0)
    assert identity(plain) == identity(deep) != identity(metered)


def test_the_parents_side_does_not_load_wasmtime() -> None:
    program = "import sys, capbox.sandbox.run; sys.exit('wasmtime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
