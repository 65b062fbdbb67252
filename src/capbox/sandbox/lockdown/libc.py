"""The C library, for calls that Python does not offer; their failures become OSError."""

from __future__ import annotations

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def checked(answer: int, what: str) -> int:
    """Return the answer of a call. Raises OSError, which names `what`, for a negative one."""
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return int(answer)
