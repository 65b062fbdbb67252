"""How a guest ended: one place that turns traps, exit codes and stop marks into an end.

Pure. Guarantees: every bound has one name, whichever mechanism noticed it; an abnormal end is
never taken for success. Does not look at what the guest wrote, except to tell memory and stack
exhaustion (which a language runtime reports in words) from other crashes of the tool's own.
"""

from __future__ import annotations

import wasmtime

from capbox.sandbox.spec import Broken, Failed, Finished, Stopped, stopped
from capbox.sandbox.wasi.call import CallReport

Failure = wasmtime.Trap | wasmtime.WasmtimeError

_BY_TRAP = {
    wasmtime.TrapCode.INTERRUPT: "time",
    wasmtime.TrapCode.OUT_OF_FUEL: "fuel",
    wasmtime.TrapCode.STACK_OVERFLOW: "stack",
}
# Go and C runtimes end by themselves at the cap; within one growth of it, that was the reason.
_LAST_GROWTH_BYTES = 16 << 20


def verdict(
    seen: CallReport, failure: Failure | None, memory_bytes_max: int
) -> Finished | Failed | Stopped | Broken:
    """Return the end of a call from what the host saw and what wasmtime raised."""
    if seen.fault is not None:
        return Broken(f"a host function failed: {seen.fault}")
    trap = failure.trap_code if isinstance(failure, wasmtime.Trap) else None
    bound = seen.stopped or (_BY_TRAP.get(trap) if trap else None)
    if bound is None and (seen.exit_code == 0 or (seen.exit_code is None and failure is None)):
        return Finished(seen.stdout, seen.stderr)
    text = "" if failure is None else str(failure).strip()
    bound = bound or _exhausted(seen, text, memory_bytes_max)
    if bound is not None:
        return stopped(bound)
    if seen.exit_code is not None:
        return Failed(f"the tool ended with exit code {seen.exit_code}", seen.stderr)
    # What went wrong stands below the backtrace, or alone.
    return Failed(f"the tool crashed: {text.splitlines()[-1].strip()}", seen.stderr)


def _exhausted(seen: CallReport, text: str, memory_bytes_max: int) -> str | None:
    if b"stack exceeds" in seen.stderr or b"stack overflow" in seen.stderr:
        return "stack"
    near_cap = seen.memory_bytes + _LAST_GROWTH_BYTES > memory_bytes_max
    refused_at_start = "memory minimum size" in text
    if refused_at_start or (seen.memory_bytes and near_cap) or b"out of memory" in seen.stderr:
        return "memory"
    return None
