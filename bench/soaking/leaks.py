"""What this process holds, and what it leaves: descriptors, threads, processes, files, memory."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.memory import bytes_of, children
from bench.soaking.wrong import Wrong

RSS_GROWTH_MAX = 64_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """What is held at a moment at which nothing runs."""

    descriptors: int
    threads: int
    processes: int
    rss: int

    @classmethod
    def now(cls) -> Held:
        """Count."""
        gc.collect()
        return cls(
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            # anyio keeps idle worker threads for a while, and bounds them itself.
            threads=sum("AnyIO" not in t.name for t in threading.enumerate()),
            processes=len(children(os.getpid())),
            rss=bytes_of(os.getpid()),
        )


def compare(before: Held, after: Held, rss_base: int | None) -> None:
    """Raise Wrong for what an engine that is closed has left."""
    for name in ("descriptors", "threads", "processes"):
        was, now = getattr(before, name), getattr(after, name)
        if now > was:
            raise Wrong("leak", f"{now - was} {name} more than before the engine was opened")
    if rss_base is not None and after.rss > rss_base + RSS_GROWTH_MAX:
        grown = (after.rss - rss_base) // 1_000_000
        raise Wrong("leak", f"memory: {grown} MB more than after the first epochs")


def files_left(home: Path, temporary: Path) -> None:
    """Raise Wrong for temporary files and scratch directories that nobody removed."""
    scratch = home / "cache" / "scratch"
    left = [*temporary.iterdir(), *(scratch.iterdir() if scratch.exists() else ())]
    known = {"compiled", "scratch"}
    left += [path for path in (home / "cache").iterdir() if path.name not in known]
    if left:
        raise Wrong("leak", f"files: {', '.join(map(str, left[:5]))} and {len(left)} altogether")


def disk_bytes(place: Path) -> int:
    """Return what everything below a place takes on disk."""
    total = 0
    for path in place.rglob("*"):
        with suppress(OSError):  # it may go while this looks
            total += path.lstat().st_blocks * 512
    return total
