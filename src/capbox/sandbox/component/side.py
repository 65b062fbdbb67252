"""One component's side of a call: its memory, what it holds, what its values may cost us.

Guarantees: memory is reached only through bounds checks; a handle stands for a thing of its own
type, and for one component instance; what a value takes of ours is bounded. Does not: know types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

# Who only reads a component's types needs no engine.
if TYPE_CHECKING:
    from capbox.sandbox.raw import GuestMemory

ELEMENT_BYTES = 64  # what an element of a list costs us, besides its text
VALUE_BYTES_MAX = 32 << 20
HANDLES_MAX = 10_000
OF_HOST = -1
_U32_MASK = 0xFFFFFFFF


class Misuse(Exception):
    """The component broke the rules of the component model: its own fault, and its end."""


@dataclass(slots=True, eq=False)
class Resource:
    """A type of things with an identity: `name` is that of the host's, "" of a component's own."""

    name: str = ""
    owner: int = OF_HOST  # or the component instance that makes them
    destructor: object = None  # a reference to its core function, if there is one

    def matches(self, other: Resource) -> bool:
        """Say whether both are one type; the host's are the same under every version."""
        return self is other or (self.name != "" and self.name == other.name)


class Handles:
    """What one component instance holds: numbers it was given, and what they stand for."""

    def __init__(self, owner: int) -> None:
        self.owner = owner
        self._held: dict[int, tuple[Resource, object, bool]] = {}
        self._next = 1

    def add(self, resource: Resource, thing: object, *, own: bool = True) -> int:
        """Give a number to `thing`."""
        if len(self._held) >= HANDLES_MAX:
            raise Misuse(f"it holds more than {HANDLES_MAX} handles")
        number, self._next = self._next, self._next + 1
        self._held[number] = resource, thing, own
        return number

    def get(self, resource: Resource, number: int) -> object:
        """Return what `number` stands for."""
        kind, thing, _ = self._held.get(number, (None, None, False))
        if kind is None or not kind.matches(resource):
            raise Misuse(f"{number} is no handle of that type")
        return thing

    def take(self, resource: Resource, number: int) -> tuple[object, bool]:
        """Take `number` away; return what it stood for, and whether it was owned."""
        thing = self.get(resource, number)
        return thing, self._held.pop(number)[2]

    def clear(self) -> list[object]:
        """Forget everything; return what was held."""
        held, self._held = [thing for _, thing, _ in self._held.values()], {}
        return held


@dataclass(slots=True, eq=False)
class Side:
    """One component's side of one call: where its values lie, and what they may cost us."""

    memory: GuestMemory
    allocate: Callable[[int, int], int]  # alignment and size to a pointer
    encoding: str
    handles: Handles
    left: int = field(default=VALUE_BYTES_MAX)

    def spend(self, count: int) -> None:
        """Account for memory of ours. Attack: a list of 2^28 empty texts in 2 GB of guest memory
        is 2^28 objects here.
        """
        self.left -= count
        if self.left < 0:
            raise Misuse(f"a value takes more than {VALUE_BYTES_MAX >> 20} MB")

    def copied(self, pointer: int, length: int) -> bytes:
        """Copy bytes out of the memory."""
        self.spend(length)
        return bytes(self.memory.slice(pointer, length))

    def place(self, content: bytes, alignment: int) -> int:
        """Have the component allocate room for `content`; return where it is."""
        pointer = self.room(len(content), alignment)
        self.memory.write(pointer, content)
        return pointer

    def room(self, size: int, alignment: int) -> int:
        """Have the component allocate `size` bytes."""
        pointer = self.allocate(alignment, size) & _U32_MASK
        self.memory.slice(pointer, size)
        if pointer % alignment:
            raise Misuse("its realloc returned a pointer that is not aligned")
        return pointer
