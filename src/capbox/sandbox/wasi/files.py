"""The fd_* functions: streams, open files and their positions.

Guarantees: what is written is counted before it is written, and at least as much as it can take on
the disk (but for the last block of a file); descriptors do only what their opening was judged for.
Does not: open anything.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable

from capbox.sandbox.process.device import Device
from capbox.sandbox.raw import GuestMemory
from capbox.sandbox.wasi import abi
from capbox.sandbox.wasi.call import Call
from capbox.sandbox.wasi.table import ROOT_FD, Descriptor, Kind, Table

OFFSET_MAX = (1 << 63) - 1
U64_MAX = (1 << 64) - 1
BLOCK_BYTES = 4096


class Files:
    """Host functions on descriptors. `source` gives the guest's standard input when first read."""

    def __init__(
        self,
        call: Call,
        memory: GuestMemory,
        table: Table,
        source: Callable[[], bytes],
        device: Device,
    ) -> None:
        self._memory = memory
        self._call = call
        self._table = table
        self._source = source
        self._device = device
        self._input: memoryview | None = None

    def preload(self, content: bytes) -> None:
        """Give the standard input; `source` will not be asked."""
        self._input = memoryview(content)

    def await_input(self) -> memoryview:
        """Return what is left of standard input; a parked guest blocks here for its request."""
        if self._input is None:
            self._input = memoryview(self._source())
        return self._input

    def restart(self) -> None:
        """Forget the input of the last guest."""
        self._input = None

    def fd_read(self, fd: int, vectors: int, count: int, out: int) -> int:
        """Read on from the position."""
        opened = self._table.get(fd)
        buffers = self._memory.vectors(vectors, count)
        self._memory.slice(out, 4)
        if opened.kind is Kind.INPUT:
            got = self._read_input(buffers)
        elif opened.kind is Kind.DEVICE:
            got = self._device.read(buffers)
        else:
            self._note_read(self._table.file(fd))
            got = os.readv(opened.fd, buffers) if buffers else 0
            opened.transferred += 0 if opened.write else got
        self._memory.put_u32(out, got)
        return 0

    def fd_pread(self, fd: int, vectors: int, count: int, offset: int, out: int) -> int:
        """Read at an offset."""
        opened = self._table.file(fd)
        buffers = self._memory.vectors(vectors, count)
        self._memory.slice(out, 4)
        self._note_read(opened)
        got = os.preadv(opened.fd, buffers, _offset(offset)) if buffers else 0
        opened.transferred += 0 if opened.write else got
        self._memory.put_u32(out, got)
        return 0

    def fd_write(self, fd: int, vectors: int, count: int, out: int) -> int:
        """Write at the position, or the end."""
        opened = self._table.get(fd)
        buffers = self._memory.vectors(vectors, count)
        self._memory.slice(out, 4)
        if opened.kind is Kind.OUTPUT:
            done = self._call.output(buffers)
        elif opened.kind is Kind.ERROR:
            done = self._call.error_output(buffers)
        elif opened.kind is Kind.DEVICE:
            done = self._device.write(buffers)
        else:
            done = self._write_file(self._table.file(fd), buffers, None)
        self._memory.put_u32(out, done)
        return 0

    def fd_pwrite(self, fd: int, vectors: int, count: int, offset: int, out: int) -> int:
        """Write at an offset."""
        opened = self._table.file(fd)
        buffers = self._memory.vectors(vectors, count)
        self._memory.slice(out, 4)
        self._memory.put_u32(out, self._write_file(opened, buffers, _offset(offset)))
        return 0

    def fd_seek(self, fd: int, delta: int, whence: int, out: int) -> int:
        """Move the position; `delta` arrives unsigned."""
        opened = self._table.file(fd)
        if whence > os.SEEK_END:
            raise OSError(errno.EINVAL, "whence")
        self._memory.slice(out, 8)
        signed = delta - (1 << 64) if delta > OFFSET_MAX else delta
        self._memory.put_u64(out, os.lseek(opened.fd, signed, whence))
        return 0

    def fd_tell(self, fd: int, out: int) -> int:
        """Return the position."""
        self._memory.put_u64(out, os.lseek(self._table.file(fd).fd, 0, os.SEEK_CUR))
        return 0

    def fd_close(self, fd: int) -> int:
        """Close a descriptor."""
        self._table.close(fd)
        return 0

    def fd_renumber(self, fd: int, to: int) -> int:
        """Move a descriptor over another one."""
        self._table.move(fd, to)
        return 0

    def fd_sync(self, fd: int) -> int:
        """Flush a file to its disk."""
        opened = self._table.get(fd)
        if opened.kind is Kind.FILE and opened.write:
            os.fsync(opened.fd)
        return 0

    fd_datasync = fd_sync

    def fd_advise(self, fd: int, _offset: int, _length: int, _advice: int) -> int:
        """Accept advice without following it."""
        self._table.file(fd)
        return 0

    def fd_filestat_set_size(self, fd: int, size: int) -> int:
        """Truncate or extend; growth counts as written."""
        opened = self._writable(fd)
        wanted = _offset(size)
        grown = wanted - os.fstat(opened.fd).st_size
        self._call.charge_written(opened.held(), max(0, grown))
        os.ftruncate(opened.fd, wanted)
        return 0

    def fd_filestat_set_times(self, fd: int, accessed: int, modified: int, flags: int) -> int:
        """Set times of a file that was opened for writing."""
        opened = self._writable(fd)
        times = chosen_times(os.fstat(opened.fd), accessed, modified, flags)
        self._call.effect("utime", opened.held(), opened.name)
        os.utime(opened.fd, ns=times)
        return 0

    def fd_fdstat_get(self, fd: int, out: int) -> int:
        """Describe a descriptor; rights are decided at each call, so all are shown."""
        opened = self._table.get(fd)
        kind, rights = abi.UNKNOWN, abi.RIGHTS_STREAM
        if opened.kind is Kind.FILE:
            kind, rights = abi.REGULAR, abi.RIGHTS_ALL
        elif opened.kind in (Kind.DIRECTORY, Kind.SYNTHETIC):
            kind, rights = abi.DIRECTORY, abi.RIGHTS_ALL
        flags = abi.FD_APPEND if opened.append else 0
        self._memory.write(out, abi.FDSTAT.pack(kind, flags, rights, abi.RIGHTS_ALL))
        return 0

    def fd_fdstat_set_flags(self, fd: int, flags: int) -> int:
        """Switch appending; non-blocking is accepted and means nothing for files."""
        opened = self._table.get(fd)
        if flags & ~(abi.FD_APPEND | abi.FD_NONBLOCK):
            raise OSError(errno.EINVAL, "flags")
        append = bool(flags & abi.FD_APPEND)
        if opened.kind is Kind.FILE and append != opened.append:
            opened.append = append
            fcntl.fcntl(opened.fd, fcntl.F_SETFL, os.O_NONBLOCK | (os.O_APPEND if append else 0))
        return 0

    def fd_filestat_get(self, fd: int, out: int) -> int:
        """Return type, size and times."""
        opened = self._table.get(fd)
        if opened.fd >= 0:
            self._memory.write(out, packed_status(os.fstat(opened.fd)))
        else:
            synthetic = opened.kind is Kind.SYNTHETIC
            self._memory.write(out, synthetic_status(1) if synthetic else STREAM_STATUS)
        return 0

    def fd_prestat_get(self, fd: int, out: int) -> int:
        """Describe the one preopened directory."""
        if fd != ROOT_FD:
            raise OSError(errno.EBADF, "not preopened")
        self._memory.write(out, b"\0\0\0\0\1\0\0\0")
        return 0

    def fd_prestat_dir_name(self, fd: int, pointer: int, length: int) -> int:
        """Return its name, "/"."""
        if fd != ROOT_FD:
            raise OSError(errno.EBADF, "not preopened")
        if length < 1:
            raise OSError(errno.ENAMETOOLONG, "one byte is needed")
        self._memory.write(pointer, b"/")
        return 0

    def _read_input(self, buffers: list[memoryview]) -> int:
        left = self.await_input()
        got = 0
        for buffer in buffers:
            chunk = left[got : got + len(buffer)]
            buffer[: len(chunk)] = chunk
            got += len(chunk)
        self._input = left[got:]
        return got

    def _note_read(self, opened: Descriptor) -> None:
        """Record that a file is read that was opened to be written."""
        if opened.write and not opened.read:
            self._call.looked("read", opened.held(), opened.name)
            opened.read = True

    def _write_file(self, opened: Descriptor, buffers: list[memoryview], at: int | None) -> int:
        if not opened.write:
            raise OSError(errno.EBADF, "not open for writing")
        count = sum(map(len, buffers))
        if not count:
            return 0
        fd = opened.fd
        size = os.fstat(fd).st_size
        # With O_APPEND Linux appends even what was to be written elsewhere.
        start = size if opened.append else os.lseek(fd, 0, os.SEEK_CUR) if at is None else at
        end = start + count
        if start >= size:
            count = end - size  # the gap before it too, as if it were filled
        elif start != opened.written_to:
            # Attack: one byte here and there in a file full of holes takes a block each.
            count = -(-end // BLOCK_BYTES) * BLOCK_BYTES - start // BLOCK_BYTES * BLOCK_BYTES
        self._call.charge_written(opened.held(), count)
        done = os.writev(fd, buffers) if at is None else os.pwritev(fd, buffers, at)
        opened.written_to = start + done
        opened.transferred += done
        return done

    def _writable(self, fd: int) -> Descriptor:
        opened = self._table.file(fd)
        if not opened.write:
            raise OSError(errno.EBADF, "not open for writing")
        return opened


def _offset(value: int) -> int:
    if value > OFFSET_MAX:
        raise OSError(errno.EINVAL, "offset")
    return value


def packed_status(status: os.stat_result) -> bytes:
    """Return the 64 bytes of a WASI filestat."""
    return abi.FILESTAT.pack(
        status.st_dev,
        status.st_ino,
        abi.filetype(status.st_mode),
        status.st_nlink,
        status.st_size,
        _time(status.st_atime_ns),
        _time(status.st_mtime_ns),
        _time(status.st_ctime_ns),
    )


def _time(nanoseconds: int) -> int:
    # A file may be older than 1970 or younger than 2554: preview 1 has no words for either.
    return min(max(0, nanoseconds), U64_MAX)


def synthetic_status(links: int) -> bytes:
    """Return the filestat of a directory that is there for what is mounted in it."""
    return abi.FILESTAT.pack(0, 1, abi.DIRECTORY, links, 0, 0, 0, 0)


STREAM_STATUS = abi.FILESTAT.pack(0, 0, abi.UNKNOWN, 1, 0, 0, 0, 0)


def chosen_times(
    status: os.stat_result, accessed: int, modified: int, flags: int
) -> tuple[int, int]:
    """Return (atime, mtime) in nanoseconds as the WASI flags choose them."""
    if flags & 3 == 3 or flags & 12 == 12 or flags > 15:
        raise OSError(errno.EINVAL, "flags")
    now = time.time_ns()
    first, second = status.st_atime_ns, status.st_mtime_ns
    if flags & abi.SET_ATIME or flags & abi.SET_ATIME_NOW:
        first = accessed if flags & abi.SET_ATIME else now
    if flags & abi.SET_MTIME or flags & abi.SET_MTIME_NOW:
        second = modified if flags & abi.SET_MTIME else now
    return _offset(first), _offset(second)
