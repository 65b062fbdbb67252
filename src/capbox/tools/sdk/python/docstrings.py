"""What is surely wrong with a docstring, found before the long work of a build.

Guarantees: what is told here, the interpreter inside would tell too, in these words
(`packed/capbox_tool.py.in`, which reads docstrings whole). Does not: look at NumPy's entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Params|Attributes|Returns?|Yields?|Raises|Examples?|Notes?"
    r"|Warnings?|See Also|References|Other Parameters)(:?)[ \t]*"
)
_OF_ARGUMENTS = frozenset({"Args", "Arguments", "Parameters", "Params", "Attributes"})
_HEADING = re.compile(r"([A-Za-z]+)[ \t]*:?[ \t]*")
_HEADINGS, _ALIKE = ("args", "arguments", "params", "parameters"), 0.7
_GOOGLE = re.compile(r"([ \t]+)\*{0,2}(\w+)(?:[ \t]*\([^)\n]*\))?:[ \t]*(.*)")
_SPHINX = re.compile(
    r"[ \t]*:(?:param|parameter|arg|argument|key)[ \t]+(?:[^:]*[ \t])?(\w+):[ \t]*\S.*"
)


def wrong(text: str, names: Sequence[str]) -> str:
    """Return what is wrong with the docstring of a function with these arguments, else ""."""
    lines = text.splitlines()
    for line, under in zip(lines, [*lines[1:], ""], strict=True):
        if _is_misspelt(line, under):
            return f"the docstring has {line.strip()!r} over its arguments; write Args:"
    unknown = next((name for name in _told(lines) if name not in names), None)
    if unknown is None:
        return ""
    there = f"; there are: {', '.join(names)}" if names else ""
    return f"the docstring describes {unknown}, and takes it not{there}"


def _is_misspelt(line: str, under: str) -> bool:
    heading, section = _HEADING.fullmatch(line), _SECTION.fullmatch(line)
    ruled = _is_rule(under)
    if heading is None or (section and (section[2] or ruled)):
        return False
    entries = ruled or _GOOGLE.fullmatch(under) is not None
    return entries and bool(get_close_matches(heading[1].lower(), _HEADINGS, 1, _ALIKE))


def _told(lines: Sequence[str]) -> Iterator[str]:
    """Yield the arguments that are described in Google's or Sphinx's style, and what is none."""
    section, edge = "", -1
    for line, under in zip(lines, [*lines[1:], ""], strict=True):
        heading = _SECTION.fullmatch(line)
        if heading and (heading[2] or _is_rule(under)):
            section, edge = "" if _is_rule(under) else heading[1], -1
        elif match := _SPHINX.fullmatch(line):
            section = ""
            yield match[1]
        elif section in _OF_ARGUMENTS and (match := _GOOGLE.fullmatch(line)):
            edge = len(match[1]) if edge == -1 else edge
            if match[3] and len(match[1]) == edge:
                yield match[2]


def _is_rule(line: str) -> bool:
    return bool(line.strip()) and set(line.strip()) <= {"-", "="}
