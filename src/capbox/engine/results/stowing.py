"""Keeps what is too long for a model where its tools read it: in the run's scratch directory.

Guarantees: a file is made, never opened: nothing that exists is written to or followed, whatever a
guest put in its way; what is kept stays within bounds, of which the oldest file makes room. Where
something is in the way, nothing is kept. Does not: outlive the run, whose end wipes the directory;
its tape has it, so that a replay finds it again.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import TYPE_CHECKING

from capbox.authority.paths import HostPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from capbox.journal.tape import Tape
    from capbox.messages import JsonObject, ToolCall

FILES_MAX = 64
BYTES_MAX = 16_000_000  # a quarter of what a guest may have in its scratch directory
_FOLDER = "results"
_NAME = re.compile("[0-9a-f]{16}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# The tool `read` shows no more of a line; without this the rest of one could not be paged to.
_LONG_LINE = re.compile(r"[^\n]{2000}(?!\n|\Z)")


def stowing(scratch: HostPath) -> Stowing:
    """Return what keeps the long results of the run that has this scratch directory."""
    return Stowing(scratch, lambda: token_hex(8))


@dataclass(frozen=True, slots=True)
class Stowed:
    """One text that is kept, and the word that its file is named by."""

    name: str
    text: str


def stowed_told(header: JsonObject, body: bytes) -> Stowed | None:
    """Read what `taped` wrote; None: it is something else."""
    name = header.get("name")
    if isinstance(name, str) and _NAME.fullmatch(name):
        return Stowed(name, body.decode("utf-8", "surrogatepass"))
    return None


def taped(stowed: Iterable[Stowed], tape: Tape | None) -> None:
    """Keep for a replay what guests can read from now on. Not on a thread: a tape has no lock."""
    if tape is None:
        return
    for one in stowed:
        tape.append({"kind": "stowed", "name": one.name}, one.text.encode("utf-8", "surrogatepass"))


class Stowing:
    """Of one run; called with a tool call and its text, on a thread."""

    def __init__(
        self,
        scratch: HostPath,
        name: Callable[[], str],
        *,
        bytes_max: int = BYTES_MAX,
        files_max: int = FILES_MAX,
    ) -> None:
        """Prepare; `name` returns a word that no guest can foresee, and none twice."""
        self._scratch = scratch
        self._name = name
        self._bytes_max = bytes_max
        self._files_max = files_max
        self._kept: deque[tuple[str, int]] = deque()
        self._new: list[Stowed] = []

    def __call__(self, call: ToolCall, text: str) -> str | None:
        """Return the path at which guests read the text; None: it could not be kept.

        Lines of more than 2,000 characters are broken.
        """
        # A name of our own: that of the call is the model's, and may be `../../.bashrc`.
        stowed = Stowed(self._name(), text)
        path = self.keep(stowed)
        if path is not None:
            self._new.append(stowed)
        return path

    def drain(self) -> list[Stowed]:
        """Return what was kept since the last time."""
        found, self._new = self._new, []
        return found

    def keep(self, stowed: Stowed) -> str | None:
        """Keep it under its name; returns as a call does."""
        content = _LONG_LINE.sub(r"\g<0>\n", stowed.text).encode("utf-8", "replace")
        if len(content) > self._bytes_max:
            return None
        name = f"{stowed.name}.txt"
        try:
            with _folder(self._scratch) as folder:
                self._make_room(folder, len(content))
                _write(folder, name, content)
        except OSError:
            return None
        self._kept.append((name, len(content)))
        return f"/tmp/{_FOLDER}/{name}"  # noqa: S108 - the guest's

    def _make_room(self, folder: int, size: int) -> None:
        """Remove the oldest until there is room. A name that a guest took over is only unlinked."""
        while self._kept and (
            len(self._kept) >= self._files_max
            or sum(kept for _, kept in self._kept) + size > self._bytes_max
        ):
            name, _ = self._kept.popleft()
            with suppress(OSError):
                os.unlink(name, dir_fd=folder)


@contextmanager
def _folder(scratch: HostPath) -> Iterator[int]:
    """Open the folder, made if missing. Raises OSError if it is anything else.

    Attack: a guest makes `results` a link to a directory outside, and has the host write there.
    """
    top = os.open(scratch, _DIRECTORY)
    try:
        with suppress(FileExistsError):
            os.mkdir(_FOLDER, 0o700, dir_fd=top)
        folder = os.open(_FOLDER, _DIRECTORY, dir_fd=top)
    finally:
        os.close(top)
    try:
        yield folder
    finally:
        os.close(folder)


def _write(folder: int, name: str, content: bytes) -> None:
    """Write a file that was not there before, whole or not at all. Raises OSError."""
    # Attack: a guest puts a link, or a pipe that nobody reads, where the file is to be.
    file = os.open(name, _FRESH, 0o600, dir_fd=folder)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
    finally:
        os.close(file)
