"""Clocks, randomness and waiting: recorded or derived from a seed, so that a call can be replayed.

Guarantees: what a guest reads after its request arrived is recorded (bounded) or comes from a
recording; randomness is SHAKE-256 over the call's seed; no wait goes past the deadline. Does not:
replay what a parked guest read before its request. Host uptime is not shown.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from struct import Struct

from capbox.sandbox.raw import GuestMemory
from capbox.sandbox.wasi.abi import WASI_ERRNO
from capbox.sandbox.wasi.call import READINGS_MAX, Call
from capbox.sandbox.wasi.table import Table

REALTIME, MONOTONIC = 0, 1
RESOLUTION_NS = 1
# Later than any reading that a snapshot of an initialised guest may hold.
MONOTONIC_START_NS = 1 << 42
RANDOM_CHUNK_BYTES = 65_536
SUBSCRIPTIONS_MAX = 1024

_SUBSCRIPTION = Struct("<QBxxxxxxxIxxxxQQHxxxxxx")
_EVENT = Struct("<QHBxxxxxQHxxxxxx")
_CLOCK_KIND, _KINDS_MAX = 0, 2
_ABSOLUTE = 1
_READING = Struct("<Q")


class Clock:
    """Time and chance of one worker's guests."""

    def __init__(self, call: Call, memory: GuestMemory, table: Table) -> None:
        self._memory = memory
        self._call = call
        self._table = table
        self.restart()

    def restart(self) -> None:
        """Start anew for the next guest (parked: its randomness is fresh and not replayable)."""
        self._attached_ns = time.monotonic_ns()
        self._begun_ns = self._attached_ns
        self._seed = os.urandom(32)
        self._drawn = 0
        self._replayed = 0
        hashlib.shake_256(self._seed).digest(1)  # load the algorithm before the worker is locked

    def begin(self) -> None:
        """The call's bounds are armed: use its seed and starting time."""
        self._begun_ns = time.monotonic_ns()
        self._seed = self._call.bounds.seed
        self._drawn = 0

    def clock_res_get(self, clock: int, out: int) -> int:
        """Resolution in nanoseconds."""
        self._now(clock)
        self._memory.put_u64(out, RESOLUTION_NS)
        return 0

    def clock_time_get(self, clock: int, _precision: int, out: int) -> int:
        """Time in nanoseconds."""
        self._memory.slice(out, 8)
        self._memory.put_u64(out, self._reading(self._now(clock)))
        return 0

    def random_get(self, pointer: int, length: int) -> int:
        """Fill a buffer, a block of SHAKE-256(seed, number of the block) at a time."""
        buffer = self._memory.slice(pointer, length)
        for start in range(0, length, RANDOM_CHUNK_BYTES):
            if start:
                self._call.check_time()
            chunk = min(RANDOM_CHUNK_BYTES, length - start)
            block = self._seed + self._drawn.to_bytes(8, "little")
            buffer[start : start + chunk] = hashlib.shake_256(block).digest(chunk)
            self._drawn += 1
        return 0

    def poll_oneoff(self, subscriptions: int, events: int, count: int, out: int) -> int:
        """Wait for the earliest clock; descriptors are always ready."""
        if not 0 < count <= SUBSCRIPTIONS_MAX:
            raise OSError(errno.EINVAL, "subscriptions")
        wanted = bytes(self._memory.slice(subscriptions, count * _SUBSCRIPTION.size))
        self._memory.slice(events, count * _EVENT.size)
        self._memory.slice(out, 4)
        ready, waits = self._sorted(wanted)
        if not ready:
            shortest = min(wait for _, wait in waits)
            self._sleep(shortest)
            ready = [_EVENT.pack(u, 0, _CLOCK_KIND, 0, 0) for u, wait in waits if wait <= shortest]
        self._memory.write(events, b"".join(ready))
        self._memory.put_u32(out, len(ready))
        return 0

    def _sorted(self, wanted: bytes) -> tuple[list[bytes], list[tuple[int, int]]]:
        """Return the events that are due at once, and (userdata, nanoseconds) of the clocks."""
        ready: list[bytes] = []
        waits: list[tuple[int, int]] = []
        for user, kind, word, timeout, _, flags in _SUBSCRIPTION.iter_unpack(wanted):
            if kind == _CLOCK_KIND:
                now = self._now(word) if flags & _ABSOLUTE else 0
                waits.append((user, max(0, timeout - now)))
            elif kind <= _KINDS_MAX:
                # The descriptor is where a clock has its id.
                known = self._table.holds(word)
                ready.append(_EVENT.pack(user, 0 if known else WASI_ERRNO[errno.EBADF], kind, 1, 0))
            else:
                raise OSError(errno.EINVAL, "unknown subscription")
        return ready, waits

    def _sleep(self, nanoseconds: int) -> None:
        left = self._call.deadline_ns - time.monotonic_ns()
        if nanoseconds >= left:
            time.sleep(max(0, left) / 1e9)
            self._call.stop("time")
        time.sleep(nanoseconds / 1e9)

    def _now(self, clock: int) -> int:
        now = time.monotonic_ns()
        if clock == MONOTONIC:
            return MONOTONIC_START_NS + now - self._attached_ns
        if clock != REALTIME:
            raise OSError(errno.EINVAL, "no such clock")
        if not self._call.begun:
            return time.time_ns()
        return self._call.bounds.started_ns + now - self._begun_ns

    def _reading(self, value: int) -> int:
        call = self._call
        if not call.begun:
            return value
        replay = call.bounds.replay
        if replay is not None and self._replayed + 8 <= len(replay):
            (value,) = _READING.unpack_from(replay, self._replayed)
            self._replayed += 8
        if len(call.clock) >= 8 * READINGS_MAX:
            call.replayable = False
        else:
            call.clock += _READING.pack(value)
        return value
