"""Front matter: the YAML between two lines `---` at the top of a SKILL.md.

Guarantees: every scalar is text as it is written (no dates, numbers, objects); what is no mapping
of texts, lists of texts and mappings of texts, and every anchor, alias, tag, key that stands twice,
second document or excess, is a `FrontError` with its line. Nothing is constructed: the parser's
events are read, and no loader of the library runs. Does not: know which keys there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

FRONT_CHARACTERS_MAX = 16 * 1024
ENTRIES_MAX = 200
_FENCE = "---"

Value = str | tuple[str, ...] | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FrontError:
    """Why a text has no front matter that can be read."""

    reason: str


class _Refused(Exception):
    def __init__(self, reason: str, event: object = None) -> None:
        mark = getattr(event, "start_mark", None)
        # In the file, where the fence is line 1.
        super().__init__(reason if mark is None else f"line {mark.line + 2}: {reason}")


@lru_cache(maxsize=256)  # a program that begins many runs reads the same skills for each
def front_matter(text: str) -> tuple[Mapping[str, Value], str] | FrontError:
    """Return the front matter of a text, and what follows it."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != _FENCE:
        return FrontError("it does not begin with front matter (a line ---)")
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == _FENCE), None)
    if end is None:
        return FrontError("its front matter has no end (a second line ---)")
    head = "\n".join(lines[1:end])
    if len(head) > FRONT_CHARACTERS_MAX:
        return FrontError(f"its front matter has more than {FRONT_CHARACTERS_MAX} characters")
    import yaml

    try:
        # One by one: what is nested too deep ends it before the rest is parsed, which takes the
        # library a time that grows with the square of the depth (9,000 brackets: 35 s).
        return _document(yaml.parse(head, Loader=yaml.SafeLoader)), "\n".join(lines[end + 1 :])
    except _Refused as error:
        return FrontError(str(error))
    except RecursionError:
        return FrontError("its front matter is nested too deep")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f"line {mark.line + 2}: "
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "no YAML"
        return FrontError(f"its front matter is not YAML: {place}{problem}")


def _document(events: Iterator[object]) -> Mapping[str, Value]:
    _expect(next(events), "StreamStartEvent")
    first = next(events)
    if _kind(first) == "StreamEndEvent":
        return {}
    _expect(first, "DocumentStartEvent")
    top = next(events)
    if _kind(top) != "MappingStartEvent":
        raise _Refused("it is not a list of `key: value`", top)
    found = dict(_entries(events, top))
    _expect(next(events), "DocumentEndEvent")
    last = next(events)
    if _kind(last) != "StreamEndEvent":
        raise _Refused("there is a second document", last)
    return found


def _entries(events: Iterator[object], start: object) -> Iterator[tuple[str, Value]]:
    _plain(start)
    seen: set[str] = set()
    for event in events:
        if _kind(event) == "MappingEndEvent":
            return
        key = _text(event)
        if key in seen:
            # Attack: two readers take another one of the two each.
            raise _Refused(f"{key!r} stands twice", event)
        if len(seen) >= ENTRIES_MAX:
            raise _Refused(f"there are more than {ENTRIES_MAX} keys", event)
        seen.add(key)
        yield key, _value(next(events), events)


def _value(event: object, events: Iterator[object]) -> Value:
    match _kind(event):
        case "SequenceStartEvent":
            _plain(event)
            return tuple(_items(events))
        case "MappingStartEvent":
            held = dict(_entries(events, event))
            if not all(isinstance(value, str) for value in held.values()):
                raise _Refused("it is nested too deep", event)
            return {key: str(value) for key, value in held.items()}
        case _:
            return _text(event)


def _items(events: Iterator[object]) -> Iterator[str]:
    for number, event in enumerate(events):
        if _kind(event) == "SequenceEndEvent":
            return
        if number >= ENTRIES_MAX:
            raise _Refused(f"a list has more than {ENTRIES_MAX} entries", event)
        yield _text(event)


def _text(event: object) -> str:
    if _kind(event) == "AliasEvent":
        # Attack: nine aliases of nine aliases, a billion texts of a file of 400 bytes.
        raise _Refused("aliases (*name) are not read", event)
    if _kind(event) != "ScalarEvent":
        raise _Refused("it is nested too deep", event)
    _plain(event)
    return str(getattr(event, "value", ""))


def _plain(event: object) -> None:
    if getattr(event, "anchor", None) is not None:
        raise _Refused("anchors (&name) are not read", event)
    if getattr(event, "tag", None) is not None:
        raise _Refused("tags (!name) are not read", event)


def _kind(event: object) -> str:
    return type(event).__name__


def _expect(event: object, kind: str) -> None:
    if _kind(event) != kind:
        raise _Refused("it is not a list of `key: value`", event)
