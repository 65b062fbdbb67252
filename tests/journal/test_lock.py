"""The lock beside a file keeps others out, and ends with whoever holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from capbox.journal.lock import locked, try_lock

HOLD = """
import sys
from pathlib import Path
from capbox.journal.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_at_a_time_and_never_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with locked(path):
        assert try_lock(path) is None
        other = try_lock(tmp_path / "b")
        assert other is not None
        os.close(other)
    lock = try_lock(path)
    assert lock is not None
    os.close(lock)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.lock", "b.lock"]


def test_the_lock_of_a_process_that_is_killed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a"
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert try_lock(path) is None
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    lock = try_lock(path)
    assert lock is not None
    os.close(lock)


def test_a_link_in_its_place_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        try_lock(tmp_path / "a")
    with pytest.raises(OSError, match="symbolic links"), locked(tmp_path / "a"):
        pass
    assert not (tmp_path / "elsewhere").exists()
