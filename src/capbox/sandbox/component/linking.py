"""A component in a worker: its core modules instantiated for a call, its functions called.

Guarantees: a core module reaches nothing but what its component connects it to and the functions
that `provided` gives; values are copied from one memory to the other, and checked on the way; a
component is never entered twice, and calls nothing while it makes room for a value; what calls out
of it nests 50 deep, destructors too. Does not: decide what is provided (`wasi`), or bound time and
memory (the worker's store does).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import wasmtime

from capbox.sandbox.component.plan import (
    Collection,
    CoreExport,
    CoreHost,
    CoreItem,
    HandleOperation,
    HostFunction,
    Lifted,
    Lowered,
    Options,
    Plan,
)
from capbox.sandbox.component.side import OF_HOST, Handles, Misuse, Side
from capbox.sandbox.component.types import FLAT_PARAMS_MAX, Signature
from capbox.sandbox.raw import (
    TRAP,
    CoreFunction,
    CoreInstance,
    Extern,
    GuestMemory,
    RawFunctions,
    defined,
)

Provided = Callable[..., object]
_OURS = "capbox"
_NESTED_MAX = 50  # of about a hundred that fit into Python's own limit (measured)
_OPERATIONS = {"new": ("i", "i"), "drop": ("i", ""), "rep": ("i", "i")}


class Crossing:
    """How the values of a function travel as core values."""

    def __init__(self, signature: Signature) -> None:
        self.taken = signature.taken
        self.given = signature.result
        self.spilled = len(self.taken.flat) > FLAT_PARAMS_MAX
        self.params = "i" if self.spilled else self.taken.flat
        self.results = "" if self.given is None else self.given.flat
        self.pointed = len(self.results) > 1


@dataclass(slots=True, eq=False)
class _Running:
    """What belongs to the call under way."""

    store: wasmtime.Store
    instances: list[CoreInstance] = field(default_factory=list)
    externs: dict[CoreItem, Extern] = field(default_factory=dict)
    functions: dict[tuple[CoreItem, str, str], CoreFunction] = field(default_factory=dict)
    memories: dict[CoreItem, GuestMemory] = field(default_factory=dict)
    handles: dict[int, Handles] = field(default_factory=dict)
    entered: set[int] = field(default_factory=set)
    may_leave: bool = True
    nested: int = 0
    failure: wasmtime.Trap | wasmtime.WasmtimeError | None = None


class Linked:
    """A component, linked to the functions of a worker; one call of it at a time."""

    def __init__(
        self,
        engine: wasmtime.Engine,
        modules: Sequence[wasmtime.Module],
        plan: Plan,
        provided: Mapping[HostFunction, Provided],
        *,
        dropped: Callable[[object], None],
        guard: Callable[[Callable[..., int]], Callable[..., int]],
    ) -> None:
        """Link. `dropped` hears of things of the host that the component let go, `guard` keeps
        exceptions of a host function away from wasmtime.
        """
        self._dropped = dropped
        self._modules, self._plan, self._provided = modules, plan, provided
        self._wanted = [[(i.module, i.name or "") for i in m.imports] for m in modules]
        self._crossings: dict[Signature, Crossing] = {}
        self._raw, self._linker = RawFunctions(), wasmtime.Linker(engine)
        self._running: _Running | None = None
        for number, lowered in enumerate(plan.lowered):
            params, result = self._core_type(lowered)
            body = guard(self._trapping(self._body(lowered)))
            self._raw.define(self._linker, (_OURS, str(number)), params, result=result, body=body)

    def start(self, store: wasmtime.Store) -> None:
        """Instantiate every core module. Raises Trap, WasmtimeError or Misuse."""
        running = self._running = _Running(store)
        for step in self._plan.steps:
            given = [self._given(step.arguments, *wanted) for wanted in self._wanted[step.module]]
            running.instances.append(CoreInstance(store, self._modules[step.module], given))

    def call(self, function: Lifted, values: tuple[object, ...]) -> object:
        """Call a function of the component. Raises Trap, WasmtimeError, Misuse or OSError."""
        running, crossing = self._present, self._crossing(function.signature)
        if function.owner in running.entered:
            raise Misuse("it enters a component that is already entered")
        running.entered.add(function.owner)
        side = self._side(function.options, function.owner)
        if crossing.spilled:
            taken = crossing.taken
            bits = [side.room(taken.size, taken.align)]
            taken.store(side, values, bits[0])
        else:
            bits = crossing.taken.lower(side, values)
        results = "i" if crossing.pointed else crossing.results
        given = self._function(function.core, crossing.params, results)(*bits)
        side.memory.sync()
        value: object = None
        if crossing.given is not None and crossing.pointed:
            value = crossing.given.load(side, given[0])
        elif crossing.given is not None:
            value = crossing.given.lift(side, iter(given))
        if function.options.post_return is not None:
            self._aside(self._function(function.options.post_return, results, ""), *given)
        running.entered.discard(function.owner)
        return value

    def failure(self) -> wasmtime.Trap | wasmtime.WasmtimeError | None:
        """Return what went wrong inside of a host function: the trap outside only says so."""
        return None if self._running is None else self._running.failure

    def end(self) -> int:
        """Let the instances of this call go; return how much memory values could lie in."""
        count = 0 if self._running is None else len(self._running.instances)
        started = (m for m in self._plan.memory_items if isinstance(m, CoreExport))
        there = [self._memory(memory) for memory in started if memory.step < count]
        self._running = None
        return sum(memory.size for memory in there)

    @property
    def _present(self) -> _Running:
        if self._running is None:
            raise Misuse("it was not started")
        return self._running

    def _given(self, arguments: Mapping[str, Collection], module: str, name: str) -> Extern:
        if module not in arguments:
            raise Misuse(f"a core module in it is not given its import {module[:64]!r}")
        # Whatever it is, wasmtime checks it against the type of the import.
        return self._resolved(arguments[module].get(name))

    def _resolved(self, item: CoreItem) -> Extern:
        running = self._present
        found = running.externs.get(item)
        if found is None and isinstance(item, CoreExport):
            found = running.instances[item.step].get(item.name)
        elif found is None and isinstance(item, CoreHost):
            found = defined(self._linker, running.store, _OURS, str(item.number))
        if found is None:
            raise Misuse(f"a core module in it does not export {str(item)[:120]}")
        running.externs[item] = found
        return found

    def _function(self, item: CoreItem, params: str, results: str) -> CoreFunction:
        running = self._present
        found = running.functions.get((item, params, results))
        if found is None:
            found = CoreFunction(running.store, self._resolved(item), params, results)
            running.functions[item, params, results] = found
        return found

    def _memory(self, item: CoreItem | None) -> GuestMemory:
        running = self._present
        if item is None:
            return GuestMemory()
        found = running.memories.get(item)
        if found is None:
            found = running.memories[item] = GuestMemory()
            found.attach_extern(running.store, self._resolved(item))
        found.sync()
        return found

    def _side(self, options: Options, owner: int) -> Side:
        memory = self._memory(options.memory)

        def allocate(alignment: int, size: int) -> int:
            if options.realloc is None:
                raise Misuse("it takes values, and has no realloc to make room for them")
            realloc = self._function(options.realloc, "iiii", "i")
            (pointer,) = self._aside(realloc, 0, 0, alignment, size)
            memory.sync()
            return pointer

        return Side(memory, allocate, options.encoding, self._handles(owner))

    def _handles(self, owner: int) -> Handles:
        return self._present.handles.setdefault(owner, Handles(owner))

    def _aside(self, function: CoreFunction, *bits: int) -> tuple[int, ...]:
        """Call what may not call back. Attack: a realloc that calls the function that called it."""
        running = self._present
        running.may_leave = False
        given = function(*bits)
        running.may_leave = True
        return given

    def _crossing(self, signature: Signature) -> Crossing:
        return self._crossings.setdefault(signature, Crossing(signature))

    def _core_type(self, lowered: Lowered | HandleOperation) -> tuple[str, str]:
        if isinstance(lowered, HandleOperation):
            return _OPERATIONS[lowered.operation]
        crossing = self._crossing(lowered.function.signature)
        if crossing.pointed:
            return f"{crossing.params}i", ""
        return crossing.params, crossing.results

    def _body(self, lowered: Lowered | HandleOperation) -> Callable[..., int]:
        if isinstance(lowered, HandleOperation):
            return lambda number: self._operated(lowered, number)
        called = self._callee(lowered.function)
        crossing = self._crossing(lowered.function.signature)

        def body(*bits: int) -> int:
            side = self._side(lowered.options, lowered.owner)
            taken, slots = crossing.taken, iter(bits)
            at = next(slots) if crossing.spilled else 0
            values = taken.load(side, at) if crossing.spilled else taken.lift(side, slots)
            value = called(*values if isinstance(values, tuple) else ())
            if crossing.given is None:
                return 0
            if crossing.pointed:
                side.memory.sync()
                crossing.given.store(side, value, bits[-1])
                return 0
            return crossing.given.lower(side, value)[0]

        return body

    def _callee(self, function: HostFunction | Lifted) -> Provided:
        if isinstance(function, HostFunction):
            return self._provided[function]
        return lambda *values: self.call(function, values)

    def _operated(self, operation: HandleOperation, number: int) -> int:
        resource, handles = operation.resource, self._handles(operation.owner)
        if operation.operation == "new":
            return handles.add(resource, number)
        if operation.operation == "rep":
            thing = handles.get(resource, number)
            return thing if isinstance(thing, int) else 0
        thing, own = handles.take(resource, number)
        destructor = resource.destructor
        if own and isinstance(thing, int) and isinstance(destructor, CoreItem):
            self._function(destructor, "i", "")(thing)
        elif own and resource.owner == OF_HOST:
            self._dropped(thing)
        return 0

    def _trapping(self, body: Callable[..., int]) -> Callable[..., int]:
        """Return `body` such that what the component did wrong stops it, and is remembered."""

        def trapping(*bits: int) -> int:
            running = self._present
            try:
                if not running.may_leave:
                    raise Misuse("it calls out while it makes room for a value")
                # Attack: a destructor that drops the next handle, a hundred times, until an
                # exception of ours comes where nothing can catch it, and a result is made of what
                # lay there.
                running.nested += 1
                if running.nested > _NESTED_MAX:
                    raise Misuse(f"its calls out are nested deeper than {_NESTED_MAX}")
                given = body(*bits)
                running.nested -= 1
                return given
            except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
                running.failure = running.failure or error
            except (Misuse, OSError) as error:
                running.failure = running.failure or wasmtime.WasmtimeError(told(error))
            return TRAP

        return trapping


def told(error: Misuse | OSError) -> str:
    """Return what a component did wrong, in words."""
    return str(error) if isinstance(error, Misuse) else error.strerror or str(error)
