"""The one checked way into guest memory, and callbacks that wasmtime calls directly."""

from __future__ import annotations

import pytest
import wasmtime

from capbox.sandbox.raw import TRAP, GuestMemory, RawFunctions


@pytest.fixture
def memory() -> GuestMemory:
    """Sixteen bytes."""
    made = GuestMemory()
    made.attach_buffer(memoryview(bytearray(16)))
    return made


@pytest.mark.parametrize(
    ("pointer", "length", "inside"),
    [
        *((0, 16, True), (16, 0, True), (15, 1, True), (15, 2, False), (17, 0, False)),
        *(((1 << 32) - 1, 1, False), (0, (1 << 32) - 1, False), (-1, 1, False), (1, -1, False)),
    ],
)
def test_a_slice_is_inside_or_refused(
    memory: GuestMemory, pointer: int, length: int, inside: bool
) -> None:
    if inside:
        assert len(memory.slice(pointer, length)) == length
    else:
        with pytest.raises(OSError, match="outside guest memory"):
            memory.slice(pointer, length)


def test_numbers_and_texts_are_little_endian_and_utf_8(memory: GuestMemory) -> None:
    memory.put_u32(0, 0x01020304)
    memory.put_u64(4, 5)
    memory.write(12, b"\xc3\xa4\xff")
    assert bytes(memory.view[:12]) == b"\4\3\2\1\5\0\0\0\0\0\0\0"
    assert memory.text(12, 2) == "ä"
    with pytest.raises(OSError, match="UTF-8"):
        memory.text(12, 3)


def test_vectors_are_checked_one_by_one(memory: GuestMemory) -> None:
    memory.write(0, b"\0\0\0\0\4\0\0\0\x08\0\0\0\x09\0\0\0")
    assert [len(v) for v in memory.vectors(0, 1)] == [4]
    with pytest.raises(OSError, match="outside guest memory"):
        memory.vectors(0, 2)
    with pytest.raises(OSError, match="too many buffers"):
        memory.vectors(0, 1025)


PROGRAM = """
(module
  (import "m" "f" (func $f (param i32 i64 i32) (result i32)))
  (import "m" "g" (func $g (result i32)))
  (import "m" "stop" (func $stop (param i32)))
  (func (export "f") (result i32) (call $f (i32.const -1) (i64.const -2) (i32.const 3)))
  (func (export "g") (result i32) (call $g))
  (func (export "stop") (call $stop (i32.const 7))))
"""


def test_a_callback_gets_unsigned_numbers_and_returns_or_traps() -> None:
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    raw = RawFunctions()
    seen: list[tuple[int, ...]] = []

    def note(*arguments: int) -> int:
        seen.append(arguments)
        return 42

    raw.define(linker, ("m", "f"), "iIi", result="i", body=note)
    raw.define(linker, ("m", "g"), "", result="i", body=note)
    raw.define(linker, ("m", "stop"), "i", result="", body=lambda code: TRAP)
    store = wasmtime.Store(engine)
    exports = linker.instantiate(store, wasmtime.Module(engine, PROGRAM)).exports(store)
    f, g, stop = exports["f"], exports["g"], exports["stop"]
    assert isinstance(f, wasmtime.Func)
    assert isinstance(g, wasmtime.Func)
    assert isinstance(stop, wasmtime.Func)
    assert (f(store), g(store)) == (42, 42)
    assert seen == [((1 << 32) - 1, (1 << 64) - 2, 3), ()]
    with pytest.raises(wasmtime.WasmtimeError, match="stopped"):
        stop(store)
