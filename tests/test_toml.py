"""TOML of strangers: what is sane is read as tomllib reads it, and nothing takes long."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from capbox.toml import BYTES_MAX, KEY_PARTS_MAX, NESTED_MAX, read_toml

DEEPEST = ".".join("a" * KEY_PARTS_MAX)
DOTS = ".".join("a" * 1_000)


@pytest.mark.parametrize(
    "text",
    [
        f"{DEEPEST} = 1\n[{DEEPEST.replace('a', 'b')}]\nx = 1",
        f"x = '{DOTS}'\ny = \"{DOTS}\"  # {DOTS}",
        f'x = """\n{DOTS}\n\\"\\"\\"{DOTS}"""""\ny = \'\'\'\n{DOTS}\'\'\'\'\'',
        f"x = [{'1.5, ' * 1_000}]\ny = {{a = 1.5, b = '{DOTS}'}}",
        f"\"{DOTS}\" = 1\n'{DOTS}#'.b = 2",
        "x = " + "[" * (NESTED_MAX - 2) + "]" * (NESTED_MAX - 2),
        "x = 2026-01-01T00:00:00.5Z",
    ],
)
def test_what_is_sane_is_read(text: str) -> None:
    assert read_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{DEEPEST}.a = 1", "a key has over 24 parts"),
        (f"[{DEEPEST}.a]", "a key has over 24 parts"),
        (f"x = {{{DEEPEST}.a = 1}}", "a key has over 24 parts"),
        (" . ".join(['""'] * 25) + " = 1", "a key has over 24 parts"),
        # What ends a string for tomllib, ends it here: nothing hides behind one.
        (f'x = {{a = """b"""", {DOTS} = 1}}', "a key has over 24 parts"),
        (f"x = {{a = '''b''''', {DOTS} = 1}}", "a key has over 24 parts"),
        (f"x = {{a = '\\', {DOTS} = 1}}", "a key has over 24 parts"),
        (f'x = {{a = "\\\\", {DOTS} = 1}}', "a key has over 24 parts"),
        (f'x = "#"\n{DOTS} = 1', "a key has over 24 parts"),
        ("x = " + "[" * NESTED_MAX + "]" * NESTED_MAX, "over 64 tables and arrays"),
        ("x = " + "[" * 100_000, "over 64 tables and arrays"),
        ("x = " + "{a = " * 50_000, "over 64 tables and arrays"),
        (f"x = {{{DEEPEST} = {{{DEEPEST} = {{{DEEPEST} = 1}}}}}}", "over 64 tables and arrays"),
        ("#" * (BYTES_MAX + 1), "over 262,144 bytes"),
        ("#" + "é" * (BYTES_MAX // 2), "over 262,144 bytes"),
        ('x = """' + "é", "Unterminated string"),
    ],
)
def test_what_is_too_much_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_toml(text)


def names(count: int) -> Iterator[str]:
    """So many names of three letters."""
    return islice(map("".join, product("abcdefghijklmnopqrstuvwxyz0123456789", repeat=3)), count)


ROW = 2 * KEY_PARTS_MAX + 6


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * (BYTES_MAX // 2 - 2)) + "=1",
        "[" + ".".join("a" * (BYTES_MAX // 2 - 2)) + "]",
        f"[{DEEPEST}]\n" + "".join(f"{one}=1\n" for one in names(BYTES_MAX // 6 - 10)),
        f"[{DEEPEST}]\n" + "".join(f"{n}{DEEPEST[1:]}=1\n" for n in names(BYTES_MAX // ROW - 1)),
        "".join(f"[{DEEPEST[:-1]}{one}]\n" for one in names(BYTES_MAX // ROW)),
        f"[[{DEEPEST}]]\n" * (BYTES_MAX // ROW),
        "x={" + ",".join(f"{one}={{}}" for one in names(BYTES_MAX // 8)) + "}",
        "x=[" + "[]," * (BYTES_MAX // 3 - 3) + "]",
        'x="""\\' + '"""\\' * (BYTES_MAX // 4 - 4),
        "x=" + "'\"#" * (BYTES_MAX // 3 - 1),
        "x=1." + "1" * (BYTES_MAX - 10),
        "x=0x" + "f" * (BYTES_MAX - 10),
    ],
    ids=range(12),
)
def test_the_worst_of_256_kb_takes_a_second_or_is_refused(text: str) -> None:
    assert BYTES_MAX * 0.85 < len(text) <= BYTES_MAX
    before = time.process_time()
    try:
        read_toml(text)
    except ValueError as error:
        assert str(error)
    # A second where nothing else is at work; tomllib alone takes minutes for the first two.
    assert time.process_time() - before < 15


@given(some.text(alphabet="a.=\"'\\#[]{},\n ", max_size=40))
def test_what_tomllib_takes_is_taken_with_the_same_meaning(text: str) -> None:
    try:
        plain = tomllib.loads(text)
    except ValueError:
        plain = None
    if plain is not None:
        assert read_toml(text) == plain
