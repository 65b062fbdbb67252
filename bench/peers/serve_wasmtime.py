"""Serves capbox's own tools on bare wasmtime-py with its native WASI: no walls, gate or journal.

`python -m bench.peers.serve_wasmtime CWASM`: the module as capbox has compiled it. The guest gets
the folder above the workspace as `/`. A fresh instance for every call, as in capbox.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import wasmtime

from capbox.authority.limits import Limits
from capbox.sandbox.engine import EngineKey, make_engine

_ENOSYS = 52
_NO_DEADLINE = 1 << 40


def main() -> None:
    """Answer each line with one."""
    engine = make_engine(EngineKey(fuel=False, stack_bytes=Limits().stack_bytes))
    module = wasmtime.Module.deserialize_file(engine, sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="capbox-bench-") as place:
        bare = Bare(engine, module, Path(place))
        for line in sys.stdin:
            print(json.dumps(bare.answer(json.loads(line))), flush=True)


def _unsupported(*_: int) -> int:
    """Answer what only capbox's own host does."""
    return _ENOSYS


class Bare:
    """The toolbox without capbox."""

    def __init__(self, engine: wasmtime.Engine, module: wasmtime.Module, place: Path) -> None:
        self._engine = engine
        self._stdin, self._stdout = place / "stdin", place / "stdout"
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        for wanted in module.imports:
            if wanted.module.startswith("capbox_") and isinstance(wanted.type, wasmtime.FuncType):
                linker.define_func(wanted.module, wanted.name or "", wanted.type, _unsupported)
        self._guest = linker.instantiate_pre(module)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Call a tool as often as asked."""
        workspace = Path(request["workspace"])
        call = {"id": "bench", "deadline_ms": 30_000, "output_bytes_max": 1_000_000}
        body = {"tool": request["do"], "arguments": request["arguments"], "env": {}, "call": call}
        stdin = json.dumps({**body, "cwd": f"/{workspace.name}"}).encode()
        started = time.perf_counter()
        for _ in range(request["calls"]):
            content = self._call(stdin, workspace.parent)
        seconds = time.perf_counter() - started
        reply = json.loads(content)
        if not reply["ok"]:
            return {"error": reply["error"]["message"]}
        return {"output": reply["content"], "seconds": seconds}

    def _call(self, stdin: bytes, root: Path) -> bytes:
        # wasmtime-py takes streams as files only.
        self._stdin.write_bytes(stdin)
        store = wasmtime.Store(self._engine)
        store.set_epoch_deadline(_NO_DEADLINE)
        wasi = wasmtime.WasiConfig()
        wasi.stdin_file = str(self._stdin)
        wasi.stdout_file = str(self._stdout)
        wasi.preopen_dir(str(root), "/")
        store.set_wasi(wasi)
        exports = self._guest.instantiate(store).exports(store)
        run = exports["capbox_call"] if "capbox_call" in exports else exports["_start"]
        assert isinstance(run, wasmtime.Func)
        try:
            run(store)
        except wasmtime.ExitTrap as trap:
            if trap.code:
                raise
        store.close()
        return self._stdout.read_bytes()


if __name__ == "__main__":
    main()
