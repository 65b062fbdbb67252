"""Packages by words, in a folder of packages or in a registry.

Guarantees: what is found is a stranger's words, made plain; a registry is asked for a bounded
number of packages, and for a bounded time; where it ends early, that is said. Does not: fetch a
module.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.messages import JsonObject
from capbox.tools.packages.installing.source import Access, packages_in
from capbox.tools.packages.names import PackageName
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import SCHEME, Reference, reference, repository_root
from capbox.tools.packages.remote.repository import Repository, catalogue
from capbox.tools.packages.review.untrusted import plain

FOUND_MAX, SEARCH_SECONDS = 50, 60.0
_DESCRIPTION_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A package that was found, at its newest version."""

    name: str
    version: str
    description: str
    source: str


@dataclass(frozen=True, slots=True)
class Search:
    """What was found, and why that may not be all; "" if it is."""

    matches: tuple[Match, ...]
    unfinished: str = ""


def found_in(
    where: str, words: tuple[str, ...], access: Access, *, seconds: float = SEARCH_SECONDS
) -> Search:
    """Return the packages in `where` that have all words. Raises PackageError.

    A registry has `seconds` for all of it; what was found until then is returned.
    """
    wanted = tuple(word.lower() for word in words)
    if where.startswith(SCHEME):
        return _in_registry(where, wanted, access, seconds)
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
    return Search(tuple(newest[name] for name in sorted(newest)))


def _in_registry(where: str, words: tuple[str, ...], access: Access, seconds: float) -> Search:
    root = repository_root(where)
    found: list[Match] = []
    with access.client(root, seconds) as client:
        listed = list(_named(root, catalogue(client), words))
        for place in listed[:FOUND_MAX]:
            try:
                found += _newest(Repository(client, place))
            except PackageError:
                if not client.spent or not found:
                    raise
                return Search(tuple(found), f"the search ended after {seconds:.0f} seconds")
    most = f"only {FOUND_MAX} of {len(listed)} packages were asked for"
    return Search(tuple(found), most if len(listed) > FOUND_MAX else "")


def _named(root: Reference, listed: Iterable[str], words: tuple[str, ...]) -> Iterator[Reference]:
    """Yield the repositories whose names have all words."""
    for one in listed:
        try:
            # Attack: `good.example/$(touch x)/alice/hello`, listed for whoever pastes it.
            place = reference(f"{SCHEME}{root.registry}/{one}")
        except PackageError:
            continue  # a registry holds other things too
        if place.repository == one and all(word in one for word in words):
            yield place


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
