"""Compiled guests on disk, and the short-lived process that compiles them.

Guarantees: compiled code (native, so as trusted as ourselves) is only ever read from a directory
that this user owns with mode 0700; a name covers wasm, wasmtime, engine and CPU; files appear
whole. Does not compile in this process: compilation starts threads that would poison later forks,
and a stranger's module could eat all memory; the compiler has bounds of its own.
"""

from __future__ import annotations

import hashlib
import os
import resource
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import anyio

from capbox.authority.paths import HostPath
from capbox.sandbox.component.binary import part_name
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.engine import (
    STACK_BYTES_MAX,
    STACK_BYTES_MIN,
    EngineKey,
    identity,
    make_engine,
)
from capbox.sandbox.lockdown import rlimits
from capbox.sandbox.process.program import run
from capbox.sandbox.spec import Module

COMPILE_SECONDS_MAX = 300.0
_COMPILER_BYTES_MAX = 4 << 30
_NOT_A_GUEST = 3


class CacheError(Exception):
    """The cache cannot be used; the message says which path, why, and what to do."""


class CompileError(Exception):
    """The module is not WebAssembly that this engine takes: the tool's fault."""


class CompileCache:
    """The directory of compiled guests. `report` gets one line when a compilation starts."""

    def __init__(self, directory: HostPath, report: Callable[[str], None]) -> None:
        self._directory = Path(directory)
        self._report = report
        self._building = anyio.Lock()

    async def compiled(self, module: Module, key: EngineKey) -> HostPath:
        """Return the path of `module` compiled for `key`, compiling it if needed.

        Raises CacheError when the directory is not private or the compiler cannot run, and
        CompileError when the module does not compile.
        """
        target = self._directory / f"{_name(module, key)}.cwasm"
        require_private(self._directory)
        if not _usable(target):
            async with self._building:
                if not _usable(target):
                    self._report(f"compiling {Path(module.path).name} (once; some seconds)")
                    await _compile(module, key, target)
        return HostPath(str(target))

    def held(self) -> tuple[Path, ...]:
        """Return every compiled guest, and the halves of killed compilers. Raises CacheError."""
        if not self._directory.exists():
            return ()
        require_private(self._directory)
        files = (*self._directory.glob("*.cwasm*"), *self._directory.glob("*.part*"))
        return tuple(sorted(set(files)))

    def clear(self) -> int:
        """Remove all of it; return of how many guests. Raises CacheError."""
        files = self.held()
        for file in files:
            file.unlink(missing_ok=True)
        return len({guest_name(file) for file in files})


def require_private(directory: Path) -> None:
    """Make `directory` (0700) or refuse one that another user owns or can enter."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CacheError(f"{directory} cannot be made: {error.strerror}") from error
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise CacheError(f"{directory} is not a directory of this user: remove or move it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise CacheError(f"{directory} is open to other users: run chmod 700 on it")


def guest_name(file: Path) -> str:
    """Return the name of the compiled guest that a file is of: a component has several."""
    stem, compiled, _ = file.name.partition(".cwasm")
    return stem + compiled


def names(module: Module) -> frozenset[str]:
    """Return the names that the compiled forms of a guest have here, whatever its bounds are."""
    stacks = (STACK_BYTES_MIN << n for n in range(STACK_BYTES_MAX // STACK_BYTES_MIN))
    keys = (EngineKey(fuel, s) for s in stacks if s <= STACK_BYTES_MAX for fuel in (False, True))
    return frozenset(f"{_name(module, key)}.cwasm" for key in keys)


def _name(module: Module, key: EngineKey) -> str:
    return hashlib.sha256(f"{module.digest}\n{identity(key)}".encode()).hexdigest()[:40]


def _usable(target: Path) -> bool:
    try:
        found = target.lstat()
    except FileNotFoundError:
        return False
    # A link or another owner's file would be somebody else's native code.
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


async def _compile(module: Module, key: EngineKey, target: Path) -> None:
    # No process number: two boxes of one process may compile the same guest.
    part = target.with_suffix(f".{secrets.token_hex(8)}.part")
    words = [module.path, module.digest, str(part), str(int(key.fuel)), str(key.stack_bytes)]
    try:
        status, said = await run("capbox.sandbox.cache", *words, seconds=COMPILE_SECONDS_MAX)
        if status == 0:
            _publish(part, target)
    except TimeoutError as error:
        raise CompileError(f"{module.path}: compiling took too long") from error
    finally:
        _publish(part, None)
    if status != 0:
        reason = said.splitlines()[-1] if said else f"the compiler ended with {status}"
        kind = CompileError if status == _NOT_A_GUEST else CacheError
        raise kind(f"{module.path} could not be compiled: {reason}")


def _publish(part: Path, target: Path | None) -> None:
    """Give the files of a compiled guest their names, the first one last; or remove them."""
    for number in reversed(range(len(list(part.parent.glob(f"{part.name}*"))))):
        file = Path(part_name(str(part), number))
        if target is None:
            file.unlink(missing_ok=True)
        else:
            file.replace(part_name(str(target), number))


def main(arguments: list[str]) -> None:
    """Compile one guest; the program behind `python -m capbox.sandbox.cache`."""
    source, digest, target, fuel, stack = arguments
    rlimits.die_with_parent(os.getppid())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_COMPILER_BYTES_MAX, _COMPILER_BYTES_MAX))
    wasm = Path(source).read_bytes()
    if hashlib.sha256(wasm).hexdigest() != digest:
        sys.exit("the file does not have the digest that was asked for")
    import wasmtime

    from capbox.sandbox.component.code import compile_code

    try:
        if not wasm.startswith(b"\0asm"):
            raise wasmtime.WasmtimeError("it is not WebAssembly")  # text would be taken as well
        compiled = tuple(compile_code(make_engine(EngineKey(fuel == "1", int(stack))), wasm))
    except (wasmtime.WasmtimeError, Misuse) as error:
        print(" ".join(str(error).split()), file=sys.stderr)  # noqa: T201 - to our parent
        sys.exit(_NOT_A_GUEST)
    for number, content in enumerate(compiled):
        name = part_name(target, number)
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as part:
            part.write(content)
            part.flush()
            os.fsync(part.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
