"""The list of effects: order, bounds, and a reader that takes whatever a worker left."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.effects import MANY, READS_MAX, WRITES_MAX, EffectWriter, read_effects
from capbox.sandbox.spec import Touched


@pytest.fixture
def log() -> Iterator[int]:
    """An empty list."""
    fd = os.memfd_create("effects")
    yield fd
    os.close(fd)


def touched(action: str, path: str, count: int = 0) -> Touched:
    return Touched(action, GuestPath(path), HostPath("/h" + path), count)


def test_an_entry_is_there_before_anything_else_happens(log: int) -> None:
    writer = EffectWriter(log)
    writer.begin()
    assert writer.record("create", '/workspace/ä\n"', '/h/workspace/ä\n"')
    assert read_effects(log).touched == (touched("create", '/workspace/ä\n"'),)


def test_each_path_is_listed_once_with_its_total_of_bytes(log: int) -> None:
    writer = EffectWriter(log)
    writer.begin()
    for _ in range(2):
        writer.record("read", "/a", "/h/a")
        writer.transferred("read", "/a", 5)
    writer.record("create", "/b", "/h/b")
    writer.record("write", "/b", "/h/b")
    writer.transferred("write", "/b", 7)
    writer.finish()
    assert read_effects(log).touched == (touched("read", "/a", 10), touched("create", "/b", 7))


def test_the_next_call_starts_an_empty_list(log: int) -> None:
    writer = EffectWriter(log)
    for path in ("/a", "/b"):
        writer.begin()
        writer.record("read", path, "/h" + path)
        writer.finish()
    assert read_effects(log).touched == (touched("read", "/b"),)


def test_reads_beyond_the_bound_are_summarised_and_writes_refused(log: int) -> None:
    writer = EffectWriter(log)
    writer.begin()
    assert all(writer.record("read", f"/{n}", "/h") for n in range(READS_MAX + 5))
    assert all(writer.record("write", f"/{n}", "/h") for n in range(WRITES_MAX))
    assert not writer.record("write", "/more", "/h")
    found = read_effects(log)
    assert found.whole
    assert len(found.touched) == READS_MAX + 1 + WRITES_MAX
    assert Touched("read", MANY, None) in found.touched


def test_a_host_name_that_is_not_utf_8_becomes_printable(log: int) -> None:
    writer = EffectWriter(log)
    writer.begin()
    writer.record("read", "/a", os.fsdecode(b"/h/\xff"))
    assert read_effects(log).touched == (Touched("read", GuestPath("/a"), HostPath("/h/?")),)


@pytest.mark.parametrize(
    "tail",
    [
        b'["read","/c',
        b"nonsense\n",
        b'["explode","/c","/h",null]\n',
        b'["read",7,"/h",null]\n',
        b'["bytes","read","/a",-1]\n',
        b'["bytes","read","/missing",1]\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_torn_and_forged_lines_are_left_out_and_noticed(log: int, tail: bytes) -> None:
    writer = EffectWriter(log)
    writer.begin()
    writer.record("read", "/a", "/h/a")
    os.write(log, tail)
    found = read_effects(log)
    assert (found.touched, found.whole) == ((touched("read", "/a"),), False)


ENTRY = st.sampled_from(
    [
        b'["create","/.capbox-1-a.tmp","/h",null]',
        b'["rename","/.capbox-1-a.tmp","/h","/a"]',
        b'["rename","/.capbox-1-a.tmp","/h","/.capbox-1-a.tmp"]',
        b'["rename","/.capbox-1-a.tmp","/h","/.capbox-2-a.tmp"]',
        b'["rename","/.capbox-2-a.tmp","/h","/.capbox-1-a.tmp"]',
        b'["create","/.capbox-2-a.tmp","/h",null]',
        b'["write","/a","/h",null]',
        b'["bytes","write","/a",3]',
        b'["bytes","create","/.capbox-1-a.tmp",3]',
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
