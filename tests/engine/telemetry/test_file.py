"""A log file: closed to others, turned over, whole lines, and never by a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from capbox.engine.settings import SettingsError
from capbox.engine.telemetry.file import LogFile, LogPlace

ELSEWHERE = "/nowhere/workspace"


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_lines_are_appended_to_a_file_closed_to_others(tmp_path: Path) -> None:
    os.umask(0o022)
    place = LogPlace(tmp_path / "log")
    for line in (b"one\n", b"two\n"):
        log = LogFile(place, ELSEWHERE)
        log.write(line)
        log.close()
    assert contents(tmp_path) == {"log": b"one\ntwo\n"}
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600


def test_it_is_turned_over_by_size_and_the_oldest_goes(tmp_path: Path) -> None:
    log = LogFile(LogPlace(tmp_path / "log", bytes_max=8, keep=2), ELSEWHERE)
    for number in range(9):
        log.write(b"%d..\n" % number)
    log.write(b"longer than all of it\n")
    assert contents(tmp_path) == {
        "log": b"longer than all of it\n",
        "log.1": b"8..\n",
        "log.2": b"6..\n7..\n",
    }
    log.close()


def test_two_processes_turn_it_over_once(tmp_path: Path) -> None:
    place = LogPlace(tmp_path / "log", bytes_max=10, keep=3)
    one, other = LogFile(place, ELSEWHERE), LogFile(place, ELSEWHERE)
    one.write(b"one one\n")
    other.write(b"two two\n")
    one.write(b"3\n")
    assert contents(tmp_path) == {"log": b"two two\n3\n", "log.1": b"one one\n"}
    one.close()
    other.close()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.symlink_to(path.with_name("target")), "cannot be opened as a log"),
        (lambda path: path.mkdir(), "cannot be opened as a log"),
        (lambda path: os.mkfifo(path, 0o600), "cannot be opened as a log|no ordinary file"),
        (lambda path: (path.touch(0o600), path.chmod(0o644)), "open to others"),
        (lambda path: path.hardlink_to(path.with_name("target")), "has another name"),
    ],
)
def test_what_is_no_file_of_ones_own_is_refused(tmp_path: Path, make: object, reason: str) -> None:
    (tmp_path / "target").touch(0o600)
    make(tmp_path / "log")  # type: ignore[operator]
    with pytest.raises(SettingsError, match=reason):
        LogFile(LogPlace(tmp_path / "log"), ELSEWHERE)
    assert (tmp_path / "target").read_bytes() == b""


def test_no_log_lies_in_the_workspace_by_any_name(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "link").symlink_to(work)
    for path in (work / "log", tmp_path / "link" / "log", tmp_path / "x" / ".." / "work" / "log"):
        with pytest.raises(SettingsError, match="lies in the workspace"):
            LogFile(LogPlace(path), str(work))
    LogFile(LogPlace(tmp_path / "log"), str(work)).close()


def test_a_link_that_is_put_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").touch(0o600)
    log = LogFile(LogPlace(tmp_path / "log"), ELSEWHERE)
    (tmp_path / "log").unlink()
    (tmp_path / "log").symlink_to(tmp_path / "target")
    with pytest.raises(SettingsError):
        log.write(b"line\n")
    assert (tmp_path / "target").read_bytes() == b""
