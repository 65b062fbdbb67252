"""The words after the tool's name become arguments, or a reason why they are none."""

from __future__ import annotations

import pytest

from capbox.messages import Json
from capbox.surfaces.cli.arguments import ArgumentsError, parse_arguments

SCHEMA: dict[str, Json] = {
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer"},
        "ratio": {"type": "number"},
        "all": {"type": "boolean"},
        "edits": {"type": "array"},
        "options": {"type": "object"},
        "either": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "any": {},
    }
}


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ([], {}),
        (['{"path": "a", "limit": 3}'], {"path": "a", "limit": 3}),
        ([" {} "], {}),
        (["-"], {"from": "stdin"}),
        (["path=a=b c"], {"path": "a=b c"}),
        (["path="], {"path": ""}),
        (["path=3", "limit=3"], {"path": "3", "limit": 3}),
        (["path={x}"], {"path": "{x}"}),
        (["ratio=1.5", "all=true"], {"ratio": 1.5, "all": True}),
        (['edits=[{"old": "a"}]', "options={}"], {"edits": [{"old": "a"}], "options": {}}),
        (["either=null", "count=null"], {"either": "null", "count": None}),
        (["any=3", "unknown=[1]"], {"any": "3", "unknown": "[1]"}),
        # What is of the wrong type but JSON goes to the gate, which names the schema's rule.
        (['limit="x"'], {"limit": "x"}),
    ],
)
def test_words_are_read_as_the_schema_wants_them(
    words: list[str], arguments: dict[str, Json]
) -> None:
    assert parse_arguments(words, SCHEMA, lambda: '{"from": "stdin"}') == arguments


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["{bad"], "ARGS_JSON is not JSON: "),
        (["[1]"], "ARGS_JSON is not a JSON object: {...} is expected"),
        (['"text"'], "ARGS_JSON is not a JSON object: {...} is expected"),
        (['{"a": NaN}'], "ARGS_JSON is not JSON: NaN is not JSON"),
        (['{"a": 1, "a": 2}'], 'ARGS_JSON is not JSON: the key "a" is given twice'),
        (['{"a": {"b": 1, "b": 2}}'], 'ARGS_JSON is not JSON: the key "b" is given twice'),
        (['{"a": "\\ud800"}'], "ARGS_JSON is not JSON: it holds half of a surrogate pair"),
        (['{"a": 1e999}'], "ARGS_JSON is not JSON: 1e999"),
        (['{"a": ' + "[" * 64 + "]" * 64 + "}"], "ARGS_JSON is not JSON: it is nested deeper"),
        (['options={"a": 1, "a": 2}'], "options="),
        (["{}", "path=a"], "'{}' is neither key=value, nor one JSON object, nor -"),
        (["-", "path=a"], "'-' is neither key=value, nor one JSON object, nor -"),
        (["path"], "'path' is neither key=value, nor one JSON object, nor -"),
        (["=a"], "'=a' is neither key=value, nor one JSON object, nor -"),
        (["path=a", "path=b"], "path is given twice"),
        (["limit=x"], "limit=x: integer is expected"),
        (["count="], "count=: integer or null is expected"),
        (["ratio=Infinity"], "ratio=Infinity: number is expected"),
        (["all=True"], "all=True: true or false is expected"),
        (["options=" + "[" * 100_000], "options="),
    ],
)
def test_words_that_cannot_be_read_are_refused_with_a_reason(
    words: list[str], complaint: str
) -> None:
    refused = parse_arguments(words, SCHEMA, lambda: "")
    assert isinstance(refused, ArgumentsError)
    assert refused.message.startswith(complaint)


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_standard_input_is_no_empty_object(text: str) -> None:
    refused = parse_arguments(["-"], SCHEMA, lambda: text)
    assert refused == ArgumentsError("standard input is empty; one JSON object is expected")


@pytest.mark.parametrize(
    ("required", "words", "meant"),
    [
        (["path"], ["a.txt"], "; did you mean path=a.txt?"),
        (["path", "content"], ["a.txt"], "; did you mean path=a.txt?"),
        (["script"], ["ls -l"], "; did you mean 'script=ls -l'?"),
        (["old", "new"], ["a.txt"], ""),
        ([], ["a.txt"], ""),
        (None, ["a.txt"], ""),
        (["path"], ["a.txt", "b.txt"], ""),
        (["path"], ["=a"], ""),
    ],
)
def test_a_lone_word_is_spelt_out_where_it_is_clear_which_argument_it_is(
    required: list[str] | None, words: list[str], meant: str
) -> None:
    refused = parse_arguments(words, {**SCHEMA, "required": required}, lambda: "")
    said = f"{words[0]!r} is neither key=value, nor one JSON object, nor -{meant}"
    assert refused == ArgumentsError(said)


def test_a_schema_without_properties_leaves_every_value_text() -> None:
    assert parse_arguments(["a=1"], {}, lambda: "") == {"a": "1"}
