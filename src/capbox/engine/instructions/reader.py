"""Reads a file of the workspace for a prompt, as far as the run itself might read it.

Guarantees: a text comes only from a regular file beneath the workspace that a read grant of the run
covers, by the name that was asked for and by the one it really has; a link out of the workspace, a
file with a second name, a grant that counts its uses or asks first: each means that it is not read,
and why. What was read is labelled as if a tool had read it. Does not: spend or ask for anything.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice

from capbox.authority.access import ReadAccess
from capbox.authority.authority import FileRight
from capbox.authority.decision import Allowed, Standing
from capbox.authority.holding import Holding
from capbox.authority.paths import (
    WORKSPACE,
    GrantPath,
    GuestPath,
    HostPath,
    Layout,
    below,
    hostile_character,
    joined,
)
from capbox.authority.values.label import Sources
from capbox.gate.rights.labels import Context
from capbox.journal.errors import JournalError
from capbox.sandbox import spec
from capbox.sandbox.wasi.beneath import Walk
from capbox.sandbox.wasi.mounts import Mount, OpenMount

FOLDERS_MAX = 500
NAMES_MAX = 2_000  # of one folder
DEPTH_MAX = 6


@dataclass(frozen=True, slots=True)
class Text:
    """A file's text: `path` is the grant path asked for; `whole` is False if it was cut."""

    path: GrantPath
    content: str
    sources: Sources
    whole: bool = True

    @property
    def trusted(self) -> bool:
        """Say whether nobody but the operator has written it."""
        return not any(source.untrusted for source in self.sources)


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a file that is there is not read; `strange`: not just for want of a grant."""

    path: GrantPath
    reason: str
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A folder, and which of the names that were looked for are in it."""

    folder: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """What one run holds, and how its paths lie."""

    holding: Holding
    standing: Standing
    layout: Layout
    context: Context = field(default_factory=Context)

    def text(self, path: str, bytes_max: int) -> Text | Unread | None:
        """Return the text at a path in `/workspace`, None if there is no such file."""
        asked = GrantPath(path)
        try:
            with self._root() as mount, _opened(mount, below(path, WORKSPACE)) as (file, real):
                found = os.fstat(file)
                strange = _strange(found)
                if strange is not None:
                    return Unread(asked, strange, strange=True)
                right = self._right(asked)
                named = GrantPath(joined(WORKSPACE, real))
                if not isinstance(right, str) and named != asked:
                    # Attack: AGENTS.md is a link to .env, which no grant on the folder covers.
                    right = self._right(named)
                if isinstance(right, str):
                    return Unread(asked, right)
                content = _content(file, bytes_max + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            return Unread(asked, _told(error), strange=True)
        sources = self._sources(right, asked, named)
        if sources is None:
            return Unread(asked, "its labels cannot be read", strange=True)
        text = content[:bytes_max].decode("utf-8", "replace")
        return Text(asked, text, sources, whole=len(content) <= bytes_max)

    def may_read(self, path: str) -> bool:
        """Say whether a grant that neither counts nor asks lets the run read a path."""
        return not isinstance(self._right(GrantPath(path)), str)

    def walk(self, wanted: Collection[str], skipped: Collection[str]) -> Iterator[Found]:
        """Yield each folder below the top that holds one of the `wanted` names, the nearest first.

        Folders with a name that is `skipped` or begins with a dot, and links, are left out; at
        most FOLDERS_MAX are looked at. Nothing is decided: a name yielded may be one to refuse.
        """
        waiting: list[tuple[str, int]] = [("", 0)]
        with suppress(OSError), self._root() as mount:
            for place, depth in islice(waiting, FOLDERS_MAX):  # which grows while it is read
                inner, there = _listed(mount, place, wanted)
                if place and there:
                    yield Found(joined(WORKSPACE, place), there)
                if depth < DEPTH_MAX:
                    kept = (n for n in inner if not n.startswith(".") and n not in skipped)
                    waiting += [(f"{place}/{name}".lstrip("/"), depth + 1) for name in kept]

    def names(self, path: str, most: int, *, files: bool = False) -> tuple[str, ...]:
        """Return the names of the folders (or of the `files`) in a folder; links are left out."""
        try:
            with self._root() as mount, _opened(mount, below(path, WORKSPACE)) as (folder, _):
                with os.scandir(folder) as entries:
                    listed = [entry for entry, _ in zip(entries, range(most), strict=False)]
                found = [
                    one.name
                    for one in listed
                    if (one.is_file if files else one.is_dir)(follow_symlinks=False)
                ]
        except OSError:
            return ()
        seen = (name for name in found if hostile_character(name) is None)
        return tuple(sorted(name for name in seen if self.may_read(joined(path, name))))

    def listed(self, path: str) -> Sources:
        """Return the sources of a name that was seen; what cannot be told is untrusted."""
        right = self._right(GrantPath(path))
        if isinstance(right, str):
            return frozenset()
        return self._sources(right, GrantPath(path), GrantPath(path)) or frozenset()

    def _right(self, path: GrantPath) -> FileRight | str:
        """Return the right to read a path, or why there is none."""
        decision = self.holding.decide(ReadAccess(path), self.standing)
        if not isinstance(decision, Allowed):
            return f"the run may not read it ({decision.reason})"
        minted = (m for a in self.holding.authorities for m in a.grants if m.id == decision.grant)
        grant = next(minted).grant
        if grant.counted or grant.asks is not None:
            return f"its grant counts each use, or asks first: {grant}"
        rights = self.holding.file_rights(self.standing)
        found = (right.narrowed(path, write=False) for right in rights)
        covering = next((right for right in found if right is not None), None)
        return covering or "the run may not read it"

    def _sources(self, right: FileRight, *paths: GrantPath) -> Sources | None:
        found: Sources = frozenset()
        try:
            for path in dict.fromkeys(paths):
                host = self.layout.host_of(GuestPath(path)) or HostPath(path)
                found |= self.context.possible([(_at(right, path), host)])
        except JournalError:
            return None
        return found

    @contextmanager
    def _root(self) -> Iterator[Mount]:
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        root = os.open(self.layout.workspace, flags)
        try:
            place = spec.Mount(GuestPath(WORKSPACE), self.layout.workspace, ())
            yield Mount(OpenMount(place, root))
        finally:
            os.close(root)


def _at(right: FileRight, path: GrantPath) -> FileRight:
    return right.narrowed(path, write=False) or right


def _listed(mount: Mount, place: str, wanted: Collection[str]) -> tuple[list[str], frozenset[str]]:
    """Return the folders in a folder, and which `wanted` files; () for one that cannot be read."""
    folders: list[str] = []
    there: set[str] = set()
    with suppress(OSError), _opened(mount, place) as (folder, _), os.scandir(folder) as entries:
        for one in islice(entries, NAMES_MAX):
            if one.name in wanted:
                there.add(one.name)
            elif one.is_dir(follow_symlinks=False) and hostile_character(one.name) is None:
                folders.append(one.name)
    return sorted(folders), frozenset(there)


@contextmanager
def _opened(mount: Mount, name: str) -> Iterator[tuple[int, str]]:
    """Open beneath the mount, links within it followed; raises OSError for one that leads out."""
    # Attack: AGENTS.md is a link to ~/.ssh/id_rsa, and this process may read that.
    descriptor, real = Walk().open(mount, name, os.O_RDONLY)
    try:
        yield descriptor, real
    finally:
        os.close(descriptor)


def _strange(found: os.stat_result) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if found.st_nlink > 1:
        # Attack: a second name of a file that no grant covers.
        return "the file has a second name (a hard link), and that may be one kept from the run"
    return None


def _content(file: int, most: int) -> bytes:
    pieces: list[bytes] = []
    left = most
    while left > 0 and (piece := os.read(file, left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _told(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "it is a link that leads out of the workspace"
    if error.errno == errno.ELOOP:
        return "it is a link that is not followed"
    return f"it cannot be opened ({error.strerror})"
