"""A guest without WebAssembly: it calls the host's functions with pointers into a byte array."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from capbox.authority.exclusions import HIDDEN, PROTECTED
from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import EffectLog, EffectWriter, read_effects
from capbox.sandbox.raw import TRAP
from capbox.sandbox.spec import Mount, Rule
from capbox.sandbox.wasi.abi import WASI_ERRNO
from capbox.sandbox.wasi.host import CallBounds, CallReport, Host, OpenMount

NAMES = {number: errno.errorcode[code] for code, number in WASI_ERRNO.items()} | {
    52: "ENOSYS",
    58: "ENOTSUP",
}
BOUNDS = CallBounds(
    deadline_ns=0,
    output_bytes=1_000_000,
    written_bytes=64_000_000,
    files_created=1_000,
    open_files=256,
    tmp_bytes=64_000_000,
    seed=bytes(32),
    started_ns=1_700_000_000_000_000_000,
)
PATH_AT, PATH2_AT, OUT_AT, VECTOR_AT, BUFFER_AT = 4096, 16384, 64, 32, 65536
READ, WRITE = 1 << 1, 1 << 6
ROOT = 3


class Errno(Exception):
    """What a host function answered; `name` is "TRAP" when it stopped the guest."""

    def __init__(self, code: int) -> None:
        self.name = "TRAP" if code == TRAP else NAMES.get(code, str(code))
        super().__init__(self.name)


@dataclass
class Guest:
    """One guest of one host."""

    host: Host
    log_fd: int
    request: bytes = b""
    raw: bytearray = field(default_factory=lambda: bytearray(1 << 20))

    def start(self) -> None:
        """Attach a fresh memory, as a new instance would."""
        self.raw = bytearray(1 << 20)
        self.host.attach_buffer(memoryview(self.raw))

    def call(self, name: str, *arguments: int) -> None:
        """Call a host function; anything but success raises Errno."""
        code = self.host.invoke(name, *arguments)
        if code != 0:
            raise Errno(code)

    def text(self, value: str | bytes, at: int = PATH_AT) -> tuple[int, int]:
        """Put a string into memory and return (pointer, length)."""
        raw = value.encode() if isinstance(value, str) else value
        self.raw[at : at + len(raw)] = raw
        return at, len(raw)

    def u32(self, at: int = OUT_AT) -> int:
        """Read a result."""
        return int(struct.unpack_from("<I", self.raw, at)[0])

    def u64(self, at: int = OUT_AT) -> int:
        """Read a result."""
        return int(struct.unpack_from("<Q", self.raw, at)[0])

    def open(
        self,
        path: str | bytes,
        mode: str = "r",
        *,
        follow: bool = True,
        at: int = ROOT,
    ) -> int:
        """Open: `r` read, `w` write, `c` create, `x` exclusively, `t` truncate, `a` append,
        `d` only a directory.
        """
        oflags = sum({"c": 1, "d": 2, "x": 4, "t": 8}.get(letter, 0) for letter in mode)
        rights = (READ if "r" in mode else 0) | (WRITE if "w" in mode else 0)
        append = 1 if "a" in mode else 0
        where = self.text(path)
        self.call("path_open", at, int(follow), *where, oflags, rights, rights, append, OUT_AT)
        return self.u32()

    def vector(self, length: int, at: int = BUFFER_AT) -> tuple[int, int]:
        """Return one iovec over the buffer."""
        struct.pack_into("<II", self.raw, VECTOR_AT, at, length)
        return VECTOR_AT, 1

    def read(self, fd: int, length: int = 4096) -> bytes:
        """Read once."""
        self.call("fd_read", fd, *self.vector(length), OUT_AT)
        return bytes(self.raw[BUFFER_AT : BUFFER_AT + self.u32()])

    def write(self, fd: int, content: bytes) -> int:
        """Write once."""
        self.raw[BUFFER_AT : BUFFER_AT + len(content)] = content
        self.call("fd_write", fd, *self.vector(len(content)), OUT_AT)
        return self.u32()

    def close(self, fd: int) -> None:
        """Close."""
        self.call("fd_close", fd)

    def read_file(self, path: str | bytes, *, follow: bool = True) -> str:
        """Open, read, close."""
        fd = self.open(path, "r", follow=follow)
        content = self.read(fd)
        self.close(fd)
        return content.decode()

    def write_file(self, path: str | bytes, content: bytes = b"x", mode: str = "wct") -> str:
        """Open, write, close."""
        fd = self.open(path, mode)
        self.write(fd, content)
        self.close(fd)
        return "written"

    def on(self, name: str, path: str | bytes) -> str:
        """Call a function that takes (fd, path)."""
        self.call(name, ROOT, *self.text(path))
        return "done"

    def mkdir(self, path: str | bytes) -> str:
        """Make a directory."""
        return self.on("path_create_directory", path)

    def unlink(self, path: str | bytes) -> str:
        """Remove a file."""
        return self.on("path_unlink_file", path)

    def rmdir(self, path: str | bytes) -> str:
        """Remove a directory."""
        return self.on("path_remove_directory", path)

    def rename(self, old: str | bytes, new: str | bytes) -> str:
        """Rename."""
        self.call("path_rename", ROOT, *self.text(old), ROOT, *self.text(new, PATH2_AT))
        return "done"

    def symlink(self, text: str | bytes, path: str | bytes) -> str:
        """Make a symbolic link."""
        self.call("path_symlink", *self.text(text), ROOT, *self.text(path, PATH2_AT))
        return "done"

    def link(self, old: str, new: str) -> str:
        """Make a hard link."""
        self.call("path_link", ROOT, 0, *self.text(old), ROOT, *self.text(new, PATH2_AT))
        return "done"

    def readlink(self, path: str) -> str:
        """Read a link."""
        self.call("path_readlink", ROOT, *self.text(path), BUFFER_AT, 4096, OUT_AT)
        return self.raw[BUFFER_AT : BUFFER_AT + self.u32()].decode()

    def stat(self, path: str | bytes, *, follow: bool = True) -> tuple[int, int]:
        """Return (file type, size)."""
        self.call("path_filestat_get", ROOT, int(follow), *self.text(path), OUT_AT)
        return self.raw[OUT_AT + 16], self.u64(OUT_AT + 32)

    def touch(self, path: str, *, follow: bool = True) -> str:
        """Set both times to zero."""
        self.call("path_filestat_set_times", ROOT, int(follow), *self.text(path), 0, 0, 5)
        return "done"

    def chmod(self, path: str, mode: int) -> str:
        """Set permissions."""
        self.call("capbox_fs.chmod", *self.text(path), mode)
        return "done"

    def names(self, path: str, room: int = 300) -> list[str]:
        """List a directory through a small buffer, without dots."""
        fd = self.open(path, "rd")
        found: list[str] = []
        cookie = 0
        while True:
            self.call("fd_readdir", fd, BUFFER_AT, room, cookie, OUT_AT)
            used = self.u32()
            at = BUFFER_AT
            while at + 24 <= BUFFER_AT + used:
                following, _, length, _ = struct.unpack_from("<QQIB", self.raw, at)
                if at + 24 + length > BUFFER_AT + used:
                    break
                found.append(self.raw[at + 24 : at + 24 + length].decode())
                cookie, at = following, at + 24 + length
            if used < room:
                self.close(fd)
                return sorted(name for name in found if name not in (".", ".."))

    def finish(self) -> CallReport:
        """End this guest and start the next one."""
        report = self.host.finish()
        self.start()
        return report

    def effects(self) -> EffectLog:
        """Read what the parent would read."""
        return read_effects(self.log_fd)


def answer(act: Callable[[], object]) -> object:
    """Return what `act` returns, or the name of the errno that it got."""
    try:
        return act()
    except Errno as refused:
        return refused.name


class World:
    """A workspace on disk and the way to give guests mounts of it."""

    def __init__(self, root: Path, *, openat2: bool) -> None:
        self.root = root
        self.openat2 = openat2
        self.workspace = root / "ws"
        self.scratch = root / "tmp"
        self.workspace.mkdir()
        self.scratch.mkdir()
        self._fds: list[int] = []
        self._hosts: list[Host] = []

    def mount(self, guest: str, host: Path, *rules: Rule, name: str | None = None) -> OpenMount:
        """Open a directory as the parent does."""
        fd = os.open(host, os.O_PATH | os.O_DIRECTORY)
        self._fds.append(fd)
        return OpenMount(Mount(GuestPath(guest), HostPath(str(host)), rules, name), fd)

    def guest(
        self,
        *mounts: OpenMount,
        bounds: CallBounds = BOUNDS,
        request: bytes = b"",
        writer: Callable[[int], EffectWriter] = EffectWriter,
    ) -> Guest:
        """Start a guest whose request has the given bounds and 5 seconds."""

        def source() -> bytes:
            deadline = bounds.deadline_ns or time.monotonic_ns() + 5_000_000_000
            host.begin(replace(bounds, deadline_ns=deadline))
            return request

        log = os.memfd_create("effects")
        self._fds.append(log)
        host = Host(source, openat2=self.openat2)
        self._hosts.append(host)
        host.adopt(mounts, writer(log))
        guest = Guest(host, log)
        guest.start()
        return guest

    def writer(
        self,
        *,
        bounds: CallBounds = BOUNDS,
        writer: Callable[[int], EffectWriter] = EffectWriter,
    ) -> Guest:
        """Start the usual guest: a writable workspace with the mandatory exclusions, and /tmp."""
        return self.guest(
            self.mount("/workspace", self.workspace, Rule(True, HIDDEN, PROTECTED)),
            self.mount("/tmp", self.scratch, Rule(True)),
            bounds=bounds,
            writer=writer,
        )

    def close(self) -> None:
        """Give every descriptor back."""
        for host in self._hosts:
            host.finish()
        for fd in self._fds:
            os.close(fd)


@pytest.fixture(params=["openat2", "walk"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """Both ways of opening, on a real directory; every descriptor is given back."""
    before = set(os.listdir("/proc/self/fd"))
    made = World(tmp_path, openat2=request.param == "openat2")
    yield made
    made.close()
    assert len(os.listdir("/proc/self/fd")) <= len(before)


@pytest.fixture
def outcome() -> Callable[[Callable[[], object]], object]:
    """`answer` as a fixture: tests cannot import from here."""
    return answer
