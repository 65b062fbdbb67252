"""Installing, updating and removing: from a source to a tool that is in force.

Guarantees: nothing is in force before a person said yes where one is asked (`asked`), and what was
in force stays so until the new one is compiled and whole; then it is exchanged at once. A refusal
at any step leaves all as it was. Does not: grant; accepted requests only bound what a run may give.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.gate.manifest import Request
from capbox.sandbox.cache import CompileCache, CompileError
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.spec import Module
from capbox.tools.folder import MANIFEST, load_folder
from capbox.tools.inspection.inspecting import InspectionError, inspect
from capbox.tools.loop.offer import FURTHER, NAMES
from capbox.tools.packages.artefact.artefact import README, README_BYTES_MAX
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import Package
from capbox.tools.packages.installing.place import Installed, Place, now
from capbox.tools.packages.installing.plan import Plan, Surroundings, Wishes, plan
from capbox.tools.packages.installing.source import Access, fetch, newest
from capbox.tools.packages.names import PackageName, sentence_of
from capbox.tools.packages.problem import PackageError, refused
from capbox.tools.packages.remote.reference import Source
from capbox.tools.packages.remote.reference import source as place_of
from capbox.tools.packages.review.requests import texts
from capbox.tools.packages.review.untrusted import readme, told
from capbox.tools.packages.signatures.publishers import First, Publisher, Publishers
from capbox.tools.registry import RegistryError, load

_README_LINES_SHOWN = 8
RESERVED = frozenset({*NAMES, *FURTHER, "python", "javascript"})
"""Names of tools that are not in the folder of the shipped ones, and are capbox's all the same."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What installing needs of this installation; `report` gets progress lines."""

    place: Place
    publishers: Publishers
    guests: Path
    compiled: Path
    access: Access
    report: Callable[[str], None]

    def taken(self, but: PackageName) -> dict[str, str]:
        """Return the names that the tool of the package `but` may not have, and whose they are."""
        names = dict.fromkeys(RESERVED, "a tool of capbox")
        shipped = load(self.guests, shipped=True).tools
        names |= dict.fromkeys(shipped, "a tool that capbox brings")
        # Attack: a damaged record gives the name of its tool to whoever comes next.
        names |= {one.tool: f"the tool of {one}" for one in self.place.names() if one != but}
        return names


def install(
    shop: Workshop,
    source: Source,
    wishes: Wishes,
    asked: Callable[[Plan], tuple[Request, ...] | None],
    *,
    expected: Callable[[Package], None] = lambda package: None,
) -> tuple[Plan, Installed]:
    """Install or update from `source`; `asked` is called where a person has to say yes.

    It returns the requests that are accepted, None for no. `expected` may refuse a package by
    raising. Raises PackageError, CacheError and OSError.
    """
    with shop.place.changing() as quarantine:
        layout, package = fetch(source, quarantine / "layout", shop.access)
        expected(package)
        planned = review(shop, layout, package, wishes)
        if planned.same and planned.before is not None:
            return planned, planned.before
        if planned.asks:
            accepted = asked(planned)
            if accepted is None:
                raise refused(str(package.name), "was refused", "nothing was changed")
            planned = replace(planned, accepted=accepted)
        return planned, _put(shop, planned, layout, quarantine / "tool", _told(source, package))


def _told(source: Source, package: Package) -> str:
    """Return where a package was had, so that it can be looked for there again."""
    if isinstance(source, Path):
        return str(source.absolute())
    return str(source if source.digest else source.at(str(package.version)))


def review(shop: Workshop, layout: Layout, package: Package, wishes: Wishes) -> Plan:
    """Work out what installing a package of the quarantine means. Raises PackageError, OSError."""
    wasm = layout.path(package.artefact.wasm)
    found = inspect(wasm, package.manifest)
    if isinstance(found, InspectionError):
        raise PackageError(
            str(package.name), f"its module cannot be read: {sentence_of(found.message)}"
        )
    around = Surroundings(shop.taken(package.name), shop.publishers.known())
    before = shop.place.get(package.name)
    if before is not None:
        older = load_folder(shop.place.folder(before))
        # One that was changed requested what was accepted of it, as far as anybody knows.
        intact, requested = False, before.requests
        if not isinstance(older, RegistryError) and older.digest == before.tool:
            intact, requested = True, older.manifest.requests
        around = replace(around, before=before, requested=requested, intact=intact)
    planned = plan(package, found, around, wishes)
    told(package.manifest, planned.accepted, str(package.name))  # what it could not be, it is not
    written = package.artefact.readme
    if written is None:
        return planned
    lines = readme(layout.read(written, README_BYTES_MAX), _README_LINES_SHOWN)
    return replace(planned, readme=lines)


def update(
    shop: Workshop,
    one: Installed,
    wishes: Wishes,
    asked: Callable[[Plan], tuple[Request, ...] | None],
    *,
    origin: str | None = None,
) -> tuple[Plan, Installed]:
    """Update an installed package from `origin`; None: where it came from.

    Raises PackageError, CacheError and OSError; the older one is in force then.
    """
    where = place_of(origin) if origin else newest(place_of(one.source), one.package, shop.access)

    def expected(package: Package) -> None:
        if package.name != one.package:
            raise PackageError(one.name, f"{where} holds the package {package.name}")

    return install(shop, where, wishes, asked, expected=expected)


def examine(shop: Workshop, source: Source, wishes: Wishes) -> Plan:
    """Work out what installing from `source` would mean; change nothing.

    Raises PackageError and OSError.
    """
    with shop.place.changing() as quarantine:
        layout, package = fetch(source, quarantine / "layout", shop.access)
        return review(shop, layout, package, replace(wishes, unsigned=True))


def remove(place: Place, name: PackageName) -> None:
    """Take an installed package away, also a damaged one. Raises PackageError and OSError."""
    with place.changing():
        if not place.has(name):
            raise PackageError(str(name), "is not installed", "see: capbox pkg list", kind="usage")
        place.remove(name)


def _put(shop: Workshop, planned: Plan, layout: Layout, folder: Path, source: str) -> Installed:
    """Prepare the folder of the tool, compile, and put it in force."""
    package = planned.package
    read = package.artefact
    folder.mkdir(mode=0o700)
    wasm = folder / package.manifest.module
    layout.path(read.wasm).rename(wasm)
    (folder / MANIFEST).write_text(package.text, encoding="utf-8")
    if read.readme is not None:
        (folder / README).write_bytes(layout.read(read.readme, README_BYTES_MAX))
    found = load_folder(folder)
    if isinstance(found, RegistryError):
        raise PackageError(str(package.name), found.message)
    if f"sha256:{found.module.digest}" != read.wasm.digest:
        raise PackageError(str(package.name), "its module has another digest: it was changed")
    _compile(shop, found.module, str(package.name))
    one = Installed(
        name=str(package.name),
        version=str(package.version),
        digest=package.digest,
        tool=found.digest,
        source=source,
        key=package.key,
        accepted=tuple(texts(planned.accepted)),
        folder=f"{package.digest.removeprefix('sha256:')[:16]}-{secrets.token_hex(4)}",
        at=now(),
    )
    if package.signature is not None and isinstance(planned.trust, First):
        publisher = Publisher(package.signature.key, one.at, source)
        shop.publishers.pin(package.name.namespace, publisher)
    shop.place.put(one, folder)
    return one


def _compile(shop: Workshop, module: Module, name: str) -> None:
    """Compile now, so that no call waits for it. Raises PackageError and CacheError."""
    cache = CompileCache(HostPath(str(shop.compiled)), shop.report)
    key = EngineKey(fuel=False, stack_bytes=Limits().stack_bytes).clamped()
    try:
        anyio.run(cache.compiled, module, key)
    except CompileError as error:
        reason = str(error).partition("could not be compiled: ")[2] or str(error)
        raise PackageError(name, f"its module does not compile: {reason}") from error
