"""Compiled guests: a core module is one file, a component one for what holds it together and more.

Guarantees: a component is never compiled as one: its core modules are, each by itself, and the rest
is read as data. Does not: run anything; loading starts no thread, so forking stays safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import wasmtime

from capbox.sandbox.component.binary import MAGIC, is_component, part_name, taken_apart
from capbox.sandbox.component.plan import Plan
from capbox.sandbox.component.scope import read_plan
from capbox.sandbox.component.side import Misuse


@dataclass(frozen=True, slots=True, eq=False)
class ComponentCode:
    """A component that can be linked: its plan, and its core modules in order."""

    plan: Plan
    modules: tuple[wasmtime.Module, ...]


Code = wasmtime.Module | ComponentCode


def compile_code(engine: wasmtime.Engine, wasm: bytes) -> Iterator[bytes]:
    """Yield the contents of a guest's files. Raises WasmtimeError or Misuse."""
    if not is_component(wasm):
        yield bytes(wasmtime.Module(engine, wasm).serialize())
        return
    modules: list[memoryview] = []
    skeleton = taken_apart(wasm, modules)
    read_plan(skeleton)
    yield skeleton
    for module in modules:
        if is_component(module):
            raise Misuse("a component stands where a core module should")
        yield bytes(wasmtime.Module(engine, bytes(module)).serialize())


def load_code(engine: wasmtime.Engine, path: str) -> Code:
    """Load what `compile_code` made. Raises OSError or WasmtimeError."""
    with open(path, "rb") as file:
        compound = file.read(len(MAGIC)) == MAGIC
    if not compound:
        return wasmtime.Module.deserialize_file(engine, path)
    try:
        plan = read_plan(Path(path).read_bytes())
    except Misuse as error:
        raise wasmtime.WasmtimeError(str(error)) from error
    count = 1 + max((step.module for step in plan.steps), default=-1)
    files = (part_name(path, number + 1) for number in range(count))
    return ComponentCode(plan, tuple(wasmtime.Module.deserialize_file(engine, f) for f in files))
