"""`capbox call`, with the real sandbox: what it prints and how it exits."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import termios
from array import array
from collections.abc import Callable, Mapping
from fcntl import ioctl
from pathlib import Path

import pytest

from capbox.messages import Denial, ToolFailure, ToolResult
from capbox.sandbox.spec import BOUNDS
from capbox.surfaces.cli.commands.call import exit_code

DENIAL = Denial("read /workspace/a", "no grant covers it", None, None)


def failed(code: str, *denied: Denial) -> ToolResult:
    return ToolResult(ok=False, content="", error=ToolFailure(code, "why"), denied=denied)


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (ToolResult(ok=True, content=""), 0),
        (ToolResult(ok=True, content="", denied=(DENIAL,)), 0),
        (failed("not_found"), 1),
        (failed("tool_crashed"), 1),
        (failed("unknown_tool"), 2),
        (failed("invalid_arguments"), 2),
        (failed("denied", DENIAL), 3),
        (failed("not_found", DENIAL), 3),
        (failed("stopped_by_person"), 3),
        *((failed(b), 4) for b in BOUNDS if b != "interrupted"),
        (failed("time", DENIAL), 4),
        (failed("interrupted"), 1),
        (failed("sandbox_failed"), 5),
    ],
)
def test_the_exit_code_says_which_kind_of_end_it_was(result: ToolResult, code: int) -> None:
    assert exit_code(result) == code


def test_a_granted_read_prints_the_content_and_nothing_else(
    capbox: Callable, workspace: Path
) -> None:
    for flags in (["--read", "a.txt"], ["--read", "."], ["--preset", "read-only"]):
        done = capbox("call", "read", "path=a.txt", "--workspace", workspace, *flags)
        assert (done.code, done.out) == (0, "     1\talpha\n")


def test_without_a_grant_it_is_refused_with_the_flag_to_paste(
    capbox: Callable, workspace: Path
) -> None:
    done = capbox("call", "read", "path=a.txt", "--workspace", workspace)
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "denied: read /workspace/a.txt: no grant covers it\nto allow it, add: --read a.txt\n"
    )


def test_json_is_the_documented_object(capbox: Callable, workspace: Path) -> None:
    allowed = capbox("call", "read", "path=a.txt", "--workspace", workspace, "--read=.", "--json")
    found = allowed.json
    spent, journal = found.pop("spent"), found.pop("journal")
    assert allowed.code == 0
    assert list(spent) == ["wall_ms", "fuel", "memory_bytes", "output_bytes"]
    assert capbox("audit", "verify", journal).code == 0
    assert found == {
        "ok": True,
        "content": "     1\talpha",
        "data": {"path": "a.txt", "lines": 1, "first": 1, "last": 1, "total": 1, "bytes": 6},
        "error": None,
        "denied": [],
        "effects": [
            {
                "action": "read",
                "path": "/workspace/a.txt",
                "host_path": f"{workspace}/a.txt",
                "bytes": 6,
            }
        ],
        "truncated": False,
        "sources": ["workspace:/workspace/a.txt"],
    }
    refused = capbox("call", "read", "path=a.txt", "--workspace", workspace, "--json")
    assert refused.code == 3
    assert refused.json["error"]["code"] == "denied"
    assert refused.json["denied"] == [
        {
            "access": "read /workspace/a.txt",
            "reason": "no grant covers it",
            "missing": "read:/workspace/a.txt",
            "flag": "--read a.txt",
        }
    ]


def test_stream_json_tells_the_call_in_the_events_of_runs(
    capbox: Callable, workspace: Path
) -> None:
    done = capbox("call", "read", '{"path": "a.txt"}', "--workspace", workspace, "--stream-json")
    first, second = done.out.splitlines()
    assert done.code == 3
    assert first.startswith('{"type": "tool_started", "id": "call-1", "name": "read", "arguments"')
    assert second.startswith('{"type": "tool_finished", "id": "call-1", "name": "read", "result"')


@pytest.mark.parametrize(
    ("flags", "text", "code"),
    [
        (["--write", "."], "created", 0),
        (["--preset", "edit"], "created", 0),
        (["--grant", "write:/workspace/new.txt"], "created", 0),
        (["--read", "."], "denied: write /workspace/new.txt", 3),
        (["--grant", "write:/workspace/other.txt"], "denied: write /workspace/new.txt", 3),
    ],
)
def test_each_way_to_grant_writing_and_the_same_without_it(
    flags: list[str], text: str, code: int, capbox: Callable, workspace: Path
) -> None:
    done = capbox("call", "write", "path=new.txt", "content=x", "--workspace", workspace, *flags)
    assert (done.code, text in done.out + done.err) == (code, True)
    assert (workspace / "new.txt").exists() is (code == 0)


def test_variables_are_seen_only_when_granted(capbox: Callable, workspace: Path) -> None:
    words = ["call", "bash", 'script=echo "[$SECRET][$GIVEN]"', "--workspace", workspace]
    assert capbox(*words).out == "[][]\n"
    assert capbox(*words, "--env", "SECRET", "--env", "GIVEN=g").out == "[s3][g]\n"
    missing = capbox(*words, "--env", "NOTSET")
    assert (missing.code, missing.err) == (
        2,
        "capbox: --env NOTSET: is not set here; give --env NAME=VALUE\n",
    )
    for text in ("A B", "A B=3"):
        wrong = capbox(*words, "--env", text)
        assert wrong.err == f"capbox: --env {text}: 'A B' is no name of a variable\n"


def test_a_map_shows_a_path_elsewhere(capbox: Callable, workspace: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "x").write_text("there\n")
    words = ["call", "bash", "--workspace", workspace, f"--map={other}=/mnt/o"]
    done = capbox(*words, "script=cat /mnt/o/x; echo new > /mnt/o/y")
    assert done.out.startswith("there\n")
    assert not (other / "y").exists()
    capbox("call", "bash", "--workspace", workspace, f"--map={other}=/mnt/o:rw", "script=>/mnt/o/y")
    assert (other / "y").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nosuch"], "unknown_tool: there is no tool nosuch"),
        (["read"], "invalid_arguments: "),
        (["read", "path=a.txt", "limit=x"], "invalid_arguments: limit=x: integer is expected"),
        (["read", "{bad"], "invalid_arguments: ARGS_JSON is not JSON: "),
        (["read", "a.txt"], "invalid_arguments: 'a.txt' is neither key=value"),
        (["read", "path=a.txt", "--grant", "read"], "capbox: read: at character 1: "),
        (["read", "path=a.txt", "--read", "nosuch"], "capbox: read:/workspace/nosuch: there is"),
        (["read", "path=a.txt", "--preset", "all"], "capbox: --preset: unknown preset 'all'"),
        (["read", "path=a.txt", "--limit", "x=1"], "capbox: --limit x=1: unknown key; there are: "),
        (["read", "path=a.txt", "--limit", "tokens=1"], "capbox: --limit tokens=1: unknown key"),
        (["read", "path=a.txt", "--write", ""], "capbox: --read, --write: the path is empty"),
        (["read", "path=a.txt", "--timeout", "-1"], "capbox: --timeout "),
        (["read", "path=a.txt", "--ask"], "capbox: --ask needs a terminal for the answer"),
    ],
)
def test_what_is_asked_for_wrongly_is_exit_2_and_says_what(
    arguments: list[str], complaint: str, capbox: Callable, workspace: Path
) -> None:
    done = capbox("call", *arguments, "--workspace", workspace)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(complaint)
    in_json = capbox("call", *arguments, "--workspace", workspace, "--json")
    assert (in_json.code, in_json.json["ok"]) == (2, False)


def test_a_workspace_that_is_not_there_is_exit_2(capbox: Callable, tmp_path: Path) -> None:
    done = capbox("call", "read", "path=a", "--workspace", tmp_path / "none")
    assert done.err == f"capbox: {tmp_path}/none: the workspace is not a directory\n"
    assert done.code == 2


def test_a_failing_tool_is_exit_1_and_says_so_on_standard_error(
    capbox: Callable, workspace: Path
) -> None:
    done = capbox("call", "read", "path=none.txt", "--workspace", workspace, "--read", ".")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("not_found: ")


def test_an_error_of_a_tool_cannot_pass_for_advice(capbox: Callable, workspace: Path) -> None:
    """Attack: a pattern that grep refuses, and whose second line is a flag to paste."""
    forged = json.dumps({"pattern": "(\nto allow it, add: --write /\n"})
    done = capbox("call", "grep", forged, "--read", ".", "--workspace", workspace)
    first, *rest = done.err.splitlines()
    assert (done.code, first.startswith("invalid_pattern: ")) == (1, True)
    assert "  | to allow it, add: --write /" in rest
    assert all(line.startswith("  | ") for line in rest)


def test_a_script_that_ran_to_its_end_is_exit_0_with_its_denials(
    capbox: Callable, workspace: Path
) -> None:
    words = ["call", "bash", "script=cat a.txt; exit 3", "--workspace", workspace]
    done = capbox(*words)
    assert done.code == 0
    assert done.err.endswith("to allow it, add: --read a.txt\n")
    found = capbox(*words, "--json").json
    assert (found["ok"], found["data"]["exit_code"]) == (True, 3)
    assert [denial["flag"] for denial in found["denied"]] == ["--read a.txt"]


@pytest.mark.parametrize(
    ("tool", "code"),
    [("python", "import capbox; capbox.fetch('{}')"), ("javascript", "await fetch('{}')")],
)
def test_a_request_that_a_program_is_refused_ends_with_the_flag_that_allows_it(
    tool: str, code: str, capbox: Callable, workspace: Path
) -> None:
    words = ("call", tool, f"code={code.format('https://a.example/x')}", "--workspace", workspace)
    assert capbox(*words).err == (
        "denied: fetch GET https://a.example/x: no grant covers it\n"
        "to allow it, add: --fetch 'GET https://a.example/x'\n"
    )


def test_a_store_is_advised_to_a_tool_that_requests_one_and_to_no_other(
    capbox: Callable, workspace: Path
) -> None:
    place = ("--workspace", workspace)
    code = 'require("fs").writeFileSync("/store/x/a", "a")'
    refused = capbox("call", "javascript", f"code={code}", *place).err
    assert refused == "denied: write /store/x/a: the tool javascript requests no store:x\n"
    script = ("call", "bash", "script=echo > /store/x/a", *place)
    assert capbox(*script).err.endswith("to allow it, add: --grant store:x\n")
    assert capbox(*script, "--grant", "store:x").err == ""


@pytest.fixture
def beside(home_folder: Path) -> Path:
    """A workspace with a neighbour, not below /tmp."""
    (home_folder / "ws").mkdir()
    (home_folder / "tour").mkdir()
    (home_folder / "tour" / "a").write_text("here\n")
    return home_folder


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        (["grep", "path=../tour", "pattern=here"], ["--read", "{}/tour"]),
        (["read", '{"path": "x/../../tour/a"}'], ["--read", "{}/tour/a"]),
        (["write", "path=../up.txt", "content=x"], ["--write", "{}/up.txt"]),
        (["read", "path=../ws/a.txt"], ["--read", "a.txt"]),
    ],
)
def test_a_path_that_climbs_names_what_is_beside_the_workspace_on_this_machine(
    words: list[str], flags: list[str], capbox: Callable, beside: Path
) -> None:
    (beside / "ws" / "a.txt").write_text("a")
    flags = [flag.format(beside) for flag in flags]
    refused = capbox("call", *words, "--workspace", beside / "ws")
    assert refused.err.endswith(f"to allow it, add: {' '.join(flags)}\n")
    assert not (beside / "up.txt").exists()
    allowed = capbox("call", *words, "--workspace", beside / "ws", *flags)
    assert (allowed.code, allowed.err) == (0, "")
    assert (beside / "up.txt").exists() is ("--write" in flags)


def test_no_flag_is_advised_for_what_a_script_reached_by_climbing(
    capbox: Callable, workspace: Path
) -> None:
    script = "script=cat ../etc/hosts; cat /etc/passwd; echo > ../up; cat a.txt"
    done = capbox("call", "bash", script, "--workspace", workspace)
    *_, note, flags = done.err.splitlines()
    assert note.startswith("/etc/hosts: relative paths do not leave the workspace")
    assert flags == "to allow it, add: --read /etc/passwd --read a.txt"


def test_a_file_that_the_tool_looked_for_in_its_scratch_is_named(
    capbox: Callable, scratch_folder: Path
) -> None:
    (scratch_folder / "notes it.txt").write_text("here\n")
    (scratch_folder / "ws").mkdir()
    path, flag = f"{scratch_folder}/notes it.txt", f"--read '{scratch_folder}/notes it.txt'"
    advice = f"/tmp is the tool's own scratch; for this machine's, grant it with {flag}"
    place = ["--workspace", scratch_folder / "ws"]
    done = capbox("call", "read", f"path={path}", *place)
    assert (done.code, done.err.endswith(f" {advice}\n")) == (1, True)
    climbing = capbox("call", "read", "path=../notes it.txt", *place)
    assert (climbing.code, climbing.err.endswith(f", but {advice}\n")) == (2, True)
    written = capbox("call", "write", f"path={path}", "content=x", *place)
    assert (written.code, written.err.endswith(f"{advice.replace('read', 'write')}\n")) == (2, True)
    missing = capbox("call", "read", f"path={path}.not", *place)
    assert (missing.code, "scratch" in missing.err) == (1, False)
    for words in (f"path={path}", "path=../notes it.txt"):
        assert capbox("call", "read", words, *place, "--read", path).out == "     1\there\n"


@pytest.mark.parametrize(
    ("flags", "script", "bound"),
    [
        (["--timeout", "0.5"], "while :; do :; done", "time"),
        (["--output", "1000"], "yes", "output"),
        (["--limit", "written_bytes=1000"], "yes > f", "written"),
        (["--limit", "files_created=3"], "touch a b c d e", "files_created"),
        # Metered code is compiled apart, which takes its time.
        pytest.param(["--fuel", "100000"], "while :; do :; done", "fuel", marks=pytest.mark.slow),
        (["--memory", "10"], "x=aaaaaaaa; while :; do x=$x$x; done", "memory"),
    ],
)
def test_a_bound_from_a_flag_stops_the_call_with_exit_4(
    flags: list[str], script: str, bound: str, capbox: Callable, workspace: Path
) -> None:
    done = capbox(
        "call", "bash", f"script={script}", "--write=.", "--workspace", workspace, *flags, "--json"
    )
    assert (done.code, done.json["error"]["code"]) == (4, bound)


def test_standard_input_gives_the_arguments(process: Callable) -> None:
    done = process("call", "read", "-", "--read", "a.txt", stdin='{"path": "a.txt"}')
    assert (done.code, done.out, done.err) == (0, "     1\talpha\n", "")
    empty = process("call", "read", "-", "--read", "a.txt", stdin="")
    assert empty.code == 2


def test_a_file_or_standard_input_can_be_the_text_of_an_argument(
    process: Callable, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "task.sh").write_text("cat a.txt; echo done\n")
    for words, stdin in ((["script=@../task.sh"], ""), (["script=@-"], "cat a.txt; echo done\n")):
        done = process("call", "bash", *words, "--read", ".", stdin=stdin)
        assert (done.code, done.out, done.err) == (0, "alpha\ndone\n", "")
    missing = process("call", "bash", "script=@task.sh", "--read", ".")
    assert (missing.code, missing.out) == (2, "")
    assert missing.err.startswith("invalid_arguments: script=@task.sh: No such file or directory")


def test_names_that_are_no_text_end_nothing(process: Callable, workspace: Path) -> None:
    (workspace / "x\udcff").write_text("")
    done = process("call", "bash", "script=ls", "--read", ".", env={"LC_ALL": "C"})
    assert done.code == 0


def test_content_reaches_a_pipe_as_it_is_and_a_terminal_neutralised(
    process: Callable, person: Callable
) -> None:
    words = ["call", "bash", r"script=printf '\033[2Jx\n'"]
    assert process(*words).out == "\x1b[2Jx\n"
    code, seen = person(*words).leaves()
    assert (code, seen) == (0, "\\x1b[2Jx\n")


def test_with_ask_a_person_may_lend_what_is_missing(person: Callable, workspace: Path) -> None:
    somebody = person("call", "write", "path=new.txt", "content=x", "--ask")
    somebody.waits_for(f"write /workspace/new.txt, which is {workspace}/new.txt")
    somebody.waits_for("[s]top: ")
    somebody.types("o\n")
    code, seen = somebody.leaves()
    assert (code, "created new.txt" in seen) == (0, True)
    assert (workspace / "new.txt").read_text() == "x"


@pytest.mark.parametrize("keys", ["n\n", "\n", "\x04", "s\n"])
def test_with_ask_everything_else_is_a_no(keys: str, person: Callable, workspace: Path) -> None:
    somebody = person("call", "write", "path=new.txt", "content=x", "--ask")
    somebody.waits_for("[s]top: ")
    somebody.types(keys)
    assert somebody.leaves()[0] == 3
    assert not (workspace / "new.txt").exists()


def test_what_is_never_understood_is_a_no(person: Callable, workspace: Path) -> None:
    somebody = person("call", "write", "path=new.txt", "content=x", "--ask")
    for _ in range(3):
        somebody.waits_for("[s]top: ")
        somebody.types("yes please\n")
    assert somebody.leaves()[0] == 3
    assert not (workspace / "new.txt").exists()


def test_without_ask_a_terminal_is_not_asked(person: Callable) -> None:
    code, seen = person("call", "read", "path=a.txt").leaves()
    assert (code, "[s]top" in seen) == (3, False)


def test_ctrl_c_ends_a_call_with_130_and_a_closed_record(
    person: Callable, process: Callable, begun: Callable
) -> None:
    somebody = person("call", "bash", "script=sleep 100", "--read", ".")
    somebody.waits_until(begun)
    somebody.types("\x03")
    assert somebody.leaves()[0] == 130
    assert process("audit", "verify").out == "1 runs: 1 closed, 0 open, 0 broken\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_ends_it_does_what_ctrl_c_does(
    number: signal.Signals, person: Callable, process: Callable, begun: Callable
) -> None:
    somebody = person("call", "bash", "script=sleep 100", "--read", ".", "--json")
    somebody.waits_until(begun)
    somebody.process.send_signal(number)
    code, seen = somebody.leaves()
    printed = json.loads(seen)
    assert (code, printed["ok"], printed["error"]["code"]) == (130, False, "interrupted")
    assert process("audit", "verify").out == "1 runs: 1 closed, 0 open, 0 broken\n"


@pytest.mark.parametrize("command", ["call", "run"])
def test_sigterm_ends_as_ctrl_c_does_where_that_is_ignored_as_in_the_background_of_a_script(
    command: str, environ: Mapping[str, str], workspace: Path, process: Callable, script: Callable
) -> None:
    endless = "echo > w; sleep 100"
    model = script({"tool_calls": [{"name": "bash", "arguments": {"script": endless}}]})
    words = {"call": ["bash", f"script={endless}"], "run": ["t", "--model", model]}[command]
    ignoring = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    main = "from capbox.app import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", ignoring + main, command, *words, "--write", "."],
        cwd=workspace,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while not (workspace / "w").exists():
            assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait() == 130
    assert process("audit", "verify").out == "1 runs: 1 closed, 0 open, 0 broken\n"


def test_an_interrupted_call_says_what_it_did_and_where_that_is_on_record(
    person: Callable, process: Callable, workspace: Path
) -> None:
    words = ["call", "bash", "script=echo hi > w; sleep 100", "--write", "."]
    somebody = person(*words, "--stream-json")
    somebody.waits_until((workspace / "w").exists)
    somebody.process.send_signal(signal.SIGINT)
    code, seen = somebody.leaves()
    started, finished = map(json.loads, seen.splitlines())
    assert (code, started["arguments"]) == (130, {"script": words[2].removeprefix("script=")})
    result = finished["result"]
    assert [effect["host_path"] for effect in result["effects"]] == [f"{workspace}/w"]
    run = result["journal"]
    assert result["error"] == {
        "code": "interrupted",
        "message": f"what it did is on record: capbox audit show {run}",
    }
    assert "/workspace/w" in process("audit", "show", run).out


def test_ctrl_c_ends_a_call_that_waits_for_its_arguments(
    environ: Mapping[str, str], workspace: Path, begun: Callable
) -> None:
    """In an event loop the first one would be taken for the call, which is not there yet."""
    command = "import sys; from capbox.app import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", command, "call", "bash", "-", "--json"],
        cwd=workspace,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as waiting:
        assert waiting.stdin is not None
        assert waiting.stdout is not None
        waiting.stdin.write(b"{")
        waiting.stdin.flush()
        unread = array("i", [1])
        while unread[0]:
            ioctl(waiting.stdin, termios.FIONREAD, unread)
        # Between two reads Python would note the signal, and then wait for the next byte.
        status = Path(f"/proc/{waiting.pid}/stat")
        while status.read_text().rpartition(")")[2].split()[0] != "S":
            pass
        waiting.send_signal(signal.SIGINT)
        said = json.loads(waiting.stdout.read())
        assert waiting.wait() == 130
    assert said["error"] == {
        "code": "interrupted",
        "message": "before the call began; nothing was done",
    }
    assert begun() == []


def test_standard_input_that_is_no_text_is_exit_2(process: Callable) -> None:
    strict = {"PYTHONIOENCODING": "utf-8:strict"}  # as in most locales, C is not one of them
    text = b"\xff".decode(errors="surrogateescape")
    done = process("call", "read", "-", stdin=text, env=strict)
    assert (done.code, done.err) == (2, "invalid_arguments: standard input is not UTF-8 text\n")


def test_an_empty_workspace_is_refused_and_is_not_this_folder(capbox: Callable) -> None:
    """It is what an unset shell variable leaves."""
    done = capbox("call", "read", "path=a.txt", "--read", ".", "--workspace", "")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("capbox: Invalid value for '--workspace': the path is empty")
