"""From flags, or from a run on record, to what a blast radius is worked out from.

Guarantees: authority comes from the composition root alone (`Entry.hold`); a record is verified
before it is believed. Does not: keep what it minted; nothing can be done with it here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.authority.authority import Authority
from capbox.authority.decision import Standing
from capbox.authority.grant import Grant, ModelSelector, NameSelector
from capbox.authority.paths import HostPath, Layout
from capbox.engine.radius.cuts import Mints
from capbox.engine.radius.record import Recorded, Used, recorded
from capbox.engine.radius.subject import Machine, Subject
from capbox.engine.settings import Settings, SettingsError
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage

if TYPE_CHECKING:
    from capbox.tools.registry import Found, Registry


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at, and where its grants come from."""

    subject: Subject
    origin: str
    used: Used | None = None
    notes: tuple[str, ...] = ()


def from_settings(entry: Entry, settings: Settings, *, bare: bool) -> Asked:
    """Return what a run with these settings would hold. Raises SettingsError.

    `bare`: no grant was named, so what is remembered for the folder counts.
    """
    origin = "flags"
    notes: tuple[str, ...] = ()
    if bare:
        settings, origin, notes = remembered(entry, settings)
    from capbox.engine.offer import able
    from capbox.engine.presets import implied

    registry = _registry(entry)
    tools, broken = registry.tools, [f"{u.where}: {u.message}" for u in registry.unusable]
    manifests = {name: found.manifest for name, found in tools.items()}
    layout, mint = entry.hold(settings)
    unnamed = implied(tools, None, settings.tools)
    names = tuple(sorted(unnamed)) if settings.tools is None else settings.tools
    unknown = [name for name in names if name not in manifests]
    if unknown:
        known = ", ".join(sorted(manifests))
        reasons = "".join(f"; {one}" for one in broken)
        raise usage(f"--tool {unknown[0]}: there is no such tool; there are: {known}{reasons}")
    model = () if settings.model is None else (Grant("model", ModelSelector(settings.model)),)
    held = mint((*(Grant("tool", NameSelector(name)) for name in names), *model))
    lent = entry.unasked(settings, tools)
    paths = [m.grant.path for a in (held, *lent.leases) for m in a.grants if m.grant.path]
    wider = Layout.of(layout.workspace, paths, layout.mounts)

    subject = Subject(
        held=(held, *lent.leases),
        layout=wider if isinstance(wider, Layout) else layout,
        as_of=Standing(time.time()),
        mints=_mints(entry, settings.workspace),
        shipped=frozenset(manifests),
        offered=able(unnamed, mint(()), settings.tools),
        limits=settings.limits,
        budget=settings.budget,
        machine=_machine(entry.environ),
        trusted=entry.trusted(),
    )
    left_out = (f"{one}; this tool is left out" for one in broken)
    return Asked(subject, origin, notes=(*notes, *lent.notes, *left_out))


def from_record(entry: Entry, run: str) -> Asked:
    """Return what a run on record held, with its leases. Raises CommandFailure if it is broken."""
    found = _verified(entry, run)
    shipped = frozenset(tools_of(entry))
    workspace = Path(found.workspace)
    notes: list[str] = []
    own, layout = _minted(entry, workspace, found.grants, notes)
    held = [] if found.authority in found.revoked and not found.ended else [own]
    for lease in found.leases:
        if lease.term != "for this call" and (found.ended or lease.authority not in found.revoked):
            held.append(_minted(entry, workspace, (lease.grant,), notes)[0])
    once = sum(lease.term == "for this call" for lease in found.leases)
    if once:
        notes.append(f"{once} of its leases were for one call, and are not counted")
    if found.revoked:
        notes.append(f"{len(found.revoked)} of its authorities were revoked on the way")
    notes.append("on the files as they are now, under the operator's rules as they are now")
    subject = Subject(
        held=tuple(held),
        layout=layout,
        # A run that has ended is shown as it began; one that goes on, as it is.
        as_of=Standing(found.started if found.ended else time.time()),
        mints=_mints(entry, workspace),
        shipped=shipped,
        offered=tuple(name for name, _ in found.used.calls),
        machine=_machine(entry.environ),
        trusted=entry.trusted(),
    )
    return Asked(subject, f"run {found.run}", found.used, tuple(notes))


def home_of(environ: Mapping[str, str]) -> HostPath | None:
    """Return the home directory, with links resolved, if there is one."""
    home = environ.get("HOME")
    return HostPath(os.path.realpath(home)) if home and home.startswith("/") else None


def _machine(environ: Mapping[str, str]) -> Machine:
    places = [p for p in environ.get("PATH", "").split(":") if p.startswith("/")]
    return Machine(home_of(environ), tuple(HostPath(os.path.realpath(place)) for place in places))


def remembered(entry: Entry, settings: Settings) -> tuple[Settings, str, tuple[str, ...]]:
    """Return what a run without a grant flag holds at a terminal, whence, and notes on that."""
    from capbox.surfaces.cli.opening import Choice, Remembered, folder_key

    try:
        folder = folder_key(settings.workspace)
    except OSError:
        return settings, "nothing", ()  # no such folder; minting says so
    known = Remembered(entry.home().state / "folders.json").get(folder)
    if isinstance(known, Choice):
        note = f"remembered for this folder: {known}; capbox run at a terminal begins with that"
        return known.applied(settings), "remembered", (note,)
    notes = ("nothing is granted, and nothing is remembered for this folder",)
    return settings, "nothing", notes if known is None else (known,)


def tools_of(entry: Entry) -> Mapping[str, Found]:
    """Return the tools that are there. Raises SettingsError."""
    return _registry(entry).tools


def _registry(entry: Entry) -> Registry:
    from capbox.tools.available import available

    registry = available(entry.guests(), entry.home().tools)
    if registry.errors:
        raise SettingsError(registry.errors[0].where, registry.errors[0].message)
    return registry


def _mints(entry: Entry, workspace: Path) -> Mints:
    """Return what says whether a grant could be given here."""
    _, mint = entry.hold(Settings(workspace=workspace, environ=entry.environ))

    def mints(grant: Grant) -> bool:
        try:
            mint((grant,))
        except SettingsError:
            return False
        return True

    return mints


def _minted(
    entry: Entry, workspace: Path, grants: tuple[str, ...], notes: list[str]
) -> tuple[Authority, Layout]:
    """Mint what can still be minted of `grants`; the rest goes to `notes`."""
    bare = Settings(workspace=workspace, environ=entry.environ)
    kept: list[str] = []
    for text in grants:
        try:
            entry.hold(replace(bare, grants=(text,)))
        except SettingsError as error:
            notes.append(f"left out: {error}")
        else:
            kept.append(text)
    layout, mint = entry.hold(replace(bare, grants=tuple(kept)))
    return mint(()), layout


def _verified(entry: Entry, run: str) -> Recorded:
    from capbox.journal.verify import Broken, verify
    from capbox.store.journal import read
    from capbox.surfaces.cli.commands.audit import journal_of, run_named, signer_of

    directory = journal_of(entry)
    wanted = run_named(run, directory)
    signer = signer_of(entry, directory)
    if signer is None:
        raise usage("there is no run on record")
    for verdict in verify(directory, signer, wanted):
        if isinstance(verdict, Broken):
            place = "" if verdict.entry is None else f" at entry {verdict.entry}"
            raise CommandFailure("broken", f"the record of {wanted} is broken{place}", 1)
    found = recorded(wanted, [r.content for r in read(directory, wanted) if r.content is not None])
    if found is None:
        raise CommandFailure("broken", f"the record of {wanted} has no header", 1)
    return found
