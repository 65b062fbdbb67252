"""What building keeps in the cache: compilers that were got, interpreters, what builds left.

Guarantees: nothing is removed while a build goes on, in whatever process (a lock says so, not a
process number); what a build of the last days used stays. Does not: know the compiled tools there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TOOLCHAINS, INTERPRETERS, BUILDING = "toolchains", "interpreters", "building"
DAYS = 30
_LOCK, _OF, _STATS = "building.lock", ".of", ".stats"


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing: the paths that go with it, its bytes, whose it is, and why nobody needs it.

    `unused` is "" while it is needed.
    """

    kind: str
    paths: tuple[Path, ...]
    size: int
    of: str
    unused: str = ""


@contextmanager
def in_use(place: Path) -> Generator[None]:
    """Keep what building has below `place` from being pruned. Raises OSError."""
    lock = _lock(place)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


def note(made: Path, folder: Path) -> None:
    """Note that what lies at `made` is of the tool in `folder`, which is being built."""
    made.with_name(f"{made.name}{_OF}").write_bytes(os.fsencode(folder))


def kept(place: Path, packages: Iterable[str], now: float) -> tuple[Kept, ...]:
    """Return what lies below `place`; of the toolchains those of `packages` are needed."""
    wanted = {folder_of(package) for package in packages}
    return (
        *(_toolchain(path, wanted) for path in _listed(place / TOOLCHAINS)),
        *_interpreters(place / INTERPRETERS, now),
        *(_half(path, now) for path in _listed(place / BUILDING) if path.suffix != _OF),
    )


def prune(place: Path, packages: Iterable[str], now: float) -> tuple[Kept, ...] | None:
    """Remove what nobody needs, and return it; None, and nothing is removed, while a build goes on.

    Raises OSError.
    """
    if not place.is_dir():
        return ()
    lock = _lock(place)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unused = tuple(one for one in kept(place, packages, now) if one.unused)
        for path in (path for one in unused for path in one.paths):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except BlockingIOError:
        return None
    finally:
        os.close(lock)
    return unused


def folder_of(package: str) -> str:
    """Return the name of the folder that a package of programs is kept in."""
    return package.replace("==", "-")


def _toolchain(path: Path, wanted: set[str]) -> Kept:
    old = "half of one" if path.name.startswith(".") else "another version than is used now"
    unused = "" if path.name in wanted else old
    return Kept("toolchain", (path,), _size(path), f"{path.name.lstrip('.')}, a compiler", unused)


def _interpreters(folder: Path, now: float) -> Iterator[Kept]:
    # As wasmtime keeps them: beside each its statistics, written when it is used again.
    for path in sorted(folder.rglob("*")):
        if path.suffix == _STATS or path.parent == folder or not path.is_file():
            continue
        files = (path, path.with_name(f"{path.name}{_STATS}"))
        unused = "" if _days(files, now) < DAYS else f"not used for {DAYS} days"
        of = "an interpreter that tools in Python are built from"
        yield Kept("interpreter", files, sum(map(_size, files)), of, unused)


def _half(path: Path, now: float) -> Kept:
    record, unused, of = path.with_name(f"{path.name}{_OF}"), "", path.name
    try:
        of = os.fsdecode(record.read_bytes())
    except OSError:
        unused = "nobody knows of which tool"
    if not unused and not Path(of).is_dir():
        unused = "its tool is not there any more"
    elif not unused and _days((record,), now) >= DAYS:
        unused = f"not built for {DAYS} days"
    paths = (path, record)
    return Kept("build", paths, sum(map(_size, paths)), f"what builds of {of} left", unused)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _days(files: Iterable[Path], now: float) -> float:
    times = [0.0]
    for file in files:
        with suppress(OSError):
            times.append(file.stat().st_mtime)
    return (now - max(times)) / 86_400


def _size(top: Path) -> int:
    found = 0
    with suppress(OSError):
        found = 0 if top.is_dir() else top.lstat().st_size
    for place, _, files in os.walk(top):
        for name in files:
            with suppress(OSError):
                found += Path(place, name).lstat().st_size
    return found


def _lock(place: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(place / _LOCK, flags, 0o600)
