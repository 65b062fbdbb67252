"""What a component is once it was read: core modules to instantiate, functions between them.

Plain values. A plan is made once for a component (`scope`), and carried out for every call
(`linking`).
Nothing here is the component's word on what it may do: what it imports, it only asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from capbox.sandbox.component.side import Misuse, Resource
from capbox.sandbox.component.types import Signature

# Sections, definitions, items and every 100 bytes, at 5 us each (measured): a plan is read outside
# of its call's time limit, in a process that others share.
PARTS_MAX = 50_000
BYTES_A_PART = 100
WORDS_A_PART = 10
STEPS_MAX = 200
LOWERED_PARTS = 10  # linking a function takes 70 us, before the call has begun (measured)


@dataclass(frozen=True, slots=True)
class CoreExport:
    """What the core instance of step `step` exports as `name`."""

    step: int
    name: str


@dataclass(frozen=True, slots=True)
class CoreHost:
    """A core function that is ours: number `number` of the plan's."""

    number: int


CoreItem = CoreExport | CoreHost


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """What a core module is given: all that the instance of a step exports, or items by name."""

    step: int = -1
    items: Mapping[str, CoreItem] = field(default_factory=dict)

    def get(self, name: str) -> CoreItem:
        """Return what it exports as `name`. Raises Misuse."""
        if self.step >= 0:
            return CoreExport(self.step, name)
        if name not in self.items:
            raise Misuse(f"there is no {name[:64]!r} in a core instance")
        return self.items[name]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Instantiate the core module `module`: each import comes from the instance of its name."""

    module: int
    arguments: Mapping[str, Collection]


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """How values cross: where they lie, what makes room for them, what is called afterwards."""

    encoding: str = "utf-8"
    memory: CoreItem | None = None
    realloc: CoreItem | None = None
    post_return: CoreItem | None = None


@dataclass(frozen=True, slots=True, eq=False)
class HostFunction:
    """A function that the component imports: `wasi:io/poll.poll`, without its version."""

    name: str
    signature: Signature


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """A function of the component instance `owner`, made of a core function."""

    signature: Signature
    core: CoreItem
    options: Options
    owner: int


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """A function as a core module of the component instance `owner` calls it."""

    function: HostFunction | Lifted
    options: Options
    owner: int


@dataclass(frozen=True, slots=True, eq=False)
class HandleOperation:
    """What a core module does with its handles: `new`, `drop` or `rep`."""

    operation: str
    resource: Resource
    owner: int


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A component instance from outside: what it exports, by name."""

    exports: Mapping[str, object]


@dataclass(slots=True, eq=False)
class Plan:
    """A component that was read: what it imports and exports, and how it is put together."""

    steps: list[Step] = field(default_factory=list)
    lowered: list[Lowered | HandleOperation] = field(default_factory=list)
    imports: list[HostFunction] = field(default_factory=list)
    exports: dict[str, object] = field(default_factory=dict)
    memories: int = 0
    memory_items: set[CoreItem] = field(default_factory=set)
    instances: int = 0
    left: int = PARTS_MAX

    def spend(self, parts: int = 1) -> None:
        """Account for parts that are read. Attack: a component that holds two of another, which
        holds two of another, and so on; or many of one with 60,000 empty sections.
        """
        self.left -= parts
        if self.left < 0 or len(self.steps) > STEPS_MAX:
            raise Misuse(f"too many parts: at most {PARTS_MAX:,}, and {STEPS_MAX} core instances")

    def spend_named(self, interface: str, names: Iterable[str]) -> None:
        """Account for names that are written with that of their interface. Attack: one instance of
        16,000 functions, exported under 8,000 names; or under one name of a megabyte.
        """
        for name in names:
            self.spend(1 + (len(interface) + len(name)) // BYTES_A_PART)

    def functions(self) -> dict[str, Lifted]:
        """Return the functions that it exports: `run`, or `wasi:cli/run.run`, without versions."""
        found: dict[str, Lifted] = {}
        for name, item in self.exports.items():
            if isinstance(item, Lifted):
                found[name] = item
            elif isinstance(item, Instance):
                inner = ((n, i) for n, i in item.exports.items() if isinstance(i, Lifted))
                found.update({f"{unversioned(name)}.{n}": i for n, i in inner})
        return found


def unversioned(name: str) -> str:
    """Return the name of an interface without its version."""
    return name.partition("@")[0]
