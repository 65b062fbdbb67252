"""Where added wheels are: `<state>/tools/.python/`, and which of them are in force.

    packages.json         what was asked for, each wheel with its SHA-256, and the module in force
    wheels/*.whl          the wheels themselves, from which the module can be made once more
    python-<digest>.wasm  the tool `python` with them inside

Guarantees: what is in force is one record that is replaced whole; one process at a time changes
anything; wheels lie here under their digests' word only (`intact`). Does not: get or pack any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from capbox.journal.blobs import sync_path
from capbox.store.own_file import OwnFile
from capbox.tools.changing import alone
from capbox.tools.sdk.project import BuildError
from capbox.tools.sdk.python.dependencies import digest_of
from capbox.tools.sdk.python.resolving import plain

FOLDER = ".python"
RECORD = "packages.json"
_FORMAT = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")
_WHEEL = re.compile(
    r"([A-Za-z0-9._]+)-([A-Za-z0-9.+!_]+)(-\d[A-Za-z0-9_]*)?-[a-z0-9.]+-none-any\.whl"
)
_AGAIN = "capbox python remove --all, and add them again"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel: the name of its file, and the SHA-256 of its bytes in hex."""

    file: str
    sha256: str

    @property
    def name(self) -> str:
        """Return the package's name as its file has it, `typing_extensions`."""
        return self.file.split("-")[0]

    @property
    def version(self) -> str:
        """Return the package's version."""
        return self.file.split("-")[1]

    @property
    def package(self) -> str:
        """Return the package's name in the one spelling."""
        return plain(self.name)


@dataclass(frozen=True, slots=True)
class Packages:
    """What is in force.

    `asked` are requirements as a person gave them; `shipped` is the digest of the `python.wasm`
    that capbox brought at the time, `module` the digest of the one with these wheels.
    """

    asked: tuple[str, ...] = ()
    wheels: tuple[Wheel, ...] = ()
    shipped: str = ""
    module: str = ""


def wheel_of(path: Path) -> Wheel:
    """Return the wheel in a file. Raises BuildError for one that is not of pure Python."""
    if _WHEEL.fullmatch(path.name) is None:
        fix = "the sandbox runs no native code; look for a package in pure Python, or leave it out"
        raise BuildError(path.name, "is no wheel of pure Python (py3-none-any)", fix)
    return Wheel(path.name, digest_of(path))


class Place:
    """The directory of added wheels, in `tools`, that of installed tools. It need not exist."""

    def __init__(self, tools: Path) -> None:
        """Use it."""
        self.root = tools / FOLDER

    @property
    def wheels(self) -> Path:
        """Return the folder of wheels."""
        return self.root / "wheels"

    def module(self, packages: Packages) -> Path:
        """Return where the module is."""
        return self.root / f"python-{packages.module[:16]}.wasm"

    def read(self) -> Packages | None:
        """Return what is in force, None if nothing was added. Raises BuildError."""
        file = self.root / RECORD
        try:
            text = OwnFile(file).read()
            return None if text is None else _record(json.loads(text))
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"is damaged, or not of this version ({type(error).__name__}); it is kept"
            raise BuildError(str(file), reason, _AGAIN) from error

    def intact(self, packages: Packages) -> list[Path]:
        """Return the files of the wheels. Raises BuildError where one is not what was pinned."""
        for one in packages.wheels:
            path = self.wheels / one.file
            try:
                there = digest_of(path)
            except OSError as error:
                raise BuildError(str(path), error.strerror or str(error), _AGAIN) from error
            if there != one.sha256:
                reason = f"has other bytes than were pinned (sha256 {there}, not {one.sha256})"
                raise BuildError(str(path), reason, _AGAIN)
        return [self.wheels / one.file for one in packages.wheels]

    def changing(self) -> AbstractContextManager[Path]:
        """Keep other processes from changing anything; give a folder that goes with the block.

        Raises BuildError and OSError.
        """
        busy = BuildError("capbox python", "another process adds or removes packages", "wait")
        return alone(self.root, "packages", busy)

    def put(self, packages: Packages, wheels: Iterable[Path], module: Path) -> None:
        """Put a module in force. Within `changing`. Until the record is replaced, the older one is.

        Raises OSError.
        """
        self.wheels.mkdir(mode=0o700, exist_ok=True)
        for path in wheels:
            target = self.wheels / path.name
            if path != target:
                sync_path(path)
                path.replace(target)
        sync_path(module)
        module.replace(self.module(packages))
        sync_path(self.root)
        OwnFile(self.root / RECORD).replace(json.dumps(_document(packages), indent=2) + "\n")
        kept = {one.file for one in packages.wheels}
        self._clear(self.module(packages).name, kept)

    def clear(self) -> None:
        """Put the tool that capbox brings in force again. Within `changing`. Raises OSError."""
        (self.root / RECORD).unlink(missing_ok=True)
        self._clear("", frozenset())

    def _clear(self, module: str, wheels: Iterable[str]) -> None:
        for path in self.root.glob("python-*.wasm"):
            if path.name != module:
                path.unlink(missing_ok=True)
        for path in self.wheels.glob("*.whl"):
            if path.name not in wheels:
                path.unlink(missing_ok=True)


def _document(packages: Packages) -> dict[str, object]:
    return {"format": _FORMAT, **asdict(packages)}


def _record(document: object) -> Packages:
    """Return what a record says. Raises KeyError, TypeError or ValueError."""
    if not isinstance(document, dict) or document["format"] != _FORMAT:
        raise ValueError("another format")
    wheels = tuple(Wheel(_text(one["file"]), _digest(one["sha256"])) for one in document["wheels"])
    if not all(_WHEEL.fullmatch(one.file) for one in wheels):
        raise ValueError("not a wheel")
    asked = tuple(map(_text, document["asked"]))
    return Packages(asked, wheels, _digest(document["shipped"]), _digest(document["module"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _digest(value: object) -> str:
    text = _text(value)
    if _DIGEST.fullmatch(text) is None:
        raise ValueError("not a digest")
    return text
