"""The part of a manifest that a build writes: it says what was given, and nothing else moves."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.messages import Json, JsonObject
from capbox.tools.sdk.generated import END, toml, with_generated
from capbox.tools.sdk.project import BuildError

AUTHORS = """\
name = "t"  # mine

# <generated from old.py by capbox tool build; what you change here is written over>
description = "old"
input_schema.type = "object"
# </generated>

[requests]  # mine too
required = []
"""
PARTS: JsonObject = {
    "description": 'New "words"\nand \\ lines',
    "input_schema": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b c.d": {"default": {}}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "output_schema": None,
}
BEGIN = "# <generated from t.py by capbox tool build; what you change here is written over>"


def test_what_stands_between_the_marks_is_replaced_and_nothing_else() -> None:
    made = with_generated(AUTHORS, "t.py", PARTS, "tool.toml")
    assert made.startswith(f'name = "t"  # mine\n\n{BEGIN}\ndescription = "New ')
    assert made.endswith(f"\n{END}\n\n[requests]  # mine too\nrequired = []\n")
    assert tomllib.loads(made) == {
        "name": "t",
        **{key: value for key, value in PARTS.items() if value is not None},
        "requests": {"required": []},
    }
    assert with_generated(made, "t.py", PARTS, "tool.toml") == made


@pytest.mark.parametrize(
    "more",
    [
        {"allowed_outbound_hosts": ["https://*:*"]},
        {"requests": {"required": ["write:*"]}},
        {"access": "execute", "module": "other.wasm", "limits": {"fuel": 1}},
        {'x = 1\nallowed_outbound_hosts = ["*"]\ny': 1},
        {"description ": "x", "input_schema.x": {"a": 1}, "": {}},
    ],
)
def test_what_describes_a_tool_cannot_widen_what_it_requests(more: JsonObject) -> None:
    """A dependency that is imported at the build may say whatever it likes."""
    assert with_generated(AUTHORS, "t.py", {**PARTS, **more}, "tool.toml") == with_generated(
        AUTHORS, "t.py", PARTS, "tool.toml"
    )


DEEP: JsonObject = {}
for _ in range(2_000):
    DEEP = {"a": DEEP}


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"description": {"a": 1}}, "description: the built tool describes itself with no text"),
        ({"input_schema": 'x"'}, "input_schema: the built tool describes itself with no table"),
        ({"output_schema": []}, "output_schema: the built tool describes itself with no table"),
        ({"input_schema": {"default": None}}, "describes itself badly: None cannot be written"),
        ({"input_schema": DEEP}, "describes itself badly: maximum recursion depth"),
    ],
)
def test_what_is_no_description_is_refused(parts: JsonObject, why: str) -> None:
    with pytest.raises(BuildError, match=why):
        with_generated(AUTHORS, "t.py", parts, "tool.toml")


def test_each_property_has_a_line() -> None:
    lines = with_generated(AUTHORS, "t.py", PARTS, "tool.toml").splitlines()
    assert 'input_schema.properties.a = { type = "string" }' in lines
    assert 'input_schema.properties."b c.d" = { default = {} }' in lines


@pytest.mark.parametrize("text", ['name = "t"\n', 'name = "t"\n\n[requests]\nrequired = []\n', ""])
def test_a_manifest_without_the_part_gets_it_before_its_first_table(text: str) -> None:
    made = with_generated(text, "t.py", PARTS, "tool.toml")
    assert tomllib.loads(made)["description"] == PARTS["description"]
    assert tomllib.loads(text).items() <= tomllib.loads(made).items()


@pytest.mark.parametrize(
    "text",
    [
        'description = "mine"\n',
        '[input_schema]\ntype = "object"\n',
        '[output_schema]\ntype = "object"\n',
        f"{BEGIN}\n",
        f"{END}\n",
        f"{END}\n{BEGIN}\n",
    ],
)
def test_keys_of_the_authors_own_or_half_a_mark_are_refused(text: str) -> None:
    with pytest.raises(BuildError, match="is not where the build writes it"):
        with_generated(text, "t.py", PARTS, "tool.toml")


VALUES: st.SearchStrategy[Json] = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_any_json_but_null_is_read_back(value: Json) -> None:
    assert tomllib.loads(f"x = {toml(value)}")["x"] == value


@given(st.dictionaries(st.text(), VALUES))
def test_any_schema_is_read_back(properties: dict[str, Json]) -> None:
    parts: JsonObject = {"input_schema": {"properties": properties}}
    assert tomllib.loads(with_generated("", "t.py", parts, "x"))["input_schema"] == {
        "properties": properties
    }


def test_null_has_no_form_and_half_a_surrogate_pair_is_a_question_mark() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        toml([None])
    assert toml("\ud800\x7f") == '"?\\u007f"'
