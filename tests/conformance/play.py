"""Plays cases: through the tool `bash` of capbox, and through the bash of this machine.

Guarantees: each case starts in an empty directory with its files in it. Does not: judge the
outcome, except for `complaint`, which says in words how it is not the one that was promised.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

from anyio.from_thread import start_blocking_portal
from tests.conformance.case import Case, Outcome

from capbox import app
from capbox.box import Box
from capbox.engine.home import Home
from capbox.messages import ToolResult

Play = Callable[[Case], tuple[Outcome, str]]
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": "/nonexistent", "TERM": "dumb"}


class Boxes:
    """Plays cases in boxes of one engine, a box a theme, its workspace emptied before each case.

    Variables and functions outlast a call of the tool; cases of one theme use names of their own.
    """

    def __init__(self, home: Home, place: Path) -> None:
        self._home, self._workspace, self._said = home, place / "work", place / "said"
        self._stack, self._box = ExitStack(), ExitStack()
        self._theme = ""

    def __enter__(self) -> Boxes:
        """Start the engine."""
        self._workspace.mkdir(parents=True)
        self._said.mkdir()
        self._portal = self._stack.enter_context(start_blocking_portal())
        self._engine = self._stack.enter_context(
            self._portal.wrap_async_context_manager(app.local_engine(home=self._home, spares=False))
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Close the box that is open, then the engine."""
        self._box.close()
        self._stack.close()

    def play(self, case: Case) -> tuple[Outcome, str]:
        """Play one case; give what it came to and its standard error."""
        if case.theme != self._theme:
            self._box.close()
            self._open(case.theme)
        furnish(self._workspace, case)
        (self._said / "stderr").write_bytes(b"")
        # The tool gives both streams as one text; this parts them, without a line of its own.
        script = f"cd /workspace; exec 2>/mnt/said/stderr; {case.script}"
        result = self._portal.call(lambda: self._now.call("bash", script=script, stdin=case.stdin))
        return outcome_of(result, self._workspace, self._said / "stderr", case)

    def _open(self, theme: str) -> None:
        self._theme = theme
        self._now = Box(
            workspace=self._workspace,
            preset="edit",
            maps=[f"{self._said}=/mnt/said:rw"],
            engine=self._engine,
        )
        self._box.enter_context(self._portal.wrap_async_context_manager(self._now))


def outcome_of(result: ToolResult, workspace: Path, said: Path, case: Case) -> tuple[Outcome, str]:
    """Read what a call of the tool came to; a call that is not ok has the status -1."""
    stderr = said.read_text(encoding="utf-8", errors="replace")
    if result.data is None:
        return Outcome("", -1), f"{result.error}"
    text = result.content.encode()
    wrote = [int(str(result.data[f"{name}_bytes"])) for name in ("stdout", "stderr")]
    # What the tool itself says comes before the script's first line, which redirects.
    stderr += text[: wrote[1]].decode("utf-8", "replace")
    stdout = text[wrote[1] : sum(wrote)].decode("utf-8", "replace")
    status = int(str(result.data["exit_code"]))
    return Outcome(stdout, status, tree(workspace) if looks_at_files(case) else None), stderr


def real(case: Case) -> tuple[Outcome, str]:
    """Play a case in the bash of this machine, in a directory of its own."""
    place = Path(tempfile.mkdtemp(prefix="capbox-bash-"))
    try:
        furnish(place, case)
        environment = {**ENVIRONMENT, "PATH": os.environ["PATH"]}
        done = subprocess.run(
            ["bash", "-c", case.script],
            cwd=place,
            env=environment,
            input=case.stdin.encode(),
            capture_output=True,
            timeout=30,
            check=False,
        )
        stdout = done.stdout.decode("utf-8", "replace")
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        left = tree(place) if looks_at_files(case) else None
        # GNU quotes with ‘’ in a UTF-8 locale, capbox with '': the one difference not written down
        # case by case.
        said = done.stderr.decode("utf-8", "replace").translate({0x2018: "'", 0x2019: "'"})
        return Outcome(stdout, status, left), said
    finally:
        shutil.rmtree(place, ignore_errors=True)


@cache
def _gnu() -> bool:
    version = subprocess.run(["sort", "--version"], capture_output=True, text=True, check=False)
    return "GNU coreutils" in version.stdout


def cannot_ask(case: Case) -> str:
    """Say why the bash of this machine cannot answer for a case, nothing if it can."""
    for name in ("bash", "sort", *case.needs):
        if shutil.which(name) is None:
            return f"no {name} on this machine"
    return "" if _gnu() else "the tools of this machine are not GNU's"


def looks_at_files(case: Case) -> bool:
    """Say whether the files that a case leaves are part of its outcome."""
    return case.expected.tree is not None


def furnish(place: Path, case: Case) -> None:
    """Empty a directory and put the files of a case into it."""
    for old in place.iterdir():
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
        else:
            old.unlink()
    for name, text in case.files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def tree(place: Path) -> dict[str, str]:
    """Describe everything below a directory: kind and mode, then target or digest."""
    found = {}
    for path in sorted(place.rglob("*")):
        mode = path.lstat().st_mode
        name = path.relative_to(place).as_posix()
        if stat.S_ISLNK(mode):
            found[name] = f"-> {path.readlink()}"
        elif stat.S_ISDIR(mode):
            found[name] = f"{mode & 0o777:o}/"
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            found[name] = f"{mode & 0o777:o} {digest}"
    return found


def complaint(case: Case, got: Outcome, stderr: str, wanted: Outcome) -> str:
    """Say how an outcome is not the one wanted, nothing if it is."""
    if got.tree is None:
        wanted = replace(wanted, tree=None)
    if got != wanted:
        return f"{case}\n{case.script}\ngave {got}\nnot  {wanted}\nand said {stderr!r}"
    if case.real is not None and wanted == case.real:
        return ""  # the pattern is for what capbox says
    if case.stderr is not None and not re.search(case.stderr, stderr):
        return f"{case}\n{case.script}\nsaid {stderr!r}\nin which {case.stderr!r} is not found"
    return ""
