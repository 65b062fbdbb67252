"""Components that are small as a file, and would be large or slow once they are read."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import wasmtime
from tests.sandbox.component import text
from tests.sandbox.component.test_linking import leb

from capbox.sandbox.component.binary import MAGIC, sections, taken_apart
from capbox.sandbox.component.plan import Plan
from capbox.sandbox.component.scope import Scope
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Failed, Finished, Job
from capbox.tools.inspection.component import read_component

MakeJob = Callable[..., Job]


def crossed(functions: int, names: int) -> str:
    """A component with one instance of many functions, which is exported under many names."""
    held = "".join(f'(export "f{n}" (func $f))' for n in range(functions))
    shown = "".join(f'(export "i{n}" (instance $all))' for n in range(names))
    return f"""(component (core module $M (func (export "f"))) (core instance $m (instantiate $M))
      (func $f (canon lift (core func $m "f"))) (instance $all {held}) {shown})"""


def test_a_plan_that_is_not_counted_as_it_is_made_has_functions_times_names() -> None:
    wasm = bytes(wasmtime.wat2wasm(crossed(400, 400)))
    naive = Plan(left=1 << 40)
    scope = Scope(naive, None, None)
    scope.read(taken_apart(wasm, []))
    naive.exports = scope.exports
    assert (len(wasm) < 10_000, len(naive.functions())) == (True, 160_000)


async def test_functions_under_many_names_are_refused_when_looked_at_and_when_called(
    sandbox: Sandbox, job: MakeJob
) -> None:
    wat = crossed(4_000, 2_500)
    began = time.monotonic()
    told = read_component(bytes(wasmtime.wat2wasm(wat)))
    assert isinstance(told, str) and "too many parts" in told
    end = (await sandbox.call(job(wat))).end
    assert isinstance(end, Failed) and "too many parts" in end.reason
    assert time.monotonic() - began < 15  # ten million names: a minute, and 1 GB
    fine = text.command("(call $out (i32.const 0) (i32.const 1)) (i32.const 0)")
    assert (await sandbox.call(job(fine))).end == Finished(b"\0")


BYTES, LEVELS = 4_000_000, 16


def nested(section: int) -> bytes:
    """A component in components, around one large section."""
    wasm = MAGIC + bytes([section]) + leb(BYTES) + b"\1x" + bytes(BYTES - 2)
    for _ in range(LEVELS):
        wasm = MAGIC + b"\4" + leb(len(wasm)) + wasm
    return wasm


def copied(content: bytes) -> None:
    """Follow the levels as it was done at first."""
    for kind, body in sections(content):
        if kind == 4:
            copied(bytes(body))


def peak(read: Callable[[bytes], object], wasm: bytes) -> int:
    """How much memory it takes at most to read."""
    tracemalloc.start()
    try:
        read(wasm)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_component_deep_in_others_is_not_copied_at_each_level() -> None:
    assert peak(copied, nested(0)) > LEVELS * BYTES
    for section in (0, 7):  # one that is left out, and one that is kept
        assert peak(read_component, nested(section)) < 4 * BYTES
