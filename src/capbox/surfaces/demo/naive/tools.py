"""Tools as they are often written: each call works, and each habit lets an attack through.

Runs only in the fixture's child process (`capbox.surfaces.demo.naive.child`), on a scene that is
thrown away. Guarantees nothing; that is its purpose. Does not import anything of capbox's but the
list of habits.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote

from capbox.surfaces.demo.naive.habits import Habit

_SECRET_NAMES = {".env", "server.pem", "id_ed25519"}
_SECRET_PLACES = (".env", "keys/", ".git/", ".vscode/", "capbox.toml")
_HARMLESS_COMMANDS = {"echo", "ls", "cat", "cd", "export"}
_READ_BYTES = 1 << 20


class RefusedError(Exception):
    """The naive check said no."""


class NaiveTools:
    """The six tools, written with one habit."""

    def __init__(self, workspace: Path, home: str, habit: Habit, grants: tuple[str, ...]) -> None:
        self._workspace = str(workspace)
        self._home = home
        self._habit = habit
        self._approvals = "\n".join(grants)
        self._lasting = workspace.parent / "shell-state"

    def call(self, name: str, arguments: str) -> str:
        """Find the tool and call it with what the model wrote."""
        given = self._parsed(arguments)
        if self._habit is Habit.LOOKS_UP:
            # As in `globals()[name](**arguments)`, found in many tutorials on tool calling.
            found = getattr(self, name.strip().lower(), None) or getattr(os, name)
            return str(found(**given))
        tools: dict[str, Callable[..., str]] = {
            "read": self.read,
            "write": self.write,
            "edit": self.edit,
            "glob": self.glob,
            "grep": self.grep,
            "bash": self.bash,
        }
        return tools[name](**given)

    def read(self, path: str, root: str | None = None, **_: object) -> str:
        """Return the text of a file."""
        if self._habit is Habit.SUFFIX:
            return self._read_as_c(path)
        if self._habit is Habit.ECHOES:
            raise RefusedError(f"there is no file {path}")
        with Path(self._checked(path, "read", root)).open("rb") as file:
            return file.read(_READ_BYTES).decode(errors="replace")

    def write(self, path: str, content: str = "") -> str:
        """Write a file."""
        target = Path(self._checked(path, "write"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
        return f"wrote {path}"

    def edit(self, path: str, old: str, new: str) -> str:
        """Replace text in a file."""
        if self._habit is Habit.SHELL_LINE:
            return self._run(["sed", "-i", f"s/{old}/{new}/", self._checked(path, "write")])
        target = Path(self._checked(path, "write"))
        target.write_text(target.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        return f"edited {path}"

    def glob(self, pattern: str, path: str = ".") -> str:
        """Return the names that match."""
        if self._habit is Habit.SHELL_LINE:
            return self._shell(f"ls -d {path}/{pattern}")
        if self._habit is Habit.FLAGS:
            return self._run(["find", path, "-name", pattern])
        return "\n".join(map(str, Path(self._checked(path, "read")).glob(pattern)))

    def grep(self, pattern: str, path: str = ".") -> str:
        """Return the lines that match."""
        if self._habit is Habit.FLAGS:
            return self._run(["grep", "-rn", pattern, path])
        place = Path(self._checked(path, "read"))
        files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
        lines = (line for file in files for line in file.read_text(errors="replace").splitlines())
        return "\n".join(line for line in lines if re.search(pattern, line))

    def bash(self, script: str, cwd: str | None = None, timeout: float = 1.5) -> str:
        """Run a script."""
        if self._habit is Habit.FIRST_WORD and script.split()[0] not in _HARMLESS_COMMANDS:
            raise RefusedError(script)
        if self._habit is Habit.LASTING:
            after = f"declare -p >{self._lasting} 2>/dev/null; pwd >{self._lasting}.d"
            before = f'cd "$(cat {self._lasting}.d)"; . {self._lasting} 2>/dev/null\n'
            return self._shell(f"{before if self._lasting.exists() else ''}{script}\n{after}")
        limited = timeout if self._habit is Habit.OBEYS else None
        return self._shell(script, cwd=cwd, timeout=limited)

    def _parsed(self, arguments: str) -> dict[str, object]:
        try:
            given = json.loads(arguments)
        except ValueError:
            if self._habit is not Habit.REPAIRS:
                raise
            given = json.loads(arguments + '"}')
        return dict(given) if isinstance(given, Mapping) else {}

    def _checked(self, path: str, action: str, root: str | None = None) -> str:
        """Return the path to open, after the check that this habit makes."""
        full = os.path.join(root or self._workspace, path)  # noqa: PTH118 - as it is written
        match self._habit:
            case Habit.PREFIX | Habit.DECODES:
                if not os.path.normpath(full).startswith(self._workspace):
                    raise RefusedError(path)
            case Habit.NAMES:
                if path.split("/")[-1] in _SECRET_NAMES or path.startswith(_SECRET_PLACES):
                    raise RefusedError(path)
            case Habit.TEXT_GRANTS:
                self._check_approval(path, action)
            case Habit.OWN_SETTINGS:
                if '"write:/"' not in Path(self._workspace, "capbox.toml").read_text():
                    raise RefusedError(path)
            case Habit.EMPTY_IS_ALL:
                if self._approvals and f"{action}:{path}" not in self._approvals:
                    raise RefusedError(path)
            case _:
                pass
        if self._habit is Habit.DECODES:
            decoded = unquote(path).removeprefix("file://")
            decoded = decoded.replace("~", self._home).replace("$HOME", self._home)
            return os.path.join(self._workspace, decoded)  # noqa: PTH118
        return full

    def _check_approval(self, path: str, action: str) -> None:
        held = [word.partition(":")[2] for word in self._approvals.split() if ":" in word]
        if not any(path.startswith(place.replace("/workspace/", "")) for place in held):
            raise RefusedError(path)
        # "Always allow this path", appended to the list as it was written.
        self._approvals += f"\n{action}:{path}"

    def _read_as_c(self, path: str) -> str:
        """Open a name as a C library does: up to its first NUL."""
        if not path.endswith(".md"):
            raise RefusedError(path)
        library = ctypes.CDLL(None)
        fd = library.open(f"{self._workspace}/{path}".encode(), os.O_RDONLY)
        if fd < 0:
            raise RefusedError(path)
        return os.read(fd, _READ_BYTES).decode(errors="replace")

    def _shell(self, script: str, cwd: str | None = None, timeout: float | None = None) -> str:
        return self._run(["bash", "-c", script], cwd, timeout)

    def _run(self, command: list[str], cwd: str | None = None, timeout: float | None = None) -> str:
        done = subprocess.run(
            command,
            cwd=cwd or self._workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
        ended = f"\n[killed by signal {-done.returncode}]" if done.returncode < 0 else ""
        return done.stdout.decode(errors="replace") + ended
