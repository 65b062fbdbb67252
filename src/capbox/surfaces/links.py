"""Links and images of Markdown text, written out so that a person sees where they lead.

`[the docs](https://evil.test/x)` becomes `the docs (evil.test: https://evil.test/x)`, an image
`(image: alt, evil.test: https://evil.test/x)`, and an address that is none of the web's
(`javascript:`, `data:`, `file:`) words that nothing takes for a link.

Guarantees: what is a link is decided by a Markdown parser (CommonMark); code stays as it is; no
address is left out, only a long one is cut, with a mark. Does not: keep the title of a link; touch
bare addresses, which show themselves; see more than one paragraph (`markdown` sees documents).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

    Rule = Callable[[StateInline, bool], bool]

ROUNDS_MAX: Final = 8
"""How often a text is read again: what stood around a link may be one once that is gone."""

NESTING_MAX: Final = 40
"""How deep quotes and lists are read; below that the parser sees nothing."""

_ADDRESS_CHARACTERS: Final = 400
_SCHEME: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_SHOWN_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "ftp"})
# What an address may hold and Markdown would read: RFC 3986 lets each be spelt so.
_SPELT: Final = str.maketrans({mark: f"%{ord(mark):02X}" for mark in "`*~[]<>|\\!"})
_FLAT: Final = str.maketrans({mark: None for mark in "[]<>`"} | {"\n": " "})
# What another parser might take for a tag, a link or a definition. `\\<` would not do: to GFM the
# backslash belongs to a bare address before it, and the tag is one.
_DOUBT: Final = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(:])")
_RISKY: Final = re.compile(r"<[A-Za-z/!?]|\][(\[:]")
_BACKTICKS: Final = re.compile("`+")
_INERT: Final = {"<": "&lt;", "]": "]\\", "": " "}
_BARE_ADDRESS: Final = re.compile(r"(?:://|www\.)[^\s<]*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text that leads elsewhere: `link`, `image`, `autolink`, or what is in `doubt`."""

    kind: str
    start: int
    end: int
    label_start: int
    label_end: int
    address: str


def links_shown(text: str) -> str:
    """Return a paragraph with each link and image written out; HTML is only text here."""
    for _ in range(ROUNDS_MAX):
        found = spans(text, {}, wary=False)
        shown = written_out(text, [one for one in found if one.kind != "doubt"])
        if shown == text:
            break
        text = shown
    return text


def spans(
    text: str, environment: Mapping[str, Any], flavour: tuple[str, ...] = (), *, wary: bool = True
) -> list[Span]:
    """Return what leads elsewhere from a paragraph, in order, each before what is in its label.

    `environment` holds the references that are known (the `env` of markdown-it); `flavour` names
    rules beyond CommonMark's; `wary` looks also for what other parsers might find.
    """
    found = _Found(wary=wary and _RISKY.search(text) is not None)
    parser = reader(flavour)
    parser.inline.parse(text, parser, {**environment, _FOUND: found}, [])
    return sorted(found.spans, key=lambda one: (one.start, -one.end))


def written_out(text: str, found: Sequence[Span]) -> str:
    """Return `text` with these spans written out; they are in the order of `spans`."""
    return _part(text, found, 0, len(text))


def _part(text: str, found: Sequence[Span], start: int, end: int) -> str:
    pieces, done, number = [], start, 0
    while number < len(found):
        one, number = found[number], number + 1
        first = number
        while number < len(found) and found[number].start < one.end:
            number += 1
        within = [i for i in found[first:number] if one.label_start <= i.start < one.label_end]
        label = _part(text, within, one.label_start, one.label_end)
        pieces += [text[done : one.start], _written(one, label)]
        done = one.end
    return "".join([*pieces, text[done:end]])


def _written(one: Span, label: str) -> str:
    match one.kind:
        case "doubt":
            return _INERT.get(label) or label.replace("`", "&#96;")
        case "image":
            alt = label.translate(_FLAT).strip()
            return f"(image: {alt}{', ' if alt else ''}{address_shown(one.address)})"
        case "autolink":
            return _itself(one.address)
        case _:
            same = label.strip().rstrip("/") == one.address.rstrip("/")
            return _itself(one.address) if same else f"{label} ({address_shown(one.address)})"


def _itself(address: str) -> str:
    """Return an address that is its own label, with its host where `good.test@` hides it."""
    honest = _SCHEME.match(address) and host_of(address) and "@" not in urlsplit(address).netloc
    return _cut(address) if honest else address_shown(address)


def address_shown(address: str) -> str:
    """Return an address in words: its host first, or that it is none of the web's."""
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() not in _SHOWN_SCHEMES:
        # Attack: a terminal or renderer that takes `javascript:` or `file:` for a link after all.
        return f"no web address, {scheme[1].lower()} with {_cut(address[scheme.end() :])}"
    host = host_of(address)
    return f"{host}: {_cut(address)}" if host else _cut(address)


def host_of(address: str) -> str:
    """Return the host an address leads to, "" where it has none."""
    try:
        return urlsplit(address.strip()).hostname or ""
    except ValueError:
        return ""


def _cut(address: str) -> str:
    shown = address.translate(_SPELT)
    if len(shown) <= _ADDRESS_CHARACTERS:
        return shown
    half = _ADDRESS_CHARACTERS // 2
    return f"{shown[:half]} ... {len(shown)} characters ... {shown[-half:]}"


# --- the parser, which notes what it finds ------------------------------------------------------

_FOUND: Final = "capbox"
_TOKENS: Final = {"link": ("link_open", "href"), "image": ("image", "src")}


class _Found:
    """What was found in one paragraph; nothing within the label of an image counts."""

    def __init__(self, *, wary: bool) -> None:
        self.spans: list[Span] = []
        self.images = 0
        self.wary = wary
        self.marks: set[int] = set()


@cache
def reader(flavour: tuple[str, ...] = ()) -> MarkdownIt:
    """Return a parser that reads blocks, but not what is in them, and paragraphs for `spans`."""
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import autolink, image, link

    # HTML is off: a tag is text to it, so what a tag would hide is read as Markdown too.
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING_MAX})
    parser.enable(list(flavour))
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.inline.ruler.at("link", _noting("link", link))
    parser.inline.ruler.at("image", _noting("image", image))
    parser.inline.ruler.at("autolink", _noting("autolink", autolink))
    parser.inline.ruler.at("html_inline", _note_doubt)
    parser.inline.ruler.at("escape", _escape)
    parser.inline.ruler.at("backticks", _code)
    # Other parsers make links of what this one would refuse.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    return parser


def _noting(kind: str, rule: Rule) -> Rule:
    """Return a rule that notes what it matches."""
    token_type, key = _TOKENS.get(kind, _TOKENS["link"])
    opens = {"link": 0, "image": 1}.get(kind)

    def noted(state: StateInline, silent: bool) -> bool:
        found: _Found = state.env[_FOUND]
        start, before = state.pos, len(state.tokens)
        found.images += kind == "image"
        matched = rule(state, silent)
        found.images -= kind == "image"
        if matched and not silent and not found.images:
            address = next(t.attrs[key] for t in state.tokens[before:] if t.type == token_type)
            label = (start, start)
            if opens is not None:
                # Where a link may not hold another one, its label ends elsewhere.
                closes = state.md.helpers.parseLinkLabel(state, start + opens, kind == "link")
                label = (start + opens + 1, closes)
            found.spans.append(Span(kind, start, state.pos, *label, str(address)))
        return matched

    return noted


def _note_doubt(state: StateInline, silent: bool) -> bool:
    """Note where another parser might see more than this one; here it stays text."""
    match = None if silent else _DOUBT.match(state.src, state.pos)
    if match:
        _doubt(state, match.start(), match.start(), match.end())
    return False


def _escape(state: StateInline, silent: bool) -> bool:
    from markdown_it.rules_inline import escape

    start = state.pos
    if not escape(state, silent):
        return False
    if not silent and state.src.startswith("<", start + 1):
        _doubt(state, start, start + 1, start + 2)
    return True


def _code(state: StateInline, silent: bool) -> bool:
    """Read a code span; one that parsers of tables might end elsewhere is read as text."""
    from markdown_it.rules_inline import backtick

    mark = _BACKTICKS.match(state.src, state.pos)
    if mark is None:
        return False
    found: _Found = state.env[_FOUND]
    start = state.pos
    if found.wary and not found.images and start not in found.marks:
        backtick(state, silent=True)
        span, end, state.pos = state.src[start : state.pos], state.pos, start
        if "\n" in span or "|" in span:
            found.marks |= {start, end - len(mark[0])}
    if start in found.marks:
        # What is between is read as text, and the marks become what no parser takes for marks.
        state.pos = mark.end()
        if not silent:
            state.pending += mark[0]
            _doubt(state, start, start, state.pos)
        return True
    # To GFM a backtick too belongs to an address before it, and the code begins elsewhere.
    if not silent and _BARE_ADDRESS.search(state.src, max(0, start - _ADDRESS_CHARACTERS), start):
        _doubt(state, start, start, start)
    return backtick(state, silent)


def _doubt(state: StateInline, start: int, inert_start: int, end: int) -> None:
    """Note a text whose part from `inert_start` is to be made inert."""
    found: _Found = state.env[_FOUND]
    if not found.images:
        found.spans.append(Span("doubt", start, end, inert_start, end, ""))
