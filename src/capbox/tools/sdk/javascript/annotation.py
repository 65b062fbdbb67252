"""The types of JSDoc and TypeScript that JSON has, as JSON Schema.

    string number integer boolean null object any   "a"|"b"   T[]   Array<T>   T|null   ?T
    Record<string, T>   {a: T, b?: U}

Guarantees: a type that is not one of these is an AnnotationError that names it.
"""

from __future__ import annotations

import json
import re

from capbox.messages import Json, JsonObject

_TOKEN = re.compile(
    r"""\s*([{}()<>|?,:;=*]|\[\]|\.\.\.|"[^"\\]*"|'[^'"\\]*'|-?\d+(?:\.\d+)?|[A-Za-z_$][\w$]*)"""
)
_NAMED: dict[str, JsonObject] = {
    **{name: {"type": name} for name in ("string", "number", "integer", "boolean", "null")},
    **{name: {"type": "object"} for name in ("object", "Object")},
    **{name: {"type": "null"} for name in ("undefined", "void")},
    **{name: {} for name in ("any", "unknown", "*")},
}
_GENERIC = {"Array": 1, "Promise": 1, "Record": 2, "Object": 2}
_DEPTH_MAX = 16


class AnnotationError(Exception):
    """A type that JSON has not, or that is not understood; the text names it."""


def parsed(text: str) -> tuple[JsonObject, bool, str]:
    """Read `{T}` at the beginning; return its schema, whether it is `T=`, and what comes after."""
    reader = _Reader(text)
    reader.expect("{")
    schema = reader.either()
    optional = reader.takes("=")
    reader.expect("}")
    return schema, optional, text[reader.at :].strip()


class _Reader:
    """One type, read from left to right."""

    def __init__(self, text: str) -> None:
        """Begin before the first character."""
        self.text = text
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        return "" if found is None else found[1]

    def take(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            rest = self.text[self.at :].strip()
            raise AnnotationError(f"the type is not understood at `{rest[:20]}`")
        self.at = found.end()
        return found[1]

    def takes(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.take()
        return True

    def expect(self, token: str) -> None:
        found = self.peek()
        if not self.takes(token):
            raise AnnotationError(f"`{token}` is expected in the type, and not `{found}`")

    def either(self) -> JsonObject:
        """Read `T|U`."""
        self.depth += 1
        if self.depth > _DEPTH_MAX:
            raise AnnotationError(f"the type is nested deeper than {_DEPTH_MAX}")
        self.takes("|")
        found = [self.many()]
        while self.takes("|"):
            found.append(self.many())
        self.depth -= 1
        return _joined(found)

    def many(self) -> JsonObject:
        """Read `T`, `T[]`, `?T`."""
        if self.takes("?"):
            return _joined([self.many(), {"type": "null"}])
        schema = self.one()
        while self.takes("[]"):
            schema = {"type": "array", "items": schema}
        return schema

    def one(self) -> JsonObject:
        word = self.take()
        if word == "(":
            schema = self.either()
            self.expect(")")
            return schema
        if word == "{":
            return self.record()
        if word[0] in "\"'":
            return {"enum": [word[1:-1]]}
        if word[0] in "-0123456789":
            return {"enum": [json.loads(word)]}
        if word in ("true", "false"):
            return {"enum": [word == "true"]}
        if word in _GENERIC and self.peek() == "<":
            return self.generic(word)
        if word not in _NAMED and not word[0].isalpha():
            raise AnnotationError(f"a type is expected, and not `{word}`")
        if word not in _NAMED:
            fix = 'string, number, integer, boolean, null, object, "a"|"b", T[], {a: T, b?: T}'
            raise AnnotationError(f"{word} is no type of JSON; there are: {fix}")
        return _NAMED[word]

    def generic(self, name: str) -> JsonObject:
        self.expect("<")
        inside = [self.either()]
        while self.takes(","):
            inside.append(self.either())
        self.expect(">")
        if len(inside) != _GENERIC[name]:
            raise AnnotationError(f"{name} takes {_GENERIC[name]}, and not {len(inside)}")
        if name == "Promise":
            return inside[0]
        if name == "Array":
            return {"type": "array", "items": inside[0]}
        if inside[0] != {"type": "string"}:
            raise AnnotationError(f"the keys of {name} are texts: {name}<string, T>")
        return {"type": "object", "additionalProperties": inside[1]}

    def record(self) -> JsonObject:
        """Read what comes after `{`."""
        properties: dict[str, Json] = {}
        needed: list[Json] = []
        while not self.takes("}"):
            name = self.take().strip("\"'")
            if not re.fullmatch(r"[\w$-]+", name):
                raise AnnotationError(f"a name is expected in the type, and not `{name}`")
            optional = self.takes("?")
            self.expect(":")
            properties[name] = self.either()
            needed += [] if optional else [name]
            if not self.takes(",") and not self.takes(";") and self.peek() != "}":
                raise AnnotationError("`,` is expected between the parts of an object's type")
        return {
            "type": "object",
            "properties": properties,
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }


def _joined(found: list[JsonObject]) -> JsonObject:
    """Return the schema of one of several: one choice where all are literals."""
    if len(found) == 1:
        return found[0]
    choices = [one.get("enum") for one in found]
    if all(isinstance(one, list) for one in choices):
        return {"enum": [value for one in choices if isinstance(one, list) for value in one]}
    return {"anyOf": list[Json](found)}
