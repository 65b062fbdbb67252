"""`capbox call` of a folder with a component: functions, commands, and requests under grants."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import wasmtime
from tests.sandbox.component import text
from tests.sandbox.component.test_guest import ECHO, TYPED
from tests.sandbox.component.test_strangers import EXPORT, task
from tests.servers.http import HttpServer
from tests.servers.replies import reply
from tests.tools.strangers import JAVASCRIPT

Capbox = Callable[..., subprocess.CompletedProcess[str]]


# A function that gives the value of its last variable.
LAST_VARIABLE = f"""(component {text.MEMORY}
  (import "wasi:cli/environment@0.2.0" (instance $i
    (type $pair (tuple string string)) (type $pairs (list $pair))
    (export "get-environment" (func (result $pairs)))))
  (core func $environment (canon lower (func $i "get-environment")
    (memory $mem) (realloc $realloc)))
  (core module $Main
    (import "m" "memory" (memory 1))
    (import "w" "environment" (func $environment (param i32)))
    (func (export "last") (result i32)
      (call $environment (i32.const 16))
      (i32.add (i32.load (i32.const 16))
        (i32.sub (i32.mul (i32.load (i32.const 20)) (i32.const 16)) (i32.const 8)))))
  (core instance $main (instantiate $Main (with "m" (instance $memory))
    (with "w" (instance (export "environment" (func $environment))))))
  (func $last (result string) (canon lift (core func $main "last") (memory $mem)))
  (export "last" (func $last)))"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Return what makes a tool's folder of WebAssembly and further lines of its manifest."""

    def make(wasm: bytes, lines: str, properties: str) -> Path:
        made = tmp_path / "tool"
        made.mkdir()
        (made / "it.wasm").write_bytes(wasm)
        (made / "tool.toml").write_text(f"""name = "it"
version = "1.0.0"
description = "A component."
license = "MIT"
module = "it.wasm"
access = "read"
{lines}
[input_schema]
type = "object"
[input_schema.properties]
{properties}
[requests]
optional = ["fetch:*"]
""")
        return made

    return make


def compiled(wat: str) -> bytes:
    """Return a component in its binary form."""
    return bytes(wasmtime.wat2wasm(wat))


def test_a_function_is_called_by_its_name(folder: Callable[..., Path], capbox: Capbox) -> None:
    made = folder(
        compiled(TYPED),
        'abi = "component"\nexport = "docs:adder/math.add"',
        'a = {type = "integer"}\nb = {type = "integer"}',
    )
    done = capbox("call", str(made), '{"a": 1, "b": 2}', "--json", cwd=made.parent)
    told = json.loads(done.stdout)
    assert (told["ok"], told["content"], told["data"]) == (True, "3", {"result": 3})
    done = capbox("call", str(made), '{"a": 1000, "b": 2}', cwd=made.parent)
    assert "arguments.a: a whole number from 0 to 255 is expected" in done.stderr


def test_a_command_gets_words_and_its_text_is_the_result(
    folder: Callable[..., Path], capbox: Capbox
) -> None:
    lines = 'abi = "text"\nargv = ["--", "{word}"]\nstdin = "word"'
    made = folder(compiled(ECHO), lines, 'word = {type = "string"}')
    done = capbox("call", str(made), '{"word": "-rf"}', cwd=made.parent)
    assert (done.returncode, done.stdout) == (0, "-rf\n")


def test_a_module_without_the_function_says_which_there_are(
    folder: Callable[..., Path], capbox: Capbox
) -> None:
    made = folder(compiled(TYPED), 'abi = "component"\nexport = "docs:adder/math.sub"', "")
    done = capbox("call", str(made), "{}", cwd=made.parent)
    assert "it exports no function docs:adder/math.sub; its functions are: bytes" in done.stderr


def test_a_files_name_is_that_of_the_grant(
    folder: Callable[..., Path], capbox: Capbox, tmp_path: Path
) -> None:
    read = (
        f"""(call $read (call $open {text.at(0, ("workspace/note.txt",))} (i32.const 0)
          (i32.const 1)) (i64.const 4096) (i64.const 0) (i32.const 64))
        (call $out (i32.load (i32.const 68)) (i32.load (i32.const 72)))""",
        "workspace/note.txt",
    )
    lines = 'abi = "text"\nargv = []'
    made = folder(compiled(text.files(*read)), lines, "")
    manifest = made / "tool.toml"
    manifest.write_text(manifest.read_text().replace('"fetch:*"', '"read:*"'))
    (tmp_path / "note.txt").write_text("a note")
    denied = capbox("call", str(made), "{}", "--json", cwd=tmp_path)
    assert "a note" not in denied.stdout
    done = capbox("call", str(made), "{}", "--read", "note.txt", "--json", cwd=tmp_path)
    told = json.loads(done.stdout)
    assert (told["content"], [e["path"] for e in told["effects"]]) == (
        "a note",
        ["/workspace/note.txt"],
    )


@pytest.mark.parametrize(
    ("grants", "requested", "told"),
    [
        (("env:GREETING=hello",), "env:GREETING", "hello"),
        (("env:CAPBOX_HOME",), "env:*", "{CAPBOX_HOME}"),
        (("env:HOME=/elsewhere", "env:GREETING=hello"), "env:HOME", "UTC"),
        (("env:OTHER=hello",), "env:GREETING", "UTC"),
        ((), "env:*", "UTC"),
    ],
    ids=["granted", "the host's", "another is requested", "another is granted", "none granted"],
)
def test_a_function_finds_the_variables_that_are_granted_and_requested(
    folder: Callable[..., Path],
    capbox: Capbox,
    environment: dict[str, str],
    grants: tuple[str, ...],
    requested: str,
    told: str,
) -> None:
    made = folder(compiled(LAST_VARIABLE), 'abi = "component"\nexport = "last"', "")
    manifest = made / "tool.toml"
    manifest.write_text(manifest.read_text().replace("fetch:*", requested))
    flags = [word for grant in grants for word in ("--grant", grant)]
    done = capbox("call", str(made), "{}", *flags, cwd=made.parent)
    assert (done.returncode, done.stdout) == (
        0,
        f"{told.format(**environment)}\n",
    ), done.stderr


@pytest.mark.slow
def test_a_strangers_request_needs_a_grant(folder: Callable[..., Path], capbox: Capbox) -> None:
    made = folder(
        JAVASCRIPT.path().read_bytes(),
        f'abi = "component"\nexport = "{EXPORT}"',
        'args-json = {type = "string"}',
    )
    with HttpServer({"/": reply(b"from the server")}) as server:
        url = server.url("/").replace("127.0.0.1", "localhost")
        code = f"fetch('{url}').then(r => r.text(), e => 'failed')"
        arguments = json.dumps(json.loads(task("executeCode", code))["arguments"])
        denied = capbox("call", str(made), arguments, cwd=made.parent)
        assert ('{"result":"failed"}' in denied.stdout, server.requests) == (True, ())
        assert f"to allow it, add: --fetch 'GET {url}'" in denied.stderr
        done = capbox("call", str(made), arguments, "--fetch", f"GET {url}", cwd=made.parent)
        assert '{"result":"from the server"}' in done.stdout
        assert [request.method for request in server.requests] == ["GET"]
