"""Reads a component: follows its definitions in order and notes what is to be done at a call.

Guarantees: what is not understood is refused by name, never skipped; a reference leads only to what
was defined before it, so nothing is circular; the number of definitions is bounded. Does not: run
anything, or check that two types are equal: each function is called by the type it was made with,
and wasmtime checks every core function against its own.
Source: the component model's Binary.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from capbox.sandbox.component.binary import CORE_MODULE, Content, Reader, sections
from capbox.sandbox.component.plan import (
    BYTES_A_PART,
    LOWERED_PARTS,
    WORDS_A_PART,
    Collection,
    CoreHost,
    CoreItem,
    HandleOperation,
    HostFunction,
    Instance,
    Lifted,
    Lowered,
    Options,
    Plan,
    Step,
)
from capbox.sandbox.component.shapes import defined_type, signature
from capbox.sandbox.component.side import OF_HOST, Misuse, Resource
from capbox.sandbox.component.types import Signature

# The sorts of things, each with an index space of its own.
_CORE, _FUNCTION, _VALUE, _TYPE, _COMPONENT, _INSTANCE = range(6)
_CORE_FUNCTION, _CORE_INSTANCE = 0x00, 0x12
_DEPTH_MAX = 32
_T = TypeVar("_T")
_ENCODINGS = {0x00: "utf-8", 0x01: "utf-16-le", 0x02: "latin1+utf-16"}


@dataclass(frozen=True, slots=True, eq=False)
class InstanceType:
    """What an instance of this type exports: signatures and types, by name."""

    exports: Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class Closure:
    """A component in a component, and where it was defined."""

    content: Content
    scope: Scope


def read_plan(skeleton: Content) -> Plan:
    """Return the plan of a component that was taken apart. Raises Misuse."""
    plan = Plan()
    scope = Scope(plan, None, None)
    scope.read(memoryview(skeleton))
    plan.exports = scope.exports
    for name, item in plan.exports.items():
        if isinstance(item, Instance):
            plan.spend_named(name, item.exports)
    return plan


class Scope:
    """The index spaces of one component, or of one type that is being defined."""

    def __init__(
        self, plan: Plan, parent: Scope | None, arguments: Mapping[str, object] | None
    ) -> None:
        """Begin; `arguments` are what a component in a component imports."""
        self._plan, self._parent, self._arguments = plan, parent, arguments
        self.depth: int = 0 if parent is None else parent.depth + 1
        if self.depth > _DEPTH_MAX:
            raise Misuse(f"it is nested deeper than {_DEPTH_MAX} levels")
        self._spaces: dict[int, list[object]] = {}
        self._core: dict[int, list[object]] = {}
        self._modules: list[tuple[int, int]] = []
        self.exports: dict[str, object] = {}
        self.owner, plan.instances = plan.instances, plan.instances + 1

    def read(self, content: Content) -> None:
        """Follow the definitions of a component."""
        self._plan.spend(len(content) // BYTES_A_PART)
        for kind, body in sections(content):
            self._plan.spend()
            reader = Reader(body, spend=self._plan.spend)
            if kind == CORE_MODULE:
                self._modules.append((reader.number(), reader.number()))
            elif kind == 4:
                self._add(_COMPONENT, Closure(body, self))
            elif kind in _SECTIONS:
                reader.all(partial(_SECTIONS[kind], self, reader))
            elif kind not in (0, 3):  # custom ones; core types, which only modules as values need
                raise Misuse(f"it has a section of kind {kind}, which is not supported")

    def _add(self, sort: int, item: object) -> None:
        self._plan.spend()
        self._spaces.setdefault(sort, []).append(item)

    def _add_core(self, sort: int, item: object) -> None:
        self._plan.spend()
        self._core.setdefault(sort, []).append(item)

    def _get(self, sort: int, number: int) -> object:
        return _nth(self._spaces.get(sort, []), number)

    def _type_at(self, number: int) -> object:
        return self._get(_TYPE, number)

    def _core_item(self, sort: int, number: int) -> CoreItem:
        found: object = _nth(self._core.get(sort, []), number)
        if not isinstance(found, CoreItem):
            raise Misuse("something else than a core item was referred to")
        return found

    # --- core instances, instances, aliases ----------------------------------------------------

    def _core_instance(self, reader: Reader) -> None:
        if reader.byte() == 0:
            module, memories = _nth(self._modules, reader.number())
            arguments = dict(reader.all(lambda: self._core_argument(reader)))
            self._plan.memories += memories
            self._plan.steps.append(Step(module, arguments))
            self._add_core(_CORE_INSTANCE, Collection(step=len(self._plan.steps) - 1))
        else:
            items = dict(reader.all(lambda: self._core_export(reader)))
            self._add_core(_CORE_INSTANCE, Collection(items=items))

    def _core_argument(self, reader: Reader) -> tuple[str, Collection]:
        name, _ = reader.name(), reader.byte()
        return name, self._core_instance_at(reader.number())

    def _core_export(self, reader: Reader) -> tuple[str, CoreItem]:
        name, sort = reader.name(), reader.byte()
        return name, self._core_item(sort, reader.number())

    def _core_instance_at(self, number: int) -> Collection:
        found: object = _nth(self._core.get(_CORE_INSTANCE, []), number)
        if not isinstance(found, Collection):
            raise Misuse("something else than a core instance was referred to")
        return found

    def _instance(self, reader: Reader) -> None:
        if reader.byte() == 0:
            closure = self._get(_COMPONENT, reader.number())
            arguments = dict(reader.all(lambda: (reader.name(), self._referred(reader))))
            if not isinstance(closure, Closure):
                raise Misuse("it makes an instance of a component that it does not hold")
            inner = Scope(self._plan, closure.scope, arguments)
            inner.read(closure.content)
            self._add(_INSTANCE, Instance(inner.exports))
        else:
            exports = dict(reader.all(lambda: (_extern_name(reader), self._referred(reader))))
            self._add(_INSTANCE, Instance(exports))

    def _referred(self, reader: Reader) -> object:
        sort = reader.byte()
        if sort == _CORE:
            raise Misuse("core modules as values are not supported")
        return self._get(sort, reader.number())

    def _alias(self, reader: Reader) -> None:
        sort = reader.byte()
        core = reader.byte() if sort == _CORE else -1
        way = reader.byte()
        first = reader.number()
        if way == 0x02:
            self._alias_outer(sort, core, first, reader.number())
        elif way == 0x01:
            self._add_core(core, self._core_instance_at(first).get(reader.name()))
        else:
            instance, name = self._get(_INSTANCE, first), reader.name()
            if not isinstance(instance, Instance) or name not in instance.exports:
                raise Misuse(f"there is no {name[:64]!r} in an instance")
            self._add(sort, instance.exports[name])

    def _alias_outer(self, sort: int, core: int, levels: int, number: int) -> None:
        scope: Scope = self
        for _ in range(levels):  # each leads one scope out, and those have an end
            if scope._parent is None:
                raise Misuse("an alias leads out of the component")
            scope = scope._parent
        if sort == _CORE and core == 0x11:
            self._modules.append(_nth(scope._modules, number))
        elif sort != _CORE:
            self._add(sort, scope._get(sort, number))

    # --- types ---------------------------------------------------------------------------------

    def _type(self, reader: Reader) -> None:
        kind = reader.byte()
        if kind == 0x40:
            self._add(_TYPE, signature(reader, self._type_at))
        elif kind in (0x41, 0x42):
            self._add(_TYPE, self._instance_type(reader))
        elif kind == 0x3F:
            reader.byte()
            destructor = None
            if reader.byte():
                destructor = self._core_item(_CORE_FUNCTION, reader.number())
            self._add(_TYPE, Resource("", self.owner, destructor))
        else:
            reader.at -= 1
            self._add(_TYPE, defined_type(reader, self._type_at))

    def _instance_type(self, reader: Reader) -> InstanceType:
        inner = Scope(self._plan, self, {})
        reader.all(lambda: inner._declaration(reader))
        return InstanceType(inner.exports)

    def _declaration(self, reader: Reader) -> None:
        kind = reader.byte()
        if kind == 0x01:
            self._type(reader)
        elif kind == 0x02:
            self._alias(reader)
        elif kind == 0x03:
            _extern_name(reader)
            self._described(reader, "")
        elif kind == 0x04:
            name = _extern_name(reader)
            self.exports[name] = self._described(reader, name)
        else:
            raise Misuse("a type declares core types, which is not supported")

    def _described(self, reader: Reader, name: str) -> object:
        """Read what something imported or exported is, and give it its place in an index space."""
        sort = reader.byte()
        if sort == _TYPE:
            given = self._get(_TYPE, reader.number()) if reader.byte() == 0 else Resource()
            self._add(_TYPE, given)
            return given
        if sort not in (_FUNCTION, _INSTANCE):
            raise Misuse(f"{name[:64]!r} is a module, component or value: not supported")
        given = self._get(_TYPE, reader.number())
        if isinstance(given, Signature):
            given = HostFunction(name, given)
        elif isinstance(given, InstanceType):
            given = Instance(given.exports)
        self._add(sort, given)
        return given

    # --- functions, imports, exports -----------------------------------------------------------

    def _canonical(self, reader: Reader) -> None:
        kind = reader.byte()
        if kind == 0x00:
            reader.byte()
            core = self._core_item(_CORE_FUNCTION, reader.number())
            options = self._options(reader)
            kept = self._get(_TYPE, reader.number())
            if not isinstance(kept, Signature):
                raise Misuse("a function is made with a type that is no function's")
            self._add(_FUNCTION, Lifted(kept, core, options, self.owner))
        elif kind == 0x01:
            reader.byte()
            function = self._get(_FUNCTION, reader.number())
            if not isinstance(function, HostFunction | Lifted):
                raise Misuse("something else than a function was lowered")
            self._lower(Lowered(function, self._options(reader), self.owner))
        elif kind in (0x02, 0x03, 0x04):
            resource = self._get(_TYPE, reader.number())
            if not isinstance(resource, Resource):
                raise Misuse("a handle of something that is no resource")
            operation = {0x02: "new", 0x03: "drop", 0x04: "rep"}[kind]
            # Attack: a handle of any number, of a thing of the host or of another component.
            if kind != 0x03 and resource.owner != self.owner:
                raise Misuse("it makes or looks into handles of a resource that is not its own")
            self._lower(HandleOperation(operation, resource, self.owner))
        else:
            raise Misuse("it is asynchronous (WASI 0.3), which is not supported")

    def _lower(self, lowered: Lowered | HandleOperation) -> None:
        self._plan.spend(LOWERED_PARTS)
        if isinstance(lowered, Lowered) and isinstance(lowered.function, HostFunction):
            self._plan.spend(lowered.function.signature.words // WORDS_A_PART)
            self._plan.imports.append(lowered.function)
        self._plan.lowered.append(lowered)
        self._add_core(_CORE_FUNCTION, CoreHost(len(self._plan.lowered) - 1))

    def _options(self, reader: Reader) -> Options:
        encoding, memory, realloc, post_return = "utf-8", None, None, None
        options = reader.number()
        self._plan.spend(options)
        for _ in range(options):
            kind = reader.byte()
            if kind in _ENCODINGS:
                encoding = _ENCODINGS[kind]
            elif kind == 0x03:
                memory = self._core_item(0x02, reader.number())
                self._plan.memory_items.add(memory)
            elif kind == 0x04:
                realloc = self._core_item(_CORE_FUNCTION, reader.number())
            elif kind == 0x05:
                post_return = self._core_item(_CORE_FUNCTION, reader.number())
            else:
                raise Misuse("it is asynchronous (WASI 0.3), which is not supported")
        return Options(encoding, memory, realloc, post_return)

    def _import(self, reader: Reader) -> None:
        name = _extern_name(reader)
        if self._arguments is not None:
            if name not in self._arguments:
                raise Misuse(f"a component in it is not given its import {name[:64]!r}")
            given, sort = self._arguments[name], reader.byte()
            if sort == _TYPE:
                bound = reader.byte()
                if bound == 0:
                    reader.number()
            else:
                reader.number()
            self._add(sort, given)
            return
        given = self._described(reader, name)
        if isinstance(given, Instance):
            self._plan.spend_named(name, given.exports)
            self._spaces[_INSTANCE][-1] = _imported(_interface(name), given)

    def _export(self, reader: Reader) -> None:
        name = _extern_name(reader)
        sort = reader.byte()
        if sort == _CORE:
            raise Misuse("core modules as values are not supported")
        item = self._get(sort, reader.number())
        if reader.byte():
            # What it says of its type is not needed: the item keeps its own.
            kind = reader.byte()
            if kind != _TYPE or reader.byte() == 0:
                reader.number()
        self.exports[name] = item
        self._add(sort, item)


_SECTIONS = {
    2: Scope._core_instance,
    5: Scope._instance,
    6: Scope._alias,
    7: Scope._type,
    8: Scope._canonical,
    10: Scope._import,
    11: Scope._export,
}


def _imported(interface: str, given: Instance) -> Instance:
    """Return an imported instance, its functions and resources under the interface's name."""
    exports: dict[str, object] = {}
    for name, item in given.exports.items():
        if isinstance(item, HostFunction):
            item = HostFunction(f"{interface}.{name}", item.signature)
        elif isinstance(item, Resource) and item.owner == OF_HOST and not item.name:
            # Attack: a resource of the component's own, whose handles it makes of any number, would
            # pass for one of ours.
            item.name = f"{interface}.{name}"
        exports[name] = item
    return Instance(exports)


def _interface(name: str) -> str:
    """Return the name of an interface; of WASI the versions 0.2 are one, others are others."""
    bare, _, version = name.partition("@")
    return bare if version.startswith("0.2.") or not bare.startswith("wasi:") else name


def _extern_name(reader: Reader) -> str:
    if reader.byte() > 1:
        raise Misuse("a name has attributes, which are not supported")
    return reader.name()


def _nth(items: list[_T], number: int) -> _T:
    if number >= len(items):
        raise Misuse(f"there is no definition {number}")
    return items[number]
