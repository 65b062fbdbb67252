"""Arguments are judged readably, and no schema reaches out of itself."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import pytest

from capbox.gate.schema import Schema
from capbox.messages import Json, JsonObject

PATH: JsonObject = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path"],
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1},
        "format": {"enum": ["markdown", "text", "raw", "json"]},
        "edits": {"items": {"properties": {"old": {}, "new": {}}, "additionalProperties": False}},
        "one": {"allOf": [{"properties": {"a": {}}, "additionalProperties": False}]},
    },
}


@pytest.mark.parametrize(
    ("arguments", "complaints"),
    [
        ({"path": "a"}, ()),
        ({"path": "-rf", "limit": 1}, ()),
        ({}, ('"path" is a required property',)),
        ({"path": 3}, ('path: 3 is not of type "string"',)),
        ({"path": "a", "limit": 0}, ("limit: 0 is less than the minimum of 1",)),
        (
            {"path": "a", "format": "pdf"},
            ('format: "pdf" is not one of "markdown", "text", "raw", "json"',),
        ),
        (
            {"path": "a", "edits": [{"old": "x"}, {"x": 1, "y": 2}]},
            ('edits/1: unknown: "x", "y"; known are old, new',),
        ),
        ({"path": "a", "limit": True}, ('limit: true is not of type "integer"',)),
        (
            {"path": "a", "x": 1},
            ('unknown: "x"; known are path, limit, format, edits, one',),
        ),
        ({"path": "a", "one": {"b": 1}}, ('one: unknown: "b"',)),
    ],
)
def test_arguments_are_valid_or_told_why_not(
    arguments: JsonObject, complaints: tuple[str, ...]
) -> None:
    assert Schema(PATH).complaints(arguments, characters=100) == complaints


def test_what_is_no_json_is_a_complaint() -> None:
    value: Any = object()
    assert Schema(PATH).complaints({"path": value}, characters=100) == (
        "Unsupported type: 'object'",
    )


@pytest.mark.parametrize("characters", [1_000, 1_000_000])
def test_a_complaint_about_a_large_value_is_short(characters: int) -> None:
    schema = Schema({"properties": {"content": {"type": "integer"}}})
    (complaint,) = schema.complaints({"content": "x" * 1_000_000}, characters=characters)
    assert len(complaint) < 400 and complaint.endswith('is not of type "integer"')


@pytest.mark.parametrize(("size", "whole"), [(273, True), (274, False)])
def test_a_complaint_is_told_whole_up_to_300_characters(size: int, whole: bool) -> None:
    schema = Schema({"properties": {"a": {"type": "integer"}}})
    (complaint,) = schema.complaints({"a": "x" * size}, characters=size)
    cut = f'a: "{"x" * 149} ... {"x" * 124}" is not of type "integer"'
    assert complaint == (f'a: "{"x" * size}" is not of type "integer"' if whole else cut)


@pytest.mark.parametrize(("characters", "told"), [(10_000, 5), (10_001, 1)])
def test_five_faults_are_told_unless_the_arguments_are_long(characters: int, told: int) -> None:
    schema = Schema(
        {"items": {"type": "integer"}, "properties": {"a": {"items": {"type": "null"}}}}
    )
    found = schema.complaints({"a": [1] * 6}, characters=characters)
    assert found == tuple(f'a/{n}: 1 is not of type "null"' for n in range(told))
    assert schema.complaints({"a": []}, characters=characters) == ()


FAULTS = """
import resource
from capbox.gate.schema import Schema
schema = Schema({"properties": {"edits": {"items": {"type": "object", "required": ["old"]}}}})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(complaint,) = schema.complaints({"edits": [1] * 300_000}, characters=900_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, complaint)
"""


def test_of_many_faults_in_long_arguments_the_first_is_told_and_no_memory_is_spent() -> None:
    program = [sys.executable, "-c", FAULTS]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    kilobytes, complaint = said.split(maxsplit=1)
    assert complaint == 'edits/0: 1 is not of type "object"\n'
    assert int(kilobytes) < 50_000  # every fault at once takes ten times that


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$recursiveRef"])
@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9/s.json", "file:///etc/passwd", "other.json", "/etc/passwd"]
)
def test_a_reference_outside_the_document_is_refused(keyword: str, target: str) -> None:
    with pytest.raises(ValueError, match="leads outside the document"):
        Schema({"properties": {"a": {keyword: target}}})
    with pytest.raises(ValueError, match="leads outside the document"):
        Schema({"allOf": [{keyword: target}]})


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = Schema({"properties": {"$ref": {"type": "string"}, "file:///a": {"type": "string"}}})
    assert schema.complaints({"$ref": "http://a.example"}, characters=9) == ()


def test_no_address_in_a_schema_is_opened() -> None:
    """The library's own retriever asks for a `$schema` that it does not know."""
    opened = list[bytes]()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with suppress(OSError):  # closed at the end
                connection, _ = server.accept()
                opened.append(connection.recv(100))
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        schema = Schema({"$schema": f"http://127.0.0.1:{server.getsockname()[1]}/", "type": "null"})
        assert (opened, len(schema.complaints({}, characters=2))) == ([], 1)


def test_a_base_address_makes_no_reference_remote() -> None:
    with pytest.raises(ValueError, match="does not exist"):
        Schema({"$id": "http://127.0.0.1:9/", "properties": {"a": {"$ref": "#/$defs/none"}}})


def test_a_reference_inside_the_document_works() -> None:
    schema = Schema(
        {"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}}}
    )
    assert schema.complaints({"a": 1}, characters=8) == ()
    assert schema.complaints({"a": "x"}, characters=9) != ()


def test_a_pattern_that_would_backtrack_for_ever_is_judged_at_once() -> None:
    schema = Schema({"properties": {"a": {"pattern": "^(a+)+$"}}})
    assert schema.complaints({"a": "a" * 50_000 + "!"}, characters=50_010) != ()


def test_a_pattern_that_needs_backtracking_is_refused() -> None:
    with pytest.raises(ValueError, match="regex"):
        Schema({"properties": {"a": {"pattern": "(?=x)"}}})


def doubled(word: str, levels: int) -> JsonObject:
    """Return a schema of which each level holds the next one twice."""
    twice = {
        f"d{n}": {word: [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]}
        for n in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**twice, f"d{levels}": {"type": "object"}}}


def unevaluated(levels: int) -> JsonObject:
    """Return a schema of which each level asks the next one what it has evaluated."""
    found: JsonObject = {"properties": {"a": {}}}
    for _ in range(levels):
        found = {"anyOf": [found], "unevaluatedProperties": False}
    return found


ITSELF: JsonObject = {"$ref": "#"}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (doubled("allOf", 10), None),
        (doubled("allOf", 40), "unfolds to more than 10,000 schemas"),
        (doubled("anyOf", 40), "unfolds to more than 10,000 schemas"),
        (doubled("oneOf", 40), "unfolds to more than 10,000 schemas"),
        (unevaluated(4), None),
        (unevaluated(18), "unfolds to more than 10,000 schemas"),
        ({"properties": {"a": ITSELF}, "items": ITSELF}, None),
        ({"allOf": [ITSELF]}, "refers to itself for the same value"),
        ({"not": ITSELF}, "refers to itself for the same value"),
        ({"if": ITSELF}, "refers to itself for the same value"),
        ({"dependentSchemas": {"a": ITSELF}}, "refers to itself for the same value"),
        ({"$anchor": "a", "anyOf": [{"$ref": "#a"}]}, "refers to itself for the same value"),
        ({"properties": {"a": {"$id": "x:y"}}}, r"\$id 'x:y' is not supported"),
        ({"$dynamicAnchor": "a", "items": {"$dynamicRef": "#a"}}, r"\$dynamicRef '#a' is not"),
        ({"pattern": r"^[\w.-]{1,255}$"}, None),
        ({"pattern": r"^(\p{L}{1,100}){1,9}$"}, "is too large|regex"),
    ],
)
def test_a_schema_that_one_value_could_spin_in_is_refused(
    schema: JsonObject, reason: str | None
) -> None:
    if reason is None:
        assert Schema(schema).complaints({"a": {}}, characters=9) == ()
    else:
        with pytest.raises(ValueError, match=reason):
            Schema(schema)


def nested(levels: int) -> Json:
    """Return lists in lists."""
    found: Json = 1
    for _ in range(levels):
        found = [found]
    return found


TOO_LONG = ("it takes too long to compare it with its schema",)
TWICE: JsonObject = {"properties": {"v": ITSELF}, "anyOf": [{"items": ITSELF}, {"items": ITSELF}]}
ONCE: JsonObject = {"properties": {"v": ITSELF}, "anyOf": [{"type": "string"}, {"items": ITSELF}]}
MANY_WAYS: JsonObject = {"properties": {"v": {"pattern": "[ab]*a[ab]{300}c|^a"}}}


@pytest.mark.parametrize(
    ("schema", "value", "complaints"),
    [
        (ONCE, nested(100), ()),
        (TWICE, nested(5), ()),
        (TWICE, nested(60), TOO_LONG),
        (MANY_WAYS, "ab" * 1_000, ()),
        (MANY_WAYS, "ab" * 500_000, TOO_LONG),
        ({"properties": {"v": {"items": {"multipleOf": 1e-300}}}}, [1e300], ()),
        ({"properties": {"v": {"items": {"multipleOf": 1e-300}}}}, [1e300] * 100_000, TOO_LONG),
        ({"properties": {"v": {"uniqueItems": True}}}, [{"a": n} for n in range(20_000)], ()),
        (
            {"properties": {"v": {"allOf": [{"uniqueItems": True}] * 99}}},
            [[n] for n in range(20_000)],
            TOO_LONG,
        ),
        ({"properties": {"v": {"items": {"enum": [*range(5)]}}}}, [4] * 10_000, ()),
        ({"properties": {"v": {"items": {"enum": [*range(5_000)]}}}}, [4_999] * 10_000, TOO_LONG),
        ({"items": {"anyOf": [{"type": "string"}] * 99}}, {"v": 1}, ()),
        (
            {"properties": {"v": {"items": {"anyOf": [{"type": "string"}] * 99}}}},
            [1] * 8_000,
            ("it does not fit its schema: too large to say where",),
        ),
        ({"properties": {"v": {"patternProperties": {"^k": {}}}}}, {"k1": 1}, ()),
        ({"properties": {"v": {"$ref": "#/allOf/0"}}, "allOf": [{"type": "object"}]}, {}, ()),
        (
            {"properties": {"v": {"items": {"enum": [{"a": [*range(5_000)]}]}}}},
            [{}] * 10_000,
            TOO_LONG,
        ),
    ],
)
def test_what_a_value_costs_by_its_schema_is_counted_before_it_is_spent(
    schema: JsonObject, value: Json, complaints: tuple[str, ...]
) -> None:
    characters = len(json.dumps(value)) + 10
    assert Schema(schema).complaints({"v": value}, characters=characters) == complaints
