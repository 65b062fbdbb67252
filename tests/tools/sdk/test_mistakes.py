"""An author is told what a schema lets pass, and nothing that could be meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.packages.making import manifest, tool

from capbox import app
from capbox.gate.manifest import Manifest, parse_manifest
from capbox.messages import JsonObject
from capbox.tools.packages.artefact.packing import pack
from capbox.tools.packages.problem import PackageError
from capbox.tools.sdk.generated import toml
from capbox.tools.sdk.mistakes import _KEYWORDS, mistakes
from capbox.tools.sdk.project import LANGUAGES, Language
from capbox.tools.sdk.starting import start

TYPES = "string, integer, number, boolean, object, array, null"
A = 'properties.a = { type = "string" }'


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (A, ""),
        (f"{A}\nrequired = ['a']", ""),
        (f"{A}\nrequired = ['b']", ".required: 'b' is no property; there are: a"),
        ("required = ['b']", ".required: 'b' is no property; there are none"),
        (f"{A}\nrequired = ['b']\nadditionalProperties = true", ""),
        (f"{A}\nrequired = ['b']\npatternProperties.b = {{}}", ""),
        (f"{A}\nanyOf = [{{ required = ['a'] }}, {{ required = ['b'] }}]", ""),
        (f"{A}\noneOf = [{{ properties.b = {{}}, required = ['a', 'b'] }}]", ""),
        (
            f"{A}\noneOf = [{{ properties.b = {{}}, required = ['c'] }}]",
            ".oneOf[0].required: 'c' is no property; there are: b",
        ),
        (
            "properties.a = { properties.b = {}, required = ['a'] }",
            ".properties.a.required: 'a' is no property; there are: b",
        ),
        (
            f"{A}\nrequird = ['a']",
            ".requird: is no word of a schema, so nothing looks at it; required is one",
        ),
        (
            "properties.a = { tpye = 'string' }",
            ".properties.a.tpye: is no word of a schema, so nothing looks at it; type is one",
        ),
        (
            "properties.a = { items = { defualt = 1 } }",
            ".properties.a.items.defualt: is no word of a schema, so nothing looks at it; "
            "default is one",
        ),
        ("properties.a = { note = 'x', x-unit = 'cm', example = 3, hint = 'y' }", ""),
        ("properties = { tpye = {}, requird = {}, defualt = {} }", ""),
        ("properties.a = { enum = [{ tpye = 1 }], default = { tpye = 1 } }", ""),
        ("properties.a = { default = 1 }", ""),
        ("properties.a = { type = 'integer', default = 1 }", ""),
        (
            "properties.a = { type = 'integer', default = '1' }",
            '.properties.a.default: "1" is not of type "integer"',
        ),
        (
            "properties.a = { enum = ['x', 'y'], default = 'z' }",
            '.properties.a.default: "z" is not one of "x", "y"',
        ),
        ("properties.a = { '$ref' = '#/$defs/b', default = 1 }\n'$defs'.b = {}", ""),
        ("properties.a = { type = 'strng' }", f".properties.a.type: 'strng' is no type; {TYPES}"),
        ("properties.a = { type = ['string', 3] }", f".properties.a.type: 3 is no type; {TYPES}"),
        ("properties.a = { type = ['string', 'null'] }", ""),
        ("properties = 3", ""),
        ("required = 3", ""),
    ],
)
def test_what_is_surely_wrong_with_a_schema_is_told_with_its_place(schema: str, said: str) -> None:
    said = said.replace(TYPES, f"there are: {TYPES}")
    for key in ("input_schema", "output_schema"):
        found = mistakes(f'[{key}]\ntype = "object"\n{schema}\n')
        assert found == ((f"{key}{said}",) if said else ())


WORDS = st.sampled_from(sorted({*_KEYWORDS, "requird", "a"}))
VALUES = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "string", "strng", "#/a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES, max_size=5))
def test_whatever_a_schema_is_it_is_looked_at_to_its_end(schema: JsonObject) -> None:
    """Also a `required` of tables, and a default of a schema that is none."""
    found = mistakes(f"input_schema = {toml(schema)}\n")
    assert all(one.startswith("input_schema") for one in found)


def test_a_case_with_a_misspelt_key_is_told() -> None:
    assert mistakes('[[tests]]\nname = "a"\nexpect = { okay = true }') == (
        "tests[0].expect: unknown key okay; there are: content, content_matches, data, error, ok",
    )


@pytest.mark.parametrize("text", ["", "= 3", "input_schema = 3", "tests = 3\ninput_schema = []"])
def test_what_is_no_manifest_is_told_elsewhere(text: str) -> None:
    assert mistakes(text) in ((), ("tests: [[tests]] tables are expected",))


def test_what_is_told_of_a_strangers_manifest_has_an_end_and_hides_nothing() -> None:
    names = "".join(f'"{"x" * 900}\\u202e{n}" = {{ type = "no" }}\n' for n in range(50))
    found = mistakes(f"[input_schema.properties]\n{names}")
    assert (len(found), max(map(len, found))) == (10, 500)
    (short,) = mistakes('[input_schema.properties]\n"a\\u202e" = { type = "no" }\n')
    assert short.startswith("input_schema.properties.a\\u202e.type: ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_has_none(language: Language, tmp_path: Path) -> None:
    start(tmp_path / "hello", "hello", language)
    assert mistakes((tmp_path / "hello" / "tool.toml").read_text()) == ()


def test_no_tool_that_is_shipped_has_any() -> None:
    found = sorted(app.GUESTS.rglob("*.toml"))
    assert found
    assert [mistakes(path.read_text()) for path in found] == [()] * len(found)


def test_a_mistake_is_not_packed_and_makes_no_tool_unusable(tmp_path: Path) -> None:
    folder = tool(tmp_path, manifest())
    text = (folder / "tool.toml").read_text()
    wrong = text.replace('type = "object"', 'type = "object"\nrequird = []')
    (folder / "tool.toml").write_text(wrong)
    assert isinstance(parse_manifest(wrong, "tool.toml"), Manifest)
    with pytest.raises(PackageError, match=r"tool\.toml: input_schema\.requird: is no word of a"):
        pack(folder, "alice", tmp_path)
    (folder / "tool.toml").write_text(text)
    assert pack(folder, "alice", tmp_path)
