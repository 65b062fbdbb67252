"""wasi:io: streams of bytes, what can be waited for, and errors.

Guarantees: a read gives at most one chunk; nothing waits past the deadline. Of all that a component
can wait for only clocks are ever late: files and streams are always ready.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.wasi.below import CHUNK_BYTES, Below, Refusal

MONOTONIC = 1
Result = tuple[str, object]
OK: Result = ("ok", None)
CLOSED: Result = ("err", ("closed", None))
NONE: Result = ("none", None)


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """An error: what went wrong with a stream."""

    code: str


@dataclass(frozen=True, slots=True, eq=False)
class Pollable:
    """Something to wait for: ready at `at`, nanoseconds of the monotonic clock."""

    at: int = 0


@dataclass(slots=True, eq=False)
class Descriptor:
    """An open file or directory, how it was opened, and by how many things it is used."""

    fd: int
    flags: frozenset[str] = frozenset({"read", "mutate-directory"})
    users: int = 1


@dataclass(slots=True, eq=False)
class InputStream:
    """Bytes from a descriptor, or a `source`; `offset` None reads on from where it is."""

    fd: int
    offset: int | None = None
    file: Descriptor | None = None
    source: Callable[[int], bytes] | None = None


@dataclass(slots=True, eq=False)
class OutputStream:
    """Bytes to a descriptor, or a `sink`; `offset` None is a standard stream, `append` the end."""

    fd: int
    offset: int | None = None
    append: bool = False
    file: Descriptor | None = None
    sink: Callable[[bytes], None] | None = None


class Streams:
    """The functions of wasi:io/streams, wasi:io/poll and wasi:io/error."""

    def __init__(self, below: Below) -> None:
        self._below = below

    def input_stream_read(self, stream: InputStream, count: int) -> Result:
        """Return the next bytes, or that there are none."""
        try:
            if stream.source is not None:
                found = stream.source(count)
            else:
                found = self._below.read(stream.fd, count, stream.offset)
        except Refusal as refusal:
            return _failed(refusal)
        if count and not found:
            return CLOSED
        if stream.offset is not None:
            stream.offset += len(found)
        return "ok", found

    input_stream_blocking_read = input_stream_read

    def input_stream_skip(self, stream: InputStream, count: int) -> Result:
        """Pass over the next bytes; return how many."""
        tag, found = self.input_stream_read(stream, count)
        return (tag, len(found)) if isinstance(found, bytes) else (tag, found)

    input_stream_blocking_skip = input_stream_skip

    def input_stream_subscribe(self, stream: InputStream) -> Pollable:
        """Return what is ready when the stream is: always."""
        return Pollable()

    def output_stream_check_write(self, stream: OutputStream) -> Result:
        """Return how many bytes may be written now."""
        return "ok", CHUNK_BYTES

    def output_stream_write(self, stream: OutputStream, content: bytes) -> Result:
        """Write all of `content`."""
        if stream.sink is not None:
            stream.sink(content)
            return OK
        try:
            if stream.append:
                stream.offset = self._below.status(stream.fd)[4]
            done = self._below.write(stream.fd, content, stream.offset)
        except Refusal as refusal:
            return _failed(refusal)
        if stream.offset is not None:
            stream.offset += done
        return OK if done == len(content) else ("err", ("last-operation-failed", Failure("io")))

    output_stream_blocking_write_and_flush = output_stream_write

    def output_stream_flush(self, stream: OutputStream) -> Result:
        """Do nothing: what was written is written."""
        return OK

    output_stream_blocking_flush = output_stream_flush

    def output_stream_subscribe(self, stream: OutputStream) -> Pollable:
        """Return what is ready when the stream is: always."""
        return Pollable()

    def output_stream_write_zeroes(self, stream: OutputStream, count: int) -> Result:
        """Write that many zeros."""
        if count > CHUNK_BYTES:
            raise Misuse("it writes more than it was allowed to at once")
        return self.output_stream_write(stream, bytes(count))

    output_stream_blocking_write_zeroes_and_flush = output_stream_write_zeroes

    def output_stream_splice(self, stream: OutputStream, source: InputStream, count: int) -> Result:
        """Move bytes from one stream to the other; return how many."""
        tag, found = self.input_stream_read(source, count)
        if not isinstance(found, bytes):
            return tag, found
        written = self.output_stream_write(stream, found)
        return ("ok", len(found)) if written == OK else written

    output_stream_blocking_splice = output_stream_splice

    def error_to_debug_string(self, failure: Failure) -> str:
        """Return the error in words."""
        return failure.code

    def pollable_ready(self, pollable: Pollable) -> bool:
        """Say whether its time has come."""
        return not pollable.at or self._below.time(MONOTONIC) >= pollable.at

    def pollable_block(self, pollable: Pollable) -> None:
        """Wait for it."""
        self.poll_poll([pollable])

    def poll_poll(self, pollables: list[Pollable]) -> list[int]:
        """Wait until one of them is ready; return the numbers of those that are."""
        if not pollables:
            raise Misuse("it waits for nothing at all")
        now = 0 if all(not p.at for p in pollables) else self._below.time(MONOTONIC)
        earliest = min(p.at for p in pollables)
        if earliest > now:
            self._below.wait(earliest - now)
        return [number for number, p in enumerate(pollables) if p.at <= max(now, earliest)]


def _failed(refusal: Refusal) -> Result:
    return "err", ("last-operation-failed", Failure(refusal.code))
