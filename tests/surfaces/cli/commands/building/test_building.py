"""`capbox tool new|build|test|run|inspect` and `capbox call ./DIR`, from a folder to a result."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import wasmtime
from tests.tools.sdk.making import need

from capbox.tools.sdk.building.sources import keep, sources
from capbox.tools.sdk.project import Project

# Answers every request with the JSON that lies at 64.
ANSWERS = """(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 64) "{answer}")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const {size}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
MANIFEST = """
name = "greeter"
version = "1"
description = "Greets."
license = "MIT"
abi = "json"
module = "greeter.wasm"
access = "none"
[input_schema]
type = "object"
additionalProperties = false
[input_schema.properties]
name = { type = "string" }
[requests]
optional = ["fetch:*"]
"""
CASES = """
[[tests]]
name = "greets"
expect = { ok = true, content = "hello" }
[[tests]]
name = "is wrong"
expect = { ok = true, content = "bye" }
[[tests]]
name = "wants the network"
grants = ["read:/workspace", "fetch:https://a.example"]
expect = { ok = true }
"""


@pytest.fixture
def greeter(tmp_path: Path) -> Path:
    """A folder with a tool that says hello."""
    folder = tmp_path / "greeter"
    folder.mkdir()
    answer = json.dumps({"ok": True, "content": "hello"})
    wat = ANSWERS.replace("{size}", str(len(answer)))
    wat = wat.replace("{answer}", answer.replace('"', '\\"'))
    (folder / "greeter.wasm").write_bytes(bytes(wasmtime.wat2wasm(wat)))
    (folder / "tool.toml").write_text(MANIFEST + CASES)
    return folder


def test_a_folders_tool_is_called_by_its_path(capbox: Callable, greeter: Path) -> None:
    arguments = ("--workspace", greeter.parent / "greeter")
    done = capbox("call", f"{greeter}", "name=Ada", "--json", *arguments)
    assert (done.code, done.json["content"]) == (0, "hello")
    assert capbox("tool", "run", greeter, '{"name": "Ada"}', *arguments).out == "hello\n"
    refused = capbox("tool", "run", greeter, "nam=Ada", "--json", *arguments)
    assert (refused.code, refused.json["error"]["code"]) == (2, "invalid_arguments")


def test_a_path_that_leads_to_no_tool_is_a_usage_error(capbox: Callable, tmp_path: Path) -> None:
    done = capbox("call", f"{tmp_path}/none")
    assert done.code == 2
    assert "tool.toml: is not there: this is not the folder of a tool" in done.err
    (tmp_path / "tool.toml").write_text('name = "x"')
    done = capbox("call", f"{tmp_path}")
    assert (done.code, "tool.toml: " in done.err) == (2, True)


def test_a_folder_cannot_take_the_name_of_a_tool_that_is_shipped(
    capbox: Callable, greeter: Path
) -> None:
    text = (greeter / "tool.toml").read_text()
    (greeter / "tool.toml").write_text(text.replace('"greeter"', '"read"', 1))
    done = capbox("call", f"{greeter}", "--workspace", greeter)
    assert done.code == 2
    assert "read is the name of a tool that capbox brings; choose another one" in done.err


def test_a_folder_that_is_called_as_a_shipped_tool_is_not_taken_for_it(process: Callable) -> None:
    made = process("tool", "new", "glob")
    assert (made.code, "is the name of a tool that capbox brings" in made.err) == (2, True)


def test_cases_pass_fail_or_are_skipped(capbox: Callable, greeter: Path) -> None:
    done = capbox("tool", "test", greeter)
    assert done.code == 1
    assert done.out.splitlines() == [
        "passed  greets",
        "failed  is wrong",
        "        the content is 'hello', and not 'bye'",
        "skipped  wants the network",
        "        needs --grant fetch:https://a.example",
    ]
    assert "1 passed, 1 failed, 1 skipped" in done.err
    told = capbox("tool", "test", greeter, "--grant", "fetch:https://a.example", "--json").json
    assert [one["outcome"] for one in told] == ["passed", "failed", "passed"]


def test_what_a_case_needs_is_one_word_of_a_shell(capbox: Callable, greeter: Path) -> None:
    """It is printed for pasting, and its quotes are a stranger's."""
    grant = "read:/x'$(touch${IFS}/tmp/x)'"
    text = (greeter / "tool.toml").read_text().replace("fetch:https://a.example", grant)
    (greeter / "tool.toml").write_text(text)
    *_, last = capbox("tool", "test", greeter).out.splitlines()
    assert shlex.split(last) == ["needs", "--grant", grant]


def test_a_module_that_is_older_than_its_sources_is_told_and_not_packed(
    capbox: Callable, greeter: Path
) -> None:
    source = greeter / "greeter.c"
    source.write_text("old")
    made = Project(greeter, "greeter.wasm", "c", source)
    keep(made, sources(greeter, "c"), sha256(made.built.read_bytes()).hexdigest())
    packing = ("pkg", "pack", greeter, "--namespace", "alice", "--out", greeter.parent)
    calling = ("call", f"{greeter}", "name=Ada", "--workspace", greeter)
    assert [capbox(*calling).err, capbox(*packing).code] == ["", 0]
    source.write_text("new")
    reason = "was built from other sources (greeter.c was changed)"
    told = f"greeter.wasm {reason}; build it again: capbox tool build {greeter}\n"
    done = capbox(*calling)
    assert (done.code, done.out, done.err) == (0, "hello\n", told)
    assert capbox("tool", "test", greeter).err.startswith(told)
    refused = capbox(*packing)
    assert (refused.code, f"greeter.wasm: {reason}: build it again" in refused.err) == (1, True)
    # Whatever made it, it is another module now.
    made.built.write_bytes(made.built.read_bytes() + b"\0\2\1x")
    assert capbox(*packing).code == 0


def test_a_manifest_without_cases_or_with_a_bad_one_is_told(
    capbox: Callable, greeter: Path
) -> None:
    (greeter / "tool.toml").write_text(MANIFEST)
    done = capbox("tool", "test", greeter)
    assert (done.code, "has no [[tests]]" in done.err) == (1, True)
    (greeter / "tool.toml").write_text(f"{MANIFEST}[[tests]]\nname = 3\n")
    done = capbox("tool", "test", greeter)
    assert (done.code, "tests[0].name: a text is expected" in done.err) == (1, True)


def test_inspect_says_what_a_module_can_ask_for(capbox: Callable, greeter: Path) -> None:
    done = capbox("tool", "inspect", greeter)
    assert done.code == 0
    assert "  asks for: nothing\n  uses, if granted: fetch:*\n" in done.out
    assert "asks for network, and imports nothing that leads there" in done.out
    assert "input and output: reads its request" in done.out
    assert "  no files: it imports nothing that leads there\n" in done.out
    assert "can capbox run it: yes" in done.out
    told = capbox("tool", "inspect", greeter / "greeter.wasm", "--json").json
    assert (told["kind"], told["runs"], told["requests"]) == ("module", True, None)
    assert [(one["module"], one["name"]) for one in told["imports"]] == [
        ("wasi_snapshot_preview1", "fd_write")
    ]


def test_inspect_tells_the_mistakes_of_a_manifest(capbox: Callable, greeter: Path) -> None:
    path = greeter / "tool.toml"
    text = path.read_text()
    assert capbox("tool", "inspect", greeter, "--json").json["mistakes"] == []
    path.write_text(text.replace('{ type = "string" }', '{ type = "string", defualt = "Ada" }'))
    done = capbox("tool", "inspect", greeter)
    *_, title, said = done.out.splitlines()
    assert (done.code, title) == (0, "what is wrong with its manifest")
    assert said.startswith("  input_schema.properties.name.defualt: is no word of a schema")
    told = capbox("tool", "inspect", greeter, "--json").json
    assert (told["runs"], len(told["mistakes"])) == (True, 1)
    path.write_text(text.replace('{ type = "string" }', '{ type = "strng" }'))
    done = capbox("tool", "inspect", greeter)
    assert (done.code, done.out) == (1, "")
    assert (
        f"{path}: input_schema.properties.name.type: 'strng' is no type; there are: string, "
        in (done.err)
    )


@pytest.mark.parametrize("content", [b"", b"\0asm\1\0\0\0\1\xff", b"\x7fELF"])
def test_inspect_refuses_what_is_no_module_without_a_traceback(
    capbox: Callable, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.wasm").write_bytes(content)
    done = capbox("tool", "inspect", tmp_path / "x.wasm")
    assert (done.code, done.err.startswith(f"capbox: {tmp_path / 'x.wasm'}: ")) == (1, True)


def test_a_name_that_acts_on_a_terminal_is_shown_as_what_it_is(
    capbox: Callable, tmp_path: Path
) -> None:
    wat = '(module (import "env\\1b[2J" "f\\0acan capbox run it: yes" (func)))'
    (tmp_path / "x.wasm").write_bytes(bytes(wasmtime.wat2wasm(wat)))
    done = capbox("tool", "inspect", tmp_path / "x.wasm")
    assert "\x1b" not in done.out
    assert "\ncan capbox run it: yes" not in done.out
    assert "can capbox run it: no" in done.out


def test_build_says_what_is_wrong_with_a_folder(capbox: Callable, greeter: Path) -> None:
    done = capbox("tool", "build", greeter)
    assert done.code == 1
    assert done.err.splitlines()[0].endswith(
        "build.toml: is not there: it says how the module is made"
    )
    assert done.err.splitlines()[1].startswith("  | `capbox tool new NAME` makes a folder")
    told = capbox("tool", "build", greeter, "--json").json
    assert (told["ok"], told["error"]["code"]) == (False, "build_failed")


def test_from_an_empty_folder_to_a_call(process: Callable) -> None:
    need("c")
    made = process("tool", "new", "hello", "--lang", "c")
    assert (made.code, made.out.splitlines()[:2]) == (0, ["hello/hello.c", "hello/build.toml"])
    assert made.err == "next: change hello/hello.c, then: capbox tool build hello\n"
    again = process("tool", "new", "hello", "--lang", "c")
    assert (again.code, "nothing is written over" in again.err) == (1, True)
    built = process("tool", "build", "hello")
    assert (built.code, built.out.startswith("hello/hello.wasm  ")) == (0, True)
    assert built.err.endswith("next: capbox tool test hello\n")
    tested = process("tool", "test", "hello")
    assert (tested.code, tested.out.count("passed  ")) == (0, 3)
    assert process("call", "./hello", "name=Ada").out == "Hello, Ada!\n"
    assert process("tool", "run", "hello", "name=Ada", "shout=true").out == "HELLO, ADA!\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("new", "Bad"), "Bad: is no name of a tool"),
        (
            ("new", "x", "--lang", "perl"),
            "--lang perl: there are: python, javascript, c, zig, go, rust",
        ),
        (("build", "/nowhere"), "tool.toml: is not there"),
        (("run", "--unconfined", "--read", "."), "--unconfined takes no grants"),
    ],
)
def test_what_cannot_be_done_is_said(
    capbox: Callable, words: tuple[str, ...], message: str
) -> None:
    done = capbox("tool", *words)
    assert done.code in (1, 2)
    assert message in done.err
