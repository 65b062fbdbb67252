"""The start function that writes to pages: it changes nothing, and where it cannot be, says so."""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

import pytest
import wasmtime
from tests.guests.test_pages import load

GUESTS = Path(__file__).parents[2] / "src" / "capbox" / "guests"
load("segments")
touching = load("touching")

FUNCTION = '(func (export "f") (param i32) (result i32) (local.get 0))'
# Imports, and the rest.
MODULES = {
    "nothing but a memory": ("", FUNCTION),
    "a type that it may share": ("", f"(func) {FUNCTION}"),
    "functions of a table": ("", f"(table 1 funcref) (elem (i32.const 0) $g) (func $g) {FUNCTION}"),
    "functions that it imports": ('(import "env" "h" (func $h (param i64)))', FUNCTION),
}
DATA = '(data (i32.const 4095) "over two pages") (data (i32.const 65535) "x")'


def module(imports: str, rest: str) -> bytes:
    text = f'(module {imports} (memory (export "memory") 1) {DATA} {rest})'
    return bytes(wasmtime.wat2wasm(text))


def opened(content: bytes) -> tuple[bytes, int]:
    """What memory holds when it is instantiated, and what `f` says to 7."""
    store = wasmtime.Store()
    linker = wasmtime.Linker(store.engine)
    linker.define_func(
        "env", "h", wasmtime.FuncType([wasmtime.ValType.i64()], []), lambda _number: None
    )
    found = linker.instantiate(store, wasmtime.Module(store.engine, content)).exports(store)
    memory, function = found["memory"], found["f"]
    assert isinstance(memory, wasmtime.Memory) and isinstance(function, wasmtime.Func)
    return bytes(memory.read(store)), function(store, 7)


@pytest.mark.parametrize("parts", MODULES)
def test_a_module_that_touches_its_pages_is_otherwise_the_same(parts: str) -> None:
    plain = module(*MODULES[parts])
    changed = touching.touching(plain, [0, 1, 15])
    assert touching.START in dict(touching.sections(changed))
    assert opened(changed) == opened(plain)
    assert opened(plain)[1] == 7


def test_a_page_that_is_not_there_is_a_trap_at_once_and_not_in_a_call() -> None:
    with pytest.raises(wasmtime.Trap):
        opened(touching.touching(module("", FUNCTION), [16]))


@pytest.mark.parametrize(
    ("imports", "rest", "reason"),
    [
        ('(import "env" "g" (global i32))', FUNCTION, "imports what is no function"),
        ("", "(func $s) (start $s)", "a start function already"),
    ],
)
def test_a_module_that_cannot_be_changed_is_refused(imports: str, rest: str, reason: str) -> None:
    with pytest.raises(touching.Unsupported, match=reason):
        touching.touching(module(imports, rest), [0])


def test_the_kernel_says_which_pages_are_written() -> None:
    file = os.memfd_create("pages")
    os.ftruncate(file, 8 * mmap.PAGESIZE)
    memory = mmap.mmap(file, 8 * mmap.PAGESIZE, mmap.MAP_PRIVATE)
    os.close(file)
    memory[0] = memory[5 * mmap.PAGESIZE] = 1
    assert memory[3 * mmap.PAGESIZE] == 0
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    assert touching.private(address, 8) == {0, 5}


@pytest.mark.parametrize("name", ["python", "javascript"])
def test_the_shipped_modules_touch_their_pages(name: str) -> None:
    """Else every call pays their faults after its request."""
    content = (GUESTS / f"{name}.wasm").read_bytes()
    assert touching.START in dict(touching.sections(content))
