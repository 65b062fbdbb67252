"""Which wheels go together: what is asked for, what that needs, what that needs, and so on.

Level by level: pip is told names and versions, never what a wheel says (`--no-deps`).

Guarantees: a direct address at any depth is refused before anything is got from it; what is `kept`
is never exchanged. Does not: try older versions of a package whose newest one does not fit.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from capbox.tools.sdk.project import BuildError, names_file

_ROUNDS_MAX, _METADATA_BYTES_MAX = 50, 1 << 20
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
_KEEPS = "what is there keeps its version: remove what is in the way, or ask for another version"


@dataclass(frozen=True, slots=True)
class Resolving:
    """How it is done: `get` fetches wheels of these requirements alone, `needs` runs that program.

    `where` is who asks. Both raise BuildError.
    """

    get: Callable[[list[str]], list[Path]]
    needs: Callable[[str], str]
    where: str


def plain(name: str) -> str:
    """Return a package's name in the one spelling that PyPI compares (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def resolved(
    asked: Iterable[str], how: Resolving, kept: Iterable[Path] = (), free: Iterable[str] = ()
) -> list[Path]:
    """Return the wheels for `asked`: those of `kept` that are needed, and got ones.

    Of `kept` only what is `free`, by its plain name, may give way. Raises BuildError.
    """
    chosen = {one.name: one for one in map(_about, kept)}
    held = set(chosen) - set(free)
    for _ in range(_ROUNDS_MAX):
        wheels = [one.document() for one in chosen.values()]
        told = json.loads(how.needs(json.dumps({"asked": [*asked], "wheels": wheels})))
        if "refused" in told:
            who, reason = told["refused"]
            fix = "only names from the index are got; look for another package, or leave it out"
            raise BuildError(who or how.where, reason, fix)
        missing: Mapping[str, tuple[str, str]] = told["missing"]
        if not missing:
            paths = (chosen[name].path for name in told["needed"])
            return sorted(paths, key=lambda path: path.name)
        for name in (one for one in missing if one in held):
            text, who = missing[name]
            reason = f"needs {text}, and {name} {chosen[name].version} is there"
            raise BuildError(who or how.where, reason, _KEEPS)
        chosen |= _got(missing, how)
    raise BuildError(how.where, "what these packages need of each other never settles")


def _got(missing: Mapping[str, tuple[str, str]], how: Resolving) -> dict[str, _Wheel]:
    for text, who in missing.values():
        if names_file(text):
            # Attack: `x===1.tar.gz`, which pip takes for a file.
            raise BuildError(who or how.where, f"needs {text}, which is no version")
    try:
        got = [_about(path) for path in how.get([text for text, _ in missing.values()])]
    except BuildError as error:
        needy = next((who for name, (_, who) in missing.items() if name in error.reason), "")
        reason = f"{error.reason} ({needy} needs it)" if needy else error.reason
        raise BuildError(error.where, reason, error.fix) from error
    if sorted(one.name for one in got) != sorted(missing):
        names = ", ".join(one.path.name for one in got)
        raise BuildError(how.where, f"pip got {names} for {', '.join(missing)}")
    return {one.name: one for one in got}


@dataclass(frozen=True, slots=True)
class _Wheel:
    path: Path
    name: str
    version: str
    needs: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        needs = list(self.needs)
        return {"file": self.path.name, "name": self.name, "version": self.version, "needs": needs}


def _about(path: Path) -> _Wheel:
    """Read what a wheel says of itself. Raises BuildError."""
    try:
        with zipfile.ZipFile(path) as archive:
            [entry] = [one for one in archive.infolist() if _METADATA.fullmatch(one.filename)]
            with archive.open(entry) as file:
                text = file.read(_METADATA_BYTES_MAX + 1)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BuildError(path.name, f"its wheel cannot be read: {error}") from error
    headers = BytesHeaderParser().parsebytes(text)
    if len(text) > _METADATA_BYTES_MAX or not headers["Version"]:
        raise BuildError(path.name, "what its wheel says of itself is too long, or has no version")
    needs = tuple(" ".join(str(one).split()) for one in headers.get_all("Requires-Dist", ()))
    return _Wheel(path, plain(path.name.split("-")[0]), str(headers["Version"]).strip(), needs)
