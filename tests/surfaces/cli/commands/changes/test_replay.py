"""`capbox replay` as people and programs use it: what it prints, and its exit codes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.home import Home

Capbox = Callable[..., object]
LINE = "sed -i s/alpha/omega/ a.txt; cat a.txt; date +%N"


@pytest.fixture
def run(capbox, workspace: Path, home: Home) -> str:  # type: ignore[no-untyped-def]
    """A run that read the clock, and changed a file."""
    done = capbox("call", "bash", f"script={LINE}", "--write", ".", "--workspace", workspace)
    assert done.code == 0, done
    (tape,) = home.replay.iterdir()
    return tape.stem


def test_a_run_that_comes_out_alike_is_identical(capbox, run: str) -> None:  # type: ignore[no-untyped-def]
    done = capbox("replay", run)
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "   1  bash         identical\nidentical: 1 identical; 2 entries decided again\n"
    )
    document = capbox("replay", run[:15], "--json").json
    assert document == {
        "run": run,
        "closed": True,
        "identical": True,
        "calls": [{"seq": 1, "tool": "bash", "state": "identical", "reason": ""}],
        "entries_decided": 2,
        "difference": None,
        "notes": [],
    }


def test_a_changed_file_is_told_and_is_no_difference(capbox, workspace: Path) -> None:  # type: ignore[no-untyped-def]
    done = capbox("call", "read", "path=b.txt", "--read", ".", "--workspace", workspace, "--json")
    (workspace / "b.txt").write_text("by a person\n")
    done = capbox("replay", done.json["journal"])
    assert done.code == 4
    assert "not replayable: /workspace/b.txt changed since" in done.out
    assert done.out.splitlines()[-1].startswith("in part: 1 not replayable")


def test_a_difference_is_shown_and_is_exit_code_1(capbox, workspace: Path) -> None:  # type: ignore[no-untyped-def]
    flags = ("--read", ".", "--workspace", workspace, "--json")
    made = capbox("call", "bash", "script=ls -i a.txt", *flags).json
    done = capbox("replay", made["journal"])
    assert done.code == 1
    assert "the first difference: entry 2\n  the content of its result\n" in done.out
    assert f"  -{made['content'].rstrip()}\n" in done.out
    document = capbox("replay", made["journal"], "--json").json
    assert document["difference"]["what"] == "the content of its result"
    assert not document["identical"]


def test_a_tampered_journal_is_refused_with_the_words_of_verify(
    capbox,  # type: ignore[no-untyped-def]
    run: str,
    home: Home,
) -> None:
    database = sqlite3.connect(home.state / "journal" / "journal.db")
    (body,) = database.execute("SELECT body FROM entry WHERE seq = 1").fetchone()
    text = (body if isinstance(body, str) else body.decode()).replace("alpha", "gamma")
    database.execute("UPDATE entry SET body = ? WHERE seq = 1", (text,))
    database.commit()
    database.close()
    verified, done = capbox("audit", "verify", run), capbox("replay", run)
    assert (verified.code, done.code, done.out) == (1, 1, "")
    place, reason = verified.out.rstrip().split(f"{run} ", 1)[1].split(": ", 1)
    assert f"broken {place}: {reason}" in done.err


def test_a_forged_recording_is_refused(capbox, run: str, home: Home) -> None:  # type: ignore[no-untyped-def]
    (tape,) = home.replay.iterdir()
    tape.write_bytes(tape.read_bytes().replace(b"omega", b"sigma"))
    done = capbox("replay", run)
    assert (done.code, done.out) == (1, "")
    assert "is not what the journal says was kept" in done.err
    assert json.loads(capbox("replay", run, "--json").out)["error"]["code"] == "broken"


@pytest.mark.parametrize("what", ["20990101-000000-nothing", "../etc"])
def test_what_names_no_run_is_usage(capbox, run: str, what: str) -> None:  # type: ignore[no-untyped-def]
    assert capbox("replay", what).code == 2


def test_an_undo_is_on_record_and_cannot_be_replayed(capbox, run: str, workspace: Path) -> None:  # type: ignore[no-untyped-def]
    assert capbox("undo", "--workspace", workspace).code == 0
    assert capbox("replay", run).code == 0
    undone = next(one for one in capbox("audit", "list", "--json").json if one["what"] == "undo")
    done = capbox("replay", undone["run"])
    assert done.code == 1
    assert "nothing was kept of it that a replay could use" in done.err


def test_another_version_of_a_tool_is_refused_unless_that_is_wanted(
    capbox,  # type: ignore[no-untyped-def]
    entry,  # type: ignore[no-untyped-def]
    run: str,
    tmp_path: Path,
) -> None:
    import shutil
    from dataclasses import replace

    from capbox.surfaces.cli.program import main

    guests = tmp_path / "guests"
    shutil.copytree(entry.guests(), guests)
    manifest = guests / "toolbox" / "bash.toml"
    manifest.write_text(f"{manifest.read_text()}\n# of another version\n")
    other = replace(entry, replaying=lambda *told: replace(entry.replaying(*told), guests=guests))
    assert main(other, ["replay", run]) == 1
    assert main(other, ["replay", run, "--other-tools"]) == 0
