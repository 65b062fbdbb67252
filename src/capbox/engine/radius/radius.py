"""The blast radius of what a run holds: everything that the worst model could do with it.

Guarantees: worked out from the authority that a run would have, on the files that are there now;
the only IO is the walk over names and sizes. Does not: read a file's content, or ask anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capbox.authority.authority import Minted
from capbox.engine.radius.bounds import Bounds, bounds, lasting
from capbox.engine.radius.ends import (
    Sink,
    Source,
    UsableSecret,
    sinks,
    sources,
    untrusted,
    usable_secrets,
)
from capbox.engine.radius.flows import Flow, flows, unlisted
from capbox.engine.radius.lints import Lint, lints
from capbox.engine.radius.reach import Reach, Watch
from capbox.engine.radius.subject import Subject
from capbox.engine.radius.walk import reach


@dataclass(frozen=True, slots=True)
class Radius:
    """All of it; `subject` is what it was worked out from.

    `unlisted` are the pairs that only a rule asks for: no report has them.
    """

    subject: Subject
    reach: Reach
    known: tuple[Source, ...]
    places: tuple[Sink, ...]
    secrets: tuple[UsableSecret, ...]
    web: tuple[Minted, ...]
    flows: tuple[Flow, ...]
    unlisted: tuple[tuple[Source, Sink], ...]
    lints: tuple[Lint, ...]
    bounds: Bounds | None
    lasting: tuple[str, ...]


def radius(subject: Subject, watches: Sequence[Watch] = ()) -> Radius:
    """Work it out; what `watches` look for is in `reach.hits`."""
    found = reach(subject.rights, subject.layout, watches)
    known = sources(subject, found)
    stranger = untrusted(subject, found)
    places = sinks(subject)
    every = flows(known, stranger, places, subject.mints)
    return Radius(
        subject=subject,
        reach=found,
        known=known,
        places=places,
        secrets=tuple(usable_secrets(subject)),
        web=tuple(m for m in subject.live if m.grant.action == "fetch"),
        flows=every,
        unlisted=tuple(unlisted((*known, *([stranger] if stranger else [])), places)),
        lints=lints(subject, every),
        bounds=bounds(subject),
        lasting=lasting(subject),
    )
