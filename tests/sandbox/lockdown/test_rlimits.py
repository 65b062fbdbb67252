"""Resource limits: they bind, and dying with the parent means at once."""

from __future__ import annotations

import subprocess
import sys

LIMITS = """
import errno, json, os, resource
from capbox.sandbox.lockdown import rlimits
rlimits.restrict(memory_bytes=1 << 20, open_files=10)
found = {"core": resource.getrlimit(resource.RLIMIT_CORE)}
try:
    bytearray(%d << 20)
    found["memory"] = "ok"
except MemoryError:
    found["memory"] = "MemoryError"
try:
    while True:
        os.dup(0)
except OSError as error:
    found["descriptors"] = errno.errorcode[error.errno]
print(json.dumps(found))
"""
ORPHAN = """
import os, sys, time
from capbox.sandbox.lockdown import rlimits
zygote = os.getpid()
r, w = os.pipe()
child = os.fork()
if child == 0:
    rlimits.die_with_parent(zygote%s)
    os.write(w, b"x")
    time.sleep(600)
if os.read(r, 1) == b"x":
    print(child, flush=True)
os._exit(0)
"""


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_memory_of_its_own_is_bounded_and_no_core_is_written() -> None:
    small = '{"core": [0, 0], "memory": "ok", "descriptors": "EMFILE"}\n'
    assert run(LIMITS % 64) == small
    assert run(LIMITS % 512) == small.replace('"ok"', '"MemoryError"')


def test_a_process_dies_with_its_parent() -> None:
    # The pipe to us is open in the child as well: `run` returns when both are dead.
    assert run(ORPHAN % "").strip().isdigit()


def test_a_process_whose_parent_is_already_gone_leaves_at_once() -> None:
    program = (ORPHAN % " + 1").replace('== b"x"', '!= b"x"').replace("child = ", "child = ", 1)
    program = program.replace("if os.read", "os.close(w)\nif os.read")
    assert run(program).strip().isdigit()
