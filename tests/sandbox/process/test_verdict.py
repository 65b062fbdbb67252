"""How a guest ended, for every way in which one can."""

from __future__ import annotations

import pytest
import wasmtime

from capbox.sandbox.process.verdict import Failure, verdict
from capbox.sandbox.spec import Broken, Failed, Finished, Stopped, stopped
from capbox.sandbox.wasi.call import CallReport

MIB = 1 << 20


def seen(
    *,
    stopped: str | None = None,
    fault: str | None = None,
    exit_code: int | None = None,
    stderr: bytes = b"",
    memory_bytes: int = MIB,
) -> CallReport:
    return CallReport(
        stdout=b"out",
        stderr=stderr,
        stopped=stopped,
        fault=fault,
        exit_code=exit_code,
        refused=(),
        clock=b"",
        memory_bytes=memory_bytes,
        written_bytes=0,
        tmp_bytes=0,
    )


def trap(body: str, more: str = "", *, fuel: bool = False) -> Failure:
    """A real trap of wasmtime's."""
    config = wasmtime.Config()
    config.consume_fuel = fuel
    config.epoch_interruption = True
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    store.set_epoch_deadline(0 if "epoch" in more else 1)
    if fuel:
        store.set_fuel(10)
    wat = f'(module {more} (func $f (export "f") {body}))'
    function = wasmtime.Instance(store, wasmtime.Module(engine, wat), []).exports(store)["f"]
    assert isinstance(function, wasmtime.Func)
    with pytest.raises(wasmtime.Trap) as raised:
        function(store)
    return raised.value


LOOP, CRASH = "(loop $a (br $a))", "unreachable"
STOPPED_BY_US = wasmtime.Trap("stopped")
TEXT = "the tool crashed: wasm trap: wasm `unreachable` instruction executed"

ENDS: dict[str, tuple[CallReport, Failure | None, object]] = {
    "returned": (seen(), None, Finished(b"out")),
    "exit 0": (seen(exit_code=0), STOPPED_BY_US, Finished(b"out")),
    "exit 1": (seen(exit_code=1), STOPPED_BY_US, Failed("the tool ended with exit code 1")),
    "a bound crossed": (seen(stopped="output"), STOPPED_BY_US, stopped("output")),
    "a bound crossed, then exit 0": (
        seen(stopped="written", exit_code=0),
        None,
        stopped("written"),
    ),
    "a bug of ours": (
        seen(fault="KeyError", exit_code=0),
        None,
        Broken("a host function failed: KeyError"),
    ),
    "a crash": (seen(), trap(CRASH), Failed(TEXT)),
    "a crash after exit 0 was asked": (seen(exit_code=0), trap(CRASH), Finished(b"out")),
    "the deadline": (seen(), trap(LOOP, "(; epoch ;)"), stopped("time")),
    "no fuel": (seen(), trap(LOOP, fuel=True), stopped("fuel")),
    "no stack": (seen(), trap("(call $f) (call $f)"), stopped("stack")),
    "Go's stack": (seen(exit_code=2, stderr=b"goroutine stack exceeds"), None, stopped("stack")),
    "Go's memory": (seen(exit_code=2, stderr=b"out of memory"), None, stopped("memory")),
    "a crash at the cap": (seen(memory_bytes=250 * MIB), trap(CRASH), stopped("memory")),
    "exit 2 at the cap": (seen(memory_bytes=250 * MIB, exit_code=2), None, stopped("memory")),
    "exit 0 at the cap": (seen(memory_bytes=256 * MIB, exit_code=0), None, Finished(b"out")),
    "too much at the start": (
        seen(memory_bytes=0),
        wasmtime.WasmtimeError("memory minimum size of 9 pages exceeds memory limits"),
        stopped("memory"),
    ),
    "no such import": (
        seen(memory_bytes=0),
        wasmtime.WasmtimeError("unknown import: `a::b`"),
        Failed("the tool crashed: unknown import: `a::b`"),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_way_to_end_has_one_name(name: str) -> None:
    report, failure, expected = ENDS[name]
    end = verdict(report, failure, 256 * MIB)
    assert isinstance(end, Finished | Failed | Stopped | Broken)
    plain = Failed(end.reason) if isinstance(end, Failed) else end
    assert plain == expected
