"""Types of JSDoc: those that JSON has become a schema, all others are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.gate.schema import Schema
from capbox.messages import JsonObject
from capbox.tools.sdk.javascript.annotation import AnnotationError, parsed

TEXT: JsonObject = {"type": "string"}
NUMBER: JsonObject = {"type": "number"}


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("string", TEXT),
        ("number", NUMBER),
        ("integer", {"type": "integer"}),
        ("boolean", {"type": "boolean"}),
        ("object", {"type": "object"}),
        ("*", {}),
        ("any", {}),
        ('"a"|"b"', {"enum": ["a", "b"]}),
        ("'a' | 2 | -1.5 | true", {"enum": ["a", 2, -1.5, True]}),
        ("| 'a'", {"enum": ["a"]}),
        ("string|null", {"anyOf": [TEXT, {"type": "null"}]}),
        ("?string", {"anyOf": [TEXT, {"type": "null"}]}),
        ('"a"|number', {"anyOf": [{"enum": ["a"]}, NUMBER]}),
        ("string[]", {"type": "array", "items": TEXT}),
        ("number[][]", {"type": "array", "items": {"type": "array", "items": NUMBER}}),
        ("Array<string>", {"type": "array", "items": TEXT}),
        ('("a"|"b")[]', {"type": "array", "items": {"enum": ["a", "b"]}}),
        ("Record<string, number>", {"type": "object", "additionalProperties": NUMBER}),
        ("Object<string, number>", {"type": "object", "additionalProperties": NUMBER}),
        ("Promise<string>", TEXT),
        ("{}", {"type": "object", "properties": {}, "additionalProperties": False}),
        (
            "{a: string, 'b-c'?: number[];}",
            {
                "type": "object",
                "properties": {"a": TEXT, "b-c": {"type": "array", "items": NUMBER}},
                "required": ["a"],
                "additionalProperties": False,
            },
        ),
    ],
)
def test_a_type_that_json_has_is_a_schema(written: str, schema: JsonObject) -> None:
    assert parsed(f"{{{written}}} name What.") == (schema, False, "name What.")
    assert parsed(f"{{{written}=}}") == (schema, True, "")
    Schema(schema)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{Date}", "Date is no type of JSON; there are: string, number"),
        ("{string", "`}` is expected in the type, and not ``"),
        ("string}", "`{` is expected in the type, and not `string`"),
        ("{}", "a type is expected, and not `}`"),
        ("{string number}", "`}` is expected in the type, and not `number`"),
        ("{Map<string, number>}", "Map is no type of JSON"),
        ("{Array<string, number>}", "Array takes 1, and not 2"),
        ("{Record<number, string>}", "the keys of Record are texts: Record<string, T>"),
        ("{{a string}}", "`:` is expected"),
        ("{{a: string b: string}}", "`,` is expected between the parts"),
        ("{{+: string}}", "the type is not understood at `+: string}}`"),
        ("{import('x').T}", "import is no type of JSON"),
        ("{" + "(" * 40, "nested deeper than 16"),
    ],
)
def test_any_other_type_is_named(written: str, message: str) -> None:
    with pytest.raises(AnnotationError) as refused:
        schema, _, _ = parsed(written)
        raise AssertionError(schema)
    assert message in str(refused.value)


@given(st.text(alphabet="{}()<>|?,:;=*[]\"'ab1- Array") | st.text())
def test_whatever_stands_there_is_a_schema_or_an_error(written: str) -> None:
    try:
        schema, _, rest = parsed(f"{{{written}")
    except AnnotationError as error:
        assert str(error)
    else:
        Schema(schema)
        assert written.endswith(rest)
