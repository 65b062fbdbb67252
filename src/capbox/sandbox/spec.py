"""What the gate hands to the sandbox, and what comes back: plain frozen values, no IO.

A `Job` is one tool call with its rights already fixed; an `Outcome` is everything that happened.
Shapes and units are in the field comments; nothing here decides whether an access is allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import JsonObject, Spent

# Workers import this module, and have no use for what reads URLs.
if TYPE_CHECKING:
    from capbox.authority.values.label import Source

STAGED = ".capbox-moving-"
INVOKED_BYTES_MAX = 1 << 20  # of the arguments of a function, and of what it says


@dataclass(frozen=True, slots=True)
class Module:
    """A guest on disk and the SHA-256 (hex) of its bytes; `shipped` ones may be parked unlocked.

    Of a component `export` names the function that is called; "" is its command, or the tool's.
    """

    path: HostPath
    digest: str
    shipped: bool = False
    export: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One grant on a mount. Globs are relative to the mount root (see `authority.exclusions`).

    `hidden` names can be neither read nor written, `protected` ones be read but not written.
    `anchor` is the path (components joined by "/") that patterns have consumed before the root.
    """

    write: bool
    hidden: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Mount:
    """A host directory (or the one file `name` in it) that the guest sees at `guest`.

    An access below it is allowed if one rule alone allows it. `bytes_max` is what it may hold on
    disk; None: the bounds of the call are all there is.
    """

    guest: GuestPath
    host: HostPath
    rules: tuple[Rule, ...]
    name: str | None = None
    bytes_max: int | None = None


def is_temporary(path: str, name: str | None = None) -> bool:
    """Say whether a replacement of the file `name` (None: of any) is prepared under this path."""
    base = path.rpartition("/")[2]
    return base.startswith(".capbox-") and base.endswith(f"-{name}.tmp" if name else ".tmp")


def is_staged(base: str) -> bool:
    """Say whether `base` is a name that a file or directory has only while it is being moved."""
    return base.startswith(STAGED) and "/" not in base


@dataclass(frozen=True, slots=True)
class Job:
    """One call: `request` is the guest's standard input, `seed` (32 bytes) feeds its randomness.

    `argv` are its arguments, after its own name; a guest that is parked has none.
    `scratch` is the host directory seen as `/tmp`; `run` names whose worker may serve it. Past
    `expires_ns` (nanoseconds since 1970), when the first grant ends, the call is over, even if it
    had to wait for its worker. `replay` are the clock readings of an earlier call, 8 bytes each.
    `keeps`: whoever serves the call saves what it changes, before it does.
    """

    run: str
    module: Module
    mounts: tuple[Mount, ...]
    scratch: HostPath
    limits: Limits
    request: bytes
    seed: bytes
    started_ns: int
    expires_ns: int | None = None
    replay: bytes | None = None
    keeps: bool = False
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The guest ended by itself with exit code 0."""

    stdout: bytes
    stderr: bytes = b""


@dataclass(frozen=True, slots=True)
class Failed:
    """The guest ended abnormally (a trap, or another exit code): the tool's fault, not ours."""

    reason: str
    stderr: bytes = b""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A bound ended the call: `bound` is a key of BOUNDS."""

    bound: str
    message: str


BOUNDS = {
    "time": "stopped: the call reached its time limit (--timeout)",
    "fuel": "stopped: the call used up its fuel (--fuel)",
    "stack": "stopped: the call exhausted its stack (--stack)",
    "memory": "stopped: the call reached its memory limit (--memory)",
    "output": "stopped: the call wrote more output than allowed (--output)",
    "written": "stopped: the call wrote more file bytes than allowed (--limit written_bytes=)",
    "files_created": "stopped: the call created more files than allowed (--limit files_created=)",
    "effects": "stopped: the call made more changes than one call can have on record",
    "operations": "stopped: the call asked for more network operations than one call may",
    "revoked": "stopped: the authority of this call was revoked",
    "interrupted": "stopped: interrupted",
}


def stopped(bound: str) -> Stopped:
    """Return the end by `bound`, with its sentence."""
    return Stopped(bound, BOUNDS[bound])


@dataclass(frozen=True, slots=True)
class Broken:
    """The sandbox itself failed (its worker died, or could not start)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Touched:
    """One effect as the worker recorded it, before it happened; bytes as far as known.

    Actions: read, write, create, delete, rename, mkdir, rmdir, symlink, chmod, utime, list.
    """

    action: str
    path: GuestPath
    host: HostPath | None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A call while it goes on: what it has `touched` so far; a person's time does not count while
    `paused`.
    """

    touched: Callable[[], tuple[Touched, ...]]
    paused: Callable[[], AbstractContextManager[None]]


Answer = tuple[JsonObject, bytes]
Serve = Callable[[JsonObject, bytes, UnderWay], Awaitable[Answer]]
"""Answers one operation of a guest that only the parent can do. The worker may be hostile."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One access that the worker refused: `action` is read or write."""

    action: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that one call did; `effects_whole` is False if some of its record was unusable.

    `sources` are those of its text that no effect tells of: of what the host looked up for it.
    """

    end: Finished | Failed | Stopped | Broken
    touched: tuple[Touched, ...] = ()
    refused: tuple[Refused, ...] = ()
    spent: Spent = field(default_factory=Spent)
    clock: bytes = b""
    effects_whole: bool = True
    sources: frozenset[Source] = frozenset()
