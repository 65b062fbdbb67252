"""A stranger's manifest is cut to what was accepted, and its words are shown as data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.tools.packages.making import manifest

from capbox.gate.manifest import Manifest, parse_manifest, parse_request
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.requests import texts
from capbox.tools.packages.review.untrusted import (
    ARGUMENT_CHARACTERS_MAX,
    README_COLUMNS,
    plain,
    readme,
    schema,
    told,
)


def of(text: str) -> Manifest:
    """Parse a manifest."""
    parsed = parse_manifest(text, "tool.toml")
    assert isinstance(parsed, Manifest), parsed
    return parsed


def with_schema(lines: str) -> Manifest:
    """Return a manifest with these lines in its schema."""
    return of(manifest().replace('type = "object"\n', f'type = "object"\n{lines}\n'))


@given(some.text(max_size=300), some.integers(1, 200))
def test_plain_text_hides_nothing_and_has_an_end(text: str, most: int) -> None:
    found = plain(text, most)
    assert found.isprintable() and "\n" not in found
    assert len(found) <= most * 10 + 4


@given(some.text(max_size=3_000), some.integers(1, 30))
def test_a_readme_hides_nothing_and_has_an_end_both_ways(text: str, most: int) -> None:
    found = readme(text.encode(errors="replace"), most)
    assert len(found) <= most + 1
    assert all(line.isprintable() and len(line) <= README_COLUMNS for line in found)


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"# Hello\r\n\r\n    code\n\tmore\n\n", ("# Hello", "", "    code", "    more")),
        (b"", ("",)),
        (b"\xff\xfe", ("\ufffd\ufffd",)),
        (b"a\x1b[2Jb\rc\x0bd\xe2\x80\xae", ("a\\u001b[2Jb\\u000dc\\u000bd\\u202e",)),
        (b"x " * 40, ("x " * 35 + "x", "x x x x")),
        (b"1\n2\n3\n4\n5\n6", ("1", "2", "3", "4", "5", "[... and more]")),
        (b"y" * 9_000, ("y" * README_COLUMNS,) * 5 + ("[... and more]",)),
    ],
)
def test_a_readme_in_lines(content: bytes, lines: tuple[str, ...]) -> None:
    assert readme(content, 5) == lines


def test_required_and_optional_stay_what_they_are() -> None:
    asked = of(manifest(required=["read:*"], optional=["write:/workspace", "env:*"]))
    accepted = tuple(parse_request(one, "") for one in ("read:/workspace", "env:HOME"))
    found = told(asked, accepted, "alice/hello 1")
    assert (texts(found.required), texts(found.optional)) == (["read:/workspace"], ["env:HOME"])
    assert told(asked, (), "alice/hello 1").requests == ()


def test_arguments_are_checked_as_the_publisher_wrote_them() -> None:
    """Only prose is touched: what the schema asks for is what the tool gets."""
    long = "x" * (2 * ARGUMENT_CHARACTERS_MAX)
    made = with_schema(
        f'additionalProperties = false\ndescription = "{long}"\n'
        "[input_schema.properties.description]\n"
        f'enum = ["one", "{long}"]\ndescription = "which\\u200b"'
    )
    found = schema(made, "alice/hello")
    document = found.document
    assert len(str(document["description"])) < ARGUMENT_CHARACTERS_MAX + 10
    properties = json.loads(json.dumps(document))["properties"]["description"]
    assert properties == {"enum": ["one", long], "description": "which\\u200b"}
    assert found.complaints({"description": long}, characters=1) == ()
    assert found.complaints({"description": "two"}, characters=1) != ()


def test_a_schema_has_an_end() -> None:
    many = "\n".join(f"[input_schema.properties.p{n}]\ntype = 'string'" for n in range(2_000))
    with pytest.raises(PackageError, match=r"its input_schema has .* characters, at most 16,384"):
        schema(with_schema(many), "alice/hello")
