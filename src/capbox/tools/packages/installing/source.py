"""A package from where it is into a layout of the quarantine: a folder, or a registry.

Guarantees: every byte is bounded and checked by digest while it comes; a folder is read once, so
nobody exchanges it between the look and the use. Does not: decide whether it is trusted.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from pathlib import Path

from capbox.journal.blobs import beside
from capbox.tools.packages.artefact.artefact import DOCUMENT_BYTES_MAX
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import Package, entry, read_package, signature_layer
from capbox.tools.packages.names import PackageName
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.client import Client
from capbox.tools.packages.remote.reference import Reference, Registry, Source
from capbox.tools.packages.remote.repository import Repository
from capbox.tools.packages.signatures.signature import SIGNATURE


@dataclass(frozen=True, slots=True)
class Access:
    """How registries are reached: credentials (`user:password`) and further authorities' files.

    `credentials` are asked for with the registry that wants some.
    """

    credentials: Callable[[Registry], str | None] = lambda registry: None
    authorities: tuple[str, ...] = ()

    def client(self, reference: Reference, altogether: float = inf) -> Client:
        """Return a client for the registry of `reference`, to be entered.

        All its answers may take `altogether` seconds.
        """
        authorities = self.authorities
        return Client(reference.registry, self.credentials, authorities, altogether=altogether)


def fetch(source: Source, folder: Path, access: Access) -> tuple[Layout, Package]:
    """Copy a package into a new layout at `folder`, and read it. Raises PackageError, OSError."""
    layout = Layout.create(folder)
    if isinstance(source, Path):
        _copy(_local(source), layout)
        return layout, read_package(layout)
    with access.client(source) as client:
        Repository(client, source).fetch(layout)
    package = read_package(layout)
    if package.name != source.name:
        # Attack: the name that was typed leads to a package of somebody else's.
        reason = f"holds the package {package.name}"
        raise PackageError(str(source), reason, f"expected was {source.name}")
    if source.tag is not None and source.tag != str(package.version):
        raise PackageError(str(source), f"holds the version {package.version}")
    return layout, package


def pull(source: Source, out: Path, access: Access) -> tuple[Layout, Package]:
    """Copy a package to `out`/NAME-VERSION.oci. Raises PackageError and OSError."""
    part = beside(out / "package.oci")
    try:
        if isinstance(source, Reference):
            with access.client(source) as client:
                source = Repository(client, source).resolved()
        _, package = fetch(source, part, access)
        target = out / f"{package.name.tool}-{package.version}.oci"
        if target.exists():
            raise PackageError(str(target), "is there already", "move it away", kind="usage")
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Layout(target), package


def newest(source: Source, name: PackageName, access: Access) -> Source:
    """Return where the newest version of `name` is, given where one was installed from.

    In a registry the newest version; in a folder of layouts, the newest of this name. Raises
    PackageError.
    """
    if isinstance(source, Path):
        beside = [source.parent] if Layout.at(source) or not source.is_dir() else [source]
        found = [(one, path) for one, path in packages_in(beside) if one.name == name]
        if not found:
            raise PackageError(str(beside[0]), f"has no package {name}", "name one by --from")
        return max(found, key=lambda pair: pair[0].version.key)[1]
    with access.client(source) as client:
        bare = Reference(source.registry, source.repository)
        return Repository(client, bare).resolved()


def packages_in(folders: Iterable[Path]) -> list[tuple[Package, Path]]:
    """Return the packages whose layouts lie in these folders; what is damaged is left out."""
    found: list[tuple[Package, Path]] = []
    for folder in folders:
        for path in sorted(folder.glob("*.oci")):
            try:
                found.append((read_package(Layout(path)), path))
            except PackageError:
                continue
    return found


def _local(folder: Path) -> Layout:
    if not Layout.at(folder):
        fix = "a package is a folder NAME-VERSION.oci, as capbox pkg pack makes it"
        raise PackageError(str(folder), "is no package", fix, kind="usage")
    return Layout(folder)


def _copy(given: Layout, layout: Layout) -> None:
    package = read_package(given)
    for blob in (entry(package), *package.artefact.blobs):
        layout.take(blob, given.pieces(blob))
    entries = [entry(package)]
    for one in given.entries():
        if one.artifact_type == SIGNATURE and one.size <= DOCUMENT_BYTES_MAX:
            layer = signature_layer(given.read(one))
            for blob in (one, layer):
                layout.take(blob, given.pieces(blob))
            entries.append(one)
    layout.write_index(entries)
