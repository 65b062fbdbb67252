"""`capbox tool`, `capbox cache` and `capbox fake-llm`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path

import httpx2
import pytest

from capbox.engine.home import Home
from capbox.sandbox.cache import COMPILE_SECONDS_MAX, guest_name
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.program import main
from capbox.tools.sdk.building.keeping import in_use

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
TOOLS = ["apply_patch", "bash", "edit", "fetch", "glob", "grep", "javascript", "python", "read"]
TOOLS += ["search", "tree", "write"]


def test_list_names_every_tool_with_what_it_does(capbox: Callable) -> None:
    head, *rows = capbox("tool", "list").out.splitlines()
    assert head.split() == ["tool", "access", "what", "it", "does"]
    assert [row.split()[0] for row in rows] == TOOLS
    assert [one["name"] for one in capbox("tool", "list", "--json").json] == TOOLS


def test_show_tells_arguments_and_requests(capbox: Callable) -> None:
    text = capbox("tool", "show", "read").out
    assert text.startswith("read 0.1.0\nRead a text file")
    assert "  path    string.  The file, relative to the workspace or absolute.\n" in text
    assert "  limit   integer, optional.  " in text
    assert "it asks for\n  read:*\n" in text
    assert text.endswith("\n  of the module's digest and the manifest's text\n")
    described = capbox("tool", "show", "read", "--json").json
    assert described["requests"] == {"required": ["read:*"], "optional": []}
    assert described["input_schema"]["required"] == ["path"]


def test_an_unknown_tool_is_exit_2_and_says_what_there_is(capbox: Callable) -> None:
    done = capbox("tool", "show", "none")
    assert done.err == f"capbox: there is no tool none; there are: {', '.join(TOOLS)}\n"
    assert done.code == 2


def test_tools_that_were_not_built_are_exit_5(
    entry: Entry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(replace(entry, guests=lambda: tmp_path), ["tool", "list"]) == 5
    assert "were they built?" in capsys.readouterr().err


def test_cache_build_compiles_once_and_clear_removes_it(
    process: Callable, environ: Mapping[str, str]
) -> None:
    compiled = Path(environ["CAPBOX_HOME"], "cache", "compiled")
    before = sorted(compiled.iterdir())
    done = process("cache", "build")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"compiled tools are ready in {compiled.parent}\n"
    assert sorted(compiled.iterdir()) == before
    assert "removed" in process("cache", "clear").err
    assert list(compiled.glob("*.cwasm")) == []


def test_what_is_compiled_is_shown_with_its_tools_and_what_no_tool_uses_is_pruned(
    process: Callable, environ: Mapping[str, str]
) -> None:
    compiled = Path(environ["CAPBOX_HOME"], "cache", "compiled")
    other, recent = compiled / f"{'0' * 40}.cwasm", compiled / f"{'1' * 40}.cwasm"
    other.write_bytes(bytes(2_500_000))
    recent.write_bytes(bytes(1_500_000))
    day = 86_400
    os.utime(other, (time.time() - 8 * day, time.time() - 9 * day))
    os.utime(recent, (time.time() - 6 * day, time.time() - 9 * day))  # used since
    held = json.loads(process("cache", "show", "--json").out)
    assert [one["tools"] for one in held if one["file"] == str(other)] == [[]]
    assert {tool for one in held for tool in one["tools"]} == set(TOOLS)
    shown = process("cache", "show")
    assert re.search("2.5 MB +no tool that is installed: .* not used for 7 days: 1\n", shown.out)
    assert re.search("no tool that is installed: .* used in the last 7 days: [0-9]+\n", shown.out)
    assert "capbox cache prune" in shown.err
    assert process("cache", "prune").err == "removed 1 compiled tool, 2.5 MB\n"
    left = {guest_name(path) for path in compiled.iterdir()}
    assert left == {guest_name(Path(one["file"])) for one in held if one["used"]}
    assert recent.exists()
    again = process("cache", "show")
    assert ("not used for" in again.out, "prune" in again.err) == (False, False)
    assert process("cache", "prune").err == "removed 0 compiled tools\n"


def test_what_building_left_is_shown_and_pruned_while_nothing_is_built(
    process: Callable, environ: Mapping[str, str], tmp_path: Path
) -> None:
    cache = Path(environ["CAPBOX_HOME"], "cache")
    old = cache / "toolchains" / "ziglang-0.1" / "zig"
    old.parent.mkdir(parents=True)
    old.write_bytes(bytes(1_500_000))
    at_work = cache / "compiled" / f"{'1' * 40}.cwasm.22.part"
    at_work.write_bytes(b"half")
    (entry,) = (e for e in json.loads(process("cache", "show", "--json").out) if e["bytes"] == 4)
    assert (entry["kind"], entry["used"]) == ("compiled", True)
    shown = process("cache", "show").out
    assert re.search(r"1\.5 MB +ziglang-0\.1, a compiler: another version than is used", shown)
    assert "being compiled" in shown
    with in_use(cache):
        done = process("cache", "prune")
        assert "a tool is being built: what building keeps was left as it is" in done.err
    assert old.exists()
    said = "removed ziglang-0.1, a compiler: another version than is used now, 1.5 MB\n"
    assert said in process("cache", "prune").err
    assert (old.exists(), at_work.exists()) == (False, True)
    ages_ago = time.time() - 2 * COMPILE_SECONDS_MAX
    os.utime(at_work, (ages_ago, ages_ago))
    process("cache", "prune")
    assert not at_work.exists()


def test_a_cache_open_to_others_is_refused(capbox: Callable, home: Home) -> None:
    home.prepare()
    folder = home.state / "other"  # the tests share one cache, so this one has its own
    (folder / "compiled").mkdir(parents=True)
    (folder / "compiled").chmod(0o755)
    own = replace(home, cache=folder)
    done = main_with(own, ["cache", "clear"])
    assert done == 5


def main_with(home: Home, arguments: list[str]) -> int:
    """Run a command that needs nothing but a home."""

    def unused(*_: object) -> None:
        raise AssertionError("not needed")

    entry = Entry({}, lambda: home, Path, *[unused] * (len(fields(Entry)) - 3))  # type: ignore[arg-type]
    return main(entry, arguments)


def test_the_fake_server_prints_its_address_and_serves_until_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "hello"}]))
    arguments = [*COMMAND, "fake-llm", "--script", str(script)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            answer = httpx2.post(
                f"{url}/v1/chat/completions",
                json={"model": "m", "messages": [{"role": "user", "content": "hi"}]},
                headers={"authorization": "Bearer x"},
            )
            server.send_signal(signal.SIGINT)
            assert (server.wait(60), server.stdout.read()) == (0, "")
        finally:
            server.kill()
    assert answer.json()["choices"][0]["message"]["content"] == "hello"


@pytest.mark.parametrize("content", [None, "not json", '[{"nonsense": 1}]'])
def test_a_script_that_cannot_be_read_is_exit_2(
    content: str | None, capbox: Callable, tmp_path: Path
) -> None:
    script = tmp_path / "script.json"
    if content is not None:
        script.write_text(content)
    assert capbox("fake-llm", "--script", script).code == 2
