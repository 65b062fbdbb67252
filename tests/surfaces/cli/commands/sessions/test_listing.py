"""`capbox sessions`: listed, found, shown, renamed, tagged, forked, exported and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.home import Home
from capbox.engine.sessions.conversation import locks
from capbox.engine.sessions.holder import hold

READ = {"text": "I look.", "tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]}
EVIL = {"text": "\x1b[2J\u202egarden\n# not a heading\n```"}


@pytest.fixture
def session(capbox: Callable, script: Callable, workspace: Path) -> str:
    """A session of four messages; returns its id."""
    model = script(READ, EVIL)
    done = capbox(
        "run", "tidy the garden", "--model", model, "--workspace", workspace, "--read", "."
    )
    assert done.code == 0, done.err
    (one,) = capbox("sessions", "list", "--json").json["sessions"]
    return str(one["id"])


def test_a_session_is_listed_with_its_title_and_size(capbox: Callable, session: str) -> None:
    done = capbox("sessions", "list")
    assert done.out.splitlines()[1].split() == [
        session,
        *done.out.splitlines()[1].split()[1:3],
        *("4", "tidy", "the", "garden"),
    ]
    (one,) = capbox("sessions", "list", "--json").json["sessions"]
    assert (one["title"], one["messages"], one["parent"]) == ("tidy the garden", 4, None)


def test_without_a_session_every_command_says_so(capbox: Callable) -> None:
    assert capbox("sessions", "list").err == "there is no session\n"
    assert capbox("sessions", "list", "--json").json == {"sessions": []}
    assert capbox("sessions", "search", "x").err == "nothing was found\n"
    assert capbox("sessions", "show", "abc").code == 2


@pytest.mark.parametrize(
    ("typed", "code"), [(16, 0), (4, 0), ("../../etc", 2), ("", 2), ("zzzzzzzz", 2), ("a;b", 2)]
)
def test_a_session_is_named_by_the_beginning_of_its_id_and_nothing_else(
    capbox: Callable, session: str, typed: int | str, code: int
) -> None:
    name = session[:typed] if isinstance(typed, int) else typed
    for command in (["show", name], ["export", name], ["rename", name, "x"], ["fork", name]):
        assert capbox("sessions", *command).code == code, command


def test_a_search_says_where_it_was_said(capbox: Callable, session: str) -> None:
    found = capbox("sessions", "search", "garden", "--json").json["found"]
    assert [(one["session"], one["seq"]) for one in found] == [(session, 0), (session, 3)]
    assert capbox("sessions", "search", "alpha").out.splitlines()[0].startswith(session)
    assert capbox("sessions", "search", "garden nowhere").err == "nothing was found\n"
    assert capbox("sessions", "search", " ").code == 2


def test_what_is_shown_cannot_act_on_a_terminal(capbox: Callable, session: str) -> None:
    out = capbox("sessions", "show", session).out
    assert "\x1b" not in out and "\u202e" not in out
    assert "\\x1b[2J\\u202egarden" in out
    assert "    3  tool read" in out and "[from workspace:/workspace/a.txt]" in out
    assert "\x1b" not in capbox("sessions", "search", "garden").out


def test_no_text_ends_the_block_of_markdown_that_holds_it(capbox: Callable, session: str) -> None:
    out = capbox("sessions", "export", session).out
    headings = [line for line in out.splitlines() if line.startswith("#")]
    assert headings == [
        *("# tidy the garden", "## 1. person", "## 2. model", "## 3. tool read", "## 4. model"),
    ]
    assert "> # not a heading\n> ```" in out


def test_an_export_as_json_is_whole(capbox: Callable, session: str) -> None:
    document = capbox("sessions", "export", session, "--format", "json").json
    assert [m["role"] for m in document["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert document["messages"][3]["text"] == EVIL["text"]
    assert document == capbox("sessions", "show", session, "--json").json
    assert len(document["runs"]) == 1


def test_titles_and_tags_change(capbox: Callable, session: str) -> None:
    assert capbox("sessions", "rename", session, "roses").code == 0
    assert capbox("sessions", "tag", session, "+b", "+a").err == f"{session}: a, b\n"
    assert capbox("sessions", "tag", session, "-b").err == f"{session}: a\n"
    (one,) = capbox("sessions", "list", "--tag", "a", "--json").json["sessions"]
    assert (one["title"], one["tags"]) == ("roses", ["a"])
    assert capbox("sessions", "list", "--tag", "b", "--json").json == {"sessions": []}


@pytest.mark.parametrize("word", ["a", "+", "+a b", "+\x1b", "+" + "x" * 41])
def test_what_is_no_tag_is_refused(capbox: Callable, session: str, word: str) -> None:
    assert capbox("sessions", "tag", session, word).code == 2


def test_a_fork_is_another_session(capbox: Callable, session: str) -> None:
    name = capbox("sessions", "fork", session, "--at", "1").out.strip()
    sessions = capbox("sessions", "list", "--json").json["sessions"]
    assert {(s["id"], s["messages"], s["parent"]) for s in sessions} == {
        (session, 4, None),
        (name, 1, session),
    }
    refused = capbox("sessions", "fork", session, "--at", "2")
    assert (refused.code, "places near it: 1, 3" in refused.err) == (2, True)


def test_a_session_is_deleted_only_on_a_clear_word(capbox: Callable, session: str) -> None:
    refused = capbox("sessions", "delete", session)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert capbox("sessions", "delete", session, "--yes").code == 0
    assert capbox("sessions", "show", session).code == 2
    assert capbox("sessions", "search", "garden").err == "nothing was found\n"
    assert len(capbox("audit", "list", "--json").out) > 2


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("\n", 1), ("y\n", 0)])
def test_at_a_terminal_a_person_is_asked(
    person: Callable, process: Callable, script: Callable, answer: str, left: int
) -> None:
    assert process("run", "t", "--model", script({"text": "x"})).code == 0
    (one,) = json.loads(process("sessions", "list", "--json").out)["sessions"]
    somebody = person("sessions", "delete", one["id"])
    somebody.waits_for("[y/N] ")
    somebody.types(answer)
    assert somebody.leaves()[0] == (130 if left else 0)
    assert len(json.loads(process("sessions", "list", "--json").out)["sessions"]) == left


def test_a_session_that_a_process_works_in_is_neither_deleted_nor_resumed(
    capbox: Callable, session: str, home: Home, script: Callable, workspace: Path
) -> None:
    held = hold(locks(home.state), session, "capbox run elsewhere")
    for command in (
        ["sessions", "delete", session, "--yes"],
        ["resume", session, "--workspace", workspace],
    ):
        done = capbox(*command)
        assert done.code == 3
        assert "works in it since" in done.err and "capbox run elsewhere" in done.err
    held.release()


# --- resume ---------------------------------------------------------------------------------------


def test_resume_takes_the_newest_session_of_the_folder_with_its_model_and_grants(
    capbox: Callable, session: str, script: Callable, workspace: Path
) -> None:
    script(READ, EVIL, READ, {"text": "Done."})
    done = capbox("resume", "--workspace", workspace)
    assert done.code == 0, done.err
    assert f"session {session}: 4 messages; it holds: read:/workspace\n" in done.err
    assert "  read   a.txt  ok" in done.err
    document = capbox("sessions", "show", session, "--json").json
    assert document["messages"][4]["text"] == "Go on with the task."
    assert len(document["runs"]) == 2


@pytest.mark.parametrize("which", ["id", "last"])
def test_run_resumes_with_a_task_of_its_own(
    capbox: Callable, session: str, script: Callable, workspace: Path, which: str
) -> None:
    model = script(READ, EVIL, {"text": "Done."})
    name = session if which == "id" else which
    done = capbox(
        "run", "and the roses", "--resume", name, "--model", model, "--workspace", workspace,
        "--json",
    )  # fmt: skip
    assert (done.code, done.json["outcome"]) == (0, "completed")
    document = capbox("sessions", "show", session, "--json").json
    assert document["messages"][4]["text"] == "and the roses"


def test_a_session_keeps_to_its_own_folder(capbox: Callable, session: str, tmp_path: Path) -> None:
    done = capbox("resume", session, "--workspace", tmp_path)
    assert done.code == 2 and "a session keeps to its own" in done.err


def test_a_folder_without_a_session_says_so(capbox: Callable, tmp_path: Path) -> None:
    done = capbox("resume", "--workspace", tmp_path)
    assert done.code == 2 and "there is none in" in done.err
