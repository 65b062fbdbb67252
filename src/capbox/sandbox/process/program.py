"""A program of our own in a process of its own, run to its end: a compiler, a packer.

Guarantees: it ends when whoever awaits it is cancelled, at once. Does not: end by itself when its
parent is killed: `rlimits.die_with_parent` does that, in the program.
"""

from __future__ import annotations

import sys
from contextlib import suppress

import anyio


async def run(module: str, *arguments: str, seconds: float) -> tuple[int, str]:
    """Return how the main module `module` ended, and what it said. Raises TimeoutError, OSError."""
    command = [sys.executable, "-I", "-m", module, *arguments]
    with anyio.fail_after(seconds):
        async with await anyio.open_process(command, stdout=None, env={}, cwd="/") as process:
            try:
                said = (
                    b"" if process.stderr is None else b"".join([s async for s in process.stderr])
                )
                return await process.wait(), said.decode(errors="replace").strip()
            finally:
                # A Ctrl-C cancels once, and leaving the block awaits the end: of native code that
                # heeds no signal but this one.
                with suppress(ProcessLookupError):
                    process.kill()
