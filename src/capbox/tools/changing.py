"""One process at a time changes a directory of capbox, in a folder that goes when it is done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from capbox.journal.lock import try_lock

_COMING = ".coming"


@contextmanager
def alone(root: Path, lock: str, busy: Exception) -> Generator[Path]:
    """Hold `lock` in `root`, which is made, for the block; yield an empty folder that goes with it.

    Raises `busy` if another process holds it, and OSError.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = try_lock(root / lock)
    if held is None:
        raise busy
    coming = root / _COMING
    try:
        # What killed processes have left: nobody else is here.
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir(mode=0o700)
        yield coming
    finally:
        shutil.rmtree(coming, ignore_errors=True)
        os.close(held)
