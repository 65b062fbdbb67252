"""`capbox.lock`: which packages a project uses, by name, version and digest.

    version = 1

    [[package]]
    name = "alice/hello"
    version = "0.1.0"
    digest = "sha256:..."
    source = "oci://ghcr.io/alice/hello:0.1.0"
    key = "SHA256:..."

Guarantees: what is installed by it is the artefact that it names, signed with the key that it
names, or nothing is; unknown keys are refused. Does not: grant; it lies where a project's tools
may write, so what it says is compared, and beyond that only says where to ask: without a password
that a person has not named for that registry (see `logins`). The person is asked as always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from capbox.toml import BYTES_MAX, read_toml
from capbox.tools.packages.artefact.descriptor import is_digest
from capbox.tools.packages.artefact.package import Package
from capbox.tools.packages.installing.place import Installed
from capbox.tools.packages.names import package_name, shown, version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import Reference, Source, source

FILE = "capbox.lock"
_VERSION = 1
_KEYS = ("name", "version", "digest", "source", "key")
_HEAD = "# Written by capbox pkg lock; capbox pkg install --locked installs exactly this.\n"


@dataclass(frozen=True, slots=True)
class Locked:
    """One pinned package; `key` is empty for one without a signature."""

    name: str
    version: str
    digest: str
    source: str
    key: str

    def place(self, folder: Path) -> Source:
        """Return where it is: in a registry by its digest, or a path, relative to `folder`.

        Raises PackageError.
        """
        found = source(self.source)
        if isinstance(found, Reference):
            return Reference(found.registry, found.repository, digest=self.digest)
        return folder / found

    def expect(self, package: Package) -> None:
        """Refuse a package that is not this one. Raises PackageError."""
        for word, wanted, found in (
            ("name", self.name, str(package.name)),
            ("version", self.version, str(package.version)),
            ("digest", self.digest, package.digest),
            ("key", self.key, package.key),
        ):
            if wanted != found:
                reason = f"{FILE} pins the {word} {wanted or 'none'}, it is {found or 'none'}"
                raise PackageError(str(package.name), reason)


def locked(one: Installed, folder: Path) -> Locked:
    """Return how an installed package is pinned in a lock file of `folder`, an absolute path."""
    where = Path(one.source)
    # Below the lock file it goes along with the project.
    own = where.is_absolute() and where.is_relative_to(folder)
    place = str(where.relative_to(folder)) if own else one.source
    return Locked(one.name, one.version, one.digest, place, one.key)


def written(pinned: Iterable[Locked]) -> str:
    """Return the text of a lock file: the same one for the same packages."""
    lines = [_HEAD, f"version = {_VERSION}\n"]
    for one in sorted(pinned, key=lambda one: one.name):
        lines.append("\n[[package]]\n")
        lines += [f"{key} = {_quoted(getattr(one, key))}\n" for key in _KEYS]
    return "".join(lines)


def read(file: Path) -> tuple[Locked, ...]:
    """Read a lock file. Raises PackageError."""
    try:
        if file.stat().st_size > BYTES_MAX:
            raise PackageError(str(file), f"has over {BYTES_MAX:,} bytes")
        document = read_toml(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PackageError(str(file), "is not there", "capbox pkg lock", kind="usage") from error
    except (OSError, ValueError) as error:
        raise PackageError(str(file), f"cannot be read ({shown(str(error))})") from error
    listed = document.pop("package", [])
    if document != {"version": _VERSION} or not isinstance(listed, list):
        raise PackageError(str(file), f"is not of version {_VERSION}, or has an unknown key")
    return tuple(_locked(one, str(file)) for one in listed)


def _locked(one: object, where: str) -> Locked:
    if not isinstance(one, Mapping) or set(one) != set(_KEYS):
        raise PackageError(where, f"a package has {', '.join(_KEYS)}, and nothing else")
    texts = {key: value for key, value in one.items() if isinstance(value, str)}
    if len(texts) != len(_KEYS) or not is_digest(texts["digest"]):
        raise PackageError(where, "texts are expected, and a digest sha256:...")
    package_name(texts["name"])
    version(texts["version"])
    return Locked(**texts)


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    drawn = (c if c.isprintable() and ord(c) <= 0xFFFF else f"\\U{ord(c):08x}" for c in escaped)
    return f'"{"".join(drawn)}"'
