"""Memory of the processes, from /proc: resident (shared pages count in each) and private bytes.

Does not: work outside Linux; private memory of a worker is hidden from ordinary users (its process
is not dumpable), so its resident memory stands in there.
"""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path

from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine

MB = 1_000_000
WORKERS = 4


async def memory(engine: LocalEngine, workspace: Path) -> Rows:
    """Open several boxes, so that several workers are there, and look at all processes."""
    async with AsyncExitStack() as stack:
        for number in range(WORKERS):
            box = Box(workspace=workspace, preset="read-only", engine=engine)
            opened = await stack.enter_async_context(box)
            done(await opened.call("read", path=f"{number}.txt"))
        parents = zygotes()
        workers = [pid for zygote in parents for pid in children(zygote)]
        private = [bytes_of(pid, private=True) for pid in workers]
        found = {
            "rss_parent": (bytes_of(os.getpid()), "resident, this process with the benchmark"),
            "rss_zygote": (max(map(bytes_of, parents)), "resident, the zygote"),
            "rss_worker": (sum(map(bytes_of, workers)) / len(workers), "resident, one worker"),
            "private_worker": (sum(private) / len(private), "private, each further worker"),
        }
    return {name: Row(size / MB, "MB", None, what) for name, (size, what) in found.items()}


def zygotes() -> list[int]:
    """Return the zygotes of this process."""
    found = children(os.getpid())
    return [pid for pid in found if b"zygote" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def children(parent: int) -> list[int]:
    """Return the processes that `parent` started and that still run."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, above, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(above) == parent and state != "Z":
            found.append(int(stat.parent.name))
    return found


def bytes_of(pid: int, *, private: bool = False) -> int:
    """Return the resident bytes of a process, or those that are its alone."""
    if private:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except PermissionError:
            return bytes_of(pid)
        sizes = (line.split()[1] for line in lines if line.startswith("Private_"))
        return sum(map(int, sizes)) * 1024
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(resident) * os.sysconf("SC_PAGE_SIZE")
