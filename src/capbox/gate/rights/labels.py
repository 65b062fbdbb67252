"""What a call has read, or could read, as sources: from its effects, its rights and its variables.

Guarantees: where the list of effects is not whole, everything that the call could read counts as
read; what other calls of the run could read meanwhile counts too, since they share a scratch
directory. Does not: judge what a source forbids; `authority.grant` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capbox.authority.authority import FileRight, Minted
from capbox.authority.exclusions import HIDDEN, compiled
from capbox.authority.paths import SCRATCH, HostPath, under
from capbox.authority.values.label import MANY as EVERY
from capbox.authority.values.label import NOTHING, Kind, Source, Sources, bounded
from capbox.journal.tables.provenance import Note, Provenance
from capbox.sandbox.effects import MANY, READ_ACTIONS
from capbox.sandbox.spec import Outcome, Touched

SOURCES_MAX = 200
_NAMING = frozenset({"create", "rename", "symlink", "mkdir"})
_WRITING = frozenset({"write", *_NAMING})
# By which grants a call hears from where; what a server answers to a secret is as secret.
_HEARD: Mapping[Kind, str] = {"web": "fetch", "function": "invoke", "secret": "secret"}


@dataclass(slots=True, eq=False)
class Reading:
    """What one call reads: of the network (`reached`), of files (`touched` so far), of variables.

    `could` are the sources of everything that its rights let it read; `seen` of its variables.
    `expected` is what it was about to write, noted under the name `call`; what strangers may tell
    it until then, with what it sends, are the sources of `hears`.
    """

    could: Sources
    seen: Sources
    context: Context
    call: str
    hears: Sources
    reached: set[Source] = field(default_factory=set)
    touched: Callable[[], tuple[Touched, ...]] = tuple
    expected: set[HostPath] = field(default_factory=set)

    def until_now(self) -> Sources:
        """Return the sources of what the call has read until now."""
        return self._of(self.touched(), whole=True)

    def at_end(self, outcome: Outcome) -> Sources:
        """Return the sources of what the call has read."""
        return self._of(outcome.touched, whole=outcome.effects_whole) | outcome.sources

    def about_to_write(self, host: HostPath) -> None:
        """Note, before a file changes, what it may hold until the call is over.

        Raises JournalError. Attack: another run reads the file while this one writes.
        """
        if host not in self.expected:
            self.expected.add(host)
            self.context.expect(host, self)

    def _of(self, touched: Iterable[Touched], *, whole: bool) -> Sources:
        files = tuple(touched)
        found = {*self.seen, *self.reached, *self.context.of_files(files, self.call)}
        if not whole or any(one.path == MANY for one in files):
            found |= self.could
        return bounded(found, SOURCES_MAX)


class Context:
    """The sources of what one run has read: of calls that ended, and of those under way."""

    def __init__(
        self,
        trusted: tuple[HostPath, ...] = (),
        provenance: Provenance | None = None,
        sources: Sources = NOTHING,
    ) -> None:
        """Start with `sources` read; below `trusted` nobody but the operator has written.

        What files hold of what runs have read is kept in `provenance`.
        """
        self.sources = sources
        self._trusted = trusted
        self._provenance = provenance
        self._under_way: list[Reading] = []

    def possible(self, rights: Iterable[tuple[FileRight, HostPath]]) -> Sources:
        """Return the sources of all that these rights let a call read. Raises JournalError."""
        could: set[Source] = set()
        for right, host in rights:
            could.update(self._file(right.path, host))
            if self._provenance is not None:
                could |= self._provenance.about(host)
        return frozenset(could)

    def begin(
        self,
        could: Sources,
        variables: Iterable[str],
        call: str = "",
        live: Iterable[Minted] = (),
    ) -> Reading:
        """Note a call that starts, with what it may read and the host's variables that it sees."""
        seen = frozenset(Source("secret", name) for name in variables)
        actions = {minted.grant.action for minted in live}
        hears = frozenset(
            Source(kind, EVERY) for kind, action in _HEARD.items() if action in actions
        )
        reading = Reading(could, seen, self, call, hears)
        self._under_way.append(reading)
        return reading

    def end(self, reading: Reading, outcome: Outcome) -> Sources:
        """Note what a call has read, and return that. Raises JournalError."""
        found = reading.could
        try:
            found = reading.at_end(outcome)
        finally:
            self._under_way.remove(reading)
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

    def of_files(self, touched: tuple[Touched, ...], call: str = "") -> Iterator[Source]:
        """Yield the sources of the files that were read. Raises JournalError."""
        changed = {one.host for one in touched if one.action not in READ_ACTIONS} - {None}
        moved = _moved(touched)
        for one in touched:
            if one.action == "call":
                # What a function of the embedding program says may be anybody's words.
                yield Source("function", one.path.partition("(")[0])
            if one.action not in READ_ACTIONS or under(one.path, SCRATCH):
                continue
            if one.host is None:
                yield Source("workspace", EVERY)
                continue
            yield from self._file(one.path, one.host)
            if self._provenance is None:
                continue
            read = one.action == "read"
            held = (self._provenance.of if read else self._provenance.of_names)(one.host, call)
            yield from held or ()
            # Attack: what was read is overwritten or moved before anybody looks at it.
            if held is None or not changed.isdisjoint(
                (one.host, *map(str, Path(one.host).parents))
            ):
                for host in (one.host, *moved):
                    yield from self._provenance.about(host, call)

    def _file(self, path: str, host: HostPath) -> Iterator[Source]:
        trusted = any(under(host, place) for place in self._trusted)
        yield Source("workspace", path, trusted=trusted)
        # Seen from the root: only a grant that names it leads to such a file.
        if compiled(HIDDEN).matches(host.lstrip("/")):
            yield Source("secret", path)

    def expect(self, host: HostPath, reading: Reading) -> None:
        """Keep what a file may hold that a call is about to write. Raises JournalError."""
        if self._provenance is not None:
            may_hold = self._kept(host, self.now() | reading.hears)
            if may_hold:
                self._provenance.expect(host, may_hold, reading.call)
            else:
                reading.expected.discard(host)  # by then it may have read more

    def keep(self, touched: tuple[Touched, ...], reading: Reading) -> None:
        """Keep what a call that ended may have put into files. Raises JournalError."""
        if self._provenance is None:
            return
        # A file keeps what it came from under its new name, and so does all that lies below it.
        moved = {
            source
            for host in _moved(touched)
            for source in self._provenance.about(host, reading.call)
        }
        notes: list[Note] = []
        for one in touched:
            if one.host is None or one.action not in _WRITING or under(one.path, SCRATCH):
                continue
            before = self._provenance.about(one.host, reading.call)
            # Attack: another call puts a secret into the scratch directory, this one copies it.
            held = before | moved | self._kept(one.host, self.now())
            if held:
                named, tree = one.action in _NAMING, bool(moved) and Path(one.host).is_dir()
                notes.append(Note(one.host, held, named=named, tree=tree))
        if notes or reading.expected:
            self._provenance.settle(reading.call, notes)

    def _kept(self, host: HostPath, sources: Sources) -> Sources:
        """Return what of `sources` is told of a file that one has written who had read them."""
        marked = any(under(host, place) for place in self._trusted)
        return frozenset(
            source
            for source in sources
            if source.confidential_for(None) or (marked and source.untrusted)
        )


def _moved(touched: Iterable[Touched]) -> tuple[HostPath, ...]:
    """Return what was renamed, by its old name."""
    return tuple({one.host: None for one in touched if one.action == "rename" and one.host})
