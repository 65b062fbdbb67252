"""From a principal's words to typed grants and a layout: the one place that resolves their paths.

Guarantees: every path is resolved once, here, so that a link swapped later changes nothing; one bad
word refuses all of it. Does not: mint authority (`capbox.app` does) or decide anything.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from capbox.authority.exclusions import HIDDEN, PROTECTED, compiled
from capbox.authority.grant import Grant, PathSelector, SecretSelector
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import (
    WORKSPACE,
    GrantPath,
    GuestPath,
    HostPath,
    Layout,
    PathRefusal,
    Place,
    below,
    is_canonical,
    joined,
    quoted,
    under,
)
from capbox.authority.web.places import Origin
from capbox.engine.presets import named
from capbox.engine.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Asked:
    """What a principal asked for, parsed and resolved; nothing is granted yet."""

    grants: tuple[Grant, ...]
    layout: Layout


def resolve(settings: Settings) -> Asked:
    """Return typed grants and the layout they need. Raises SettingsError, naming what is wrong."""
    workspace = _workspace(settings.workspace)
    places = tuple(_place(text, workspace) for text in settings.maps)
    texts = [*_texts(settings, workspace), *_map_grants(settings.maps, places)]
    named = [_resolved(_parsed(text), workspace) for text in texts]
    grants = [*named, *(twin for one in named if (twin := _of_workspace(one, workspace)))]
    paths = [grant.path for grant in grants if grant.path is not None]
    layout = Layout.of(workspace, paths, places)
    if isinstance(layout, PathRefusal):
        raise SettingsError(layout.text, layout.reason)
    canonical = tuple(
        replace(g, selector=PathSelector(layout.canonical(g.path))) if g.path else g for g in grants
    )
    found = tuple(dict.fromkeys(canonical))
    _alone_in_its_header(found)
    return Asked(found, layout)


def _alone_in_its_header(grants: tuple[Grant, ...]) -> None:
    """Refuse two secrets that would go to one origin in one header: only one of them can."""
    seen: dict[tuple[Origin, str], Grant] = {}
    for grant in grants:
        if isinstance(grant.selector, SecretSelector):
            header = grant.header_for("")[0]
            other = seen.setdefault((grant.selector.origin, header.lower()), grant)
            if other is not grant:
                reason = f"{other} goes there in the same header, {header}"
                raise SettingsError(str(grant), f"{reason}: give one of them header=")


def _texts(settings: Settings, workspace: HostPath) -> Iterator[str]:
    yield from named(settings.preset).grants
    yield from (f"read:{quoted(_named(path, workspace))}" for path in settings.reads)
    yield from (f"write:{quoted(_named(path, workspace))}" for path in settings.writes)
    yield from (f"fetch:{quoted(text)}" for text in settings.fetches)
    yield from (f"secret:{quoted(text)}" for text in settings.secrets)
    yield from settings.grants
    for variable in settings.env:
        name = variable.partition("=")[0]
        if isinstance(parse_grant(f"env:{quoted(name)}"), GrantError):
            raise SettingsError(f"--env {variable}", f"{name!r} is no name of a variable")
        # A bare NAME stays one: its value would otherwise stand in the journal and in prompts.
        if "=" not in variable and variable not in (settings.environ or {}):
            raise SettingsError(f"--env {variable}", "is not set here; give --env NAME=VALUE")
        yield f"env:{quoted(variable)}"


def _workspace(path: Path) -> HostPath:
    resolved = os.path.realpath(path)
    if not Path(resolved).is_dir():
        raise SettingsError(str(path), "the workspace is not a directory")
    if not is_canonical(resolved):
        raise SettingsError(str(path), "the workspace's path holds control characters: rename it")
    # Attack: seen from ~/.config, `gh/hosts.yml` has no `.config` before it and looks innocent.
    names = compiled((*HIDDEN, *PROTECTED))
    if resolved != "/" and names.start(resolved) != names.start("workspace"):
        reason = "what is kept from grants is known by this folder's name: choose one above it"
        raise SettingsError(str(path), reason)
    return HostPath(resolved)


def _named(path: str, workspace: HostPath) -> str:
    """Return a flag's path as a grant path: relative ones count from the workspace."""
    if not path:
        # An unset shell variable (`--write "$OUT"`) must not grant the whole workspace.
        raise SettingsError("--read, --write", 'the path is empty; give "." for the workspace')
    guest = path == WORKSPACE or path.startswith(WORKSPACE + "/")
    host = Path(workspace, below(path, WORKSPACE) if guest else path)
    if path.endswith("/") and not host.is_dir():
        # What is not there yet is granted as one file, and this asks for a folder.
        there = os.path.lexists(os.path.normpath(host))
        reason = "is no folder: leave out the last /" if there else "no such folder: make it first"
        raise SettingsError(path, reason)
    if guest:
        return path
    absolute = os.path.normpath(host)
    if under(absolute, workspace):
        return joined(WORKSPACE, below(absolute, workspace))
    return absolute


def _parsed(text: str) -> Grant:
    grant = parse_grant(text)
    if isinstance(grant, GrantError):
        raise SettingsError(text, f"at character {grant.place + 1}: {grant.message}")
    return grant


def _resolved(grant: Grant, workspace: HostPath) -> Grant:
    """Resolve links in a file grant's path once; refuse one that leaves the workspace by a link."""
    path = grant.path
    if path is None:
        return grant
    inside = under(path, WORKSPACE)
    host = joined(workspace, below(path, WORKSPACE)) if inside else path
    resolved = os.path.realpath(host)
    to_be_made = grant.action == "write" and Path(resolved).parent.is_dir()
    if not Path(resolved).exists() and not to_be_made:
        hint = "; make its folder first, or grant one above" if grant.action == "write" else ""
        raise SettingsError(str(grant), f"there is no such file or directory{hint}")
    if inside and not under(resolved, workspace):
        reason = f"is a link to {resolved}; if that is what you mean, grant that path"
        raise SettingsError(str(grant), reason)
    name = joined(WORKSPACE, below(resolved, workspace)) if inside else resolved
    return replace(grant, selector=PathSelector(GrantPath(name)))


def _of_workspace(grant: Grant, workspace: HostPath) -> Grant | None:
    """Return what a grant on a folder above the workspace says of it: its files have one name.

    That is `/workspace/...`, which a host path never covers. Not for a grant that is counted or
    leaves names out: two grants would count twice, and the names mean something else from there.
    """
    path = grant.path
    if path is None or under(path, WORKSPACE) or not under(workspace, path):
        return None
    if grant.uses is not None or grant.exceptions:
        return None
    return replace(grant, selector=PathSelector(GrantPath(WORKSPACE)))


def _place(text: str, workspace: HostPath) -> Place:
    host, guest, _ = _split_map(text)
    resolved = os.path.realpath(Path(workspace, Path(host)))
    if not Path(resolved).exists():
        raise SettingsError(f"--map {text}", f"{resolved} does not exist")
    return Place(HostPath(resolved), GuestPath(guest))


def _map_grants(maps: tuple[str, ...], places: tuple[Place, ...]) -> Iterator[str]:
    for text, place in zip(maps, places, strict=True):
        action = "write" if _split_map(text)[2] else "read"
        yield f"{action}:{quoted(place.host)}"


def _split_map(text: str) -> tuple[str, str, bool]:
    writable = text.endswith(":rw")
    host, equals, guest = text.removesuffix(":rw").removesuffix(":ro").rpartition("=")
    if not equals or not host:
        raise SettingsError(f"--map {text}", "is HOST=/mnt/NAME, with :rw to allow writing")
    if ":" in guest:
        mode = guest.rpartition(":")[2]
        raise SettingsError(f"--map {text}", f":{mode} is no mode; there are :ro and :rw, once")
    return host, guest, writable
