"""Where a package is: a folder with a layout, or a place in a registry.

    ./hello-0.1.0.oci    oci://ghcr.io/alice/hello:0.1.0    oci://localhost:5000/alice/hello@sha256:...

Guarantees: what names a registry is parsed whole, so no host, path or tag can hide in another part;
plain HTTP is for this machine alone. Does not: connect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from capbox.tools.packages.artefact.descriptor import is_digest
from capbox.tools.packages.names import PackageName, is_version, package_name, shown
from capbox.tools.packages.problem import PackageError

SCHEME = "oci://"
_HOST = re.compile(
    r"(?P<host>localhost|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_STEP = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_STEP}(?:/{_STEP})*")
_REPOSITORY_CHARACTERS_MAX = 200
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry: host (an IPv6 address in brackets) and port, None for that of its scheme."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Return its origin: HTTPS, but on this machine; without the port that is usual there."""
        return f"{'http' if self.local else 'https'}://{self.usual}"

    @property
    def usual(self) -> Registry:
        """Return the same registry in its one spelling: without the port that is usual there."""
        return replace(self, port=None) if self.port == (80 if self.local else 443) else self

    @property
    def local(self) -> bool:
        """Say whether it is on this machine."""
        try:
            return ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class Reference:
    """A repository, and a version or digest in it; neither: the newest version."""

    registry: Registry
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        at = f"@{self.digest}" if self.digest else f":{self.tag}" if self.tag else ""
        return f"{SCHEME}{self.registry}/{self.repository}{at}"

    @property
    def name(self) -> PackageName:
        """Return the name of the package there: the last two words of the repository.

        Raises PackageError.
        """
        words = self.repository.split("/")
        return package_name("/".join(words[-2:]))

    def at(self, tag: str) -> Reference:
        """Return the same repository at another version."""
        return replace(self, tag=tag, digest=None)


Source = Path | Reference


def source(text: str) -> Source:
    """Read where a package is. Raises PackageError."""
    return reference(text) if "://" in text else Path(text)


def reference(text: str) -> Reference:
    """Read a place in a registry. Raises PackageError."""
    host, slash, rest = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME) or not slash:
        raise _no(text)
    place, at, digest = rest.partition("@")
    repository, colon, tag = place.partition(":")
    if len(repository) > _REPOSITORY_CHARACTERS_MAX or not _REPOSITORY.fullmatch(repository):
        raise _no(text)
    if (at and not is_digest(digest)) or (colon and not is_version(tag)):
        raise _no(text)
    found = Reference(registry(host, text), repository, tag or None, digest or None)
    found.name  # noqa: B018 - what is no name of a package is refused here
    return found


def repository_for(text: str, name: PackageName) -> Reference:
    """Return where the package `name` belongs in a registry, given as oci://HOST[:PORT][/PREFIX].

    The whole repository will do too. Raises PackageError.
    """
    root = repository_root(text)
    if root.repository.endswith(f"/{name}") or root.repository == str(name):
        return root
    return replace(root, repository="/".join(filter(None, (root.repository, str(name)))))


def repository_root(text: str) -> Reference:
    """Read a registry, and perhaps a path in it; no version. Raises PackageError."""
    host, _, path = text.removeprefix(SCHEME).rstrip("/").partition("/")
    long = len(path) > _REPOSITORY_CHARACTERS_MAX
    if not text.startswith(SCHEME) or long or (path and not _REPOSITORY.fullmatch(path)):
        raise PackageError(
            shown(text), "is no registry", "oci://HOST[:PORT][/PREFIX] is expected", kind="usage"
        )
    return Reference(registry(host, text), path)


def registry(host: str, text: str) -> Registry:
    """Read host and port; `text` is what was typed. Raises PackageError."""
    parts = _HOST.fullmatch(host)
    if parts is None or ".." in host:
        raise _no(text)
    port = None if parts["port"] is None else int(parts["port"])
    if port is not None and not 0 < port <= _PORT_MAX:
        raise _no(text)
    return Registry(parts["host"], port)


def _no(text: str) -> PackageError:
    return PackageError(
        shown(text),
        "is no place of a package",
        "a folder is expected, or oci://HOST[:PORT]/NAMESPACE/TOOL[:VERSION|@sha256:...]",
        kind="usage",
    )
