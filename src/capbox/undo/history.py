"""The saved runs of one state directory: found by workspace or name, locked, pruned.

Guarantees: what is open, or being undone, is never pruned; a name is looked for among those that
are there, never made a path. Does not: read more of a run than its header to find it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from capbox.messages import Json, JsonObject
from capbox.sandbox.undo.index import Index
from capbox.sandbox.undo.keeper import Bounds
from capbox.undo.errors import UndoError
from capbox.undo.log import Log, read_log

INDEX = "index"
BLOBS = "blobs"
STORE = "store:"
_STORES, _STORE_DEPTH = "stores", 2  # below the state; digest and workspace come before the name
_HEADER_BYTES_MAX = 64 << 10
_TAIL_BYTES = 64
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """One run of which something is saved."""

    run: str
    workspace: str
    started: float
    folder: Path

    def in_store(self, path: str) -> str | None:
        """Return the store's name, and the path in it, of a host path in what a tool keeps."""
        top = os.path.realpath(self.folder.parent.parent / _STORES)
        parts = path.removeprefix(f"{top}/").split("/", _STORE_DEPTH)
        there = path.startswith(f"{top}/") and len(parts) > _STORE_DEPTH
        return parts[_STORE_DEPTH] if there else None

    def shown(self, path: str) -> str:
        """Return a host path as a person sees it: from the workspace, or in a tool's store."""
        kept = self.in_store(path)
        if kept is not None:
            return f"{STORE}{kept}"
        return "." if path == self.workspace else path.removeprefix(f"{self.workspace}/")

    def in_stores(self, shown: str) -> list[str]:
        """Return the host paths of one in a store, as it is shown: tools may share the name.

        Raises UndoError.
        """
        name, _, inside = shown.removeprefix(STORE).partition("/")
        roots = [root for root in self.logs()[0].roots if self.in_store(root) == name]
        if not roots:
            raise UndoError(shown, f"run {self.run} changed nothing in there")
        return [os.path.normpath(Path(root) / inside) for root in roots]

    def logs(self) -> list[Log]:
        """Return the run's log and those of its undos and redos, in order. Raises UndoError."""
        found = [read_log(self.folder / INDEX)]
        while (file := self.folder / f"{INDEX}.{len(found)}").exists():
            log = read_log(file)
            if not log.lines:
                break  # killed before it had begun
            found.append(log)
        return found


def kept(place: Path) -> tuple[Kept, ...]:
    """Return the saved runs, oldest first."""
    found = [one for folder in _folders(place) if (one := _kept(folder)) is not None]
    return tuple(sorted(found, key=lambda one: (one.started, one.run)))


def find(place: Path, run: str | None, workspace: str) -> Kept:
    """Return the run that `run` names or begins, or the last one of `workspace`.

    Raises UndoError.
    """
    every = kept(place)
    if run is None:
        here = [one for one in every if one.workspace == workspace]
        if not here:
            raise UndoError(workspace, "no run has changed anything in this workspace")
        return here[-1]
    named = [one for one in every if one.run.startswith(run)]
    exact = [one for one in named if one.run == run]
    if len(exact or named) > 1:
        raise UndoError(run, f"it begins {len(named)} runs: {', '.join(n.run for n in named[:3])}")
    if not named:
        raise UndoError(run, "no such run has changed anything, or what it changed was pruned")
    return (exact or named)[0]


@contextmanager
def locked(one: Kept) -> Generator[Index]:
    """Keep everybody else from it, and yield its index. Raises UndoError while the run goes on."""
    try:
        index = Index(one.folder / INDEX)
    except BlockingIOError:
        raise UndoError(one.run, "it is still going on, or being undone by somebody else") from None
    except OSError as error:
        raise UndoError(one.run, error.strerror or str(error)) from error
    try:
        yield index
    finally:
        index.close()


def prune(place: Path, bounds: Bounds, now: float) -> None:
    """Remove what is too old, and of the rest the oldest until the bytes are within bounds."""
    left, pruned = bounds.total_bytes, False
    for folder in sorted(_folders(place), reverse=True):
        with suppress(OSError):
            age = now - (folder / INDEX).stat().st_mtime
            left -= _bytes(folder)
            if left < 0 or age > bounds.days * _DAY_SECONDS:
                index = Index(folder / INDEX)
                try:
                    shutil.rmtree(folder)
                    pruned = True
                finally:
                    index.close()
    for blob in _entries(place / BLOBS) if pruned else ():
        with suppress(OSError):
            if blob.stat(follow_symlinks=False).st_nlink == 1:
                Path(blob.path).unlink()


def _folders(place: Path) -> Iterator[Path]:
    for entry in _entries(place):
        if entry.name != BLOBS and entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _kept(folder: Path) -> Kept | None:
    try:
        with (folder / INDEX).open("rb") as file:
            line: Json = json.loads(file.readline(_HEADER_BYTES_MAX))
    except (OSError, ValueError):
        return None
    match line:
        case ["run", int(), {"run": str(run), "workspace": str(workspace), "started": started}]:
            at = float(started) if isinstance(started, int | float) else 0.0
            return Kept(run, workspace, at, folder) if run == folder.name else None
        case _:
            return None


def _bytes(folder: Path) -> int:
    """Return how much a run keeps: as its last lines say, or counted if it never ended."""
    total = 0
    for file in folder.glob(f"{INDEX}*"):
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _TAIL_BYTES))
            last = opened.read().rpartition(b'["closed",')[2]
        if not last.rstrip(b"]\n").isdigit():
            return sum(entry.stat().st_size for entry in _entries(folder))
        total += int(last.rstrip(b"]\n"))
    return total


def header_of(one: Kept, **more: Json) -> JsonObject:
    """Return the header of another log of the same run."""
    return {"run": one.run, "workspace": one.workspace, "started": one.started, **more}
