"""What is written of a workspace reads back the same; what is no such file is refused whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.engine.stored.binding import Bound
from capbox.engine.workspaces.registered import Registered, problem, read, written

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
amounts = st.integers(0, 10**6).map(lambda cents: cents / 100)
ones = st.builds(
    Registered,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
    bound=st.builds(
        Bound,
        path=texts,
        device=st.integers(0, 2**40),
        inode=st.integers(0, 2**60),
        born=st.none() | st.integers(0, 2**62),
    ),
    grants=st.lists(st.sampled_from(["read:/workspace", 'write:"/workspace/a b"'])).map(tuple),
    model=st.none() | texts.filter(bool),
    style=st.none() | texts.filter(bool),
    instructions=texts,
    budget=st.dictionaries(
        st.sampled_from(["usd", "seconds"]), st.integers(0, 10**6).map(lambda cents: cents / 100)
    ),
)


@given(st.lists(ones, unique_by=lambda one: one.name))
def test_what_is_written_reads_back_the_same(given: list[Registered]) -> None:
    assert read(written(given)) == tuple(sorted(given, key=lambda one: one.name))


GOOD = '[[workspace]]\nname = "a"\npath = "/a"\ndevice = 1\ninode = 2\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "of version None"),
        ("version = 2", "of version 2"),
        ("version = 1\nextra = 1", "unknown key 'extra'"),
        (f"version = 1\n{GOOD}grant = []", "'a': unknown key 'grant'"),
        (f"version = 1\n{GOOD}{GOOD}", "'a' stands twice"),
        (f"version = 1\n{GOOD.replace('= 2', '= true')}", "device and inode are numbers"),
        (f'version = 1\n{GOOD}grants = "read:/"', "grants is a list"),
        (f'version = 1\n{GOOD}grants = ["raed:/"]', "'raed:/' is no grant"),
        (f"version = 1\n{GOOD}model = 1", "'a': model is a text"),
        (f"version = 1\n{GOOD}[workspace.budget]\nsud = 1", "unknown key 'sud'"),
        ("version = 1\n" + GOOD.replace('"a"', '"../a"'), "is no name"),
    ],
)
def test_what_is_no_such_file_is_refused_with_the_place(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        read(text)
    assert reason in str(refused.value)


def test_the_smallest_file_is_read() -> None:
    (one,) = read(f"version = 1\n{GOOD}")
    assert one == Registered("a", Bound("/a", 1, 2)) and problem(one) is None
