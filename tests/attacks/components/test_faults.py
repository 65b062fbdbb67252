"""Components that bring an exception of ours about where nothing can catch it: in a callback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Failed, Finished, Job

MakeJob = Callable[..., Job]
# `go` drops a handle, whose destructor makes and drops one more, and so on; it gives their number.
NESTING = """(component
  (core module $A (table (export "t") 1 funcref) (type $v (func (param i32)))
    (func (export "dtor") (param i32) (call_indirect (type $v) (local.get 0) (i32.const 0))))
  (core instance $a (instantiate $A))
  (alias core export $a "dtor" (core func $dtor))
  (type $r (resource (rep i32) (dtor (core func $dtor))))
  (core func $new (canon resource.new $r)) (core func $drop (canon resource.drop $r))
  (core module $B (import "a" "t" (table 1 funcref))
    (import "h" "new" (func $new (param i32) (result i32)))
    (import "h" "drop" (func $drop (param i32)))
    (global $left (mut i32) (i32.const 0)) (global $done (mut i32) (i32.const 0))
    (func $down (param i32)
      (global.set $done (i32.add (global.get $done) (i32.const 1)))
      (if (i32.lt_u (global.get $done) (global.get $left))
        (then (call $drop (call $new (i32.const 5))))))
    (elem (i32.const 0) $down)
    (func (export "go") (param i32) (result i32)
      (global.set $left (local.get 0)) (call $drop (call $new (i32.const 5)))
      (global.get $done)))
  (core instance $b (instantiate $B (with "a" (instance $a))
    (with "h" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "go") (param "n" u32) (result u32) (canon lift (core func $b "go"))))"""


@pytest.mark.parametrize("levels", [1, 50, 51, 90, *range(100, 112), 1_000, 100_000])
async def test_destructors_that_nest_end_in_words_and_never_in_a_result_that_is_none(
    levels: int, sandbox: Sandbox, job: MakeJob
) -> None:
    request = json.dumps({"tool": "t", "arguments": {"n": levels}}).encode()
    made = job(NESTING, request=request)
    end = (await sandbox.call(replace(made, module=replace(made.module, export="go")))).end
    if levels <= 50:
        assert isinstance(end, Finished)
        assert json.loads(end.stdout)["data"] == {"result": levels}
    else:
        assert end == Failed("the tool crashed: its calls out are nested deeper than 50")


LOST = """
import sys
import wasmtime
from capbox.sandbox.process import worker
from capbox.sandbox.raw import RawFunctions

def broken(*_bits):
    raise RecursionError

if sys.argv[1] == "worker":
    sys.unraisablehook = worker.end_at_once
engine, raw = wasmtime.Engine(), RawFunctions()
linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
raw.define(linker, ("m", "f"), "i", result="i", body=broken)
text = '(module (import "m" "f" (func $f (param i32) (result i32))) (export "f" (func $f)))'
instance = linker.instantiate(store, wasmtime.Module(engine, text))
print(instance.exports(store)["f"](store, 42))
"""


def test_an_exception_that_nothing_catches_ends_the_worker() -> None:
    ends = {
        hook: subprocess.run(
            [sys.executable, "-c", LOST, hook], capture_output=True, check=False, timeout=60
        )
        for hook in ("naive", "worker")
    }
    # Printed and ignored: what follows is a result that is none, or a crash.
    assert b"Exception ignored" in ends["naive"].stderr
    assert ends["naive"].stdout == b"42\n" or ends["naive"].returncode < 0
    assert (ends["worker"].returncode, ends["worker"].stdout) == (1, b"")
