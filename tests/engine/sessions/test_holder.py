"""One process at a time in a session: who is refused hears who holds it, and a kill frees it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from capbox.engine.sessions.errors import SessionError
from capbox.engine.sessions.holder import CHAT, hold
from capbox.store.errors import StoreError

NAME = "a" * 16
HOLDER = f"""
import sys, pathlib
from capbox.engine.sessions.holder import hold
held = hold(pathlib.Path(sys.argv[1]), {NAME!r}, "capbox run tidy up")
print("held", flush=True)
sys.stdin.read()
"""


def holding(directory: Path) -> subprocess.Popen[str]:
    """Start another process that holds the session."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    return child


def test_a_second_process_is_refused_with_who_holds_it(tmp_path: Path) -> None:
    with holding(tmp_path / "locks") as child:
        with pytest.raises(SessionError) as refused:
            hold(tmp_path / "locks", NAME, "me")
        child.kill()
    assert refused.value.held
    assert f"process {child.pid} works in it since 20" in str(refused.value)
    assert "(capbox run tidy up)" in str(refused.value)


@pytest.mark.parametrize(
    ("what", "advice"),
    [
        (CHAT, "(capbox chat); leave the chat in process PID"),
        ("capbox run chat", "(capbox run chat); wait for it, or end it (capbox ps, capbox revoke)"),
    ],
)
def test_who_is_refused_hears_how_it_is_let_go(what: str, advice: str, tmp_path: Path) -> None:
    held = hold(tmp_path, NAME, what)
    with pytest.raises(SessionError) as refused:
        hold(tmp_path, NAME, "me")
    held.release()
    assert str(refused.value).endswith(advice.replace("PID", str(os.getpid())))


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    with holding(tmp_path) as child:
        child.kill()
    hold(tmp_path, NAME, "me").release()


def test_what_is_let_go_can_be_held_again_and_leaves_no_file(tmp_path: Path) -> None:
    for _ in range(2):
        held = hold(tmp_path, NAME, "me")
        with pytest.raises(SessionError):
            hold(tmp_path, NAME, "me too")
        held.release()
        held.release()
    assert list(tmp_path.iterdir()) == []


def test_two_sessions_do_not_hinder_each_other(tmp_path: Path) -> None:
    one, other = hold(tmp_path, NAME, "me"), hold(tmp_path, "b" * 16, "me")
    one.release()
    other.release()


def test_the_file_is_private_and_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    held = hold(tmp_path / "locks", NAME, "me")
    (file,) = (tmp_path / "locks").iterdir()
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    held.release()
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.symlink(victim, file)
    with pytest.raises(StoreError):
        hold(tmp_path / "locks", NAME, "me")
    assert victim.read_text() == "precious"
