"""Programs without measure: a bound or Python itself ends each, and the next call runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.local import LocalEngine

pytestmark = pytest.mark.anyio
BRIEF = Limits(wall_seconds=3)
DEEP = "x = []\nfor _ in range(100_000): x = [x]\n"
# What is told: the code of the bound, or a word of what the program is told.
PROBES = {
    "a loop": ("while True: pass", "time"),
    "a loop that catches everything": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "time",
    ),
    "a loop in C": ("sum(range(10 ** 12))", "time"),
    "a pattern that backtracks": ("import re; re.match(r'(a*)*b', 'a' * 40)", "time"),
    "a long sleep": ("import time; time.sleep(10 ** 6)", "time"),
    "a lock that nobody opens": (
        "import _thread; l = _thread.allocate_lock(); l.acquire(); l.acquire()",
        "time",
    ),
    "a power": ("x = 9 ** 9 ** 9", "time"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "recursion through C": (
        "class A:\n    def __repr__(s): return repr(A())\nA()",
        "RecursionError",
    ),
    "recursion of what is compared": (
        "class A:\n    def __eq__(s, o): return [A()] == [A()]\nA() == 1",
        "RecursionError",
    ),
    "recursion without Python's bound": (
        "import sys; sys.setrecursionlimit(10 ** 9)\n"
        "class A:\n    def __getattr__(s, n): return getattr(A(), n)\nA().q",
        "RecursionError",
    ),
    "nested JSON": ("import json; json.loads('[' * 10 ** 6)", "RecursionError"),
    "a nested list": (f"{DEEP}repr(x)", "RecursionError"),
    "a nested list, pickled": (f"{DEEP}import pickle; pickle.dumps(x)", "RecursionError"),
    "a nested list, compared": (f"{DEEP}y = x\n{DEEP}x == y", "RecursionError"),
    "nested source": ("eval('(' * 100_000)", "MemoryError"),
    "a tower of signs": ("eval('-' * 100_000 + '1')", "Error"),
    "a nested pattern": ("import re; re.compile('(' * 5_000 + ')' * 5_000)", "RecursionError"),
    "nested markup": (
        "import xml.etree.ElementTree as E; E.tostring(E.fromstring('<a>' * 5_000 "
        "+ '</a>' * 5_000))",
        "RecursionError",
    ),
    "memory": ("x = bytearray(10 ** 9)", "MemoryError"),
    "memory by and by": ("x = []\nwhile True: x.append(bytes(10 ** 6))", "MemoryError"),
    "a list of a billion": ("x = [0] * 10 ** 9", "MemoryError"),
    "text without end": ("while True: print('x' * 10 ** 5)", "time"),
    "200 MB of output": ("for _ in range(200): print('x' * 10 ** 6)", "bytes left out"),
    "output past its own streams": (
        "import posix\nwhile True: posix.write(1, b'x' * 10 ** 5)",
        "output",
    ),
    "a value of 50 MB": ("'x' * 50_000_000", "50,000,002 characters"),
    "many files": ("for i in range(5_000): open(f'{i}', 'w').close()", "files_created"),
    "many folders": ("import os\nfor i in range(5_000): os.mkdir(f'{i}')", "files_created"),
    "a large file": ("open('big', 'wb').write(bytes(10 ** 8))", "written"),
    "a file with a hole": ("open('big', 'wb').truncate(10 ** 12)", "written"),
    "many open files": (
        "x = [open('notes.txt') for _ in range(5_000)]",
        "No file descriptors available",
    ),
    "a bomb of zeros": (
        "import gzip; x = gzip.compress(bytes(10 ** 7)); [gzip.decompress(x * 50) for _ in '1']",
        "MemoryError",
    ),
}


@pytest.mark.parametrize("probe", PROBES)
async def test_a_program_without_measure_ends_by_a_bound_and_the_next_one_runs(
    probe: str, engine: LocalEngine, tmp_path: Path
) -> None:
    code, sign = PROBES[probe]
    limits = BRIEF if sign == "time" else replace(BRIEF, wall_seconds=30)
    (place := tmp_path / "workspace").mkdir()
    (place / "notes.txt").write_text("notes\n")
    async with Box(
        workspace=place, grants=("write:/workspace",), engine=engine, limits=limits
    ) as box:
        result = await box.call("python", code=code)
        after = await box.call("python", code="6 * 7")
    told = result.content if result.error is None else result.error.code
    assert (sign in told, len(result.content) < 1_100_000) == (True, True), told[-500:]
    assert after.content == "=> 42\n"
