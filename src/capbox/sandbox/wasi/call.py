"""The state of the one call that a worker serves: its bounds, what it used, what it was refused.

Guarantees: every bound is finite and checked before the effect; crossing output, written, created
or time stops the call. Before `begin` (a parked guest) every bound is zero. Does not: touch files.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from capbox.sandbox.effects import MANY, READ_ACTIONS, EffectWriter
from capbox.sandbox.process.saving import Saving
from capbox.sandbox.spec import Refused
from capbox.sandbox.wasi.mounts import ENTRY_BYTES, Mount

STDERR_BYTES_MAX = 64 * 1024
REFUSED_MAX = 100
UNLISTED = "more accesses were refused than a call can list"
REFUSED_PATH_CHARS_MAX = 512
READINGS_MAX = 65_536
PARKED_NS_MAX = 30_000_000_000
FAULT_CHARS_MAX = 500
U32_MAX = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class CallBounds:
    """The bounds and inputs of one call. `deadline_ns` is a `time.monotonic_ns`, `started_ns` is
    Unix time; `replay` holds the clock readings of an earlier call, 8 bytes each.
    """

    deadline_ns: int
    output_bytes: int
    written_bytes: int
    files_created: int
    open_files: int
    tmp_bytes: int
    started_ns: int
    seed: bytes
    replay: bytes | None = None


@dataclass(frozen=True, slots=True)
class CallReport:
    """What one guest did. `stopped` names the bound that it crossed, `fault` is a bug of ours.

    `clock` is what it read after its request arrived; empty if too much.
    """

    stdout: bytes
    stderr: bytes
    stopped: str | None
    fault: str | None
    exit_code: int | None
    refused: tuple[Refused, ...]
    clock: bytes
    memory_bytes: int
    written_bytes: int
    tmp_bytes: int


class StopCall(Exception):
    """Ends the guest; why is in the call's state. Never leaves a host function."""


PARKED = CallBounds(0, 0, 0, 0, 8, 0, 0, b"")


class Call:
    """Mutable, and reset for every guest: one object for a worker's life, so it can be shared."""

    def __init__(self) -> None:
        self.effects: EffectWriter | None = None
        self.saving: Saving | None = None
        self.reset()

    def reset(self) -> None:
        """Forget everything; the next guest is parked."""
        self.begun = False
        self.bounds = PARKED
        self.deadline_ns = time.monotonic_ns() + PARKED_NS_MAX
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.stopped: str | None = None
        self.fault: str | None = None
        self.exit_code: int | None = None
        self.clock = bytearray()
        self.replayable = True
        self.written = self.created = self.scratch = 0
        self._refused: dict[tuple[str, str], Refused] = {}

    def begin(self, bounds: CallBounds) -> None:
        """Arm the bounds; the request has arrived."""
        self.bounds = bounds
        self.deadline_ns = bounds.deadline_ns
        if self.effects is not None:
            self.effects.begin()
        if self.saving is not None:
            self.saving.restart()
        self.begun = True

    def over(self) -> bool:
        """Say whether the guest has ended, or is about to."""
        return self.stopped is not None or self.fault is not None or self.exit_code is not None

    def stop(self, bound: str) -> NoReturn:
        """End the guest because it crossed `bound`."""
        self.stopped = bound
        raise StopCall

    def check_time(self) -> None:
        """Stop at the deadline: to be called in every loop that a guest can make long."""
        if time.monotonic_ns() >= self.deadline_ns:
            self.stop("time")

    def output(self, buffers: list[memoryview]) -> int:
        """Keep what the guest wrote to its standard output."""
        count = sum(map(len, buffers))
        if len(self.stdout) + count > self.bounds.output_bytes:
            # A guest that ignores ENOSPC would exit 0 with cut JSON, so this is not an errno.
            self.stop("output")
        for buffer in buffers:
            self.stdout += buffer
        return count

    def error_output(self, buffers: list[memoryview]) -> int:
        """Keep the beginning of what the guest wrote to its standard error; claim all of it."""
        for buffer in buffers:
            self.stderr += buffer[: STDERR_BYTES_MAX - len(self.stderr)]
        return sum(map(len, buffers)) & U32_MAX

    def charge_written(self, mount: Mount, count: int) -> None:
        """Account for `count` bytes before they are written."""
        if mount.scratch:
            if self.scratch + count > self.bounds.tmp_bytes:
                raise OSError(errno.ENOSPC, "scratch quota")
            self.scratch += count
            return
        if self.written + count > self.bounds.written_bytes:
            self.stop("written")
        mount.charge(count)
        self.written += count

    def charge_created(self, mount: Mount) -> None:
        """Account for one file, directory or link before it is made."""
        if self.created >= self.bounds.files_created:
            self.stop("files_created")
        mount.charge(ENTRY_BYTES)
        self.created += 1

    def effect(self, action: str, mount: Mount, name: str, *, saved: bool = False) -> int:
        """Record an effect before it happens, else it must not happen; return its number.

        `name` is that of the object itself: what was asked for may have been a link to it. What a
        change takes away is saved before, unless that was done (`saved`).
        """
        if self.effects is None:
            raise OSError(errno.EACCES, "no list of effects")
        saving = None if saved or mount.scratch or action in READ_ACTIONS else self.saving
        if saving is not None and (reason := saving.before(action, mount, name)):
            raise self.unsaved(mount, name, reason)
        number = self.effects.record(action, mount.guest_path(name), mount.host_path(name))
        if number is None:
            self.stop("effects")
        return number

    def save_rename(self, mount: Mount, old: str, new: str, staged: str) -> None:
        """Save what a rename replaces, and that it comes; `staged` is its name on the way."""
        saving = None if mount.scratch else self.saving
        if saving is not None and (reason := saving.before_rename(mount, old, new, staged)):
            raise self.unsaved(mount, new, reason)

    def not_renamed(self, mount: Mount, old: str) -> None:
        """Take back what `save_rename` said: it did not happen."""
        if self.saving is not None and not mount.scratch:
            self.saving.not_renamed(mount, old)

    def unsaved(self, mount: Mount, name: str, reason: str) -> OSError:
        """Refuse a change that could not be undone."""
        if not reason.startswith("the budget "):  # which says by itself what it is
            reason = f"it cannot be kept for undo: {reason}"
        return self.refuse("write", mount.guest_path(name), reason)

    def looked(self, action: str, mount: Mount, name: str) -> int:
        """Record that a file is read or a directory listed; return its number."""
        # Attack: many names in scratch fill the share of reads, and hide what is read next.
        return self.effect(action, mount, "" if mount.scratch else name)

    def moved(self, mount: Mount, name: str, renamed: int, target: int) -> None:
        """Record that a file was renamed, by the numbers of the two effects."""
        if self.effects is not None:
            path, host = mount.guest_path(name), mount.host_path(name)
            self.effects.moved(path, host, renamed, target)

    def staged(self, renamed: int, name: str) -> Callable[[], None]:
        """Record what is being renamed is called on its way; call the result at the end."""
        return (lambda: None) if self.effects is None else self.effects.staged(renamed, name)

    def refuse(self, kind: str, path: str, reason: str) -> OSError:
        """Record a refused access (`kind` is read or write) and return the error for the guest."""
        key = (kind, path)
        if len(self._refused) < REFUSED_MAX - 1 and key not in self._refused:
            self._refused[key] = Refused(kind, path[:REFUSED_PATH_CHARS_MAX], reason)
        elif key not in self._refused:
            # Attack: a hundred harmless refusals, and then `.env` without a trace.
            self._refused["read", MANY] = Refused("read", MANY, UNLISTED)
        return OSError(errno.EACCES, reason)

    def fail(self, error: BaseException) -> None:
        """Note a bug of ours (or a broken parent); the guest is stopped."""
        if self.fault is None:
            self.fault = f"{type(error).__name__}: {error}"[:FAULT_CHARS_MAX]

    def report(self, memory_bytes: int) -> CallReport:
        """Close the list of effects and return what happened."""
        if self.begun and self.effects is not None:
            self.effects.finish()
        return CallReport(
            stdout=bytes(self.stdout),
            stderr=bytes(self.stderr),
            stopped=self.stopped,
            fault=self.fault,
            exit_code=self.exit_code,
            refused=tuple(self._refused.values()),
            clock=bytes(self.clock) if self.replayable else b"",
            memory_bytes=memory_bytes,
            written_bytes=self.written,
            tmp_bytes=self.scratch,
        )
