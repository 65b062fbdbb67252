"""A web server for benchmarks, on loopback, in a process of its own.

    GET /1k      1 KB, at once
    GET /100m    100 MB, as fast as it is read

Guarantees: it ends with its parent. Does not: speak more of HTTP than that.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE_BYTES = 100_000_000
_SMALL = b"x" * 1_000
_CHUNK = b"y" * 262_144


@contextmanager
def serving() -> Iterator[int]:
    """Run the server and give its port."""
    child = subprocess.Popen(
        [sys.executable, "-m", "bench.web"],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        line = b"" if child.stdout is None else child.stdout.readline()
        yield int(line)
    finally:
        child.kill()
        child.wait()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while (head := await reader.readuntil(b"\r\n\r\n")) != b"":
            large = head.startswith(b"GET /100m ")
            length = LARGE_BYTES if large else len(_SMALL)
            kind = b"application/octet-stream" if large else b"text/plain"
            start = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
            writer.write(start % (kind, length) + (b"" if large else _SMALL))
            for begin in range(0, length if large else 0, len(_CHUNK)):
                writer.write(_CHUNK[: length - begin])
                await writer.drain()
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    # Whoever started it closes its standard input, at the latest by ending.
    loop.add_reader(sys.stdin, over.set)
    await over.wait()


if __name__ == "__main__":
    asyncio.run(_serve())
