"""The command line as a whole: help, usage errors, and that nothing slow is loaded for them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.engine.home import Home
from capbox.engine.settings import SettingsError
from capbox.journal.errors import JournalError
from capbox.store.errors import StoreError
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.program import main

COMMANDS = {
    "Work": ["run", "chat", "resume", "sessions", "call", "prompt", "usage"],
    "What it may do": ["blast-radius", "why", "grants", "ps", "approve", "revoke"],
    "What it did": ["diff", "undo", "redo", "replay", "store", "audit"],
    "Settings": [
        "models",
        "login",
        "logout",
        "secret",
        "workspace",
        "skill",
        "tool",
        "python",
        "pkg",
    ],
    "This installation": ["demo", "doctor", "cache", "fake-llm"],
}


def test_help_has_every_command_in_five_groups(capbox: Callable) -> None:
    for arguments in ([], ["--help"]):
        done = capbox(*arguments)
        sections = done.out.partition("exit.\n\n")[2].rstrip().split("\n\n")
        listed = {
            title.removesuffix(":"): [line.split()[0] for line in lines]
            for title, *lines in (section.split("\n") for section in sections)
        }
        assert (done.code, listed, done.err) == (0, COMMANDS, "")


def test_every_command_has_help_that_fits_a_line(capbox: Callable) -> None:
    assert "..." not in capbox("--help").out.partition("exit.")[2]
    for command in (name for names in COMMANDS.values() for name in names):
        assert capbox(command, "--help").code == 0


def test_version_is_the_packages(capbox: Callable) -> None:
    assert capbox("--version").out == "capbox 0.1.0\n"


@pytest.mark.parametrize("command", ["call", "run"])
def test_help_lists_the_keys_of_limit(command: str, capbox: Callable) -> None:
    text = " ".join(capbox(command, "--help").out.split())
    for key in ("written_bytes", "files_created", "open_files", "tmp_bytes"):
        assert key in text
    assert ("run_seconds" in text) is (command == "run")


def test_help_loads_nothing_slow() -> None:
    program = (
        "import sys; sys.argv = ['capbox', '--help']\n"
        "from capbox.app import main; main(); print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = done.stdout.splitlines()[-1]
    slow = [
        "anyio",
        "wasmtime",
        "rich",
        "cryptography",
        "keyring",
        "sqlalchemy",
        "pydantic",
        "capbox.sandbox",
    ]
    assert [name for name in slow if f"'{name}" in loaded] == []


@pytest.mark.parametrize(
    ("arguments", "message", "see"),
    [
        (["nothing"], "No such command 'nothing'.", "capbox"),
        (["call"], "Missing argument 'TOOL'.", "capbox call"),
        (["call", "read", "--nothing"], "No such option: --nothing", "capbox call"),
        (["call", "read", "--timeout", "x"], "Invalid value", "capbox call"),
        (["call", "read", "--read"], "Option '--read' requires an argument.", "capbox call"),
        (["audit", "list", "--last"], "Option '--last' requires", "capbox audit list"),
        (["audit"], "Missing command.", "capbox audit"),
        (["run"], "Missing argument 'TASK'.", "capbox run"),
    ],
)
def test_a_usage_error_is_one_clear_line_and_exit_2(
    arguments: list[str], message: str, see: str, capbox: Callable
) -> None:
    done = capbox(*arguments)
    first, second = done.err.splitlines()
    assert (done.code, done.out) == (2, "")
    assert first.startswith(f"capbox: {message}")
    assert second == f"see: {see} --help"


@pytest.mark.parametrize("command", ["call", "run"])
def test_json_and_stream_json_exclude_each_other(command: str, capbox: Callable) -> None:
    done = capbox(command, "read", "--json", "--stream-json")
    assert done.code == 2
    assert json.loads(done.out)["code"] == "usage"


def test_a_usage_error_of_a_call_is_still_one_object(capbox: Callable) -> None:
    done = capbox("call", "read", "--nothing", "--json")
    assert done.code == 2
    assert done.json == {
        "ok": False,
        "content": "",
        "data": None,
        "error": {"code": "usage", "message": "No such option: --nothing"},
        "denied": [],
        "effects": [],
        "spent": {"wall_ms": 0, "fuel": None, "memory_bytes": 0, "output_bytes": 0},
        "truncated": False,
        "journal": None,
        "sources": [],
    }


def test_a_usage_error_of_a_run_is_still_one_object(capbox: Callable) -> None:
    done = capbox("run", "task", "--json")
    assert done.code == 2
    assert done.json == {
        "outcome": "usage",
        "text": "",
        "run": "",
        "denied": [],
        "effects": [],
        "spent": None,
        "error": {
            "code": "usage",
            "message": "which model? --model PROVIDER/NAME (as anthropic/...) or "
            "scripted:FILE.json; see: capbox models, and capbox login PROVIDER for a key",
        },
    }


def test_a_tool_named_as_a_flag_after_two_dashes_is_not_read_as_one(capbox: Callable) -> None:
    done = capbox("call", "--", "--json")
    assert done.code == 2
    assert done.err == "unknown_tool: there is no tool --json; there are: " + (
        "apply_patch, bash, edit, fetch, glob, grep, javascript, python, read, search, tree,"
        " write\n"
    )


def failing(entry: Entry, error: Exception) -> Entry:
    """An entry whose home cannot be had."""

    def home() -> Home:
        raise error

    return replace(entry, home=home)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("/x", "is open to others"), 2),
        (JournalError("/x", "is gone"), 5),
        (StoreError("/x", "is gone"), 5),
        (ExceptionGroup("g", [ExceptionGroup("h", [SettingsError("/x", "is bad")])]), 2),
    ],
)
def test_what_cannot_be_used_is_an_exit_code(
    error: Exception, code: int, entry: Entry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(failing(entry, error), ["audit", "list"]) == code
    assert "/x" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error",
    [ValueError("a bug"), ExceptionGroup("g", [SettingsError("/x", "y"), ValueError("a bug")])],
)
def test_a_bug_is_not_taken_for_anything_else(error: Exception, entry: Entry) -> None:
    with pytest.raises(type(error)):
        main(failing(entry, error), ["audit", "list"])


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            "sh",
            "-c",
            f"{sys.executable} -c 'from capbox.app import main; import sys; "
            'sys.argv[1:] = ["tool", "list"]; sys.exit(main())\' | true',
        ],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "CAPBOX_HOME": str(tmp_path)},
    )
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "closed", "code", "said"),
    [
        ("call read path=a.txt --read .", ">&-", 2, "capbox: standard output is closed; nothing"),
        ("call read path=a.txt --read . --json", ">&-", 2, "capbox: standard output is closed"),
        ("call write path=new content=x --write .", ">&-", 2, "capbox: standard output is closed"),
        ("call read path=a.txt --read .", ">&- <&- 2>&-", 2, ""),
        ("call read path=a.txt --read .", "<&-", 0, ""),
        ("call read path=none --read .", "2>&-", 1, ""),
        ("call read -", "<&-", 2, "invalid_arguments: standard input is "),
        ("call read path=a.txt --ask", "<&-", 2, "capbox: --ask needs a terminal"),
    ],
)
def test_a_standard_stream_that_is_closed_is_no_bug(
    arguments: str,
    closed: str,
    code: int,
    said: str,
    environ: Mapping[str, str],
    workspace: Path,
) -> None:
    command = "import sys; from capbox.app import main; sys.exit(main())"
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -c '{command}' {arguments} {closed}"],
        cwd=workspace,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.startswith(said)) == (code, True), done.stderr
    assert ("Traceback" in done.stderr, (workspace / "new").exists()) == (False, False)
    assert ("alpha" in done.stdout) is (code == 0)


def test_an_interruption_that_python_wrapped_is_one_all_the_same(entry: Entry) -> None:
    """It does so where one comes while a class is made, as by an import."""
    wrapped = RuntimeError("Error calling __set_name__")
    wrapped.__cause__ = KeyboardInterrupt()
    assert main(failing(entry, wrapped), ["audit", "list"]) == 130


def test_little_is_loaded_before_ctrl_c_is_understood() -> None:
    program = "import sys; import capbox.app; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    late = ["capbox.engine", "capbox.surfaces", "dataclasses", "typer", "signal"]
    assert [name for name in late if f"'{name}" in done.stdout] == []
