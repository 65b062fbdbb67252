"""Every bound of a call: where it stops, and that just below it nothing happens."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Any

import pytest

from capbox.sandbox.spec import Rule
from capbox.sandbox.wasi.host import CallBounds

SMALL = CallBounds(
    deadline_ns=0,
    output_bytes=10,
    written_bytes=10,
    files_created=2,
    open_files=3,
    tmp_bytes=10,
    seed=bytes(32),
    started_ns=0,
)


def test_output_up_to_the_bound_is_kept_and_beyond_it_stops(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=SMALL)
    assert guest.write(1, b"12345") == 5
    assert guest.write(1, b"67890") == 5
    assert outcome(lambda: guest.write(1, b"x")) == "TRAP"
    report = guest.finish()
    assert (report.stopped, report.stdout, report.fault) == ("output", b"1234567890", None)


def test_written_bytes_stop_before_they_are_written(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=SMALL)
    fd = guest.open("/workspace/a", "wc")
    assert guest.write(fd, b"1234567890") == 10
    assert outcome(lambda: guest.write(fd, b"x")) == "TRAP"
    report = guest.finish()
    assert (report.stopped, report.written_bytes) == ("written", 10)
    assert (world.workspace / "a").read_bytes() == b"1234567890"


def test_growing_a_file_counts_as_writing(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=SMALL)
    fd = guest.open("/workspace/a", "wc")
    assert outcome(lambda: guest.call("fd_filestat_set_size", fd, 10)) is None
    assert outcome(lambda: guest.call("fd_filestat_set_size", fd, 11)) == "TRAP"
    assert guest.finish().stopped == "written"


def test_scratch_has_its_own_quota_and_answers_enospc(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=replace(SMALL, written_bytes=0))
    fd = guest.open("/tmp/a", "wc")
    assert guest.write(fd, b"1234567890") == 10
    assert outcome(lambda: guest.write(fd, b"x")) == "ENOSPC"
    report = guest.finish()
    assert (report.stopped, report.tmp_bytes, report.written_bytes) == (None, 10, 0)


@pytest.mark.parametrize("make", ["file", "directory", "link"])
def test_everything_made_counts_as_created(world: Any, outcome: Any, make: str) -> None:
    guest = world.writer(bounds=SMALL)
    acts = {
        "file": lambda n: guest.write_file(f"/workspace/{n}"),
        "directory": lambda n: guest.mkdir(f"/workspace/{n}"),
        "link": lambda n: guest.symlink("x", f"/workspace/{n}"),
    }
    got = [outcome(lambda n=n: acts[make](n)) for n in range(3)]
    assert got[2] == "TRAP"
    assert "TRAP" not in got[:2]
    assert guest.finish().stopped == "files_created"
    assert len(list(world.workspace.iterdir())) == 2


def test_open_files_answer_emfile_and_closing_gives_room(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=SMALL)
    (world.workspace / "a").write_text("")
    fds = [guest.open("/workspace/a") for _ in range(3)]
    assert fds == [4, 5, 6]
    assert outcome(lambda: guest.open("/workspace/a")) == "EMFILE"
    guest.close(5)
    assert guest.open("/workspace/a") == 5


def test_standard_error_keeps_its_beginning(world: Any) -> None:
    guest = world.writer()
    for _ in range(3):
        guest.write(2, b"e" * 30_000)
    assert guest.finish().stderr == b"e" * 65_536


def test_waiting_ends_at_the_deadline(world: Any, outcome: Any) -> None:
    now = time.monotonic_ns()
    guest = world.writer(bounds=replace(SMALL, deadline_ns=now + 20_000_000))
    guest.read(0)
    subscription = bytes(16) + (1).to_bytes(8, "little") + (3_600 * 10**9).to_bytes(8, "little")
    guest.raw[2048 : 2048 + 48] = subscription.ljust(48, b"\0")
    assert outcome(lambda: guest.call("poll_oneoff", 2048, 4096, 1, 64)) == "TRAP"
    assert guest.finish().stopped == "time"


def test_a_listing_is_bounded_by_time_too(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=replace(SMALL, deadline_ns=1))
    guest.read(0)
    assert outcome(lambda: guest.call("random_get", 0, 1 << 20)) == "TRAP"
    assert guest.finish().stopped == "time"


def test_opening_without_end_for_writing_stops(world: Any, outcome: Any) -> None:
    guest = world.writer()
    for number in range(10_001):
        (world.workspace / str(number)).touch()
        got = outcome(lambda number=number: guest.close(guest.open(f"/workspace/{number}", "w")))
        if got is not None:
            break
    assert (number, got, guest.finish().stopped) == (10_000, "TRAP", "effects")


def test_a_bound_crossed_stops_every_later_call(world: Any, outcome: Any) -> None:
    guest = world.writer(bounds=SMALL)
    outcome(lambda: guest.write(1, b"x" * 11))
    assert outcome(lambda: guest.mkdir("/workspace/late")) == "TRAP"
    assert list(world.workspace.iterdir()) == []


def test_the_next_guest_starts_with_nothing_of_the_last(world: Any, outcome: Any) -> None:
    guest = world.guest(world.mount("/workspace", world.workspace, Rule(True)), request=b"req")
    fd = guest.open("/workspace/a", "wc")
    guest.write(1, b"out")
    outcome(lambda: guest.read_file("/etc/passwd"))
    before = len(os.listdir("/proc/self/fd"))
    guest.finish()
    assert len(os.listdir("/proc/self/fd")) == before - 1
    assert outcome(lambda: guest.write(fd, b"x")) == "EBADF"
    assert guest.read(0) == b"req"
    report = guest.finish()
    assert (report.stdout, report.refused, report.stopped) == (b"", (), None)
