"""The imports of a module are read from its bytes, whatever these are."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as some
from tests.tools.packages.making import module

from capbox import app
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.imports import Import, imports


def of(tmp_path: Path, wasm: bytes) -> tuple[Import, ...] | None:
    """Return the imports of these bytes."""
    file = tmp_path / "one.wasm"
    file.write_bytes(wasm)
    return imports(file)


EVERY_KIND = """
(module
  (import "capbox_http" "request" (func (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "system" (func (param i32)))
  (import "env" "a table" (table 1 2 funcref))
  (import "env" "memory" (memory 1 65536))
  (import "env" "global" (global (mut i64)))
  (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "no_such" (func)))
"""


def test_every_import_is_read_and_known_ones_are_told_apart(tmp_path: Path) -> None:
    found = of(tmp_path, bytes(wasmtime.wat2wasm(EVERY_KIND)))
    assert found is not None
    assert [(str(one), one.kind, one.linked) for one in found] == [
        ("capbox_http.request", "function", True),
        ("env.system", "function", False),
        ("env.a table", "table", False),
        ("env.memory", "memory", False),
        ("env.global", "global", False),
        ("wasi_snapshot_preview1.random_get", "function", True),
        ("wasi_snapshot_preview1.no_such", "function", False),
    ]


def test_the_toolbox_imports_nothing_that_is_not_linked() -> None:
    found = imports(app.GUESTS / "toolbox.wasm")
    assert found and all(one.linked for one in found)


def test_a_component_is_told_apart(tmp_path: Path) -> None:
    assert of(tmp_path, bytes(wasmtime.wat2wasm("(component)"))) is None
    assert of(tmp_path, bytes(wasmtime.wat2wasm("(module)"))) == ()


@pytest.mark.parametrize(
    ("wasm", "said"),
    [
        (b"", "is not WebAssembly"),
        (b"#!/bin/sh\n", "is not WebAssembly"),
        (b"\0asm", "is neither a WebAssembly module nor a component"),
        (b"\0asm\1\0\0\0\2", "it ends too early"),
        (b"\0asm\1\0\0\0\2\x7f", "a section is longer than the file"),
        (b"\0asm\1\0\0\0\2\5\xff\xff\xff\xff\x0f", "over 10,000 imports"),
        (b"\0asm\1\0\0\0\2" + b"\xff" * 20, "a number does not end"),
        (b"\0asm\1\0\0\0\2\3\1\x7fa", "a name is longer than the file"),
        (b"\0asm\1\0\0\0\2\7\1\1a\1b\x09\0", "an import of no known kind"),
        (b"\0asm\1\0\0\0\2\7\1\1\xff\1b\0\0", "can't decode byte"),
    ],
)
def test_a_damaged_module_is_refused(wasm: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=said):
        of(tmp_path, wasm)


GOOD = module("x", '(import "capbox_fs" "stat" (func (param i32 i32 i32) (result i32)))')


@given(some.integers(8, len(GOOD) - 1), some.binary(min_size=1, max_size=6), some.booleans())
def test_no_bytes_do_anything_but_end(
    tmp_path_factory: pytest.TempPathFactory, place: int, bad: bytes, cut: bool
) -> None:
    wasm = GOOD[:place] + bad + (b"" if cut else GOOD[place + len(bad) :])
    try:
        found = of(tmp_path_factory.getbasetemp(), wasm)
    except PackageError:
        return
    assert found is not None and len(found) < 100
