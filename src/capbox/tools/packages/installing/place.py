"""Where installed tools are: `<state>/tools/NAMESPACE/TOOL/`, and what is known of each.

    installed.json    name, version, digest, source, key, what was accepted, and the folder in force
    <digest>-<mark>/  tool.toml, the module, README.md

Guarantees: which version is in force, and with what, is one file that is replaced whole, so an
update happens or does not; whatever is being fetched lies in a quarantine that nothing loads from.
One process at a time changes anything. Does not: check a package.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from capbox.gate.manifest import Request, parse_request
from capbox.journal.blobs import sync_path
from capbox.messages import Json
from capbox.store.own_file import OwnFile
from capbox.tools.changing import alone
from capbox.tools.packages.names import PackageName, Version, package_name, shown, version
from capbox.tools.packages.problem import PackageError, refused

_RECORD = "installed.json"
_VERSION = 1
_TEXTS = ("name", "version", "digest", "tool", "source", "key", "folder")


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed package.

    `digest` names the package, `tool` its tool (as grants bind it); `key` is the fingerprint of its
    publisher, empty if it is unsigned; `accepted` are requests, `at` seconds since 1970.
    """

    name: str
    version: str
    digest: str
    tool: str
    source: str
    key: str
    accepted: tuple[str, ...]
    folder: str
    at: int

    @property
    def package(self) -> PackageName:
        """Return its name."""
        return package_name(self.name)

    @property
    def release(self) -> Version:
        """Return its version."""
        return version(self.version)

    @property
    def requests(self) -> tuple[Request, ...]:
        """Return what was accepted, parsed."""
        return tuple(parse_request(one, self.name) for one in self.accepted)


class Place:
    """The directory of installed tools; it need not exist."""

    def __init__(self, root: Path) -> None:
        """Use `root`."""
        self.root = root

    def installed(self) -> tuple[Installed | PackageError, ...]:
        """Return what is installed, sorted; an error for a record that cannot be relied on."""
        found: list[Installed | PackageError] = []
        for file in sorted(self.root.glob(f"[a-z]*/*/{_RECORD}")):
            try:
                found.append(self._read(file))
            except PackageError as error:
                found.append(error)
        return tuple(found)

    def names(self) -> tuple[PackageName, ...]:
        """Return the names of all that is installed, be it damaged."""
        folders = [file.parent for file in sorted(self.root.glob(f"[a-z]*/*/{_RECORD}"))]
        return tuple(PackageName(folder.parent.name, folder.name) for folder in folders)

    def has(self, name: PackageName) -> bool:
        """Say whether something is installed under a name, be it damaged."""
        return os.path.lexists(self._folder(name) / _RECORD)

    def get(self, name: PackageName) -> Installed | None:
        """Return what is installed under a name. Raises PackageError."""
        return self._read(self._folder(name) / _RECORD) if self.has(name) else None

    def folder(self, one: Installed) -> Path:
        """Return the folder of an installed tool."""
        return self._folder(one.package) / one.folder

    def changing(self) -> AbstractContextManager[Path]:
        """Keep other processes from changing anything; give a new folder of the quarantine.

        It goes with the block. Raises PackageError and OSError.
        """
        busy = refused("capbox pkg", "another process installs, updates or removes", "wait")
        return alone(self.root, "packages", busy)

    def put(self, one: Installed, prepared: Path) -> None:
        """Put a prepared folder in force, in place of an older one. Within `changing`.

        Until the record is replaced the older one is in force. Raises OSError.
        """
        own = self._folder(one.package)
        for folder in (own.parent, own):
            folder.mkdir(mode=0o700, exist_ok=True)
        for file in prepared.iterdir():
            sync_path(file)
        target = own / one.folder
        prepared.rename(target)
        sync_path(own)
        document: Mapping[str, Json] = {"format": _VERSION, **asdict(one)}
        OwnFile(own / _RECORD).replace(json.dumps(document, indent=2) + "\n")
        for other in own.iterdir():
            if other.is_dir() and other != target:
                shutil.rmtree(other, ignore_errors=True)

    def remove(self, name: PackageName) -> None:
        """Take a package away. Within `changing`. Raises OSError."""
        own = self._folder(name)
        (own / _RECORD).unlink()
        shutil.rmtree(own, ignore_errors=True)

    def _folder(self, name: PackageName) -> Path:
        return self.root / name.namespace / name.tool

    def _read(self, file: Path) -> Installed:
        own = file.parent
        fix = f"capbox pkg remove {own.parent.name}/{own.name}, and install it again"
        try:
            text = OwnFile(file).read()
            document = json.loads(text or "")
            found = _record(document)
            # What lies in one package's folder must not speak for another.
            if self._folder(found.package) != file.parent or "/" in found.folder:
                raise ValueError("it is of another package")
            found.requests, found.release  # noqa: B018 - both parse
        except (OSError, ValueError, KeyError, TypeError, RecursionError, PackageError) as error:
            reason = f"is damaged, or not of this version ({shown(str(error))}); it is kept"
            raise PackageError(str(file), reason, fix) from error
        return found


def now() -> int:
    """Return the seconds since 1970."""
    return int(time.time())


def _record(document: Mapping[str, object]) -> Installed:
    """Return what a record says. Raises KeyError, TypeError or ValueError."""
    if document["format"] != _VERSION:
        raise ValueError("another format")
    found = {word: document[word] for word in _TEXTS}
    accepted, at = document["accepted"], document["at"]
    if not isinstance(accepted, list) or not isinstance(at, int):
        raise TypeError("accepted or at")
    if not all(isinstance(one, str) for one in (*found.values(), *accepted)):
        raise TypeError("a text is expected")
    texts = {word: str(value) for word, value in found.items()}
    return Installed(**texts, accepted=tuple(accepted), at=at)
