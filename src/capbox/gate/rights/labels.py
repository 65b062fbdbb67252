"""What a call has read, or could read, as sources: from its effects, its rights and its variables.

Guarantees: where the list of effects is not whole, everything that the call could read counts as
read; what other calls of the run could read meanwhile counts too, since they share a scratch
directory. Does not: judge what a source forbids; `authority.grant` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from capbox.authority.authority import FileRight
from capbox.authority.exclusions import HIDDEN, compiled
from capbox.authority.label import MANY as EVERY
from capbox.authority.label import NOTHING, Source, Sources, bounded
from capbox.authority.paths import SCRATCH, HostPath, under
from capbox.sandbox.effects import MANY, READ_ACTIONS
from capbox.sandbox.spec import Outcome, Touched

SOURCES_MAX = 200


def _nothing() -> tuple[Touched, ...]:
    return ()


@dataclass(slots=True, eq=False)
class Reading:
    """What one call reads: of the network (`reached`), of files (`touched` so far), of variables.

    `could` are the sources of everything that its rights let it read; `seen` of its variables.
    """

    could: Sources
    seen: Sources
    trusted: tuple[HostPath, ...]
    reached: set[Source] = field(default_factory=set)
    touched: Callable[[], tuple[Touched, ...]] = _nothing

    def until_now(self) -> Sources:
        """Return the sources of what the call has read until now."""
        return self._of(self.touched(), whole=True)

    def at_end(self, outcome: Outcome) -> Sources:
        """Return the sources of what the call has read."""
        return self._of(outcome.touched, whole=outcome.effects_whole)

    def _of(self, touched: Iterable[Touched], *, whole: bool) -> Sources:
        files = list(touched)
        found = {*self.seen, *self.reached, *_files(files, self.trusted)}
        if not whole or any(one.path == MANY for one in files):
            found |= self.could
        return bounded(found, SOURCES_MAX)


class Context:
    """The sources of what one run has read: of calls that ended, and of those under way."""

    def __init__(self, trusted: tuple[HostPath, ...] = ()) -> None:
        """Start with nothing read; below `trusted` nobody but the operator has written."""
        self.sources = NOTHING
        self.trusted = trusted
        self._under_way: list[Reading] = []

    def begin(
        self, rights: Iterable[tuple[FileRight, HostPath]], variables: Iterable[str]
    ) -> Reading:
        """Note a call that starts, with what it may read and the host's variables that it sees."""
        could: set[Source] = set()
        for right, host in rights:
            could.update(_file(right.path, host, self.trusted))
        seen = frozenset(Source("secret", name) for name in variables)
        reading = Reading(frozenset(could), seen, self.trusted)
        self._under_way.append(reading)
        return reading

    def end(self, reading: Reading, outcome: Outcome) -> Sources:
        """Note what a call has read, and return that."""
        self._under_way.remove(reading)
        found = reading.at_end(outcome)
        self.sources = bounded(self.sources | found, SOURCES_MAX)
        return found

    def now(self, reading: Reading | None = None) -> Sources:
        """Return the sources of all that may be known where a call (None: a new one) is decided."""
        found = set(self.sources)
        for other in self._under_way:
            if other is not reading:
                # Attack: one call puts a secret into the scratch directory, the other sends it.
                found |= other.could | other.seen | other.reached
        return frozenset(found if reading is None else found | reading.until_now())


def _files(touched: Iterable[Touched], trusted: tuple[HostPath, ...]) -> Iterator[Source]:
    for one in touched:
        if one.action not in READ_ACTIONS or under(one.path, SCRATCH):
            continue
        if one.host is None:
            yield Source("workspace", EVERY)
        else:
            yield from _file(one.path, one.host, trusted)


def _file(path: str, host: HostPath, trusted: tuple[HostPath, ...]) -> Iterator[Source]:
    yield Source("workspace", path, trusted=any(under(host, place) for place in trusted))
    # Seen from the root: only a grant that names it leads to such a file.
    if compiled(HIDDEN).matches(host.lstrip("/")):
        yield Source("secret", path)
