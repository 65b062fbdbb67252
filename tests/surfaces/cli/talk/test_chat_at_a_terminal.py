"""`capbox chat` as a person has it, in windows of tmux."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.screens.tmux import Screen

from capbox.surfaces.sink import visible

Chat = Callable[..., Screen]
LOOK = {"text": "I *look*.", "tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]}
WRITE = {"tool_calls": [{"name": "write", "arguments": {"path": "new.txt", "content": "x\n"}}]}
SLEEP = {"text": "Waiting.", "tool_calls": [{"name": "bash", "arguments": {"script": "sleep 25"}}]}
DONE = {"text": "**Done** with it.", "usage": {"input_tokens": 1_200, "output_tokens": 34}}
NEXT = {"text": "And the next."}


def test_a_turn_is_rendered_and_its_calls_are_folded(chat: Chat) -> None:
    screen = chat(LOOK, DONE)
    screen.says("look at it")
    shown = screen.waits_for("2 turns, 1 tool call")
    lines = shown[shown.index("> look") :].splitlines()
    assert lines[:5] == ["> look at it", "", "I look.", "", lines[4]]
    assert lines[4].startswith("  1 read   a.txt  ok, ")
    assert lines[5:7] == ["", "Done with it."]
    assert lines[8].startswith("2 turns, 1 tool call, 1234 tokens, 0.0000 USD, ")
    assert lines[-1].split("  ")[1:] == ["context 1.2k", "0.0000 USD", "1 grant", "2 walls"]
    screen.says("/quit")
    assert screen.code() == 0


@pytest.mark.parametrize(
    ("answer", "told", "there"), [("o", "yes, once", True), ("n", "no: ", False)]
)
def test_it_asks_in_the_place_of_the_prompt(
    answer: str, told: str, there: bool, chat: Chat, workspace: Path
) -> None:
    screen = chat(WRITE, DONE)
    screen.says("write it")
    shown = screen.waits_for("[s]top:")
    assert "wants to write /workspace/new.txt" in shown
    assert shown.rstrip().endswith("[s]top:")
    screen.says(answer)
    shown = screen.waits_for("2 turns, 1 tool call")
    assert told in shown
    assert ("ok, " in shown, "to allow it: /grant write:/workspace/new.txt" in shown) == (
        there, not there
    )  # fmt: skip
    assert (workspace / "new.txt").exists() == there


def test_what_is_typed_while_it_works_is_told_to_it(chat: Chat) -> None:
    short = {"tool_calls": [{"name": "bash", "arguments": {"script": "sleep 3"}}]}
    screen = chat(short, DONE, NEXT)
    screen.says("begin")
    screen.waits_for("... bash sleep 3")
    screen.says("and mind the gap")
    screen.waits_for("waits: and mind the gap")
    shown = screen.waits_for("2 turns, 1 tool call")
    assert "you said: and mind the gap" in shown
    assert "And the next." not in shown


def test_the_first_ctrl_c_ends_the_turn_and_what_was_not_told_is_typed_again(chat: Chat) -> None:
    screen = chat(SLEEP, NEXT)
    screen.says("wait")
    screen.waits_for("... bash sleep 25")
    screen.says("rather this")
    screen.waits_for("waits: rather this")
    screen.types("half a")
    screen.waits_for("> half a")
    screen.presses("C-c")
    shown = screen.waits_until(lambda shown: "\n> rather this\n  half a\n" in shown)
    assert "cancelled: interrupted" in shown
    assert "And the next." not in shown
    screen.presses("Enter")
    screen.waits_for("And the next.")
    screen.waits_for("1 turn, 0 tool calls")
    screen.presses("C-c")  # at an empty prompt
    screen.waits_until(
        lambda shown: re.search("chat --resume [a-z2-7]{16} goes on", shown) is not None
    )
    assert screen.code() == 130


def test_the_second_ctrl_c_in_a_turn_leaves(chat: Chat) -> None:
    screen = chat(SLEEP, NEXT)
    screen.says("wait")
    screen.waits_for("... bash sleep 25")
    screen.presses("C-c", "C-c")
    assert screen.code() == 130
    screen.waits_for(" goes on")


def test_ctrl_c_at_a_question_ends_the_turn_and_approves_nothing(
    chat: Chat, workspace: Path
) -> None:
    screen = chat(WRITE, NEXT)
    screen.says("write")
    screen.waits_for("[s]top:")
    screen.presses("C-c")
    screen.waits_for("cancelled: interrupted")
    screen.says("o")
    screen.waits_for("And the next.")
    assert not (workspace / "new.txt").exists()


def test_ctrl_c_drops_what_is_typed_and_ctrl_d_leaves_an_empty_prompt(chat: Chat) -> None:
    screen = chat(DONE)
    screen.types("not this")
    screen.waits_for("> not this")
    screen.presses("C-c")
    screen.waits_until(lambda shown: "not this" not in shown)
    screen.presses("C-d")
    assert screen.code() == 0
    assert "goes on" not in screen.text(above=50)  # nothing was said


def test_a_wrong_command_is_told_and_not_sent(chat: Chat) -> None:
    screen = chat(DONE)
    screen.says("/grnats")
    screen.waits_for("Did you mean /grants?")
    screen.says("/model nope")
    screen.waits_for("'nope' names no model")
    screen.says("/grant read:relative")
    screen.waits_for("/grant: read:relative: ")
    screen.says("/revoke 7")
    screen.waits_for("nothing has the id 7; /grants lists them")
    screen.says("/show")
    screen.waits_for("no tool was called yet")
    screen.says("/undo")
    screen.waits_for("no turn of this chat has run yet")
    screen.says("//help is a word")
    shown = screen.waits_for("1 turn, 0 tool calls")
    assert "> //help is a word" in shown


def test_several_lines_are_typed_and_pasted(chat: Chat, process: Callable) -> None:
    screen = chat(DONE)
    screen.pastes("one\ntwo\x1b[2J\u202e\n")
    screen.presses("M-Enter")
    screen.types("three\\")
    screen.presses("Enter")
    screen.types("four")
    screen.waits_for("  four")
    screen.presses("Enter")
    shown = screen.waits_for("1 turn, 0 tool calls")
    said = ["> one", "  two\\x1b[2J\\u202e", "", "  three", "  four"]
    assert "\n".join(said) in shown
    screen.says("/quit")
    assert screen.code() == 0
    listed = json.loads(process("sessions", "list", "--json").out)
    assert listed["sessions"][0]["title"].startswith("one two\\x1b[2J\\u202e three four")


def test_the_arrow_key_brings_back_what_was_typed_here(chat: Chat) -> None:
    screen = chat(DONE)
    screen.says("remember me")
    screen.waits_for("1 turn, 0 tool calls")
    screen.says("/quit")
    screen.code()
    again = chat(DONE)
    again.presses("Up", "Up")
    again.waits_until(lambda shown: shown.count("> remember me") == 1)


def test_completion_names_commands_and_files_it_may_read(chat: Chat, workspace: Path) -> None:
    (workspace / "al\u202epha.txt").write_text("x")
    (workspace / "docs").mkdir()
    screen = chat(DONE)
    screen.types("/gra")
    shown = screen.waits_for("/grants")
    assert "/grant " in shown
    screen.presses("C-c")
    screen.types("see @")
    shown = screen.waits_for("@docs/")
    assert "@a.txt" in shown and "@b.txt" in shown
    assert ".env" not in shown and "pha.txt" not in shown
    screen.types("b")
    screen.waits_until(lambda shown: "@docs/" not in shown and " @b.txt" in shown)
    screen.presses("Tab")
    screen.waits_for("> see @b.txt")


def test_it_fits_a_narrow_window_and_one_that_changes(chat: Chat) -> None:
    words = {"text": "words and 日本語の長い文章 " * 12}
    screen = chat(SLEEP, words, columns=80)
    screen.says("wait")
    screen.waits_for("... bash sleep 25")
    screen.resizes(40, 24)
    screen.presses("C-c")
    screen.waits_for("cancelled: interrupted")
    screen.says("go on")
    shown = screen.waits_for("1 turn, 0 tool")
    assert "日本語" in shown
    assert "> go on" in shown
    assert "\n>\n" in screen.text() + "\n"


@pytest.mark.attack
def test_nothing_that_others_write_acts_on_the_screen(
    chat: Chat, environ: Mapping[str, str], workspace: Path
) -> None:
    evil = "\x1b[2J\x1b]0;t\x07\u202e\u200b&#x1b;[2J"
    call = {"name": evil, "arguments": {"path": evil}}
    screen = chat(
        {"text": f"here {evil}", "tool_calls": [call]},
        {"text": "", "tool_calls": [{"name": "read", "arguments": {"path": evil}}]},
        {"text": f"```\n{evil}\n```"},
        rows=60,
    )
    screen.says("go")
    shown = screen.waits_for("3 turns, 2 tool calls")
    screen.says("/show")
    shown = screen.waits_for("> /show")
    assert visible(shown) == shown
    assert shown.index("/help lists") < shown.index("> go") < shown.index("here \\x1b[2J")
    assert "\\u202e\\u200b" in shown


def test_what_is_held_is_seen_given_and_taken_back(
    chat: Chat, process: Callable, workspace: Path
) -> None:
    """What was revoked between two turns does not come back, in the chat or in a resume."""
    screen = chat(WRITE, DONE, LOOK, DONE, flags=("--preset", "edit"))
    screen.says("write")
    screen.waits_for("2 turns, 1 tool call")
    screen.says("/grants")
    screen.waits_for("1   granted  write:/workspace")
    screen.says("/revoke 1")
    screen.waits_for("revoked write:/workspace")
    screen.says("/grant read:/workspace/b.txt")
    screen.waits_for("granted from the next turn on: read:/workspace/b.txt")
    screen.says("/grants")
    shown = screen.waits_for("1   from the next turn on  read:/workspace/b.txt")
    assert "write:/workspace" not in shown[shown.rindex("> /grants") :]
    screen.says("look")
    screen.waits_for("wants to read /workspace/a.txt")
    screen.waits_for("[s]top:")
    screen.says("n")
    screen.waits_for("to allow it: /grant read:/workspace/a.txt")
    screen.says("/quit")
    assert screen.code() == 0
    # The words of the chat are the same script, so its replies are used up.
    done = process("resume", "--no-ask")
    assert "it holds: read:/workspace/b.txt" in done.err


def test_what_is_held_is_the_same_list_before_in_and_after_a_turn(chat: Chat) -> None:
    screen = chat(SLEEP, SLEEP, flags=("--read", ".", "--grant", "write:/workspace/n"), rows=60)

    def listed(times: int, how: str) -> None:
        screen.says("/grants")
        rows = (f"1   {how}  read:/workspace", f"2   {how}  write:/workspace/n")
        screen.waits_until(
            lambda shown: (
                shown.count("> /grants") == times
                and all(row in shown.rsplit("> /grants", 1)[1] for row in rows)
                and "2 grants" in shown.splitlines()[-1]
            )
        )

    listed(1, "from the next turn on")
    screen.says("wait")
    screen.waits_for("... bash sleep 25")
    listed(2, "granted")
    screen.says("/revoke 2")
    screen.waits_for("revoked write:/workspace/n; stopped: bash")
    screen.waits_until(lambda shown: "1 grant  " in shown.splitlines()[-1])
    screen.waits_until(lambda shown: "... bash sleep 25" in shown.rsplit("stopped: bash", 1)[1])
    screen.presses("C-c")
    screen.waits_for("cancelled: interrupted")
    screen.says("/grants")
    screen.waits_until(
        lambda shown: (
            "1   granted  read:/workspace" in shown.rsplit("> /grants", 1)[1]
            and "write:/workspace" not in shown.rsplit("> /grants", 1)[1]
        )
    )


def test_what_is_allowed_for_always_is_listed_with_the_id_that_takes_it_back(chat: Chat) -> None:
    screen = chat(WRITE, SLEEP, DONE, rows=60)
    screen.says("write")
    screen.waits_until(lambda shown: shown.endswith("[s]top:"))
    screen.says("always")
    screen.waits_for("... bash sleep 25")
    screen.says("/grants")
    row = re.compile(r"^(g[0-9a-f]{8})  always +write:/workspace/new.txt$", re.M)
    shown = screen.waits_until(
        lambda shown: row.search(shown) is not None and "1 grant, 1 lease" in shown.splitlines()[-1]
    )
    found = row.search(shown)
    assert found is not None
    screen.says(f"/revoke {found[1]}")
    screen.waits_for(f"removed {found[1]}")
    screen.waits_until(lambda shown: "1 grant  " in shown.splitlines()[-1])
    screen.says("/grants")
    shown = screen.waits_until(lambda shown: shown.count("> /grants") == 2)
    assert "always" not in shown.rsplit("> /grants", 1)[1]


def test_a_revocation_before_the_end_outlives_the_chat(chat: Chat, process: Callable) -> None:
    screen = chat(DONE, DONE)
    screen.says("hello")
    screen.waits_for("1 turn, 0 tool calls")
    screen.says("/revoke 1")
    screen.waits_for("revoked read:/workspace")
    screen.says("/quit")
    assert screen.code() == 0
    assert "it holds: nothing" in process("resume", "--no-ask").err


def test_a_flag_is_taken_back_before_the_first_turn(chat: Chat) -> None:
    screen = chat(LOOK, DONE, flags=("--read", ".", "--no-ask"))
    screen.says("/revoke 1")
    screen.waits_for("revoked read:/workspace")
    screen.says("look")
    screen.waits_for("denied: read /workspace/a.txt")


def test_a_lease_is_there_in_the_next_turn_and_a_single_yes_is_not(chat: Chat) -> None:
    other = {"tool_calls": [{"name": "write", "arguments": {"path": "n2.txt", "content": "x"}}]}
    screen = chat(WRITE, DONE, WRITE, DONE, other, DONE, other, DONE, rows=60)
    for turn, answer in enumerate(("r", "", "o", "n"), 1):
        screen.says("write")
        if answer:
            screen.waits_until(lambda shown: shown.endswith("[s]top:"))
            screen.says(answer)
        screen.waits_until(lambda shown, turn=turn: shown.count("2 turns, 1 tool call") == turn)


def test_commands_show_change_and_keep(chat: Chat, workspace: Path) -> None:
    screen = chat(WRITE, DONE, flags=("--write", "."), rows=80)
    screen.says("write")
    screen.waits_for("1 change: /diff, /undo")
    screen.says("/diff")
    screen.waits_for("+x")
    screen.says("/undo")
    screen.waits_for("delete  new.txt")
    assert not (workspace / "new.txt").exists()
    screen.says("/show 1")
    screen.waits_for("did create /workspace/new.txt  2 B")
    screen.says("/cost")
    screen.waits_for("2 replies, 1 tool call")
    screen.says("/sessions")
    screen.waits_for("title")
    screen.says("/skills")
    screen.waits_for("code-review")
    screen.says("/fork 1")
    made = re.compile("capbox chat --resume [a-z2-7]{16} goes on with it")
    screen.waits_until(lambda shown: made.search(shown) is not None)
    screen.says("/export chat.md")
    screen.waits_for("written to chat.md")
    screen.says("/export chat.md")
    screen.waits_for("/export: chat.md is there already; give another name")
    assert (workspace / "chat.md").read_text().startswith("# write\n")
    screen.says("/help")
    screen.waits_for("Ctrl-C stops a turn, a second one leaves; Ctrl-D leaves.")


def test_a_plan_comes_first_where_the_person_wants_one(chat: Chat, workspace: Path) -> None:
    screen = chat(WRITE, DONE, flags=("--write", "."))
    screen.says("/plan")
    screen.waits_for("looks and plans only")
    screen.waits_for("planning")
    screen.says("write")
    screen.waits_for("2 turns, 1 tool call")
    assert not (workspace / "new.txt").exists()
    screen.says("/plan off")
    screen.waits_until(lambda shown: "planning" not in shown.splitlines()[-1])


def test_another_model_works_from_the_next_turn_on(chat: Chat, tmp_path: Path) -> None:
    screen = chat(DONE)
    screen.says("hello")
    screen.waits_for("1 turn, 0 tool calls")
    (tmp_path / "other.json").write_text(json.dumps([DONE, {"text": "I am the other."}]))
    screen.says(f"/model scripted:{tmp_path}/other.json")
    screen.waits_for("works from the next turn on")
    screen.says("who are you?")
    screen.waits_for("I am the other.")


def test_a_chat_goes_on_where_it_stopped(chat: Chat) -> None:
    screen = chat(WRITE, DONE, NEXT)
    screen.says("write")
    screen.waits_for("[s]top:")
    screen.says("r")
    screen.waits_for("2 turns, 1 tool call")
    screen.says("/quit")
    assert screen.code() == 0
    again = chat(WRITE, DONE, NEXT, flags=("--resume", "last"))
    shown = again.waits_for("2 walls")
    assert "4 messages" in shown
    assert "1 grant, 1 lease" in shown
    again.says("go on")
    again.waits_for("And the next.")
