"""What a function's comment says of it: the JSDoc before `export default`, as a manifest has it.

    /**
     * Count words.
     * @param {string} text What is counted.
     * @param {"words"|"lines"} [unit="words"] What of it.
     * @returns {{count: number}}
     */
    export default function words({ text, unit = "words" }) { ... }

Guarantees: what is no JSON, or not understood, is an error with its line. Nothing is run. Does not:
compare the comment with the code; whoever calls the function is told what stands here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from capbox.messages import Json, JsonObject
from capbox.tools.sdk.javascript.annotation import AnnotationError, parsed
from capbox.tools.sdk.project import BuildError

_COMMENT = re.compile(
    r"^[ \t]*/\*\*((?:(?!\*/).)*)\*/\s*(?:export\s+default\b|module\.exports\s*=)", re.M | re.S
)
_LINE = re.compile(r"^[ \t]*\*? ?(.*?)[ \t]*$")
_NAME = re.compile(r"\[\s*([\w$.]+)\s*(?:=\s*(.*?))?\s*\]|([\w$.]+)")
_TAGS = ("param", "arg", "argument")
_RETURNS = ("returns", "return")


@dataclass(frozen=True, slots=True)
class _Tag:
    """One of a comment's tags: `@name text`, and the line that it begins in."""

    name: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    schema: JsonObject
    optional: bool
    line: int


def documented(source: Path) -> JsonObject:
    """Return description, input_schema and perhaps output_schema. Raises BuildError."""
    text = source.read_text(encoding="utf-8")
    found = list(_COMMENT.finditer(text))
    if len(found) != 1:
        what = "more than one comment" if found else "no comment /** ... */"
        fix = "it says what the function does, and takes: docs/writing-tools.md"
        raise BuildError(str(source), f"{what} stands before `export default`", fix)
    first = text.count("\n", 0, found[0].start(1)) + 1
    description, tags = _split(found[0][1], first)
    if not description:
        raise BuildError(f"{source}:{first}", "the comment does not say what the function does")
    parameters: list[_Parameter] = []
    returned: JsonObject | None = None
    for tag in tags:
        try:
            if tag.name in _TAGS:
                parameters.append(_parameter(tag))
            elif tag.name in _RETURNS and tag.text.startswith("{"):
                returned = _returned(parsed(tag.text)[0])
        except (AnnotationError, ValueError) as error:
            raise BuildError(f"{source}:{tag.line}", f"@{tag.name}: {error}") from None
    taken = _taken(parameters, source)
    parts: JsonObject = {"description": description, "input_schema": taken}
    return parts if returned is None else {**parts, "output_schema": returned}


def _split(comment: str, first: int) -> tuple[str, list[_Tag]]:
    """Return a comment's description and its tags."""
    description: list[str] = []
    tags: list[_Tag] = []
    for number, raw in enumerate(comment.splitlines(), start=first):
        found = _LINE.match(raw)
        line = "" if found is None else found[1]
        tag = re.match(r"@(\w+)\s*(.*)", line)
        if tag is not None:
            name = "" if tag[1] == "description" else tag[1]
            tags.append(_Tag(name, tag[2], number))
        elif tags:
            tags[-1] = _Tag(tags[-1].name, f"{tags[-1].text} {line.strip()}".strip(), tags[-1].line)
        else:
            description.append(line)
    told = [*description, *(tag.text for tag in tags if tag.name == "")]
    return "\n".join(told).strip(), [tag for tag in tags if tag.name]


def _parameter(tag: _Tag) -> _Parameter:
    if not tag.text.startswith("{"):
        raise ValueError("a type is expected: @param {string} name What it is.")
    schema, optional, rest = parsed(tag.text)
    found = _NAME.match(rest)
    if found is None:
        raise ValueError("a name is expected after the type")
    name, default = found[1] or found[3], found[2]
    said = rest[found.end() :].strip().removeprefix("-").strip()
    if said:
        schema = {**schema, "description": said}
    if default is not None and (value := _literal(default)) is not None:
        schema = {**schema, "default": value}
    return _Parameter(name, schema, optional or found[1] is not None, tag.line)


def _literal(text: str) -> Json:
    """Return a default as JSON. Raises ValueError for what is neither JSON nor a text in quotes."""
    single = re.fullmatch(r"'([^'\"\\]*)'", text)
    try:
        value: Json = json.loads(text if single is None else f'"{single[1]}"')
    except ValueError:
        raise ValueError(f"the default {text} is no JSON; leave it out") from None
    return value


def _taken(parameters: list[_Parameter], source: Path) -> JsonObject:
    """Return the schema of the one object that the function takes.

    `@param {object} options` and `@param {string} options.name`, as for an editor, mean `name`.
    """
    whole = [one for one in parameters if "." not in one.name]
    if len(whole) < len(parameters) and len(whole) == 1 and whole[0].schema.get("type") == "object":
        prefix = f"{whole[0].name}."
        parameters = [
            _Parameter(one.name.removeprefix(prefix), one.schema, one.optional, one.line)
            for one in parameters
            if one is not whole[0]
        ]
    properties: dict[str, Json] = {}
    for one in parameters:
        where = f"{source}:{one.line}"
        if "." in one.name:
            fix = "write an object's type out: @param {{x: number, y?: number}} point"
            raise BuildError(where, f"@param {one.name}: is part of another one", fix)
        if one.name in properties:
            raise BuildError(where, f"@param {one.name}: stands here twice")
        properties[one.name] = one.schema
    needed: list[Json] = [one.name for one in parameters if not one.optional]
    return {
        "type": "object",
        **({"properties": properties} if properties else {}),
        **({"required": needed} if needed else {}),
        "additionalProperties": False,
    }


def _returned(schema: JsonObject) -> JsonObject | None:
    """Return the schema of a result's data; None where it may be the content alone."""
    if not schema or _may_be_content(schema):
        return None
    if schema.get("type") == "object":
        return schema
    return {"type": "object", "properties": {"result": schema}, "required": ["result"]}


def _may_be_content(schema: JsonObject) -> bool:
    either = schema.get("anyOf")
    if isinstance(either, list):
        return any(not isinstance(one, dict) or not one or _may_be_content(one) for one in either)
    choices = schema.get("enum")
    if isinstance(choices, list):
        return any(isinstance(one, str) for one in choices)
    return schema.get("type") in ("string", "null")
