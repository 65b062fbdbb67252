"""A module written anew: what is named changes, the rest stays; what is no module is refused."""

from __future__ import annotations

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from capbox.sandbox.image.sections import PackingError, rewritten, sections

PAGE = 64 << 10
GUEST = """
(module
  (memory (export "memory") 1)
  (global $stack (mut i32) (i32.const 4096))
  (data (i32.const 8) "old")
  (func (export "top") (result i32) global.get $stack)
  (func (export "at") (param i32) (result i32) local.get 0 i32.load8_u))
"""
WASM = bytes(wasmtime.wat2wasm(GUEST))


def run(module: bytes, image: bytes) -> tuple[int, bytes]:
    """Return the stack pointer and the memory that a module starts with."""
    store = wasmtime.Store()
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, module), []).exports(store)
    top, memory = exports["top"], exports["memory"]
    assert isinstance(top, wasmtime.Func) and isinstance(memory, wasmtime.Memory)
    return top(store), bytes(memory.read(store, 0, len(image)))


@given(
    st.lists(
        st.tuples(st.integers(0, 2 * PAGE - 9), st.binary(min_size=1, max_size=9)), max_size=9
    ),
    st.integers(0, 2 * PAGE),
)
def test_a_module_starts_with_the_memory_and_the_stack_that_it_was_given(
    pieces: list[tuple[int, bytes]], top: int
) -> None:
    image = bytearray(2 * PAGE)
    for at, piece in pieces:
        image[at : at + len(piece)] = piece
    made = rewritten(WASM, bytes(image), top)
    assert run(made, image) == (top, bytes(image))


def test_what_is_not_named_stays_and_custom_sections_go() -> None:
    named = WASM + b"\0\x05\x04name"
    made = rewritten(named, bytes(PAGE), None)
    assert dict(sections(made))[10] == dict(sections(WASM))[10]
    assert (b"name" in made, run(made, bytes(PAGE))[0]) == (False, 4096)


REFUSED = {
    "two globals": "(module (memory 1) (global (mut i32) (i32.const 1)) (global i32 "
    "(i32.const 2)))",
    "a global of another type": "(module (memory 1) (global (mut i64) (i64.const 1)))",
    "a constant": "(module (memory 1) (global i32 (i32.const 1)))",
    "a memory of 64 bits": "(module (memory i64 1))",
    "data that code names": '(module (memory 1) (data $d "x") (func data.drop $d))',
}


@pytest.mark.parametrize("guest", REFUSED)
def test_state_that_an_image_would_lose_is_refused(guest: str) -> None:
    with pytest.raises(PackingError):
        rewritten(bytes(wasmtime.wat2wasm(REFUSED[guest])), bytes(PAGE), 4096)


@given(st.integers(0, len(WASM) - 1))
def test_a_module_that_was_cut_is_refused(size: int) -> None:
    cut = WASM[:size]
    try:
        whole = b"".join(bytes([kind]) + body for kind, body in sections(cut))
    except PackingError:
        return
    assert len(whole) < len(WASM)


@pytest.mark.parametrize("text", [b"", b"text", b"\0asm", b"\0asm\x0d\0\1\0", b"\0asm\1\0\0\0\1"])
def test_what_is_no_module_is_refused(text: bytes) -> None:
    with pytest.raises(PackingError):
        list(sections(text))
