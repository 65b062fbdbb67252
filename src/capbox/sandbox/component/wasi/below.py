"""The preview 1 host, called with values instead of pointers into a guest's memory.

Guarantees: nothing here opens, reads or decides anything by itself: each call is one of
`sandbox/wasi`, with its checks, its record and its bounds. Does not: know components.
"""

from __future__ import annotations

import errno
from struct import Struct

from capbox.sandbox.component.wasi.signatures import CODES
from capbox.sandbox.raw import TRAP
from capbox.sandbox.wasi import abi
from capbox.sandbox.wasi.call import StopCall
from capbox.sandbox.wasi.host import Host

CHUNK_BYTES = 1 << 18
_PATH_BYTES = 4096
_FIRST, _SECOND, _OUT, _VECTOR, _DATA = 0, _PATH_BYTES, 2 * _PATH_BYTES, 9216, 16384
_U32, _U64, _PAIR = Struct("<I"), Struct("<Q"), Struct("<II")
_ENTRY = Struct("<QQIBxxx")
_SUBSCRIPTION = Struct("<QBxxxxxxxIxxxxQQHxxxxxx")

_BY_NUMBER = {abi.WASI_ERRNO[getattr(errno, c)]: code for code, c in CODES.items()}


class Refusal(Exception):
    """What a function of preview 1 answered instead of doing it: `code` is of wasi:filesystem."""

    def __init__(self, number: int) -> None:
        self.code = _BY_NUMBER.get(number, "io")
        super().__init__(self.code)


class Below:
    """The host functions of a worker, and the room that their pointers lead to."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._room = memoryview(bytearray(_DATA + CHUNK_BYTES))
        self.variables: dict[str, str] = {}  # of the call, beside the constant ones

    def attach(self) -> None:
        """Have the host use our room instead of a guest's memory."""
        self._host.attach_buffer(self._room)

    def __call__(self, name: str, *arguments: int) -> None:
        """Call a function. Raises Refusal, or StopCall when the call is over."""
        answer = self._host.invoke(name, *arguments)
        if answer == TRAP:
            raise StopCall
        if answer:
            raise Refusal(answer)

    def on(self, name: str, fd: int, path: str, *arguments: int) -> None:
        """Call a function on a path below a directory."""
        self(name, fd, *self.path(path), *arguments)

    def path(self, path: str, *, second: bool = False) -> tuple[int, int]:
        """Put a path into the room; return where it is."""
        content = path.encode(errors="replace")
        if len(content) > _PATH_BYTES:
            raise Refusal(abi.WASI_ERRNO[errno.ENAMETOOLONG])
        at = _SECOND if second else _FIRST
        self._room[at : at + len(content)] = content
        return at, len(content)

    def opened(self, fd: int, path: str, flags: tuple[int, int, int]) -> int:
        """Open: `flags` are lookup and open flags, and rights. Return the descriptor."""
        lookup, oflags, rights = flags
        self("path_open", fd, lookup, *self.path(path), oflags, rights, rights, 0, _OUT)
        return self._u32()

    def status(self, fd: int, path: str | None = None, *, follow: bool = False) -> tuple[int, ...]:
        """Return the fields of a file status, as `abi.FILESTAT` has them."""
        if path is None:
            self("fd_filestat_get", fd, _OUT)
        else:
            self("path_filestat_get", fd, int(follow), *self.path(path), _OUT)
        return abi.FILESTAT.unpack_from(self._room, _OUT)

    def kind(self, fd: int) -> int:
        """Return the file type of a descriptor."""
        self("fd_fdstat_get", fd, _OUT)
        return self._room[_OUT]

    def read(self, fd: int, count: int, offset: int | None = None) -> bytes:
        """Read at most `count` bytes at `offset`, or on from where the stream is."""
        self._vector(min(count, CHUNK_BYTES))
        if offset is None:
            self("fd_read", fd, _VECTOR, 1, _OUT)
        else:
            self("fd_pread", fd, _VECTOR, 1, offset, _OUT)
        return bytes(self._room[_DATA : _DATA + self._u32()])

    def write(self, fd: int, content: bytes, offset: int | None = None) -> int:
        """Write at `offset`, or at the end of a stream; return how many bytes."""
        for start in range(0, len(content), CHUNK_BYTES):
            chunk = content[start : start + CHUNK_BYTES]
            self._room[_DATA : _DATA + len(chunk)] = chunk
            self._vector(len(chunk))
            if offset is None:
                self("fd_write", fd, _VECTOR, 1, _OUT)
            else:
                self("fd_pwrite", fd, _VECTOR, 1, offset + start, _OUT)
            if self._u32() < len(chunk):
                return start + self._u32()
        return len(content)

    def entries(self, fd: int) -> list[tuple[str, int]]:
        """Return the names in a directory, each with its file type."""
        found: list[tuple[str, int]] = []
        cookie, used = 0, CHUNK_BYTES
        while used == CHUNK_BYTES:
            self("fd_readdir", fd, _DATA, CHUNK_BYTES, cookie, _OUT)
            used, at = self._u32(), 0
            while at + _ENTRY.size <= used:
                following, _, size, kind = _ENTRY.unpack_from(self._room, _DATA + at)
                at += _ENTRY.size + size
                if at > used:
                    break  # cut off: it is the first of the next chunk
                name = bytes(self._room[_DATA + at - size : _DATA + at]).decode()
                cookie = following
                if name not in (".", ".."):
                    found.append((name, kind))
        return found

    def link_text(self, fd: int, path: str) -> str:
        """Return what a symbolic link says."""
        self.on("path_readlink", fd, path, _DATA, CHUNK_BYTES, _OUT)
        return bytes(self._room[_DATA : _DATA + self._u32()]).decode(errors="replace")

    def time(self, clock: int, *, resolution: bool = False) -> int:
        """Return nanoseconds of a clock, or its resolution."""
        if resolution:
            self("clock_res_get", clock, _OUT)
        else:
            self("clock_time_get", clock, 1, _OUT)
        return int(_U64.unpack_from(self._room, _OUT)[0])

    def wait(self, nanoseconds: int) -> None:
        """Sleep."""
        subscription = _SUBSCRIPTION.pack(0, 0, 1, nanoseconds, 0, 0)
        self._room[_DATA : _DATA + len(subscription)] = subscription
        self("poll_oneoff", _DATA, _DATA + 64, 1, _OUT)

    def random(self, count: int) -> bytes:
        """Return random bytes."""
        found = bytearray()
        while len(found) < count:
            chunk = min(count - len(found), CHUNK_BYTES)
            self("random_get", _DATA, chunk)
            found += self._room[_DATA : _DATA + chunk]
        return bytes(found)

    def texts(self, name: str) -> list[str]:
        """Return what `args` or `environ` hold."""
        self(f"{name}_sizes_get", _OUT, _OUT + 4)
        count, size = _PAIR.unpack_from(self._room, _OUT)
        if size + 4 * count > CHUNK_BYTES:
            raise Refusal(abi.WASI_ERRNO[errno.E2BIG])
        self(f"{name}_get", _DATA, _DATA + 4 * count)
        texts = bytes(self._room[_DATA + 4 * count : _DATA + 4 * count + size])
        return texts.decode(errors="replace").split("\0")[:count]

    def sent(self, head: str, body: bytes) -> tuple[int, str]:
        """Hand a request to the parent; return a handle of the response, and what is said of it."""
        text = head.encode(errors="replace")
        room = memoryview(bytearray(8 + len(text) + len(body)))
        room[8 : 8 + len(text)], room[8 + len(text) :] = text, body
        self._host.attach_buffer(room)
        try:
            self("capbox_http.request", 8, len(text), 8 + len(text), len(body), 0)
            handle, size = _PAIR.unpack_from(room, 0)
            room = memoryview(bytearray(size))
            self._host.attach_buffer(room)
            self("capbox_http.answer", 0, size)
        finally:
            self.attach()
        return handle, bytes(room).decode(errors="replace")

    def received(self, handle: int, count: int) -> bytes:
        """Return the next bytes of a response."""
        self("capbox_http.read", handle, _DATA, min(count, CHUNK_BYTES), _OUT)
        got, said = _PAIR.unpack_from(self._room, _OUT)
        if said:
            raise Refusal(abi.EIO)
        return bytes(self._room[_DATA : _DATA + got])

    def _vector(self, size: int) -> None:
        _PAIR.pack_into(self._room, _VECTOR, _DATA, size)

    def _u32(self) -> int:
        return int(_U32.unpack_from(self._room, _OUT)[0])
