"""The list of effects: order, bounds, and a reader that takes whatever a worker left."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import (
    LOG_BYTES_MAX,
    MANY,
    SHARE_BYTES_MAX,
    SHARE_ENTRIES_MAX,
    EffectWriter,
    read_effects,
)
from capbox.sandbox.spec import Touched


@pytest.fixture
def log() -> Iterator[int]:
    """An empty list."""
    fd = os.memfd_create("effects")
    yield fd
    os.close(fd)


def touched(action: str, path: str, count: int = 0) -> Touched:
    return Touched(action, GuestPath(path), HostPath("/h" + path), count)


def started(log: int) -> EffectWriter:
    writer = EffectWriter(log)
    writer.begin()
    return writer


def put(writer: EffectWriter, action: str, path: str, count: int = 0) -> int:
    """Record an effect that has room, of so many bytes."""
    number = writer.record(action, path, "/h" + path)
    assert number is not None
    writer.transferred(number, count)
    return number


def renamed(writer: EffectWriter, old: str, action: str, new: str) -> None:
    """Record a rename and that it happened."""
    writer.moved(old, "/h" + old, put(writer, "rename", old), put(writer, action, new))


def test_an_entry_is_there_before_anything_else_happens(log: int) -> None:
    put(started(log), "create", '/workspace/ä\n"')
    assert read_effects(log).touched == (touched("create", '/workspace/ä\n"'),)


def test_each_path_is_listed_once_with_its_total_of_bytes(log: int) -> None:
    writer = started(log)
    for _ in range(2):
        put(writer, "read", "/a", 5)
    put(writer, "create", "/b")
    put(writer, "write", "/b", 7)
    writer.finish()
    assert read_effects(log).touched == (touched("read", "/a", 10), touched("create", "/b", 7))


def test_another_object_behind_the_same_name_is_another_entry(log: int) -> None:
    writer = started(log)
    for host in ("/h/innocent", "/h/important", "/h/innocent"):
        number = writer.record("write", "/l", host)
        assert number is not None
        writer.transferred(number, 1)
    writer.finish()
    assert [(t.host, t.bytes) for t in read_effects(log).touched] == [
        ("/h/innocent", 2),
        ("/h/important", 1),
    ]


def test_the_next_call_starts_an_empty_list(log: int) -> None:
    writer = EffectWriter(log)
    for path in ("/a", "/b"):
        writer.begin()
        put(writer, "read", path)
        writer.finish()
    assert read_effects(log).touched == (touched("read", "/b"),)


def test_reads_beyond_the_bound_are_summed_up_as_not_whole_and_writes_refused(log: int) -> None:
    writer = started(log)
    for number in range(SHARE_ENTRIES_MAX + 5):
        put(writer, "read", f"/{number}", 1)
    for number in range(SHARE_ENTRIES_MAX):
        put(writer, "write", f"/{number}")
    assert writer.record("write", "/more", "/h") is None
    writer.finish()
    found = read_effects(log)
    assert not found.whole
    assert len(found.touched) == 2 * SHARE_ENTRIES_MAX + 1
    assert Touched("read", MANY, None, 5) in found.touched


@pytest.mark.parametrize("letter", ["a", "é", "\u20ac", "\x01", '"', "\udcff"])
def test_long_names_fill_a_list_of_bounded_bytes_and_none_is_lost(log: int, letter: str) -> None:
    writer = started(log)
    places = [f"/{n}/{letter * 4000}" for n in range(1000)]
    reads = [writer.record("read", "/r" + place, "/h" + place) for place in places]
    writes = [writer.record("write", "/w" + place, "/h" + place) for place in places]
    fitting = [number for number in writes if number is not None]
    for number in (*reads, *fitting):
        assert number is not None
        writer.transferred(number, 1)
    writer.finish()
    found = read_effects(log)
    listed = [touch.action for touch in found.touched if touch.path != MANY]
    assert 0 < len(fitting) < len(places)
    assert (found.whole, listed.count("write")) == (False, len(fitting))
    assert sum(touch.bytes for touch in found.touched) == len(reads) + len(fitting)
    assert SHARE_BYTES_MAX < os.fstat(log).st_size <= LOG_BYTES_MAX == 2 * SHARE_BYTES_MAX + 1024


def test_many_replacements_keep_every_total(log: int) -> None:
    writer = started(log)
    for number in range(SHARE_ENTRIES_MAX // 4):
        name = f"/.capbox-{number}.tmp"
        put(writer, "create", name, 1 << 40)
        renamed(writer, name, "create", f"/{number}")
        put(writer, "read", f"/{number}", 1 << 60)
    writer.finish()
    found = read_effects(log)
    assert found.whole
    assert len(found.touched) == 2 * (SHARE_ENTRIES_MAX // 4)
    assert {touch.bytes for touch in found.touched} == {1 << 40, 1 << 60}


def test_an_atomic_replace_is_one_write(log: int) -> None:
    writer = started(log)
    put(writer, "create", "/.capbox-1.tmp", 3)
    renamed(writer, "/.capbox-1.tmp", "write", "/a")
    put(writer, "create", "/.capbox-2.tmp", 4)
    renamed(writer, "/.capbox-2.tmp", "write", "/a")
    writer.finish()
    assert read_effects(log).touched == (touched("write", "/a", 7),)


def test_what_gets_the_name_of_a_temporary_file_afterwards_is_listed(log: int) -> None:
    writer = started(log)
    put(writer, "create", "/.capbox-1.tmp", 3)
    renamed(writer, "/.capbox-1.tmp", "create", "/a")
    put(writer, "create", "/.capbox-1.tmp", 9)
    writer.finish()
    assert read_effects(log).touched == (
        touched("create", "/a", 3),
        touched("create", "/.capbox-1.tmp", 9),
    )


def test_a_temporary_file_of_someone_else_is_listed_as_what_it_is(log: int) -> None:
    writer = started(log)
    renamed(writer, "/.capbox-old.tmp", "create", "/a")
    put(writer, "create", "/.capbox-old.tmp", 5)
    renamed(writer, "/.capbox-old.tmp", "create", "/b")
    writer.finish()
    assert read_effects(log).touched == (
        touched("rename", "/.capbox-old.tmp"),
        touched("create", "/a"),
        touched("create", "/b", 5),
    )


FOLDED = [
    ("a rename that did not happen", "/.capbox-1.tmp", "/a", False),
    ("a rename to its own name", "/.capbox-1.tmp", "/.capbox-1.tmp", True),
    ("a name that is not temporary", "/1.tmp", "/a", True),
]


@pytest.mark.parametrize(("old", "new", "happened"), [row[1:] for row in FOLDED])
def test_nothing_else_is_folded(log: int, old: str, new: str, happened: bool) -> None:
    writer = started(log)
    put(writer, "create", old, 3)
    if happened:
        renamed(writer, old, "create", new)
    else:
        put(writer, "rename", old)
        put(writer, "create", new)
    writer.finish()
    found = read_effects(log).touched
    assert (found[:2], found[2:]) == (
        (touched("create", old, 3), touched("rename", old)),
        () if old == new else (touched("create", new),),
    )


def test_a_host_name_that_is_not_utf_8_becomes_printable(log: int) -> None:
    started(log).record("read", "/a", os.fsdecode(b"/h/\xff"))
    assert read_effects(log).touched == (Touched("read", GuestPath("/a"), HostPath("/h/?")),)


@pytest.mark.parametrize(
    "tail",
    [
        b'["read","/c',
        b"nonsense\n",
        b'["explode","/c","/h"]\n',
        b'["read",7,"/h"]\n',
        b'["read","/c","/h",null]\n',
        b'["bytes",0,-1]\n',
        b'["bytes",0,1e3]\n',
        b'["bytes",0,9223372036854775808]\n',
        b'["bytes",-1,1]\n',
        b'["bytes",1,1]\n',
        b'["moved",0,1,2]\n',
        b'["moved",0,0,0]\n',
        b'["moved",-1,0,0]\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_torn_and_forged_lines_are_left_out_and_noticed(log: int, tail: bytes) -> None:
    put(started(log), "read", "/a")
    os.write(log, tail)
    found = read_effects(log)
    assert (found.touched, found.whole) == ((touched("read", "/a"),), False)


def test_nothing_after_a_forged_line_is_believed(log: int) -> None:
    put(started(log), "read", "/a")
    os.write(log, b'nonsense\n["read","/b","/h/b"]\n')
    found = read_effects(log)
    assert (found.touched, found.whole) == ((touched("read", "/a"),), False)


@pytest.mark.parametrize("line", [b'["read","/a","/h"]\n', b'["bytes",0,1]\n', b"\n"])
def test_a_list_beyond_its_bounds_is_read_up_to_them_and_noticed(log: int, line: bytes) -> None:
    os.write(log, b'["read","/a","/h/a"]\n' + line * (2 * LOG_BYTES_MAX // len(line)))
    found = read_effects(log)
    assert not found.whole
    assert len(found.touched) <= 2 * SHARE_ENTRIES_MAX + 2


def test_a_move_of_what_was_not_made_here_folds_nothing(log: int) -> None:
    lines = (
        b'["write","/.capbox-1.tmp","/h"]',
        b'["rename","/.capbox-1.tmp","/h"]',
        b'["create","/a","/h/a"]',
        b'["moved",0,1,2]\n',
    )
    os.write(log, b"\n".join(lines))
    found = read_effects(log)
    assert (len(found.touched), found.whole) == (3, False)


ENTRY = st.sampled_from(
    [
        b'["create","/.capbox-1-a.tmp","/h"]',
        b'["rename","/.capbox-1-a.tmp","/h"]',
        b'["create","/.capbox-2-a.tmp","/h"]',
        b'["rename","/.capbox-2-a.tmp","/h"]',
        b'["write","/a","/h"]',
        b'["bytes",0,3]',
        b'["bytes",2,9223372036854775807]',
        b'["moved",0,1,2]',
        b'["moved",2,3,0]',
        b'["moved",1,2,3]',
        b"{}",
        b"",
    ]
)


@given(st.lists(ENTRY, max_size=12), st.binary(max_size=20))
def test_whatever_a_worker_left_can_be_read(lines: list[bytes], tail: bytes) -> None:
    fd = os.memfd_create("effects")
    try:
        os.write(fd, b"\n".join([*lines, tail]))
        read_effects(fd)
    finally:
        os.close(fd)
