"""A component as a worker runs it: linked once, started for each call, its answer written down.

A command (`wasi:cli/run`) gets the request as its standard input, as any guest does. The function
`capbox:tool/tool.call` gets it as a text, and gives the result as one. Any other function is called
by name with values made of the request's arguments, and what it gives becomes a result; it alone
finds the variables of the call in its environment, since it does not see the request.
Guarantees: an exception of ours never becomes the component's success. Does not: start or time out.
"""

from __future__ import annotations

import json

import wasmtime

from capbox.messages import Json
from capbox.sandbox.component.code import ComponentCode
from capbox.sandbox.component.linking import Linked, told
from capbox.sandbox.component.plan import Lifted
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.types import Type, Variant
from capbox.sandbox.component.values import Unfit, arguments, to_json
from capbox.sandbox.component.wasi.below import Below
from capbox.sandbox.component.wasi.provided import World
from capbox.sandbox.wasi.call import StopCall
from capbox.sandbox.wasi.host import Host

COMMAND, TOOL = "wasi:cli/run.run", "capbox:tool/tool.call"
_TABLES_MAX, _TABLE_ELEMENTS_MAX = 4, 1 << 20
_NAMES_CHARS_MAX = 1_000
Failure = wasmtime.Trap | wasmtime.WasmtimeError


class ComponentGuest:
    """A component and the function of it that is called."""

    def __init__(
        self, engine: wasmtime.Engine, code: ComponentCode, host: Host, export: str
    ) -> None:
        """Link it. Raises Misuse if it imports or exports what it should not."""
        self._plan, self._below = code.plan, Below(host)
        self._function = _chosen(code.plan.functions(), export)
        world = World(self._below)
        self._linked = Linked(
            engine,
            code.modules,
            code.plan,
            world.functions(code.plan.imports),
            dropped=world.dropped,
            guard=host.guard,
        )

    def bound(self, store: wasmtime.Store, memory_bytes: int) -> None:
        """Set the limits of a store: all memories of the component together have `memory_bytes`."""
        memories, steps = max(1, self._plan.memories), max(1, len(self._plan.steps))
        store.set_limits(
            memory_size=memory_bytes // memories,
            table_elements=_TABLE_ELEMENTS_MAX // steps,
            instances=steps,
            tables=_TABLES_MAX * steps,
            memories=memories,
        )

    def run(self, store: wasmtime.Store, request: bytes) -> Failure | None:
        """Run one call to its end; return what went wrong inside."""
        self._below.attach()
        try:
            call = {} if self._function[0] in (COMMAND, TOOL) else json.loads(request)
            self._below.variables = call.get("env") or {}
            self._linked.start(store)
            self._answer(request)
        except StopCall:
            return None  # the host knows why
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            return self._linked.failure() or error
        except (Misuse, OSError) as error:
            return wasmtime.WasmtimeError(told(error))
        except MemoryError:
            return wasmtime.WasmtimeError("what it gave back is too large")
        return self._linked.failure()  # remembered, should its trap have been lost

    def end(self) -> int:
        """Let the call's instances go; return how much memory they had."""
        return self._linked.end()

    def _answer(self, request: bytes) -> None:
        name, function = self._function
        if name == COMMAND:
            if self._linked.call(function, ()) == ("err", None):
                self._below("proc_exit", 1)
        elif name == TOOL:
            self._below.write(1, str(self._linked.call(function, (request.decode(),))).encode())
        else:
            answer = self._typed(function, request)
            self._below.write(1, json.dumps(answer, ensure_ascii=False).encode(errors="replace"))

    def _typed(self, function: Lifted, request: bytes) -> Json:
        signature = function.signature
        try:
            values = arguments(signature, json.loads(request).get("arguments"))
        except Unfit as unfit:
            return _error("invalid_arguments", str(unfit))
        kind, value = signature.result, self._linked.call(function, values)
        if isinstance(kind, Variant) and kind.form == "result" and isinstance(value, tuple):
            tag, value = value
            kind = dict(kind.cases)[tag]
            if tag == "err":
                return _error("error", _text(kind, value) or "it failed")
        found = None if kind is None else to_json(kind, value)
        return {"ok": True, "content": _text(kind, value), "data": {"result": found}}


def _chosen(functions: dict[str, Lifted], export: str) -> tuple[str, Lifted]:
    """Return the function to call, and its name."""
    for name in (export,) if export else (COMMAND, TOOL):
        if name in functions:
            return name, functions[name]
    there = ", ".join(sorted(functions))[:_NAMES_CHARS_MAX] or "none"
    wanted = f"no function {export}" if export else "neither wasi:cli/run nor capbox:tool/tool"
    raise Misuse(f"it exports {wanted}; its functions are: {there}")


def _text(kind: Type | None, value: object) -> str:
    found = None if kind is None else to_json(kind, value)
    return found if isinstance(found, str) else "" if found is None else json.dumps(found)


def _error(code: str, message: str) -> Json:
    return {"ok": False, "error": {"code": code, "message": message}}
