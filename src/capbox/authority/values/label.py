"""Where data came from: the sources that a run's context holds, and what they forbid. Pure values.

Guarantees: a bounded set of sources never forgets that it held untrusted or confidential ones: what
is left out is replaced by `KIND:*`. Does not: find out what a call has read; the gate does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from capbox.authority.web.places import Origin

Kind = Literal["workspace", "web", "function", "secret"]
MANY = "*"


@dataclass(frozen=True, slots=True)
class Source:
    """One source, printed as `web:https://example.com`. `trusted` ones the operator has marked.

    Of kind secret: a file that is kept from every grant that does not name it, a variable, or a
    secret that was sent; what is read with it may go back to its own `origin`, and nowhere else.
    """

    kind: Kind
    name: str
    trusted: bool = False
    origin: Origin | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @property
    def untrusted(self) -> bool:
        """Say whether a stranger may have written what comes from here."""
        # What is secret comes from another source too, which says whether it can be trusted.
        return self.kind != "secret" and not self.trusted

    def confidential_for(self, origin: Origin | None) -> bool:
        """Say whether this must not leave for `origin` (None: for anywhere)."""
        return self.kind == "secret" and (self.origin is None or self.origin != origin)


Sources = frozenset[Source]
NOTHING: Sources = frozenset()


def bounded(sources: Iterable[Source], most: int) -> Sources:
    """Return at most about `most` sources: of a kind with too many, one that stands for all."""
    found = frozenset(sources)
    if len(found) <= most:
        return found
    kept: set[Source] = set()
    for source in found:
        # Secrets that may go back somewhere lose that when they are lumped together.
        kept.add(Source(source.kind, MANY, trusted=source.trusted))
    return frozenset(kept)


def told(sources: Iterable[Source], most: int = 3) -> str:
    """Return some of the sources as text, for a reason."""
    names = sorted(map(str, sources))
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
