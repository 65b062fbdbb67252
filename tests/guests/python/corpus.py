"""Programs of the standard library by theme, and what the machine's own Python prints for each.

A file of `programs/` holds programs that begin with a line `--- NAME`; after a line `>>>` comes
what must be printed, where the machine's Python cannot say it (it is older than the guest's).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs")
PINNED = "\n>>>\n"
# Each program in a process of its own, in a directory of its own.
_NATIVE = """\
import json, os, sys
found = []
for number, code in enumerate(json.load(sys.stdin)):
    os.makedirs(f"{number}"); reading, writing = os.pipe()
    if not (child := os.fork()):
        os.chdir(f"{number}"); os.dup2(writing, 1); os.dup2(os.open(os.devnull, 0), 0)
        exec(compile(code, "<code>", "exec"), sys.modules["__main__"].__dict__)
        sys.stdout.flush(); os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8", newline="") as file: text = file.read()
    found.append(None if os.waitpid(child, 0)[1] else text)
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Program:
    """One program; `prints` is what it must print, None to ask the machine's Python."""

    name: str
    code: str
    prints: str | None


def themes() -> list[str]:
    """Return the names of the files of programs."""
    return sorted(path.stem for path in PROGRAMS.glob("*.txt"))


def programs(theme: str) -> list[Program]:
    """Return the programs of one file."""
    text = PROGRAMS.joinpath(f"{theme}.txt").read_text(encoding="utf-8")
    found = []
    for part in f"\n{text}".split("\n--- ")[1:]:
        name, _, rest = part.partition("\n")
        code, pinned, prints = rest.partition(PINNED)
        found.append(Program(name, code, f"{prints.rstrip()}\n" if pinned else None))
    return found


def printed_by_this_machine(codes: list[str], folder: Path) -> list[str]:
    """Return what this machine's Python prints for each program."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _NATIVE],
        input=json.dumps(codes),
        cwd=folder,
        env={"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed: list[str | None] = json.loads(done.stdout)
    failed = [code for code, text in zip(codes, printed, strict=True) if text is None]
    assert not failed, (failed, done.stderr)
    return [text or "" for text in printed]
