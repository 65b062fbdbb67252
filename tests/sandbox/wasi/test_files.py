"""What writing costs: exact where it goes on or appends, gaps and scattered blocks in full."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capbox.sandbox.wasi.files import _time
from capbox.sandbox.wasi.host import CallBounds

BLOCK = 4096
BOUNDS = CallBounds(
    deadline_ns=0,
    output_bytes=0,
    written_bytes=1 << 20,
    files_created=100,
    open_files=10,
    tmp_bytes=1 << 20,
    seed=bytes(32),
    started_ns=0,
)


def at(guest: Any, fd: int, offset: int, content: bytes = b"x") -> None:
    guest.raw[65536 : 65536 + len(content)] = content
    guest.call("fd_pwrite", fd, *guest.vector(len(content)), offset, 64)


def seek(guest: Any, fd: int, offset: int) -> None:
    guest.call("fd_seek", fd, offset, 0, 64)


def small_writes(guest: Any, fd: int) -> None:
    for _ in range(100):
        guest.write(fd, b"123")


def overwrite(guest: Any, fd: int) -> None:
    for offset in range(BLOCK - 2, BLOCK + 2):
        at(guest, fd, offset)


def scattered(guest: Any, fd: int) -> None:
    for block in range(0, 10, 2):
        at(guest, fd, block * BLOCK + 7)


def sought(guest: Any, fd: int) -> None:
    for offset in (7, 5 * BLOCK):
        seek(guest, fd, offset)
        guest.write(fd, b"xy")


# In a file of ten blocks, most of it a hole; `n` is a new file, opened once or twice.
COSTS: list[tuple[str, str, Callable[[Any, int], None], int]] = [
    ("small writes one after the other", "n", small_writes, 300),
    ("appending where a file ends", "f", lambda g, f: at(g, f, 10 * BLOCK, b"ab"), 2),
    ("a gap before the write", "n", lambda g, f: at(g, f, 9999), 10_000),
    ("a seek over a gap", "n", lambda g, f: (seek(g, f, 99), g.write(f, b"x"))[0], 100),
    ("nothing at a distance", "n", lambda g, f: at(g, f, 9999, b""), 0),
    ("one byte in a block", "f", lambda g, f: at(g, f, 5), BLOCK),
    ("two bytes in two blocks", "f", lambda g, f: at(g, f, BLOCK - 1, b"ab"), 2 * BLOCK),
    ("bytes going on over two blocks", "f", overwrite, BLOCK + 3),
    ("single bytes far apart", "f", scattered, 5 * BLOCK),
    ("seeks between writes", "f", sought, 2 * BLOCK),
    ("over the end", "f", lambda g, f: at(g, f, 10 * BLOCK - 1, b"ab"), 2 * BLOCK),
]


@pytest.mark.parametrize("place", ["workspace", "tmp"])
@pytest.mark.parametrize(("name", "act", "cost"), [r[1:] for r in COSTS], ids=[r[0] for r in COSTS])
def test_a_write_is_charged_what_it_can_take_on_the_disk(
    world: Any, place: str, name: str, act: Callable[[Any, int], None], cost: int
) -> None:
    host: Path = world.workspace if place == "workspace" else world.scratch
    with (host / "f").open("wb") as file:
        file.truncate(10 * BLOCK)
    guest = world.writer(bounds=BOUNDS)
    fd = guest.open(f"/{place}/{name}", "wc")
    act(guest, fd)
    report = guest.finish()
    charged = (report.written_bytes, report.tmp_bytes)
    assert charged == ((cost, 0) if place == "workspace" else (0, cost))


def test_appending_is_exact_wherever_the_guest_says_it_writes(world: Any) -> None:
    (world.workspace / "f").write_bytes(b"12345")
    guest = world.writer(bounds=BOUNDS)
    for offset in (1 << 40, 0):
        fd = guest.open("/workspace/f", "wa")
        at(guest, fd, offset)
    guest.write(fd, b"y")
    assert guest.finish().written_bytes == 3
    assert (world.workspace / "f").read_bytes() == b"12345xxy"


LARGE = [("the last byte in the budget", (1 << 20) - 1, None), ("one more", 1 << 20, "TRAP")]


@pytest.mark.parametrize(("offset", "answer"), [row[1:] for row in LARGE] + [(1 << 62, "TRAP")])
def test_no_file_grows_further_than_the_budget(
    world: Any, outcome: Any, offset: int, answer: str | None
) -> None:
    guest = world.writer(bounds=BOUNDS)
    fd = guest.open("/workspace/n", "wc")
    assert outcome(lambda: at(guest, fd, offset)) == answer
    assert guest.finish().stopped == (None if answer is None else "written")
    assert os.stat(world.workspace / "n").st_size == (0 if answer else 1 << 20)


def test_the_disk_never_holds_more_than_was_charged(world: Any, outcome: Any) -> None:
    (world.workspace / "holes").touch()
    os.truncate(world.workspace / "holes", 1 << 30)
    guest = world.writer(bounds=replace(BOUNDS, written_bytes=50 * BLOCK))
    fd = guest.open("/workspace/holes", "w")
    answers = [outcome(lambda n=n: at(guest, fd, n * 100 * BLOCK)) for n in range(100)]
    report = guest.finish()
    assert (answers.index("TRAP"), report.written_bytes) == (50, 50 * BLOCK)
    assert os.stat(world.workspace / "holes").st_blocks * 512 <= 50 * BLOCK + BLOCK


@pytest.mark.parametrize(
    ("nanoseconds", "shown"), [(-1, 0), (0, 0), (1 << 63, 1 << 63), (1 << 70, (1 << 64) - 1)]
)
def test_a_time_that_preview_1_cannot_say_is_the_nearest_it_can(
    nanoseconds: int, shown: int
) -> None:
    """A file system may hold times far away; to fail on one would let a file stop every call."""
    assert _time(nanoseconds) == shown
