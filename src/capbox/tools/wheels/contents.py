"""What of wheels is packed: their modules, in one folder, and nothing that could stand for others.

Guarantees: no name of the standard library or of capbox's own inside is taken, nothing runs at a
start, no wheel replaces a file or a module of another one or speaks for it, and all of it is
bounded. Does not: run anything.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from capbox.tools.sdk.project import BuildError
from capbox.tools.sdk.python.dependencies import unpack
from capbox.tools.sdk.python.resolving import plain

BYTES_MAX, FILES_MAX = 64 << 20, 20_000
_OURS = frozenset({"__main__", "_capbox", "capbox", "sitecustomize", "usercustomize"})
_ABOUT = ".dist-info"
_LEFT = "leave it out"


def lay_out(wheels: Iterable[Path], scratch: Path, target: Path) -> None:
    """Put what is in the wheels into the new folder `target`. Raises BuildError and OSError."""
    target.mkdir()
    owners: dict[PurePosixPath, list[str]] = {}
    room = BYTES_MAX
    for number, wheel in enumerate(wheels):
        folder = scratch / f"wheel-{number}"
        folder.mkdir()
        unpack(wheel, folder)
        for path in sorted(folder.rglob("*")):
            inside = PurePosixPath(path.relative_to(folder))
            if path.is_dir() or inside.suffix == ".pyc":
                continue  # Attack: bytecode that does what the source beside it does not say.
            _refuse_tricks(inside, wheel.name)
            room -= path.stat().st_size
            if room < 0 or len(owners) >= FILES_MAX:
                reason = f"with it the packages hold more than {BYTES_MAX >> 20} MB"
                raise BuildError(wheel.name, f"{reason}, or {FILES_MAX:,} files", _LEFT)
            whose = owners.setdefault(inside, [])
            _move(path, target / inside, wheel.name, whose[0] if whose else None)
            whose.append(wheel.name)
        about = [path.name for path in folder.iterdir() if path.name.endswith(_ABOUT)]
        if len(about) > 1:
            raise BuildError(wheel.name, f"it speaks for more than one: {', '.join(about)}", _LEFT)
    _refuse_shadows(owners)


def _refuse_tricks(inside: PurePosixPath, wheel: str) -> None:
    top = inside.parts[0]
    module = top.partition(".")[0]
    if top.lower().endswith((_ABOUT, ".egg-info")):
        name, version, *_ = wheel.split("-")
        # As importlib.metadata reads it: in any case, and the name ends at the first hyphen.
        whose, _, of = top.removesuffix(_ABOUT).partition("-")
        if not top.endswith(_ABOUT) or (plain(whose), plain(of)) != (plain(name), plain(version)):
            raise BuildError(wheel, f"it speaks for another package: {top}", _LEFT)
    elif top.endswith(".pth"):
        raise BuildError(wheel, f"it names code to be run at each start: {top}", _LEFT)
    elif module in _OURS:
        raise BuildError(wheel, f"it brings {top}, a name of capbox's own in the sandbox", _LEFT)
    elif module in sys.stdlib_module_names:
        raise BuildError(wheel, f"it brings {top}, a name of the standard library", _LEFT)


def _refuse_shadows(owners: Mapping[PurePosixPath, list[str]]) -> None:
    """Refuse a module that is found in the place of another wheel's, or within its package."""
    for path, whose in owners.items():
        for folder in (one for one in path.parents if one.name):
            # Attack: a package `known/` beside the module `known.py` of a wheel that is trusted.
            _all_of(owners.get(folder.with_name(f"{folder.name}.py")), whose, path)
        if path.parent.name:
            # Attack: `known/_speedups.py`, which that package imports if it is there.
            _all_of(owners.get(path.parent / "__init__.py"), whose, path)


def _all_of(owner: list[str] | None, whose: list[str], path: PurePosixPath) -> None:
    stranger = next((one for one in whose if owner is not None and one not in owner), None)
    if owner is not None and stranger is not None:
        raise BuildError(stranger, f"it brings {path}, within a module of {owner[0]}", _LEFT)


def _move(path: Path, target: Path, wheel: str, owner: str | None) -> None:
    if owner is not None and path.read_bytes() != target.read_bytes():
        # Attack: a wheel that nobody looks at replaces a module of one that everybody knows.
        raise BuildError(wheel, f"it and {owner} bring different files {target.name}", _LEFT)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    except OSError as error:
        reason = f"{target.name} of it does not fit beside the other packages: {error.strerror}"
        raise BuildError(wheel, reason, _LEFT) from error
