"""A tree, and a hand that changes it as a worker does: each change is saved first."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.sandbox.undo.keeper import Bounds, Keeper
from capbox.undo.history import Kept, find

Tree = dict[str, tuple[object, ...]]
RUN = "20260101-000000-run"


def tree(top: Path) -> Tree:
    """Return all that is to be the same: types, modes, times, contents, links' texts."""
    found: Tree = {}
    for folder, folders, files in os.walk(top):
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (".", *files, *links):
            path = Path(folder) / name
            status = path.lstat()
            content: object = None
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                content = path.read_bytes()
            key = os.path.relpath(path, top)
            found[key] = (oct(status.st_mode), status.st_mtime_ns, content)
    return found


class Hand:
    """Does to the files below `top` what a run does, by way of a keeper."""

    def __init__(self, place: Path, top: Path, bounds: Bounds | None = None) -> None:
        self.place, self.top = place, top
        header = {"run": RUN, "workspace": str(top), "started": 1.0}
        self.keeper = Keeper(place, header, bounds or Bounds())
        self.call = 1
        self.changed: list[tuple[str, str]] = []

    def save(self, name: str) -> str:
        """Have a path saved, and note that it is about to be changed."""
        self.changed.append((str(self.top), name))
        return self.keeper.save(self.call, str(self.top), name)

    def write(self, name: str, content: str) -> None:
        """Write in place, or make a file."""
        assert self.save(name) == ""
        (self.top / name).write_text(content)

    def replace(self, name: str, content: str) -> None:
        """Write as tools do: beside, and renamed over it."""
        temporary = self.top / name
        temporary = temporary.with_name(f".capbox-00-{temporary.name}.tmp")
        assert (
            self.keeper.save(self.call, str(self.top), str(temporary.relative_to(self.top))) == ""
        )
        temporary.write_text(content)
        assert self.save(name) == ""
        temporary.rename(self.top / name)

    def unlink(self, name: str) -> None:
        """Remove a file or link."""
        assert self.save(name) == ""
        (self.top / name).unlink()

    def mkdir(self, name: str) -> None:
        """Make a folder."""
        assert self.save(name) == ""
        (self.top / name).mkdir()

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        self.changed.append((str(self.top), name))
        assert self.keeper.remove(self.call, str(self.top), name) == ""
        (self.top / name).rmdir()

    def symlink(self, text: str, name: str) -> None:
        """Make a link."""
        assert self.save(name) == ""
        (self.top / name).symlink_to(text)

    def chmod(self, name: str, mode: int) -> None:
        """Set a mode."""
        assert self.save(name) == ""
        (self.top / name).chmod(mode)

    def rename(self, old: str, new: str) -> None:
        """Move a file, link or folder."""
        self.changed += [(str(self.top), old), (str(self.top), new)]
        names = old, new, f"{os.path.dirname(old)}/.capbox-moving-0".lstrip("/")
        assert self.keeper.rename(self.call, str(self.top), names, inline=False) == ""
        try:
            (self.top / old).rename(self.top / new)
        except OSError:
            self.keeper.void(self.call)

    def end(self) -> None:
        """End the call; another one begins."""
        self.keeper.end(self.call, self.changed, finished=True)
        self.call += 1
        self.changed = []

    def close(self) -> Kept:
        """End the run, and return what is kept of it."""
        self.end()
        self.keeper.close()
        return find(self.place, None, str(self.top))

    def at_random(self, chance: random.Random, steps: int) -> None:
        """Change this and that."""
        for _ in range(steps):
            every = sorted(str(p.relative_to(self.top)) for p in self.top.rglob("*"))
            folders = [n for n in every if self._is_folder(n)]
            others = [n for n in every if not self._is_folder(n)]
            outer = chance.choice([*folders, ""])
            fresh = f"{outer}/{chance.choice('abcxyz')}".lstrip("/")
            free = not os.path.lexists(self.top / fresh)
            match chance.randrange(9):
                case 0 if free:
                    self.write(fresh, f"new {chance.random()}")
                case 1 if free:
                    self.mkdir(fresh)
                case 2 if free:
                    self.symlink(chance.choice("abc"), fresh)
                case 3 if others:
                    self.unlink(chance.choice(others))
                case 4 if folders:
                    empty = [n for n in folders if not any((self.top / n).iterdir())]
                    if empty:
                        self.rmdir(chance.choice(empty))
                case 5 if others:
                    name = chance.choice(others)
                    if not (self.top / name).is_symlink():
                        self.replace(name, f"again {chance.random()}")
                case 6 if others:
                    name = chance.choice(others)
                    if not (self.top / name).is_symlink():
                        self.chmod(name, chance.choice([0o600, 0o644, 0o755]))
                case 7 if every:
                    old = chance.choice(every)
                    if f"{fresh}/".startswith(f"{old}/") or f"{old}/".startswith(f"{fresh}/"):
                        continue
                    self.rename(old, fresh)
                case _:
                    self.end()

    def _is_folder(self, name: str) -> bool:
        path = self.top / name
        return path.is_dir() and not path.is_symlink()


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A small tree with all that a tree can have."""
    folder = tmp_path / "tree"
    (folder / "a" / "b" / "empty").mkdir(parents=True)
    (folder / "a" / "x").write_text("x in a\n")
    (folder / "a" / "b" / "y").write_text("y in b\n")
    (folder / "z").write_text("z\n")
    (folder / "z").chmod(0o755)
    (folder / "c").symlink_to("a/x")
    return folder


@pytest.fixture
def hand(tmp_path: Path, top: Path) -> Callable[..., Hand]:
    """Return what makes a hand."""
    return lambda bounds=None: Hand(tmp_path / "undo", top, bounds)
