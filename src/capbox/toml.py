"""TOML that a stranger wrote: manifests, build and lock files.

Guarantees: whatever the text, an answer or a ValueError within a second, by bounds on bytes, on the
parts of a key and on nesting. Does not: look into strings and comments, where every dot is welcome;
bound what an operator wrote (`tomllib` reads that).
"""

from __future__ import annotations

import re
import tomllib

BYTES_MAX = 256 << 10
KEY_PARTS_MAX = 24
"""In `a.b.c`, and in `[a.b.c]`: a schema has few, and the parser works with their square."""

NESTED_MAX = 64
"""Tables and arrays in one another: less than what any reader's recursion can take."""

# Strings as tomllib ends them (up to two quotes more before three), those without an end at the end
# of their line or of the text: there it gives up as well. Possessive: no second try, linear time.
_UNREAD = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|\#[^\n]*+",
    re.DOTALL,
)
_ENDS = re.compile(r"[=,\[\]{}\n]")


def read_toml(text: str) -> dict[str, object]:
    """Return the document of a stranger's text. Raises ValueError for what is none, or too much."""
    if len(text) > BYTES_MAX or len(text.encode(errors="replace")) > BYTES_MAX:
        raise ValueError(f"it has over {BYTES_MAX:,} bytes")
    # Attack: one key of 16,000 parts, with which tomllib is busy for ten seconds; 131,000 fit.
    if any(run.count(".") >= KEY_PARTS_MAX for run in _ENDS.split(_UNREAD.sub("", text))):
        raise ValueError(f"a key has over {KEY_PARTS_MAX} parts")
    deep = f"it has over {NESTED_MAX} tables and arrays in one another"
    try:
        document: dict[str, object] = tomllib.loads(text)
    except RecursionError as error:
        raise ValueError(deep) from error
    level: list[object] = [document]
    for _ in range(NESTED_MAX):
        inside = [list(one.values()) if isinstance(one, dict) else one for one in level]
        level = [one for items in inside if isinstance(items, list) for one in items]
        if not level:
            return document
    # Attack: arguments of a case so deep that whoever writes them as JSON fails.
    raise ValueError(deep)
