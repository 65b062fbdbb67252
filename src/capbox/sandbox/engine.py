"""The wasmtime engine: one configuration for every guest, told apart only by fuel and stack.

Guarantees: epoch interruption is always on, threads and shared memory always off, and `identity`
changes whenever compiled code would. Does not compile (see `cache`) or run anything, and loads
wasmtime only when an engine is made: the parent never needs one.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import wasmtime

STACK_BYTES_MAX = 2 << 20  # above 2 MiB wasmtime aborts the whole process (measured)
STACK_BYTES_MIN = 64 << 10


@dataclass(frozen=True, slots=True)
class EngineKey:
    """What tells engines apart: whether instructions are metered, and the guest's stack."""

    fuel: bool
    stack_bytes: int

    def clamped(self) -> EngineKey:
        """Return the key with a stack that wasmtime survives, rounded down to a power of two.

        Each key costs a zygote, so a caller who varies the stack must not get one for each value.
        """
        stack = min(max(self.stack_bytes, STACK_BYTES_MIN), STACK_BYTES_MAX)
        return EngineKey(self.fuel, 1 << (stack.bit_length() - 1))


def make_engine(key: EngineKey) -> wasmtime.Engine:
    """Return an engine for `key`. Creating it starts no thread, so forking stays safe."""
    import wasmtime

    config = wasmtime.Config()
    config.epoch_interruption = True
    config.consume_fuel = key.fuel
    config.max_wasm_stack = key.clamped().stack_bytes
    config.wasm_threads = False
    config.shared_memory = False
    config.wasm_memory64 = False
    return wasmtime.Engine(config)


@cache
def identity(key: EngineKey) -> str:
    """Return a digest of everything that compiled code depends on besides the wasm itself."""
    parts = (
        importlib.metadata.version("wasmtime"),
        platform.machine(),
        str(key.fuel),
        _cpu_features(),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _cpu_features() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            return line
    return platform.processor()
