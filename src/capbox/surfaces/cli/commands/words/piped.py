"""What comes in by standard input: the task itself (`capbox run -`), or material for it.

Guarantees: a terminal, a device and a stream that was closed are never read; a stream on which
nothing comes is waited for only so long, and that is said; bytes that are no text are refused. Does
not: believe it. Only what `-` reads is the person's own words.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Callable

from capbox.engine.settings import PIPED_CHARACTERS_MAX as CHARACTERS_MAX
from capbox.surfaces.cli.failures import usage

WAIT_SECONDS = 3.0
_BYTES = 1 << 16


def standard_input() -> int | None:
    """Return the number of its file, None if there is none."""
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError):  # a program that runs commands within itself may have none
        return None


def task_piped(number: int | None) -> str:
    """Return the task that `-` stands for, from the file `number`. Raises CommandFailure."""
    if number is None or os.isatty(number):
        raise usage("TASK -: reads the task from standard input; put a file or a pipe there")
    text = _decoded(_read(number, CHARACTERS_MAX))
    if len(text) > CHARACTERS_MAX:
        raise usage(f"TASK -: is longer than {CHARACTERS_MAX:,} characters; put it into a file")
    if not text.strip():
        raise usage("TASK -: standard input is empty")
    return text


def material_piped(
    number: int | None,
    wanted: bool | None,
    say: Callable[[str], None],
    wait_seconds: float = WAIT_SECONDS,
) -> str:
    """Return what came to the file `number` beside a task, "" if nothing did.

    `wanted` False: it is not read; True: it is waited for, however long; None: it is read where
    somebody redirected it, and begins within `wait_seconds`. Raises CommandFailure.
    """
    mode = 0 if number is None else os.fstat(number).st_mode
    if wanted is False or number is None or not _redirected(mode):
        if wanted and number is not None and os.isatty(number):
            raise usage("--stdin: standard input is a terminal; put a file or a pipe there")
        return ""
    if wanted is None and not stat.S_ISREG(mode):
        # Attack, by oneself: a pipe that some parent left open, as ssh and CI do, and no end.
        ready, _, _ = select.select([number], [], [], wait_seconds)
        if not ready:
            say(f"nothing came on standard input in {wait_seconds:g} s; --stdin waits for it")
            return ""
    text = _decoded(_read(number, CHARACTERS_MAX))
    if len(text) > CHARACTERS_MAX:
        say(f"of standard input the model is told the first {CHARACTERS_MAX:,} characters")
    return text


def _redirected(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _read(number: int, characters: int) -> bytes:
    """Return enough bytes for one character more than these, or all that there are."""
    found = bytearray()
    while len(found) <= 4 * characters:
        piece = os.read(number, _BYTES)
        if not piece:
            break
        found += piece
    return bytes(found)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        if error.start > CHARACTERS_MAX and error.end >= len(content) - 3:
            return content[: error.start].decode()  # it was cut there
        raise usage(
            f"standard input is not UTF-8 text (byte {error.start:,}); an image or PDF goes by "
            "--attach FILE, any other file by --read FILE"
        ) from None
