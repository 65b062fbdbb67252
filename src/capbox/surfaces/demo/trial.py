"""Tries every attack on both targets, at the same time, and says what came of each.

Guarantees: an attack counts as contained only if its predicate saw it work on the naive fixture,
and did not see it here; nor did a canary reach the model, anything outside the workspace change,
anything arrive at a socket, or the sandbox fail. Does not: print.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anyio import create_task_group, to_thread

from capbox.engine.home import Home
from capbox.surfaces.demo.attack import EDITOR, HURRIED, NOTHING, READER, Attack, Finding
from capbox.surfaces.demo.cause import cause
from capbox.surfaces.demo.hostile import Attempt, OpenSession, assault
from capbox.surfaces.demo.naive.fixture import naive
from capbox.surfaces.demo.network import Network
from capbox.surfaces.demo.scene import build


@dataclass(frozen=True, slots=True)
class Targets:
    """Where to try: sessions of capbox, its own directories and tools, a folder to work in."""

    open_session: OpenSession
    home: Home
    guests: Path
    root: Path


async def tried(
    attacks: tuple[Attack, ...], targets: Targets, report: Callable[[int], None]
) -> tuple[tuple[Finding, ...], frozenset[str]]:
    """Return a finding for each attack, in order, and the ids of the runs they were made in.

    `report` is told how many attempts, on either target, are over.
    """
    bites: dict[str, str | None] = {}
    attempts: dict[str, Attempt] = {}

    def count() -> None:
        report(len(bites) + len(attempts))

    async with create_task_group() as tasks:
        tasks.start_soon(try_naive, attacks, targets.root, bites, count)
        tasks.start_soon(try_here, attacks, targets, attempts, count)
    runs = frozenset(r.journal for a in attempts.values() for r in a.results if r.journal)
    return tuple(finding(attempts[a.id], bites[a.id]) for a in attacks), runs


def finding(attempt: Attempt, bite: str | None) -> Finding:
    """Return what one attack came to, given how it bit the naive fixture."""
    scene = attempt.after.scene
    found = cause(attempt.results, attempt.attack.lacks or scene.hidden_by_scratch())
    breach = _breach(attempt)
    if breach is None and found is None:
        said = [r.error.message for r in attempt.results if r.error is not None]
        breach = f"nothing known stopped it: {said[-1] if said else 'no word'}"
    return Finding(
        attempt.attack,
        bite,
        stopped_by="nothing" if found is None else str(found),
        evidence="" if found is None else scene.short(found.evidence),
        breach=breach,
    )


def _breach(attempt: Attempt) -> str | None:
    after = attempt.after
    if len(attempt.results) < len(attempt.attack.uses):
        return "the run ended before the attack did"
    own = attempt.attack.bites(after)
    leaked = after.scene.leaked(after.text)
    changed = after.scene.changed_outside()
    if own is not None:
        return own
    if leaked is not None:
        return f"the model read {leaked}"
    if changed is not None:
        return f"{changed} is not as it was"
    return "something arrived at a socket" if after.sent else None


async def try_naive(
    attacks: tuple[Attack, ...], root: Path, bites: dict[str, str | None], count: Callable[[], None]
) -> None:
    """Put into `bites`, by id, how each attack bit; `count` is called after each."""
    with Network() as network:
        for attack in attacks:
            bites[attack.id] = await to_thread.run_sync(on_naive, attack, root, network)
            count()


def on_naive(attack: Attack, root: Path, network: Network) -> str | None:
    """Try one attack on the naive fixture, in a fresh scene below `root`; return how it bit."""
    place = root / "naive" / attack.id
    place.mkdir(parents=True)
    return attack.bites(naive(attack, build(place, secrets.token_hex(4), network.places), network))


async def try_here(
    attacks: tuple[Attack, ...],
    targets: Targets,
    attempts: dict[str, Attempt],
    count: Callable[[], None],
) -> None:
    """Put into `attempts`, by id, what each attack came to; `count` is called after each."""
    own = {
        "config": str(targets.home.config),
        "state": str(targets.home.state),
        "tools": str(targets.guests),
        "guess": "/mnt",
    }

    def keep(attempt: Attempt) -> None:
        attempts[attempt.attack.id] = attempt
        count()

    with Network() as network:
        for holds in (READER, EDITOR, HURRIED, NOTHING):
            place = targets.root / "contained" / holds.name
            place.mkdir(parents=True)
            scene = build(place, secrets.token_hex(4), {**own, **network.places})
            chosen = tuple(attack for attack in attacks if attack.holds == holds)
            await assault(targets.open_session, scene, network, chosen, keep)
