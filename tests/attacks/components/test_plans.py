"""Components that are small as a file, and would be large or slow once they are read."""

from __future__ import annotations

import time
from collections.abc import Callable

import wasmtime
from tests.sandbox.component import text

from capbox.sandbox.component.binary import taken_apart
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
