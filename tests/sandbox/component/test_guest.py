"""Calls of components through locked workers: commands, tools, and functions with typed values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.sandbox.component import text

from capbox.messages import Json
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Failed, Finished, Job

MakeJob = Callable[..., Job]
# Every function gives back what it gets; texts and lists lie at 16.
TYPED = f"""(component {text.MEMORY}
  (core module $Main
    (import "m" "memory" (memory 1))
    (import "m" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "half") (param f64) (result f64) (f64.div (local.get 0) (f64.const 2)))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "try") (param $bad i32) (result i32)
      (i32.store8 (i32.const 16) (local.get $bad))
      (i32.store (i32.const 20) (i32.const 512)) (i32.store (i32.const 24) (i32.const 3))
      (i32.const 16))
    (func (export "nothing"))
    (func (export "many") (param i32) (result i32)
      (i32.load (i32.add (local.get 0) (i32.const 64))))
    (func (export "after") (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
    (data (i32.const 512) "why"))
  (core instance $main (instantiate $Main (with "m" (instance $memory))))
  (type $point (record (field "x" s32) (field "y" s32)))
  (func $add (param "a" u8) (param "b" u32) (result u32) (canon lift (core func $main "add")))
  (func $half (param "n" f64) (result f64) (canon lift (core func $main "half")))
  (func $echo (param "text" string) (result string)
    (canon lift (core func $main "echo") (memory $mem) (realloc $realloc)
      (post-return (core func $main "after"))))
  (func $bytes (param "b" (list u8)) (result (list u8))
    (canon lift (core func $main "echo") (memory $mem) (realloc $realloc)))
  (func $points (param "p" (list $point)) (result (list $point))
    (canon lift (core func $main "echo") (memory $mem) (realloc $realloc)))
  (func $try (param "bad" bool) (result (result string (error string)))
    (canon lift (core func $main "try") (memory $mem)))
  (func $nothing (canon lift (core func $main "nothing")))
  (func $many {" ".join(f'(param "p{n}" u32)' for n in range(17))} (result u32)
    (canon lift (core func $main "many") (memory $mem) (realloc $realloc)))
  (instance $math (export "add" (func $add)) (export "half" (func $half)))
  (export "docs:adder/math@1.2.3" (instance $math))
  (export "echo" (func $echo)) (export "bytes" (func $bytes)) (export "points" (func $points))
  (export "try" (func $try)) (export "nothing" (func $nothing)) (export "many" (func $many)))"""
POINTS = [{"x": 1, "y": -2}, {"x": 3, "y": 4}]
GOOD: list[tuple[str, Json, str, Json]] = [
    ("docs:adder/math.add", {"a": 255, "b": 2**32 - 256}, str(2**32 - 1), 2**32 - 1),
    ("docs:adder/math.add", {"a": 1, "b": 2**32 - 1}, "0", 0),
    ("docs:adder/math.half", {"n": 3}, "1.5", 1.5),
    ("echo", {"text": "gr\u00fc\u00df dich"}, "gr\u00fc\u00df dich", "gr\u00fc\u00df dich"),
    ("echo", {"text": ""}, "", ""),
    ("bytes", {"b": "AP8="}, "AP8=", "AP8="),
    ("points", {"p": POINTS}, json.dumps(POINTS), POINTS),
    ("try", {"bad": False}, "why", "why"),
    ("nothing", {}, "", None),
    ("many", {f"p{n}": n for n in range(17)}, "16", 16),
]
BAD: list[tuple[str, Json, str, str]] = [
    ("try", {"bad": True}, "error", "why"),
    ("docs:adder/math.add", {"a": 256, "b": 1}, "invalid_arguments", "arguments.a: a whole number"),
    ("docs:adder/math.add", {"a": 1}, "invalid_arguments", "arguments.b: is missing"),
    ("nothing", {"a": 1}, "invalid_arguments", "arguments: there is no 'a'"),
    ("nothing", None, "invalid_arguments", "arguments: an object is expected"),
]


def calling(job: Job, export: str, arguments: Json) -> Job:
    """A call of one function."""
    request = json.dumps({"tool": "t", "arguments": arguments}).encode()
    return replace(job, module=replace(job.module, export=export), request=request)


@pytest.mark.parametrize(("export", "arguments", "content", "result"), GOOD)
async def test_a_function_takes_and_gives_typed_values(
    sandbox: Sandbox, job: MakeJob, export: str, arguments: Json, content: str, result: Json
) -> None:
    end = (await sandbox.call(calling(job(TYPED), export, arguments))).end
    assert isinstance(end, Finished), end
    told = {"ok": True, "content": content, "data": {"result": result}}
    assert json.loads(end.stdout) == told


@pytest.mark.parametrize(("export", "arguments", "code", "message"), BAD)
async def test_what_does_not_fit_or_fails_is_an_error_of_the_tool(
    sandbox: Sandbox, job: MakeJob, export: str, arguments: Json, code: str, message: str
) -> None:
    end = (await sandbox.call(calling(job(TYPED), export, arguments))).end
    assert isinstance(end, Finished), end
    told = json.loads(end.stdout)
    assert (told["ok"], told["error"]["code"]) == (False, code)
    assert told["error"]["message"].startswith(message)


async def test_a_function_that_is_not_there_is_named_with_those_that_are(
    sandbox: Sandbox, job: MakeJob
) -> None:
    end = (await sandbox.call(calling(job(TYPED), "docs:adder/math.sub", {}))).end
    assert isinstance(end, Failed)
    assert "it exports no function docs:adder/math.sub; its functions are: bytes" in end.reason
    assert "docs:adder/math.add" in end.reason


async def test_a_component_without_a_command_needs_a_function(
    sandbox: Sandbox, job: MakeJob
) -> None:
    end = (await sandbox.call(job(TYPED))).end
    assert isinstance(end, Failed)
    assert "it exports neither wasi:cli/run nor capbox:tool/tool" in end.reason


async def test_a_core_module_has_no_functions_of_a_component(
    sandbox: Sandbox, job: MakeJob
) -> None:
    plain = job('(module (memory (export "memory") 1) (func (export "_start")))')
    end = (await sandbox.call(calling(plain, "add", {}))).end
    assert end == Failed(
        "the tool crashed: it is no component, and the manifest names a function of one"
    )


ECHO = text.command("""
  (call $hear (call $get-stdin) (i64.const 4096) (i32.const 32))
  (call $out (i32.load (i32.const 36)) (i32.load (i32.const 40)))
  (i32.const 0)""")
ENDS = {
    "gives ok": (text.command("(i32.const 0)"), Finished(b"")),
    "gives an error": (
        text.command("(i32.const 1)"),
        Failed("the tool ended with exit code 1"),
    ),
    "exits with ok": (text.command("(call $exit (i32.const 0)) unreachable"), Finished(b"")),
    "exits with an error": (
        text.command("(call $exit (i32.const 1)) unreachable"),
        Failed("the tool ended with exit code 1"),
    ),
    "traps": (
        text.command("unreachable"),
        Failed("the tool crashed: wasm trap: wasm `unreachable` instruction executed"),
    ),
    "gives no boolean": (
        text.command("(i32.const 2)"),
        Failed("the tool crashed: there is no case 2"),
    ),
    "writes outside of its memory": (
        text.command("(call $out (i32.const -2) (i32.const 4)) (i32.const 0)"),
        Failed("the tool crashed: outside guest memory"),
    ),
    "uses a handle that it does not have": (
        text.command(
            "(call $say (i32.const 9) (i32.const 0) (i32.const 1) (i32.const 16)) (i32.const 0)"
        ),
        Failed("the tool crashed: 9 is no handle of that type"),
    ),
    "copies its input": (ECHO, Finished(b"request")),
}


@pytest.mark.parametrize("shipped", [False, True], ids=["a stranger's", "capbox's own"])
@pytest.mark.parametrize("name", ENDS)
async def test_a_command_ends_as_it_says(
    sandbox: Sandbox, job: MakeJob, name: str, shipped: bool
) -> None:
    wat, end = ENDS[name]
    assert (await sandbox.call(job(wat, shipped=shipped))).end == end


TOOL = f"""(component {text.MEMORY}
  (core module $Main
    (import "m" "memory" (memory 1))
    (func (export "call") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0)) (i32.store (i32.const 20) (local.get 1))
      (i32.const 16)))
  (core instance $main (instantiate $Main (with "m" (instance $memory))))
  (func $call (param "request" string) (result string)
    (canon lift (core func $main "call") (memory $mem) (realloc $realloc)))
  (instance $tool (export "call" (func $call)))
  (export "capbox:tool/tool@0.1.0" (instance $tool)))"""


async def test_a_tool_gets_the_request_as_a_text_and_answers_with_one(
    sandbox: Sandbox, job: MakeJob
) -> None:
    assert (await sandbox.call(job(TOOL))).end == Finished(b"request")
    assert (await sandbox.call(job(TOOL, request="gr\u00fc\u00df".encode()))).end == Finished(
        "gr\u00fc\u00df".encode()
    )


async def test_the_words_of_a_call_are_a_components_arguments(
    sandbox: Sandbox, job: MakeJob
) -> None:
    wat = text.command(
        """(call $arguments (i32.const 64))
        (call $out (i32.load (i32.load (i32.const 64))) (i32.const 4))
        (call $out (i32.load offset=8 (i32.load (i32.const 64))) (i32.const 3)) (i32.const 0)""",
        more='(import "w" "arguments" (func $arguments (param i32)))',
        imports="""(import "wasi:cli/environment@0.2.0" (instance $i
          (type $words (list string)) (export "get-arguments" (func (result $words)))))""",
        lowered='(export "arguments" (func $arguments))',
    ).replace(
        "(core module $Main",
        """(core func $arguments (canon lower (func $i "get-arguments")
          (memory $mem) (realloc $realloc))) (core module $Main""",
    )
    assert (await sandbox.call(job(wat, argv=("a b",)))).end == Finished(b"toola b")


async def test_a_worker_serves_one_call_of_a_component_after_another(
    sandbox: Sandbox, job: MakeJob
) -> None:
    for _ in range(3):
        assert (await sandbox.call(job(ECHO))).end == Finished(b"request")
    first = await sandbox.call(job(ECHO))
    assert first.spent.memory_bytes == 2 * 65536
