"""Makes a tool of an interpreter: folders packed into it, and an image of it when it has started.

CPython is a command that carries its files inside (wasi-vfs exports `wasi_vfs_pack_fs`, which reads
every directory that it is given into memory). `packed` runs that, then starts the guest once: its
own program imports what it needs and exits with `IMAGED`. The memory at that moment, stack and
all, becomes the module's: each later start goes on from there (docs/adr/0036).

Guarantees: the target appears whole; the same guest and the same names and bytes of files give the
same bytes, wherever and whenever they are packed. All of it runs in a process of its own, and what
an author wrote in a child of that, behind the kernel walls of a worker. Does not: run a tool;
follow links.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import wasmtime

from capbox.sandbox.cache import CacheError
from capbox.sandbox.image.sections import PackingError
from capbox.sandbox.image.starting import MEMORY_BYTES_MAX, SECONDS_MAX, prepared
from capbox.sandbox.lockdown import landlock, privileges, rlimits, seccomp
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.process.frames import Walls
from capbox.sandbox.process.program import run

# Of the processor, for what an author's files do when they are loaded: a busy machine is no loop.
START_SECONDS_MAX = 10
SLOW = f"what it does when it is loaded takes more than {START_SECONDS_MAX} seconds"
_COPIES = 5  # of the guest's memory: as it is, as bytes, with its stack, and written twice
_KEPT = "--kept="


async def packed(
    base: Path, folders: Mapping[str, Path], target: Path, kept: Path | None = None
) -> None:
    """Write to `target` the guest `base` with each host folder at its absolute guest path.

    `kept` is a directory of ours alone, for what was compiled: the next time is quicker by that.
    Raises PackingError, whose message is the last line of what the guest said if it failed.
    """
    words = [str(base), str(target), *([] if kept is None else [f"{_KEPT}{kept}"])]
    words += [f"{guest}::{folder}" for guest, folder in folders.items()]
    try:
        status, said = await run("capbox.sandbox.image.packing", *words, seconds=SECONDS_MAX)
    except TimeoutError as error:
        raise PackingError(f"{base.name}: packing took too long") from error
    if status:
        raise PackingError(said or f"{base.name} could not be packed ({status})")


def main(arguments: list[str]) -> None:
    """Pack one guest; the program behind `packed`, and the build of the shipped one."""
    rlimits.die_with_parent(os.getppid())
    base, target, *pairs = arguments
    kept = pairs.pop(0).removeprefix(_KEPT) if pairs and pairs[0].startswith(_KEPT) else None
    beside = Path(tempfile.mkdtemp(prefix=".packing-", dir=Path(target).parent))
    try:
        folders = {}
        for pair in pairs:
            inside, _, folder = pair.partition("::")
            folders[inside] = Path(folder)
        part = beside / "module"
        guest = prepared(Path(base).read_bytes(), folders, kept)
        with part.open("wb") as file:
            walled(lambda: file.write(guest.image()), file)
        part.replace(target)
    except (OSError, CacheError, PackingError, wasmtime.WasmtimeError, wasmtime.Trap) as error:
        sys.exit(" ".join(str(error).split()))
    finally:
        shutil.rmtree(beside)


def walled(act: Callable[[], object], file: BinaryIO) -> None:
    """Do what runs an author's code in a process that can do nothing but write to `file`.

    Raises PackingError with what it said.
    """
    walls, parent = probe(), os.getpid()
    with tempfile.TemporaryFile() as said:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                _restrict(walls, parent)
                act()
                file.flush()
                status = 0
            except (OSError, PackingError, MemoryError) as error:
                said.write((str(error) or "it has no memory left").encode())
                said.flush()
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        reason = " ".join(said.read().decode(errors="replace").split())
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM):
        raise PackingError(SLOW)
    if status:
        raise PackingError(reason or f"it ended with {os.waitstatus_to_exitcode(status)}")


def _restrict(walls: Walls, parent: int) -> None:
    # The order is that of a worker's walls. Threads of the compiler are not in this process.
    rlimits.die_with_parent(parent)
    signal.setitimer(signal.ITIMER_PROF, START_SECONDS_MAX)
    signal.setitimer(signal.ITIMER_REAL, 3 * START_SECONDS_MAX)  # it may wait instead of working
    rlimits.restrict(memory_bytes=_COPIES * MEMORY_BYTES_MAX, open_files=0)
    privileges.restrict()
    if walls.landlock:
        landlock.restrict(())
    if walls.seccomp:
        seccomp.restrict()


if __name__ == "__main__":
    main(sys.argv[1:])
