"""Values in memory and in core values: what is written is read back, and nothing else is taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.sandbox.component import side as sides
from capbox.sandbox.component import types
from capbox.sandbox.component.side import OF_HOST, Handles, Misuse, Resource, Side
from capbox.sandbox.component.types import (
    Flags,
    Handle,
    ListOf,
    Record,
    Scalar,
    Text,
    Type,
    Variant,
)
from capbox.sandbox.component.values import RANGES, from_json, to_json
from capbox.sandbox.raw import GuestMemory

ROOM = 1 << 20
NAMES = ("a", "b-c", "d", "e", "f", "g", "h", "i", "j")


def side(encoding: str = "utf-8", left: int = sides.VALUE_BYTES_MAX) -> Side:
    """A component's side with plain memory, whose allocator only goes up."""
    memory = GuestMemory()
    memory.attach_buffer(memoryview(bytearray(ROOM)))
    end = 1024

    def allocate(alignment: int, size: int) -> int:
        nonlocal end
        start = -(-end // alignment) * alignment
        end = start + size
        return start

    return Side(memory, allocate, encoding, Handles(0), left)


def scalars() -> st.SearchStrategy[tuple[Type, object]]:
    """Scalars and texts with a value each."""
    numbers = [
        st.tuples(st.just(Scalar(name)), st.integers(low, high))
        for name, (low, high) in RANGES.items()
    ]
    floats = st.floats(allow_nan=False, width=32)
    return st.one_of(
        *numbers,
        st.tuples(st.just(Scalar("bool")), st.booleans()),
        st.tuples(st.sampled_from([Scalar("f32"), Scalar("f64")]), floats),
        st.tuples(st.just(Scalar("char")), st.characters(exclude_categories=("Cs",))),
        st.tuples(st.just(Text()), st.text(st.characters(exclude_categories=("Cs",)))),
        st.tuples(st.just(ListOf(Scalar("u8"))), st.binary(max_size=40)),
        st.sets(st.sampled_from(NAMES)).map(lambda v: (Flags(NAMES), frozenset(v))),
    )


def compounds(
    inner: st.SearchStrategy[tuple[Type, object]],
) -> st.SearchStrategy[tuple[Type, object]]:
    """Types made of others, with a value each."""
    some = st.lists(inner, min_size=1, max_size=5)
    return st.one_of(
        some.map(
            lambda pairs: (
                Record([(n, k) for n, (k, _) in zip(NAMES, pairs, strict=False)]),
                tuple(v for _, v in pairs),
            )
        ),
        some.map(
            lambda pairs: (
                Variant(
                    "variant",
                    [("none", None), *((n, k) for n, (k, _) in zip(NAMES, pairs, strict=False))],
                ),
                (NAMES[len(pairs) - 1], pairs[-1][1]),
            )
        ),
        inner.map(
            lambda pair: (Variant("option", [("none", None), ("some", pair[0])]), ("some", pair[1]))
        ),
        inner.map(lambda pair: (Variant("result", [("ok", None), ("err", pair[0])]), ("ok", None))),
        inner.filter(lambda pair: not (isinstance(pair[0], Scalar) and pair[0].name == "u8")).map(
            lambda pair: (ListOf(pair[0]), [pair[1]] * 3)
        ),
    )


VALUES = st.recursive(scalars(), compounds, max_leaves=8)


@given(VALUES, st.sampled_from(["utf-8", "utf-16-le", "latin1+utf-16"]))
def test_what_is_stored_is_loaded_and_what_is_lowered_is_lifted(
    pair: tuple[Type, object], encoding: str
) -> None:
    kind, value = pair
    here = side(encoding)
    at = here.room(kind.size, kind.align)
    kind.store(here, value, at)
    assert kind.load(here, at) == value
    slots = kind.lower(here, value)
    assert len(kind.flat) > types.FLAT_PARAMS_MAX or len(slots) == len(kind.flat)
    assert all(
        0 <= slot < 1 << (64 if f in "IF" else 32)
        for slot, f in zip(slots, kind.flat, strict=False)
    )
    assert kind.lift(here, iter(slots)) == value


@given(VALUES)
def test_what_json_says_of_a_value_is_that_value(pair: tuple[Type, object]) -> None:
    kind, value = pair
    shown = to_json(kind, value)
    if "inf" not in repr(value):
        assert from_json(kind, shown, "v") == value


@given(VALUES, st.binary(min_size=64, max_size=64), st.integers(0, ROOM + 10))
def test_any_memory_gives_a_value_or_is_misuse(
    pair: tuple[Type, object], noise: bytes, at: int
) -> None:
    kind, _ = pair
    here = side(left=1 << 20)
    here.memory.view[:] = noise * (ROOM // len(noise))
    try:
        kind.load(here, at)
        kind.lift(here, iter([int.from_bytes(noise[:4], "little")] * 1000))
    except (Misuse, OSError):
        return


BOMBS: dict[str, Callable[[], object]] = {
    "a list that is longer than the memory": lambda: ListOf(Text()).lift(
        side(), iter([0, 1 << 30])
    ),
    "a list that takes too much of ours": lambda: ListOf(Scalar("u16")).lift(
        side(left=1000), iter([0, 100])
    ),
    "a text outside of the memory": lambda: Text().lift(side(), iter([ROOM - 1, 2])),
    "a text that is no UTF-8": lambda: from_memory(b"\xff", Text()),
    "half a character": lambda: Scalar("char").lift(side(), iter([0xD800])),
    "no such case": lambda: Variant("enum", [("a", None)]).lift(side(), iter([1])),
    "no such handle": lambda: Handle(Resource(), own=True).lift(side(), iter([1])),
    "a list that is not aligned": lambda: ListOf(Scalar("u64")).lift(side(), iter([4, 1])),
    "too many flags": lambda: Flags([str(n) for n in range(33)]),
    "a type that doubles": lambda: doubled(40),
    "a type that is too deep": lambda: deep(50),
}


def from_memory(content: bytes, kind: Type) -> object:
    """Read a value whose bytes lie at 0."""
    here = side()
    here.memory.write(0, content)
    return kind.lift(here, iter([0, len(content)]))


def doubled(times: int) -> Type:
    """A record of two records of two records."""
    kind: Type = Scalar("u64")
    for _ in range(times):
        kind = Record([("a", kind), ("b", kind)])
    return kind


def deep(levels: int) -> Type:
    """A list of lists of lists."""
    kind: Type = Scalar("u32")
    for _ in range(levels):
        kind = ListOf(kind)
    return kind


@pytest.mark.parametrize("name", BOMBS)
def test_what_does_not_fit_is_misuse(name: str) -> None:
    with pytest.raises((Misuse, OSError)):
        BOMBS[name]()


def test_a_handle_stands_for_a_thing_of_its_own_type_once() -> None:
    streams, files = Resource("wasi:io/streams.input-stream"), Resource("wasi:x/y.file")
    handles = Handles(0)
    number = handles.add(streams, "thing")
    other = Resource("wasi:io/streams.input-stream")
    assert handles.get(other, number) == "thing"  # the same under another version
    with pytest.raises(Misuse, match="no handle of that type"):
        handles.get(files, number)
    assert handles.take(streams, number) == ("thing", True)
    with pytest.raises(Misuse, match="no handle of that type"):
        handles.get(streams, number)


def test_two_resources_without_a_name_are_never_one() -> None:
    assert not Resource("", 1).matches(Resource("", 1))
    assert Resource("").owner == OF_HOST


def test_what_was_lent_cannot_be_given_away() -> None:
    here, thing = side(), Resource("wasi:io/error.error")
    number = here.handles.add(thing, "thing", own=False)
    assert Handle(thing, own=False).lift(here, iter([number])) == "thing"
    with pytest.raises(Misuse, match="was lent"):
        Handle(thing, own=True).lift(here, iter([number]))


def test_a_realloc_that_lies_is_misuse() -> None:
    here = side()
    lying = Side(here.memory, lambda alignment, size: ROOM, "utf-8", here.handles)
    with pytest.raises(OSError, match="outside guest memory"):
        Text().lower(lying, "x")
    crooked = Side(here.memory, lambda alignment, size: 1, "utf-8", here.handles)
    with pytest.raises(Misuse, match="not aligned"):
        ListOf(Scalar("u32")).lower(crooked, [1])
