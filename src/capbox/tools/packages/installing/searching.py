"""Packages by words, in a folder of packages or in a registry.

Guarantees: what is found is a stranger's words, made plain; a registry is asked for a bounded
number of packages. Does not: fetch a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.messages import JsonObject
from capbox.tools.packages.installing.source import Access, packages_in
from capbox.tools.packages.names import PackageName
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import SCHEME, reference, repository_root
from capbox.tools.packages.remote.repository import Repository, catalogue
from capbox.tools.packages.review.untrusted import plain

FOUND_MAX = 50
_DESCRIPTION_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A package that was found, at its newest version."""

    name: str
    version: str
    description: str
    source: str


def found_in(where: str, words: tuple[str, ...], access: Access) -> tuple[Match, ...]:
    """Return the packages in `where` that have all words. Raises PackageError."""
    wanted = tuple(word.lower() for word in words)
    if where.startswith(SCHEME):
        return tuple(_in_registry(where, wanted, access))
    folder = Path(where)
    if not folder.is_dir():
        raise PackageError(where, "is no folder", kind="usage")
    newest: dict[PackageName, Match] = {}
    known = packages_in([folder])
    for package, path in sorted(known, key=lambda pair: pair[0].version.key):
        described = package.manifest.description
        if all(word in f"{package.name} {described}".lower() for word in wanted):
            newest[package.name] = _match(
                str(package.name), str(package.version), described, str(path)
            )
    return tuple(newest[name] for name in sorted(newest))


def _in_registry(where: str, words: tuple[str, ...], access: Access) -> Iterator[Match]:
    root = repository_root(where)
    count = 0
    with access.client(root) as client:
        for listed in catalogue(client):
            try:
                # Attack: `good.example/$(touch x)/alice/hello`, listed for whoever pastes it.
                place = reference(f"{SCHEME}{root.registry}/{listed}")
            except PackageError:
                continue  # a registry holds other things too
            if place.repository != listed or not all(word in listed for word in words):
                continue
            count += 1
            if count > FOUND_MAX:
                return
            yield from _newest(Repository(client, place))


def _newest(repository: Repository) -> Iterator[Match]:
    """Yield the newest version; nothing of what is no package, or is damaged."""
    try:
        found = repository.resolved()
        said: JsonObject = Repository(repository.client, found).facts()
        name = found.name
    except PackageError as error:
        if error.kind == "unreachable":
            raise
        return
    text = said.get("description")
    yield _match(str(name), found.tag or "", text if isinstance(text, str) else "", str(found))


def _match(name: str, version: str, description: str, source: str) -> Match:
    return Match(name, version, plain(description, _DESCRIPTION_CHARACTERS_MAX), source)
