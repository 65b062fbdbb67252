"""Fills the arguments of a skill into its text.

    $ARGUMENTS      everything, as it was given
    $ARGUMENTS[0]   the first, split as a shell does; $0 is the same
    $name {{name}}  one that `arguments:` of the front matter names, in their order
    ${CLAUDE_SKILL_DIR}   where the skill's files are seen

Guarantees: one pass, so that nothing in an argument is filled again; what has no argument stays as
it is written (`awk '{print $1}'` in a skill without arguments does); arguments that no place takes
stand at the end; no more than `FILLED_CHARACTERS_MAX` is ever built. Does not: run a command;
!`command` in a skill stays text.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

ARGUMENTS_CHARACTERS_MAX = 8_000
FILLED_CHARACTERS_MAX = 256_000
_PLACE = re.compile(
    r"\\(?P<literal>\$|\{\{)"
    r"|\$ARGUMENTS(?:\[(?P<index>[0-9]{1,2})\])?(?![A-Za-z0-9_])"
    r"|\$(?P<number>[0-9]{1,2})(?![A-Za-z0-9_])"
    r"|\$\{(?P<folder>CLAUDE_SKILL_DIR)\}"
    r"|\$(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\{\{\s*(?P<braced>[A-Za-z_][A-Za-z0-9_-]*)\s*\}\}"
)


def filled(
    body: str, given: str, names: tuple[str, ...] = (), folder: str | None = None
) -> str | None:
    """Return `body` with the arguments `given`; `folder` is where its files are seen, if so.

    None: the text would be longer than `FILLED_CHARACTERS_MAX`.
    """
    words = _words(given)
    named = dict(zip(names, words, strict=False))
    taken = False

    def place(found: re.Match[str]) -> str:
        nonlocal taken
        if found["literal"]:
            return found["literal"]
        if found["folder"]:
            return found[0] if folder is None else folder
        number = found["index"] or found["number"]
        name = found["name"] or found["braced"]
        if number is not None:
            value = words[int(number)] if int(number) < len(words) else None
        elif name is None or (name.lower() == "arguments" and name not in names):
            value = given
        else:
            value = named.get(name)
        if value is None:
            return found[0]
        taken = True
        return value

    text = _bounded(body, place)
    if text is None or taken or not given.strip():
        return text
    text = f"{text}\n\nARGUMENTS: {given}"
    return text if len(text) <= FILLED_CHARACTERS_MAX else None


def _bounded(body: str, place: Callable[[re.Match[str]], str]) -> str | None:
    # Attack: a model writes a skill of 32,000 places and uses it with 8,000 characters for each:
    # 256 MB a call, in the process that guards it.
    pieces: list[str] = []
    left, end = FILLED_CHARACTERS_MAX, 0
    for found in _PLACE.finditer(body):
        pieces += (body[end : found.start()], place(found))
        left -= len(pieces[-2]) + len(pieces[-1])
        end = found.end()
        if left < 0:
            return None
    return "".join((*pieces, body[end:])) if len(body) - end <= left else None


def _words(given: str) -> list[str]:
    try:
        return shlex.split(given)
    except ValueError:  # a quote without its end
        return given.split()
