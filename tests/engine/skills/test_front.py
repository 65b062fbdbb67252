"""Front matter is read as text, and what could harm its reader is refused with the line."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.engine.skills.front import FrontError, front_matter

BOMB = "a: &a [x,x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)},*{chr(97 + n)}]" for n in range(20)
)


@pytest.mark.parametrize(
    ("front", "read"),
    [
        ("name: review", {"name": "review"}),
        ("name: 'a: b'\nversion: 1.0\nsince: 2026-01-01\non: yes", None),
        ("tools: [a, b]", {"tools": ("a", "b")}),
        ("tools:\n  - a\n  - b c", {"tools": ("a", "b c")}),
        ("metadata:\n  author: me\n  version: 1", {"metadata": {"author": "me", "version": "1"}}),
        ("text: >\n  one\n  two", {"text": "one two"}),
        ("", {}),
        ("# nothing", {}),
    ],
)
def test_every_scalar_is_text(front: str, read: object) -> None:
    if read is None:
        read = {"name": "a: b", "version": "1.0", "since": "2026-01-01", "on": "yes"}
    assert front_matter(f"---\n{front}\n---\nbody\n") == (read, "body\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: a", "does not begin with front matter"),
        ("---\nname: a\n", "has no end"),
        ("---\n" + "x: y\n" * 5_000 + "---\n", "more than 16384 characters"),
        ("---\nname: a\nname: b\n---\n", "line 3: 'name' stands twice"),
        ("---\nmetadata:\n  a: 1\n  a: 2\n---\n", "line 4: 'a' stands twice"),
        (f"---\n{BOMB}\n---\n", "line 2: anchors (&name) are not read"),
        ("---\na: *b\n---\n", "line 2: aliases (*name) are not read"),
        ("---\na: !!python/object/apply:os.system [id]\n---\n", "tags (!name) are not read"),
        ("---\na: !!binary aGk=\n---\n", "tags (!name) are not read"),
        ("---\na: {b: {c: d}}\n---\n", "nested too deep"),
        ("---\na: [[b]]\n---\n", "nested too deep"),
        ("---\n? [a]\n: b\n---\n", "nested too deep"),
        ("---\n- a\n---\n", "not a list of `key: value`"),
        ("---\njust text\n---\n", "not a list of `key: value`"),
        ("---\na: b: c\n---\n", "not YAML: line 2"),
        ("---\na: \x07\n---\n", "not YAML"),
        ("---\n" + "[" * 9_000 + "\n---\n", ""),
        ("---\n" + "{a: " * 3_000 + "\n---\n", ""),
        ("---\n" + "- " * 8_000 + "\n---\n", ""),
        ("---\n" + "? " * 8_000 + "\n---\n", ""),
        ("---\na: " + "[" * 9_000 + "\n---\n", ""),
        ("---\na: " + "{" * 9_000 + "\n---\n", ""),
        ("---\na: '" + "''" * 8_000 + "\n---\n", ""),
        ("---\n" + "\n".join(f"k{n}: v" for n in range(300)) + "\n---\n", "more than 200 keys"),
    ],
)
def test_what_is_hostile_or_broken_is_refused_soon_and_with_the_reason(
    text: str, reason: str
) -> None:
    began = time.monotonic()
    found = front_matter(text)
    assert isinstance(found, FrontError) and reason in found.reason, found
    assert time.monotonic() - began < 5


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    front_matter(f"---\n{text}\n---\n")
