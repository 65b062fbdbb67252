"""The part of `tool.toml` that a build writes: description and schemas, between two marks.

Guarantees: not a byte outside of the marks changes; what is written parses to what was given, and
is words and schemas alone. Does not: guess where the part belongs when its marks are gone but its
keys are there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from capbox.messages import Json, JsonObject
from capbox.toml import read_toml
from capbox.tools.sdk.project import BuildError

END = "# </generated>"
_BEGIN = re.compile(r"^# <generated[^\n]*>[ \t]*$", re.MULTILINE)
_END = re.compile(r"^# </generated>[ \t]*$", re.MULTILINE)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_KEYS = ("description", "input_schema", "output_schema")


def is_generated(text: str) -> bool:
    """Say whether a manifest's text has the marks between which a build writes."""
    return _BEGIN.search(text) is not None


def with_generated(text: str, source: str, parts: JsonObject, where: str) -> str:
    """Return a manifest's text with the parts that were read from `source`. Raises BuildError."""
    by = "by capbox tool build; what you change here is written over"
    begin = f"# <generated from {source} {by}>"
    try:
        lines = [begin, *_lines(_own(parts, where)), END]
    except (ValueError, RecursionError) as error:
        raise BuildError(where, f"the built tool describes itself badly: {error}") from error
    opened, closed = _BEGIN.search(text), _END.search(text)
    if opened and closed and opened.start() < closed.start():
        before, after = text[: opened.start()], text[closed.end() :]
        return f"{before}{chr(10).join(lines)}{after}"
    try:
        given = read_toml(text)
    except ValueError as error:
        raise BuildError(where, str(error)) from error
    taken = next((key for key in _KEYS if key in given), None)
    if taken is not None or opened or closed:
        fix = f"put it between the lines `{begin}` and `{END}`, or remove it"
        raise BuildError(where, f"{taken or 'a mark'} is not where the build writes it", fix)
    # Keys of the document come before its first table.
    table = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    at = len(text) if table is None else table.start()
    return f"{text[:at]}{chr(10).join(lines)}\n\n{text[at:]}"


def _own(parts: JsonObject, where: str) -> JsonObject:
    """Return what a build may write: the author's words and schemas. Raises BuildError.

    Attack: a dependency, which is imported to describe the function, adds allowed_outbound_hosts.
    """
    own = {key: parts[key] for key in _KEYS if parts.get(key) is not None}
    for key, value in own.items():
        kind, word = (str, "text") if key == "description" else (dict, "table")
        if not isinstance(value, kind):
            raise BuildError(where, f"{key}: the built tool describes itself with no {word}")
    return own


def _lines(parts: JsonObject) -> Iterator[str]:
    for key, value in parts.items():
        if isinstance(value, dict):
            for names, one in _flat(value):
                yield f"{key}.{'.'.join(map(_key, names))} = {toml(one)}"
        else:
            yield f"{key} = {toml(value)}"


def _flat(table: JsonObject) -> Iterator[tuple[tuple[str, ...], Json]]:
    """Yield the entries of a schema; its properties one by one, so that each has a line."""
    for name, value in table.items():
        if name == "properties" and isinstance(value, dict) and value:
            yield from (((name, key), one) for key, one in value.items())
        else:
            yield (name,), value


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def toml(value: Json) -> str:
    """Return JSON as a value of TOML on one line. Raises ValueError for null, which it has not."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {toml(one)}" for key, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml, value))}]"
    raise ValueError(f"{value!r} cannot be written as TOML")


def _text(text: str) -> str:
    # JSON's escapes are TOML's; but TOML has no surrogates, and wants DEL escaped.
    clean = text.encode(errors="replace").decode()
    return json.dumps(clean, ensure_ascii=False).replace("\x7f", "\\u007f")
