"""What a reviewer reads of a component, and the schemas of its functions."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest
import wasmtime
from hypothesis import given
from tests.sandbox.component import text
from tests.sandbox.component.test_guest import TOOL, TYPED
from tests.sandbox.component.test_linking import COUNTER, leb, named, section
from tests.sandbox.component.test_types import VALUES
from tests.sandbox.component.text import importing

from capbox.messages import JsonObject
from capbox.sandbox.component.binary import MAGIC
from capbox.sandbox.component.side import Misuse, Resource
from capbox.sandbox.component.types import Handle, Type
from capbox.sandbox.component.values import to_json
from capbox.tools.inspection.component import Component, read_component, schema_of
from capbox.tools.inspection.inspecting import Inspection, inspect_folder


def component(wat: str) -> Component:
    """Read a component that can be read."""
    found = read_component(bytes(wasmtime.wat2wasm(wat)))
    assert isinstance(found, Component), found
    return found


def test_a_command_says_what_it_can_ask_for() -> None:
    found = component(text.files(""))
    assert [power.name for power in found.powers] == [
        *("files", "arguments and environment", "input and output", "device")
    ]
    assert (found.obstacles, found.refused, found.memories) == ((), (), 1)
    assert [exported.name for exported in found.exports] == ["wasi:cli/run.run"]


def test_what_nobody_gives_is_named() -> None:
    found = component(importing("acme:vault/keys.steal", "(result u32)", result="(result i32)"))
    assert found.refused == ("acme:vault/keys.steal",)


def test_a_function_is_told_with_the_schema_of_its_arguments() -> None:
    found = {exported.name: exported for exported in component(TYPED).exports}
    add = found["docs:adder/math.add"]
    assert add.words == "(a: u8, b: u32) -> u32"
    assert add.schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 0, "maximum": 255},
            "b": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        },
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    assert found["bytes"].words == "(b: list<u8>) -> list<u8>"
    assert found["try"].words == "(bad: bool) -> result<string,string>"
    assert component(TOOL).obstacles == ()


def test_a_component_without_functions_is_a_library() -> None:
    assert component("(component)").obstacles == (
        "exports neither wasi:cli/run nor a function that JSON can call",
    )


MANIFEST = """
name = "x"
version = "1"
description = "x"
license = "MIT"
module = "x.wasm"
access = "none"
input_schema.type = "object"
"""
THERE = "there are: bytes, docs:adder/math.add, docs:adder/math.half, echo, many, nothing, points, "


@pytest.mark.parametrize(
    ("wat", "calls", "reason"),
    [
        (TYPED, 'abi = "component"\nexport = "docs:adder/math.add"', ""),
        (TYPED, 'abi = "component"\nexport = "echo"', ""),
        (
            TYPED,
            'abi = "component"\nexport = "docs:adder/math.sub"',
            f"exports no docs:adder/math.sub, which its manifest calls; {THERE}try",
        ),
        (
            TYPED,
            'abi = "json"',
            "exports neither wasi:cli/run.run nor capbox:tool/tool.call; a function is called by "
            f'abi = "component" and export; {THERE}try',
        ),
        (TOOL, 'abi = "json"', ""),
        (
            COUNTER,
            'abi = "component"\nexport = "make"',
            "exports make(n: u32) -> own<?>, whose types JSON cannot say",
        ),
        (
            "(module)",
            'abi = "component"\nexport = "add"',
            "is no component, and its manifest names a function of one",
        ),
    ],
)
def test_what_a_manifest_calls_has_to_be_there(
    wat: str, calls: str, reason: str, tmp_path: Path
) -> None:
    (tmp_path / "tool.toml").write_text(f"{calls}\n{MANIFEST}")
    (tmp_path / "x.wasm").write_bytes(bytes(wasmtime.wat2wasm(wat)))
    found = inspect_folder(tmp_path)
    assert isinstance(found, Inspection), found
    assert found.obstacles == ((reason,) if reason else ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0asm\x0d\0\1\0\x02" + b"\xff" * 6, "does not end"),
        (b"\0asm\x0d\0\1\0\x02\x05\1", "is cut off"),
        (b"\0asm\x01\0\0\0", "not a component"),
        (
            bytes(
                wasmtime.wat2wasm(
                    importing(
                        "wasi:random/random.get-random-u64", "(result u32)", result="(result i32)"
                    )
                )
            ),
            "another type than WASI 0.2",
        ),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    found = read_component(content)
    assert isinstance(found, str)
    assert reason in found


@given(VALUES)
def test_a_schema_takes_what_its_type_takes(pair: tuple[Type, object]) -> None:
    kind, value = pair
    if "inf" not in repr(value):
        schema: JsonObject = schema_of(kind)
        assert jsonschema_rs.is_valid(schema, to_json(kind, value))


def test_a_resource_has_no_schema() -> None:
    with pytest.raises(Misuse, match="no JSON"):
        schema_of(Handle(Resource(), own=True))


def doubling(levels: int) -> str:
    """Return an exported function of a type that is two of the one before, `levels` times."""
    types = "".join(
        f"(type $t{n} (result $t{n - 1} (error $t{n - 1})))" for n in range(1, levels + 1)
    )
    return f"""(component (type $t0 (result bool (error bool))) {types}
      (core module $M (memory (export "m") 1) (func (export "f") (param i32 i32) (unreachable)))
      (core instance $m (instantiate $M))
      (func (export "boom") (param "a" $t{levels}) (canon lift (core func $m "f"))))"""


@pytest.mark.parametrize(("levels", "much"), [(5, False), (30, True)])
def test_a_type_that_doubles_at_each_level_is_not_written_out(levels: int, much: bool) -> None:
    found = read_component(bytes(wasmtime.wat2wasm(doubling(levels))))
    assert (found == "a type is too large") is much, found


def holding(handles: int, chars: int) -> bytes:
    """Return an exported function that takes many handles of a resource with a long name."""
    offered = b"\x42\1\4" + named("r") + b"\3\1"
    types = (b"\x69\1", b"\x6f" + leb(handles) + b"\2" * handles, b"\x40\1\1a\3\1\0")
    core = bytes(wasmtime.wat2wasm('(module (func (export "f")))'))
    parts = (
        b"\1" + leb(len(core)) + core + section(2, b"\0\0\0") + section(6, b"\0\0\1\0\1f"),
        section(7, offered) + section(10, named("i" * chars) + b"\5\0"),
        section(6, b"\3\0\0\1r") + section(7, *types) + section(8, b"\0\0\0\0\4"),
        section(11, named("f") + b"\1\0\0"),
    )
    return MAGIC + b"".join(parts)


def test_a_resource_is_told_by_the_beginning_of_its_name() -> None:
    found = read_component(holding(2_000, 100_000))
    assert isinstance(found, Component), found
    (exported,) = found.exports
    assert len(exported.words) < 200_000
    assert (exported.schema, f"own<?{'i' * 64}>" in exported.words) == (None, True)


@pytest.mark.parametrize(("count", "much"), [(5, False), (99, True)])
def test_the_types_of_all_functions_together_are_bounded(count: int, much: bool) -> None:
    exports = "".join(f'(export "f{n}" (func $f))' for n in range(count))
    wat = doubling(11).replace('(export "boom")', "$f")[:-1] + exports + ")"
    found = read_component(bytes(wasmtime.wat2wasm(wat)))
    assert isinstance(found, Component) is not much
    assert (found == "the types of its functions are too large") is much, found
