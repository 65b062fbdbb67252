"""A module's own words: what is read of it, and that no file is too hostile to be read."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import example, given
from hypothesis import strategies as st

from capbox.tools.inspection.module import (
    CORE,
    MAGIC,
    PAGE_BYTES,
    Core,
    Export,
    Import,
    Maker,
    Memory,
    Signature,
    read_core,
)
from capbox.tools.inspection.octets import Malformed
from capbox.tools.inspection.powers import absent, obstacles, powers

WAT = """(module
  (type $t (func (param i32 i64) (result f32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "capbox_http" "close" (func (param i32) (result i32)))
  (import "env" "table" (table 1 funcref))
  (import "env" "global" (global (mut i32)))
  (memory (export "memory") 2 10)
  (func $f (type $t) (f32.const 0))
  (func (export "_start"))
  (export "f" (func $f))
  (start 3)
  (data (i32.const 0) "abc"))"""
PREVIEW_1 = "wasi_snapshot_preview1"


def custom(name: str, content: bytes) -> bytes:
    """A custom section."""
    body = bytes([len(name)]) + name.encode() + content
    return bytes([0, len(body)]) + body


PRODUCERS = custom("producers", b"\1\x08language\2\1C\3C11\4Rust\0")
MODULE = bytes(wasmtime.wat2wasm(WAT))


def read(content: bytes) -> Core:
    """A module that can be read."""
    found = read_core(content)
    assert isinstance(found, Core), found
    return found


def test_imports_exports_memories_and_sizes_are_told() -> None:
    core = read(MODULE)
    i32 = "i32"
    opened = Signature((*[i32] * 5, "i64", "i64", i32, i32), (i32,))
    assert core.imports == (
        Import(PREVIEW_1, "path_open", "function", opened),
        Import("capbox_http", "close", "function", Signature((i32,), (i32,))),
        Import("env", "table", "table"),
        Import("env", "global", "global"),
    )
    assert core.exports == (
        Export("memory", "memory"),
        Export("_start", "function", Signature((), ())),
        Export("f", "function", Signature((i32, "i64"), ("f32",))),
    )
    assert core.memories == (Memory(2, 10),)
    assert (core.functions, core.starts, core.tables) == (2, True, 0)
    assert core.data_bytes == 9 and core.code_bytes > 0
    assert str(core.exports[2].signature) == "(i32, i64) -> f32"


def test_what_made_it_and_what_it_needs_is_told_where_it_says_so() -> None:
    features = custom("target_features", b"\2+\7atomics-\4simd")
    core = read(MODULE + PRODUCERS + features + custom("producers", b"\xff\xff"))
    assert core.makers == (Maker("language", "C", "C11"), Maker("language", "Rust", ""))
    assert core.features == ("atomics", "simd")
    named = [name for name, _ in core.customs if name != "name"]
    assert named == ["producers", "target_features", "producers"]


def test_powers_are_grouped_and_what_is_missing_is_said() -> None:
    found = powers(read(MODULE))
    assert [(one.name, one.imports) for one in found] == [
        ("files", ("path_open",)),
        ("network", ("capbox_http.close",)),
        ("device", ("path_open",)),
        ("unknown", ("env.table", "env.global")),
    ]
    assert absent(()) == ("files", "network", "functions")


def test_nothing_is_said_to_be_missing_where_an_import_is_unknown() -> None:
    """Attack: "no network", of a module that imports the sockets of another host."""
    names = [*(f"wasi:sockets/{n}" for n in "ab"), *(f"m{n}" for n in range(5))]
    wat = "(module " + "".join(f'(import "{n}" "f" (func))' for n in [names[0], *names]) + ")"
    (found,) = powers(read(bytes(wasmtime.wat2wasm(wat))))
    assert (found.name, len(found.imports)) == ("unknown", 8)
    assert "imports 8 things that capbox does not know, from wasi:sockets/a (2), " in (found.words)
    assert "m2 (1) and 2 more: what they lead to elsewhere cannot be told" in found.words
    assert absent((found,)) == ()


@pytest.mark.parametrize(
    ("name", "missing"),
    [("path_open", ()), ("path_unlink_file", ("network", "functions")), ("fd_read", None)],
)
def test_who_can_open_a_file_is_not_said_to_have_no_network(
    name: str, missing: tuple[str, ...] | None
) -> None:
    wat = f'(module (import "wasi_snapshot_preview1" "{name}" (func)))'
    expected = ("files", "network", "functions") if missing is None else missing
    assert absent(powers(read(bytes(wasmtime.wat2wasm(wat))))) == expected


@pytest.mark.parametrize(
    ("wat", "expected"),
    [
        ('(module (memory (export "memory") 1) (func (export "_start")))', []),
        ('(module (memory (export "memory") 1) (func (export "capbox_call")))', []),
        (
            '(module (import "env" "f" (func)) (import "wasi_snapshot_preview1" "x" (func))'
            ' (memory (export "memory") 1) (func (export "_start")))',
            ["imports what capbox does not give: env.f, wasi_snapshot_preview1.x"],
        ),
        (
            '(module (import "env" "m" (memory 1)) (export "memory" (memory 0))'
            ' (func (export "_start")))',
            ["imports what capbox does not give: env.m (a memory)"],
        ),
        (
            '(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))'
            ' (memory (export "memory") 1) (func (export "_start")))',
            ["imports fd_close as (i64) -> nothing, and it is (i32) -> i32"],
        ),
        (
            '(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'
            ' (memory (export "memory") 1) (func (export "_start")))',
            [],
        ),
        ("(module)", ["exports no memory", "exports no function _start"]),
        (
            '(module (func (export "memory")) (func (export "_start") (param i32)))',
            ["exports no memory", "exports no function _start without parameters"],
        ),
        (
            '(module (memory (export "memory") 65536) (func (export "_start")))',
            ["begins with 4,294 MB of memory"],
        ),
        (
            '(module (memory (export "memory") i64 1) (func (export "_start")))',
            ["has a memory that is shared or 64 bits wide"],
        ),
        (
            '(module (memory (export "memory") 1) (memory 1) (func (export "_start")))',
            ["has 2 memories, and a guest gets one"],
        ),
    ],
)
def test_why_it_cannot_run_is_said(wat: str, expected: list[str]) -> None:
    found = obstacles(read(bytes(wasmtime.wat2wasm(wat))))
    assert len(found) == len(expected)
    assert all(said.startswith(words) for said, words in zip(found, expected, strict=True)), found


def test_a_library_of_an_older_wasi_is_named_as_that() -> None:
    wat = '(module (import "wasi_unstable" "fd_close" (func)) (memory (export "memory") 1))'
    first, _ = obstacles(read(bytes(wasmtime.wat2wasm(wat))))
    assert first.startswith("is made for WASI preview 0 (wasi_unstable), which is older than ours")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is not a WebAssembly module"),
        (MAGIC, "this is not a WebAssembly module"),
        (b"PK\3\4" + bytes(20), "this is not a WebAssembly module"),
        (MAGIC + CORE + b"\1", "it ends in the middle"),
        (MAGIC + CORE + b"\1\x80", "it ends in the middle"),
        (MAGIC + CORE + b"\1\xff\xff\xff\xff\x0f", "4,294,967,295 bytes are announced"),
        (MAGIC + CORE + b"\1\xff\xff\xff\xff\x7f", "a number has more than 32 bits"),
        (MAGIC + CORE + b"\1\x80\x80\x80\x80\x80\x80\0", "a number has more than 32 bits"),
        (MAGIC + CORE + b"\2\5\xff\xff\xff\xff\x0f", "4,294,967,295 entries are announced"),
        (MAGIC + CORE + b"\2\6\1\xff\xff\3ab", "65,535 bytes are announced"),
        (MAGIC + CORE + b"\2\5\1\1\xff\0\0", "a name is not UTF-8"),
        (MAGIC + CORE + b"\2\5\1\0\0\x09\0", "there is no kind 9 of import or export"),
        (MAGIC + CORE + b"\5\2\1\x7f", "there are no limits of kind 127"),
        (MAGIC + CORE + b"\1\5\xff\xff\xff\xff\x0f", "4,294,967,295 types are announced"),
        (MAGIC + CORE + b"\6\0" * 10_001, "it has more than 10,000 sections"),
    ],
)
def test_a_hostile_file_is_refused_with_its_place(content: bytes, message: str) -> None:
    found = read_core(content)
    assert isinstance(found, Malformed)
    assert message in str(found)
    assert f"(at byte {found.offset})" in str(found)


def test_a_name_of_a_hundred_thousand_bytes_is_the_longest() -> None:
    def named(size: int) -> bytes:
        length = bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])
        body = b"\1" + length + b"x" * size + b"\0\0\0"
        full = len(body)
        return (
            MAGIC
            + CORE
            + b"\2"
            + bytes([full & 0x7F | 0x80, full >> 7 & 0x7F | 0x80, full >> 14])
            + body
        )

    assert isinstance(read_core(named(100_000)), Core)
    refused = read_core(named(100_001))
    assert isinstance(refused, Malformed) and "a name has 100,001 bytes" in str(refused)


@given(st.data())
def test_any_mutation_of_a_module_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(MODULE + PRODUCERS)
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(8, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(content)))
    found = read_core(bytes(content[:cut]))
    if isinstance(found, Core):
        absent(powers(found))
        obstacles(found)
    else:
        assert isinstance(found, Malformed)


@given(st.binary(max_size=200))
@example(b"\1\4\1\x60\0\0")
def test_any_bytes_behind_the_head_are_read_or_refused(content: bytes) -> None:
    assert isinstance(read_core(MAGIC + CORE + content), Core | Malformed)


def test_a_page_is_64_kib() -> None:
    assert PAGE_BYTES == 1 << 16
