"""The comment before the exported function: what a model is told, and what is no such comment."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox.messages import JsonObject
from capbox.tools.sdk.javascript.jsdoc import documented
from capbox.tools.sdk.project import BuildError

TEXT: JsonObject = {"type": "string"}
FUNCTION = "export default function t({ a }) {}\n"


def read(folder: Path, source: str) -> JsonObject:
    """What is read from a source."""
    (folder / "t.js").write_text(source)
    return documented(folder / "t.js")


def taken(folder: Path, *tags: str) -> JsonObject:
    """The schema of a function with these tags."""
    lines = "".join(f" * {tag}\n" for tag in tags)
    schema = read(folder, f"/**\n * Do.\n{lines} */\n{FUNCTION}")["input_schema"]
    assert isinstance(schema, dict)
    return schema


def test_the_comment_becomes_what_a_model_is_told(tmp_path: Path) -> None:
    source = """\
/** Another one. */
const x = 1;

/**
 * Count words.
 *
 * Empty lines too.
 * @param {string} text What
 *   is counted.
 * @param {"words"|"lines"} [unit="words"] - What of it.
 * @param {number=} most
 * @returns {{count: number}} The count.
 * @throws {Error} never
 */
export default async function words({ text, unit, most }) {}
"""
    assert read(tmp_path, source) == {
        "description": "Count words.\n\nEmpty lines too.",
        "input_schema": {
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "What is counted."},
                "unit": {
                    "enum": ["words", "lines"],
                    "description": "What of it.",
                    "default": "words",
                },
                "most": {"type": "number"},
            },
            "required": ["text"],
            "additionalProperties": False,
        },
        "output_schema": {
            "type": "object",
            "properties": {"count": {"type": "number"}},
            "required": ["count"],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize(
    "tags",
    [
        ("@param {string} a",),
        ("@arg {string} a",),
        ("@param {object} options What.", "@param {string} options.a"),
        ("@param {{a: string}} $0", "@param {string} $0.a"),
    ],
)
def test_one_object_is_taken_however_the_comment_names_it(
    tags: tuple[str, ...], tmp_path: Path
) -> None:
    assert taken(tmp_path, *tags) == {
        "type": "object",
        "properties": {"a": TEXT},
        "required": ["a"],
        "additionalProperties": False,
    }
    assert taken(tmp_path) == {"type": "object", "additionalProperties": False}


@pytest.mark.parametrize(
    ("returns", "schema"),
    [
        ("@returns {string}", None),
        ("@returns {Promise<string>}", None),
        ("@returns {void}", None),
        ("@returns {number|null}", None),
        ("@returns {'a'|'b'}", None),
        ("@returns {*}", None),
        ("@returns what it is", None),
        ("@return {object}", {"type": "object"}),
        (
            "@returns {Promise<number[]>}",
            {
                "type": "object",
                "properties": {"result": {"type": "array", "items": {"type": "number"}}},
                "required": ["result"],
            },
        ),
    ],
)
def test_what_is_returned_has_a_schema_if_it_is_always_data(
    returns: str, schema: JsonObject | None, tmp_path: Path
) -> None:
    found = read(tmp_path, f"/** Do.\n * {returns}\n */\n{FUNCTION}")
    assert found.get("output_schema") == schema


def test_the_comment_of_a_commonjs_module_and_of_one_line_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, "/** Do. */ module.exports = () => 1;")["description"] == "Do."
    assert read(tmp_path, "  /** Do. */\nexport default () => 1;")["description"] == "Do."
    described = "/**\n * @description Do.\n */\nexport default () => 1;"
    assert read(tmp_path, described)["description"] == "Do."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (FUNCTION, "t.js: no comment /** ... */ stands before `export default`"),
        (f"/* Do. */\n{FUNCTION}", "t.js: no comment /** ... */ stands before"),
        (f"/** Do. */\nconst x = 1;\n{FUNCTION}", "t.js: no comment /** ... */ stands before"),
        (f"/** Do. */\n{FUNCTION}" * 2, "t.js: more than one comment stands before"),
        (f"\n/** @param {{string}} a */\n{FUNCTION}", "t.js:2: the comment does not say what"),
        (f"/** Do.\n * @param a */\n{FUNCTION}", "t.js:2: @param: a type is expected"),
        (f"/** Do.\n * @param {{string}} */\n{FUNCTION}", "t.js:2: @param: a name is expected"),
        (f"/** Do.\n\n * @param {{Date}} a */\n{FUNCTION}", "t.js:3: @param: Date is no type"),
        (f"/** Do.\n * @returns {{Date}} */\n{FUNCTION}", "t.js:2: @returns: Date is no type"),
        (
            f"/** Do.\n * @param {{string}} [a=now()] */\n{FUNCTION}",
            "t.js:2: @param: the default now() is no JSON; leave it out",
        ),
        (
            f"/** Do.\n * @param {{string}} a\n * @param {{string}} a */\n{FUNCTION}",
            "t.js:3: @param a: stands here twice",
        ),
        (
            f"/** Do.\n * @param {{object}} a\n * @param {{string}} b.c */\n{FUNCTION}",
            "t.js:3: @param b.c: is part of another one",
        ),
        (
            f"/** Do.\n * @param {{object}} a\n * @param {{string}} a.b.c */\n{FUNCTION}",
            "t.js:3: @param b.c: is part of another one",
        ),
    ],
)
def test_what_is_no_such_comment_is_told_with_its_line(
    source: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BuildError) as refused:
        read(tmp_path, source)
    assert message in str(refused.value)
