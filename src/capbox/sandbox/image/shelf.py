"""Folders as a packer reads them: names and bytes, and nothing else of the host's files.

Serves preview 1's functions for directories that are open from the start, and for reading what is
in them. Guarantees: what is read depends on names and bytes alone: no inode, device, time or order
of the host's. Does not: write, or follow a link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path

import wasmtime

from capbox.sandbox.image.sections import PackingError
from capbox.sandbox.raw import GuestMemory, RawFunctions
from capbox.sandbox.wasi import abi

_FIRST = 3


class Shelf:
    """Host folders by guest path; descriptors from 3 on are those folders, in this order."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Read everything. Raises OSError, and PackingError for what is no file or folder."""
        self._memory = GuestMemory()
        self._raw = RawFunctions()
        self._roots = tuple(folders)
        self._found: dict[str, bytes | list[str]] = {}
        for guest, folder in folders.items():
            self._look(guest, folder)
        self._open = {n: (guest, BytesIO()) for n, guest in enumerate(folders, _FIRST)}

    def link(
        self, linker: wasmtime.Linker, guard: Callable[[Callable[..., int]], Callable[..., int]]
    ) -> None:
        """Define the functions in place of those of `linker`; `guard` keeps exceptions in."""
        linker.allow_shadowing = True
        for name, params in abi.SIGNATURES.items():
            if (body := getattr(self, name, None)) is not None:
                named = (abi.MODULE, name)
                self._raw.define(linker, named, params, result="i", body=guard(self._synced(body)))

    def attach(self, store: wasmtime.Store, memory: wasmtime.Memory) -> None:
        """Use the memory of the instance that packs."""
        self._memory.attach(store, memory)

    def fd_prestat_get(self, fd: int, out: int) -> int:
        """Describe a folder that is open from the start."""
        self._memory.write(out, bytes(4) + len(self._root(fd)).to_bytes(4, "little"))
        return 0

    def fd_prestat_dir_name(self, fd: int, pointer: int, length: int) -> int:
        """Return its guest path."""
        self._memory.write(pointer, self._root(fd)[:length])
        return 0

    def path_open(self, fd: int, _lookup: int, pointer: int, length: int, *rest: int) -> int:
        """Open a file or a folder to be read."""
        path = f"{self._path(fd)}/{self._memory.text(pointer, length)}"
        if path not in self._found:
            raise FileNotFoundError(errno.ENOENT, "no such name")
        content, number = self._found[path], max(self._open) + 1
        self._open[number] = path, BytesIO(content if isinstance(content, bytes) else b"")
        self._memory.put_u32(rest[-1], number)
        return 0

    def fd_close(self, fd: int) -> int:
        """Close what `path_open` opened."""
        self._path(fd)
        del self._open[fd]
        return 0

    def fd_read(self, fd: int, vectors: int, count: int, out: int) -> int:
        """Read on in a file."""
        self._path(fd)
        buffers = self._memory.vectors(vectors, count)
        self._memory.put_u32(out, sum(self._open[fd][1].readinto(buffer) for buffer in buffers))
        return 0

    def fd_readdir(self, fd: int, pointer: int, length: int, cookie: int, out: int) -> int:
        """List a folder, sorted."""
        path, content = self._path(fd), b""
        names = self._found[path]
        for number, name in enumerate(names if isinstance(names, list) else (), 1):
            if number > cookie and len(content) < length:
                text, kind = name.encode(), self._kind(f"{path}/{name}")
                content += abi.DIRENT.pack(number, 1, len(text), kind) + text
        self._memory.write(pointer, content[:length])
        self._memory.put_u32(out, min(len(content), length))
        return 0

    def fd_filestat_get(self, fd: int, out: int) -> int:
        """Return type and size of what is open."""
        kind, size = self._kind(self._path(fd)), len(self._open[fd][1].getvalue())
        self._memory.write(out, abi.FILESTAT.pack(0, 1, kind, 1, size, 0, 0, 0))
        return 0

    def _look(self, guest: str, folder: Path) -> None:
        self._found[guest] = names = sorted(os.listdir(folder))
        for path in map(folder.joinpath, names):
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                self._look(f"{guest}/{path.name}", path)
            elif stat.S_ISREG(mode):
                self._found[f"{guest}/{path.name}"] = path.read_bytes()
            else:
                raise PackingError(f"{path} is no file or folder")

    def _synced(self, body: Callable[..., int]) -> Callable[..., int]:
        def synced(*arguments: int) -> int:
            self._memory.sync()
            return body(*arguments)

        return synced

    def _root(self, fd: int) -> bytes:
        if not 0 <= fd - _FIRST < len(self._roots):
            raise OSError(errno.EBADF, "not open from the start")
        return self._roots[fd - _FIRST].encode()

    def _path(self, fd: int) -> str:
        if fd not in self._open:
            raise OSError(errno.EBADF, "no such descriptor")
        return self._open[fd][0]

    def _kind(self, path: str) -> int:
        return abi.DIRECTORY if isinstance(self._found[path], list) else abi.REGULAR
