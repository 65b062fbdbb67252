"""`capbox chat` without a terminal: lines are turns."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
LOOK = {"text": "I *look*.", "tool_calls": [{"name": "read", "arguments": {"path": "a.txt"}}]}
OUTSIDE = {"tool_calls": [{"name": "write", "arguments": {"path": "/etc/x", "content": "x"}}]}
DONE = {"text": "**Done**."}


def test_each_line_is_a_turn_and_the_text_is_left_as_it_is(
    process: Callable, script: Callable
) -> None:
    model = script(LOOK, DONE, {"text": "\x1b[2JTwo."})
    done = process("chat", "--model", model, "--read", ".", stdin="look\n\n  \nand now\n")
    assert (done.code, done.out) == (0, "I *look*.\n**Done**.\n\x1b[2JTwo.\n")
    assert "\x1b" not in done.err
    assert done.err.count("completed\n") == 2
    assert "  read   a.txt  ok, " in done.err


def test_it_is_one_session(process: Callable, script: Callable) -> None:
    model = script(DONE, DONE, DONE)
    assert process("chat", "--model", model, "--read", ".", stdin="one\ntwo").code == 0
    assert process("chat", "--resume", "last", stdin="three\n").code == 0
    listed = json.loads(process("sessions", "list", "--json").out)["sessions"]
    assert [(one["title"], one["messages"]) for one in listed] == [("one", 6)]


def test_one_that_ended_planning_goes_on_planning_until_the_person_says_otherwise(
    process: Callable, script: Callable, workspace: Path
) -> None:
    enter = {"tool_calls": [{"name": "plan", "arguments": {"action": "enter"}}]}
    write = {"tool_calls": [{"name": "write", "arguments": {"path": "n.txt", "content": "x"}}]}
    model = script(enter, DONE, write, DONE, write, DONE, write, DONE)
    assert process("chat", "--model", model, "--write", ".", stdin="plan\n").code == 0
    for command in (["resume"], ["run", "--resume", "last", "go on"]):
        process(*command)
        assert not (workspace / "n.txt").exists()
    assert process("chat", "--resume", "last", stdin="/plan off\ngo on\n").code == 0
    assert (workspace / "n.txt").exists()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("look\n", 0),
        ("look\nlook\n", 1),  # the script is out of replies
        ("look\nlook\n/cost\n", 1),
        ("look\n/quit\nlook\n", 0),
        ("/nope\n", 0),
        ("", 0),
    ],
)
def test_the_exit_code_is_that_of_the_last_turn(
    lines: str, code: int, process: Callable, script: Callable
) -> None:
    assert process("chat", "--model", script(DONE), "--read", ".", stdin=lines).code == code


def test_commands_work_there_too(process: Callable, script: Callable, workspace: Path) -> None:
    write = {"tool_calls": [{"name": "write", "arguments": {"path": "n.txt", "content": "x\n"}}]}
    lines = "/grant write:/workspace\nwrite\n/diff --stat\n/undo\n/grants\n//x\n/nope\n/model\n"
    model = script(write, DONE, DONE)
    done = process("chat", "--model", model, "--no-ask", stdin=lines)
    assert done.code == 0
    assert "added   n.txt" in done.out
    assert "delete  n.txt" in done.out
    assert "1   granted  write:/workspace" in done.out
    assert f"{model}\n" in done.out
    assert "there is no command /nope" in done.err
    assert not (workspace / "n.txt").exists()


def test_a_grant_that_a_rule_forbids_is_refused_and_the_chat_goes_on(
    process: Callable, script: Callable, environ: dict[str, str]
) -> None:
    config = Path(environ["CAPBOX_HOME"], "config")
    config.mkdir(mode=0o700, exist_ok=True)
    (config / "config.toml").write_text('never = ["write /workspace"]\n')
    lines = "/grant write:/workspace\n/grants\nhello\n"
    done = process("chat", "--model", script(DONE), "--no-ask", stdin=lines)
    assert (done.code, done.out) == (0, "**Done**.\n")
    assert "/grant: write:/workspace: " in done.err


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--read", "."], "capbox: which model? "),
        ([], "capbox: which model? "),  # and not first that nothing is granted
        (["--model", "what", "--read", "."], "capbox: --model: 'what' names no model: "),
        (["--model", "MODEL", "--ask"], "capbox: --ask needs a terminal"),
        (["--model", "MODEL", "--resume", "nope"], "capbox: session nope: "),
        (["--model", "MODEL", "--read", "none"], "capbox: read:/workspace/none: "),
        (["--model", "MODEL", "--skill", "none", "--read", "."], "capbox: --skill none"),
    ],
)
def test_what_is_asked_for_wrongly_is_exit_2(
    flags: list[str], complaint: str, process: Callable, script: Callable
) -> None:
    model = script(DONE)
    done = process("chat", *(model if f == "MODEL" else f for f in flags), stdin="hello\n")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(complaint), done.err


def test_a_line_that_is_no_text_is_refused_as_a_run_refuses_it(
    script: Callable, environ: Mapping[str, str], workspace: Path
) -> None:
    arguments = ("chat", "--model", script(DONE, DONE), "--read", ".")
    done = subprocess.run(
        [*COMMAND, *arguments], cwd=workspace, env=environ, capture_output=True,
        input=b"hello\nab\xff\n", check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stdout == b"**Done**.\n"
    assert b"capbox: standard input is not UTF-8 text (byte 2 of a line); " in done.stderr


def test_a_command_that_has_nothing_to_do_says_so(process: Callable, script: Callable) -> None:
    lines = "/compact\nhello\n/diff\n/undo\n/export none/chat.md\n/compact\n"
    done = process("chat", "--model", script(DONE), "--read", ".", stdin=lines)
    assert done.code == 0
    assert "nothing was said yet, so there is nothing to sum up" in done.err
    assert done.err.count("the last turn changed nothing\n") == 2
    assert "/export: there is no folder none\n" in done.err
    assert "there is too little to sum up; it stays as it is" in done.err


def test_one_that_goes_on_says_what_it_holds(process: Callable, script: Callable) -> None:
    model = script(DONE, DONE)
    assert process("chat", "--model", model, "--read", ".", stdin="one\n").code == 0
    done = process("chat", "--resume", "last", stdin="/grants\n")
    assert "2 messages; it holds: read:/workspace\n" in done.err


def test_what_is_refused_is_told_as_a_run_tells_it(process: Callable, script: Callable) -> None:
    done = process("chat", "--model", script(OUTSIDE, DONE), "--read", ".", stdin="write\n")
    assert done.code == 0
    assert "denied: write /etc/x" in done.err


def test_ctrl_c_ends_the_turn_and_then_the_chat(
    script: Callable, environ: Mapping[str, str], workspace: Path, begun: Callable
) -> None:
    sleep = {"tool_calls": [{"name": "bash", "arguments": {"script": "sleep 25"}}]}
    arguments = ("chat", "--model", script(sleep, DONE), "--read", ".")
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=workspace, env=environ, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write("wait\n")
        process.stdin.flush()
        while not begun():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        said = ""
        while "cancelled" not in said:
            said += process.stderr.readline()
        process.send_signal(signal.SIGINT)  # it waits for a line, and leaves
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupting" in said
    assert "Fatal" not in rest and "Traceback" not in rest
