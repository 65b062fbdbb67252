"""Opens files that a stranger's folder may hold: regular ones, and nothing else.

Guarantees: opening never waits, and what is no regular file raises OSError. Does not: refuse links.
"""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading. Raises OSError.

    Attack: a FIFO called tool.toml, at which a reader waits for a writer that never comes.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "is no regular file")
    return os.fdopen(opened, "rb")


def read_regular(path: Path, bytes_max: int) -> str:
    """Return the text of a file. Raises OSError; ValueError if too long or not UTF-8."""
    with open_regular(path) as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ValueError(f"is too long: it has at most {bytes_max:,} bytes")
    return content.decode("utf-8")
