"""Walks what file rights cover on this disk, and counts.

Guarantees: a name is judged as the sandbox judges it, by the same automata, stepped once a
component; no link is followed and no file opened; a hard link to a file that is kept counts as
kept. Bounded: past `ENTRIES_MAX` names the counting stops, and `Reach.whole` says so. Does not:
know what a later moment brings; it is a count of now.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from capbox.authority.authority import FileRight
from capbox.authority.exclusions import HIDDEN, MATCHED, Globs, State, compiled
from capbox.authority.paths import WORKSPACE, Layout, below, joined, under
from capbox.engine.radius.reach import Count, Reach, Watch, shown
from capbox.gate.rights.files import host_path

ENTRIES_MAX = 250_000
NAMES_MAX = 200
_LINKS_MAX = 1_000


def reach(
    rights: Sequence[FileRight],
    layout: Layout,
    watches: Sequence[Watch] = (),
    *,
    entries_max: int = ENTRIES_MAX,
) -> Reach:
    """Walk everything that `rights` cover, and count."""
    walk = _Walk(rights, layout, watches, entries_max)
    walk.run()
    return walk.found()


@dataclass(frozen=True, slots=True)
class _Rule:
    """One right on the way down: where its automata are. `protected` None: it may not write."""

    number: int
    hidden: Globs
    seen: State
    protected: Globs | None
    guarded: State

    def reads(self, name: str) -> bool:
        return self.hidden.step(self.seen, name) != MATCHED

    def writes(self, name: str) -> bool:
        return self.protected is not None and self.protected.step(self.guarded, name) != MATCHED

    def below(self, name: str) -> _Rule | None:
        seen = self.hidden.step(self.seen, name)
        if seen == MATCHED:
            return None
        if self.protected is None:
            return replace(self, seen=seen)
        return replace(self, seen=seen, guarded=self.protected.step(self.guarded, name))


@dataclass(frozen=True, slots=True)
class _Folder:
    """A directory still to be looked into; without rules all in it is hidden."""

    host: str
    rules: tuple[_Rule, ...]
    watched: tuple[State | None, ...]


@dataclass(slots=True, eq=False)
class _Tally:
    """Files and bytes, while they are counted."""

    files: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.files += 1
        self.bytes += size

    @property
    def count(self) -> Count:
        return Count(self.files, self.bytes)


class _Walk:
    """One walk over everything covered."""

    def __init__(
        self,
        rights: Sequence[FileRight],
        layout: Layout,
        watches: Sequence[Watch],
        entries_max: int,
    ) -> None:
        self._rights = rights
        self._layout = layout
        self._watches = watches
        self._left = entries_max
        self._starts: dict[str, list[_Rule]] = {}
        for number, right in enumerate(rights):
            self._starts.setdefault(host_path(right.path, layout), []).append(_rule(number, right))
        self._roots = [
            at for at in self._starts if not any(under(at, o) and at != o for o in self._starts)
        ]
        self._todo: deque[_Folder] = deque()
        self._readable, self._writable = _Tally(), _Tally()
        self._hidden, self._protected = _Tally(), _Tally()
        self._each = [(_Tally(), _Tally()) for _ in rights]
        self._linked: list[tuple[_Folder, str, os.stat_result]] = []
        self._hidden_linked: set[tuple[int, int]] = set()
        self._kept: list[str] = []
        self._links = self._hard_links = self._closed = 0
        self._links_out: list[str] = []
        self._hits: dict[int, str] = {}

    def run(self) -> None:
        """Walk to the end, or as far as the bound lets."""
        for root in self._roots:
            self._begin(root)
        while self._todo and self._left > 0:
            self._look_into(self._todo.popleft())
        for folder, name, found in self._linked:
            self._linked_file(folder, name, found)

    def found(self) -> Reach:
        """Return what was counted."""
        return Reach(
            readable=self._readable.count,
            writable=self._writable.count,
            hidden=self._hidden.count,
            protected=self._protected.count,
            by_grant={
                right.grant: (read.count, written.count)
                for right, (read, written) in zip(self._rights, self._each, strict=True)
            },
            kept=tuple(self._kept),
            links=self._links,
            links_out=tuple(self._links_out),
            hard_links=self._hard_links,
            closed=self._closed,
            hits=self._hits,
            whole=not self._todo,
        )

    def _begin(self, root: str) -> None:
        """Start at a granted path, as if it were met on the way down from `/`."""
        try:
            status = os.lstat(root)
        except OSError:
            return  # granted to be made
        above, _, name = root.rpartition("/")
        watched = tuple(self._from_root(watch, above or "/") for watch in self._watches)
        parent = _Folder(above or "/", (), watched)
        self._meet(parent, name, status.st_mode, lambda: status)

    def _from_root(self, watch: Watch, host: str) -> State | None:
        """Return where a watch is at `host`; None where its names do not begin yet."""
        workspace = self._layout.workspace
        if watch.base != "/" and under(host, workspace):
            start: str = workspace
        elif watch.base == "anywhere":
            start = host
        elif watch.base == "/":
            start = "/"
        else:
            return None
        state = watch.globs.start()
        for component in filter(None, below(host, start).split("/")):
            state = watch.globs.step(state, component)
        return state

    def _look_into(self, folder: _Folder) -> None:
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(folder.host, flags)
        except OSError:
            self._closed += 1
            return
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    self._left -= 1
                    if self._left < 0:
                        self._todo.append(folder)
                        return
                    self._entry(folder, entry)
        except OSError:
            self._closed += 1
        finally:
            os.close(fd)

    def _entry(self, folder: _Folder, entry: os.DirEntry[str]) -> None:
        if entry.is_dir(follow_symlinks=False):
            mode = stat.S_IFDIR
        elif entry.is_file(follow_symlinks=False):
            mode = stat.S_IFREG
        else:
            mode = stat.S_IFLNK if entry.is_symlink() else 0
        self._meet(folder, entry.name, mode, lambda: entry.stat(follow_symlinks=False))

    def _meet(
        self, folder: _Folder, name: str, mode: int, status: Callable[[], os.stat_result]
    ) -> None:
        """Take up one name of a folder."""
        if stat.S_ISDIR(mode):
            self._todo.append(self._below(folder, name))
        elif stat.S_ISLNK(mode):
            self._link(folder, name)
        elif stat.S_ISREG(mode):
            try:
                found = status()
            except OSError:
                return  # gone in the meantime
            if found.st_nlink > 1:
                self._linked.append((folder, name, found))
                if not self._readers(folder, name):
                    self._hidden_linked.add((found.st_dev, found.st_ino))
            else:
                self._regular(folder, name, found.st_size)

    def _below(self, folder: _Folder, name: str) -> _Folder:
        host = joined(folder.host, name)
        kept = [below for rule in folder.rules if (below := rule.below(name)) is not None]
        rules = (*kept, *self._starts.get(host, ()))
        if folder.rules and not rules:
            self._keep(f"{host}/")
        watched = tuple(
            self._stepped(watch, state, host, name)
            for watch, state in zip(self._watches, folder.watched, strict=True)
        )
        return _Folder(host, rules, watched)

    def _stepped(self, watch: Watch, state: State | None, host: str, name: str) -> State | None:
        if watch.base != "/" and host == self._layout.workspace and state != MATCHED:
            return watch.globs.start()  # the workspace's own name is nobody's concern
        return None if state is None else watch.globs.step(state, name)

    def _readers(self, folder: _Folder, name: str) -> list[tuple[_Rule, bool]]:
        """Return the rights that read a file here, and whether each writes it."""
        found = [(rule, rule.writes(name)) for rule in folder.rules if rule.reads(name)]
        for rule in self._starts.get(joined(folder.host, name), ()):
            found.append((rule, rule.protected is not None))
        return found

    def _linked_file(self, folder: _Folder, name: str, found: os.stat_result) -> None:
        """Count a file of several names: one that is kept under any of them is kept."""
        if (found.st_dev, found.st_ino) in self._hidden_linked:
            self._hide(folder, name, found.st_size)
            return
        self._hard_links += 1
        self._regular(folder, name, found.st_size)

    def _regular(self, folder: _Folder, name: str, size: int) -> None:
        readers = self._readers(folder, name)
        if not readers:
            self._hide(folder, name, size)
            return
        self._readable.add(size)
        written = any(writes for _, writes in readers)
        if written:
            self._writable.add(size)
        elif any(rule.protected is not None for rule, _ in readers):
            self._protected.add(size)
        for rule, writes in readers:
            self._each[rule.number][0].add(size)
            if writes:
                self._each[rule.number][1].add(size)
        if self._watches:
            self._look_for(folder, name, written=written)

    def _hide(self, folder: _Folder, name: str, size: int) -> None:
        self._hidden.add(size)
        if folder.rules:
            self._keep(joined(folder.host, name))

    def _look_for(self, folder: _Folder, name: str, *, written: bool) -> None:
        host = joined(folder.host, name)
        for number, (watch, state) in enumerate(zip(self._watches, folder.watched, strict=True)):
            if state is None or number in self._hits or (watch.write and not written):
                continue
            if watch.globs.step(state, name) == MATCHED:
                self._hits[number] = self._shown(host)

    def _keep(self, host: str) -> None:
        """Note a name that is hidden, where nothing above it is, if it is that of a secret."""
        path = self._layout.canonical(host.rstrip("/"))
        root = WORKSPACE if under(path, WORKSPACE) else "/"
        if len(self._kept) < NAMES_MAX and compiled(HIDDEN).matches(below(path, root)):
            self._kept.append(self._shown(host))

    def _link(self, folder: _Folder, name: str) -> None:
        if not any(rule.reads(name) for rule in folder.rules):
            return
        self._links += 1
        if self._links > _LINKS_MAX or len(self._links_out) >= NAMES_MAX:
            return
        host = joined(folder.host, name)
        target = os.path.realpath(host)
        if not any(under(target, root) for root in self._roots):
            self._links_out.append(self._shown(host))

    def _shown(self, host: str) -> str:
        end = "/" if host.endswith("/") else ""
        return shown(self._layout.canonical(host.rstrip("/"))) + end


def _rule(number: int, right: FileRight) -> _Rule:
    hidden, protected = compiled(right.hidden), compiled(right.protected)
    return _Rule(
        number,
        hidden,
        hidden.start(right.anchor),
        protected if right.write else None,
        protected.start(right.anchor),
    )
