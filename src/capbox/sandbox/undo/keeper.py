"""What one run changes, saved before it changes: the state of each path, and each rename.

Guarantees: "saved" is answered when the line that says so is in the index; a path is saved once,
and once more when somebody else has changed it between two calls; a renamed tree is not copied,
what is saved goes along with its names. After a failed write nothing more is saved, and so nothing
more changed. Does not: decide who may ask (see `asking`), or restore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from capbox.messages import Json, JsonObject
from capbox.sandbox.handles import SandboxError
from capbox.sandbox.spec import is_temporary
from capbox.sandbox.undo.blobs import Blobs
from capbox.sandbox.undo.index import VERSION, Index
from capbox.sandbox.undo.paths import Names, Paths
from capbox.sandbox.undo.state import NotKept, Signature, State, captured, seen
from capbox.sandbox.undo.walk import Roots, above, folder, joined

ENTRIES_MAX = 200_000
RUN_BYTES_MAX = 1 << 30
INLINE_ENDS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept: bytes of one run, bytes of all together, and for how long."""

    run_bytes: int = RUN_BYTES_MAX
    total_bytes: int = 4 << 30
    days: int = 30


_Left = tuple[Signature, int] | None
"""How a path was left: its signature and the time of its last change, None for nothing there."""


@dataclass(slots=True, eq=False)
class _Call:
    """What one call has asked for: how many renames before that, the root and the path.

    `renaming` is the rename that may not have happened yet.
    """

    asked: list[tuple[int, str, str]] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    renaming: tuple[int, str, str, str, str] | None = None

    def ask(self, root: str, name: str) -> None:
        """Note that a path was asked for."""
        self.asked.append((len(self.renamed), root, joined(root, name)))

    def present(self) -> Iterator[tuple[str, str]]:
        """Yield root and present path of everything that was asked for."""
        names, done = Names(), len(self.renamed)
        for number, root, path in reversed(self.asked):
            while done > number:
                done -= 1
                names.renamed(*self.renamed[done])
            later = names.of(path)
            if later is not None:
                yield root, later


class Keeper:
    """The saved states of one run, in a folder that is made when there is something to save."""

    def __init__(
        self,
        place: Path,
        header: JsonObject,
        bounds: Bounds,
        *,
        first: Callable[[], None] = lambda: None,
        file: str = "index",
    ) -> None:
        """Keep below `place`/`header["run"]`; `first` is called before anything is."""
        self._shared = place / "blobs"
        self._own = place / str(header["run"])
        self._header = header
        self._bounds = bounds
        self._first = first
        self._file = file
        self._lock = Lock()
        self._roots = Roots()
        self._numbers: dict[str, int] = {}
        self._known: Paths[bool] = Paths()
        self._posts: Paths[_Left | tuple[()]] = Paths()
        self._calls: dict[int, _Call] = {}
        self._index: Index | None = None
        self._blobs: Blobs | None = None
        self._entries = 0
        self._broken = ""

    def resume(
        self, call: int, lines: int, roots: Iterable[str], asked: Iterable[tuple[str, str, str]]
    ) -> None:
        """Go on with an index that was left after `lines`, in the middle of `call`.

        `asked` are its paths in order: root, name, and for a rename the new name. Raises OSError.
        """
        self._index = Index(self._own / self._file, lines)
        self._numbers = {root: number for number, root in enumerate(roots)}
        for root, name, new in asked:
            mine = self._settled(call)
            mine.ask(root, name)
            if new:
                mine.ask(root, new)
                mine.renaming = 0, root, name, new, ""
            else:
                self._known.set(joined(root, name), True)
        self._settled(call)

    def save(self, call: int, root: str, name: str, *, inline: bool = False) -> str:
        """Save what lies at `name` beneath `root`; return "", or why that cannot be.

        Raises Heavy, and nothing was done, if it is to be done `inline` and is large.
        """
        return self._guarded(lambda: self._save(self._settled(call), call, root, name, inline))

    def remove(self, call: int, root: str, name: str) -> str:
        """Save the folder `name` before it is removed: what was in it needs it again."""

        def removed() -> None:
            mine = self._settled(call)
            self._known.drop(joined(root, name))
            self._save(mine, call, root, name, inline=True)

        return self._guarded(removed)

    def rename(self, call: int, root: str, names: tuple[str, str, str], *, inline: bool) -> str:
        """Save what the rename of the first name to the second replaces, and that it comes."""

        def renamed() -> None:
            old, new, staged = names
            mine = self._settled(call)
            replaced = self._there(root, new)
            if replaced is not None and replaced.kind == "folder":
                self._known.drop(joined(root, new))  # an empty one: it goes, as by `remove`
            self._save(mine, call, root, new, inline)
            self._above(call, root, old)
            mine.ask(root, old)
            line = self._append("rename", call, self._root(root), old, new, staged)
            mine.renaming = line, root, old, new, staged

        return self._guarded(renamed)

    def void(self, call: int) -> str:
        """Note that the last rename of this call did not happen."""

        def voided() -> None:
            mine = self._calls.setdefault(call, _Call())
            if mine.renaming is not None:
                self._append("void", mine.renaming[0])
                mine.renaming = None

        return self._guarded(voided)

    def note(self, *line: Json) -> None:
        """Write a line of another kind. Raises OSError."""
        with self._lock:
            self._append(*line)

    def end(self, call: int, changed: Iterable[tuple[str, str]], *, finished: bool) -> None:
        """Note how a call that is over left what it `changed`: pairs of root and name."""
        try:
            with self._lock:
                places = () if self._broken else self._changed(call, changed, finished)
            for root, path in places:
                name = path[len(root.rstrip("/")) + 1 :]
                for noted in (name, above(name)) if name else ("",):
                    # By itself: other calls of the run need not wait for all of them.
                    with self._lock:
                        if not self._broken:
                            self._post(call, root, noted)
            with self._lock:
                if self._index is not None and not self._broken:
                    self._append("end", call)
        except (OSError, SandboxError) as error:
            self._broken = f"what the last call changed could not be noted: {error}"

    def many(self, call: int) -> bool:
        """Say whether so much was asked for in a call that its end would keep others waiting."""
        mine = self._calls.get(call)
        return mine is not None and len(mine.asked) > INLINE_ENDS_MAX

    def close(self) -> None:
        """Make all of it durable; nothing may follow. Raises OSError."""
        with self._lock:
            self._roots.close()
            index, self._index = self._index, None
            blobs, self._blobs = self._blobs, None
            self._broken = "the run is closed"
            if index is None:
                return
            try:
                if blobs is not None:
                    blobs.sync()
                index.append("closed", 0 if blobs is None else blobs.written)
            finally:
                index.close()
                if blobs is not None:
                    blobs.close()

    @property
    def blobs(self) -> Blobs:
        """Return where contents are kept. Raises OSError."""
        if self._blobs is None:
            # Each by itself: of what is made on the way to another, everybody could read the names.
            for folder in (self._own.parent, self._shared, self._own):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._blobs = Blobs(self._shared, self._own)
        return self._blobs

    def fd(self, root: str) -> int:
        """Return a descriptor of a root. Raises OSError or SandboxError."""
        return self._roots.fd(root)

    def _guarded(self, act: Callable[[], None]) -> str:
        with self._lock:
            if self._broken:
                return self._broken
            try:
                act()
            except NotKept as error:
                return str(error)
            except SandboxError as error:
                return str(error)
            except OSError as error:
                return f"{error.strerror or error}"
            return ""

    def _save(self, mine: _Call, call: int, root: str, name: str, inline: bool) -> None:
        path = joined(root, name)
        if self._entries >= ENTRIES_MAX:
            raise NotKept(f"one run can change {ENTRIES_MAX} paths, and no more")
        self._above(call, root, name)
        kind = "pre"
        with folder(self._roots.fd(root), name) as (fd, base):
            left = self._posts.get(path, ())
            self._posts.set(path, ())
            if self._known.get(path, False):
                if left == () or _same(left, seen(fd, base)):
                    self._append("again", call, self._root(root), name)
                    mine.ask(root, name)
                    return
                kind = "edited"
            room = self._bounds.run_bytes - self.blobs.written
            state = captured(fd, base, self.blobs, room, inline=inline)
        line = None if state is None else state.to_json()
        self._append(kind, call, self._root(root), name, line)
        self._known.set(path, True)
        # Only now: of what was refused, nothing was saved.
        mine.ask(root, name)

    def _above(self, call: int, root: str, name: str) -> None:
        """Save the folder whose entries change: its times change with them."""
        outer = above(name)
        path = joined(root, outer)
        if not name or self._known.get(path, False):
            return
        with folder(self._roots.fd(root), outer) as (fd, base):
            state = seen(fd, base)
        if state is not None:
            self._append("pre", call, self._root(root), outer, state.to_json())
            self._known.set(path, True)

    def _settled(self, call: int) -> _Call:
        """Let what is known of a renamed path follow its rename, which has happened by now."""
        mine = self._calls.setdefault(call, _Call())
        if mine.renaming is not None:
            _, root, old, new, _ = mine.renaming
            mine.renaming = None
            places = joined(root, old), joined(root, new)
            mine.renamed.append(places)
            self._known.move(*places)
            self._posts.move(*places)
        return mine

    def _changed(
        self, call: int, changed: Iterable[tuple[str, str]], finished: bool
    ) -> Iterable[tuple[str, str]]:
        """Return root and path of what a call has changed, or may have."""
        mine = self._calls.get(call)
        if mine is not None and mine.renaming is not None and not finished:
            line, root, old, _, staged = mine.renaming
            if self._there(root, old) is not None or self._there(root, staged) is not None:
                self._append("void", line)
                mine.renaming = None
        mine = self._settled(call)
        del self._calls[call]
        asked = {path for _, _, path in mine.asked}
        places = dict.fromkeys((root, path) for _, root, path in mine.asked)
        for root, name in dict.fromkeys(changed):
            path = joined(root, name)
            # Asked in this call: since an earlier one a person may have changed it.
            before = is_temporary(name) and self._known.get(path, False)
            if path in asked or before or self._late(call, root, name):
                places[root, path] = None
        return places | dict.fromkeys(mine.present())

    def _late(self, call: int, root: str, name: str) -> bool:
        """Note a change that was not asked for; say whether it can be undone all the same."""
        if not is_temporary(name):
            self._append("missed", call, joined(root, name))
            return False
        if self._there(root, name) is not None:
            # The worker does not ask before it makes one, for nearly all become others.
            self._append("pre", call, self._root(root), name, None)
            self._known.set(joined(root, name), True)
        return True

    def _post(self, call: int, root: str, name: str) -> None:
        """Note what a name is now, unless that is known already."""
        path, now = joined(root, name), self._there(root, name)
        left: _Left = None if now is None else (now.signature(), now.mtime_ns)
        if self._posts.get(path, ()) != left:
            self._posts.set(path, left)
            line: Json = None if left is None else [list(left[0]), left[1]]
            self._append("post", call, self._root(root), name, line)

    def _there(self, root: str, name: str) -> State | None:
        try:
            with folder(self._roots.fd(root), name) as (fd, base):
                return seen(fd, base)
        except (FileNotFoundError, NotADirectoryError):
            return None  # its folder is gone, and perhaps something else has the name

    def _root(self, root: str) -> int:
        number = self._numbers.get(root)
        if number is None:
            number = self._numbers[root] = len(self._numbers)
            self._append("root", root)
        return number

    def _append(self, *line: Json) -> int:
        if self._index is None:
            self._first()
            self.blobs  # noqa: B018  its folder is the index's
            self._index = Index(self._own / self._file)
            self._index.append("run", VERSION, self._header)
        self._entries += 1
        try:
            return self._index.append(*line)
        except OSError as error:
            self._broken = f"what changes could not be noted: {error.strerror or error}"
            raise


def _same(left: _Left | tuple[()], now: State | None) -> bool:
    return (left[0] if left else None) == (None if now is None else now.signature())
