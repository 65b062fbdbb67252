"""Takes the values of secrets out of what a guest, a model, a person or the journal may see.

Guarantees: a value is found as it is and in the encodings that servers echo (`spellings`), across
the borders of chunks too, and each finding becomes `[secret:NAME]`; what is no part of one stays;
however the input is cut, the output is the same. Time is linear in the input; held back is only
what may begin a finding, and where that is long, up to a third as much again.
Does not: find what was compressed, encrypted, reversed or encoded twice. Inside a longer base64
text the character at either end, which holds bits of the neighbour too, stays.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from itertools import product
from urllib.parse import quote, quote_plus

from capbox.messages import Json

SHORTEST = 8
"""Bytes; a shorter value would be found in ordinary text."""

_Known = Mapping[bytes, tuple[tuple[bytes, bytes], ...]]
"""Spelling and mark, the longest first, by the first `SHORTEST` bytes of the spelling."""

_RESCANNED_FREELY = 4_096
_UNQUOTED = ("", "/", "!'()*", "!#$&'()*+,/:;=?@")  # the last two: encodeURIComponent, encodeURI
_QUOTES = ("&quot;", "&#34;", '"'), ("&#x27;", "&#39;", "&apos;", "'")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}")
_URL_ALPHABET = bytes.maketrans(b"+/", b"-_")


class Redactor:
    """Knows secrets by name; is the identity if there are none."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Look for these values. Raises ValueError for one that is too short to be told apart."""
        known: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for name, value in secrets.items():
            if len(_bytes(value)) < SHORTEST:
                raise ValueError(f"the value of {name} is shorter than {SHORTEST} bytes")
            for spelling in spellings(value):
                mark = f"[secret:{name}]".encode()
                known.setdefault(spelling[:SHORTEST], []).append((spelling, mark))
        self._known = {
            head: tuple(sorted(found, key=lambda one: (-len(one[0]), one)))
            for head, found in known.items()
        }
        self._heads = re.compile(b"|".join(map(re.escape, sorted(known)))) if known else None

    @property
    def knows_any(self) -> bool:
        """Say whether there is anything to look for."""
        return self._heads is not None

    def text(self, text: str) -> str:
        """Return `text` without the values."""
        if self._heads is None or self._heads.search(content := _bytes(text)) is None:
            return text
        stream = self.stream()
        return (stream.feed(content) + stream.finish()).decode("utf-8", "surrogatepass")

    def json(self, value: Json) -> Json:
        """Return `value` without the values, in keys and numbers too."""
        if self._heads is None:
            return value
        match value:
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(key): self.json(inner) for key, inner in value.items()}
            case None | bool():
                return value
            case int() | float():
                written = json.dumps(value)
                clean = self.text(written)
                return value if clean == written else clean
            case _:
                return [self.json(inner) for inner in value]

    def stream(self) -> Stream:
        """Return a filter for bytes that come in pieces."""
        return Stream(self._known, self._heads)


class Stream:
    """What one sender sends, cleaned; made by `Redactor.stream`."""

    def __init__(self, known: _Known, heads: re.Pattern[bytes] | None) -> None:
        self._known = known
        self._heads = heads
        self._beginnings = {head[:size] for head in known for size in range(1, SHORTEST)}
        self._buffer = bytearray()
        self._undecided = 0
        # So much of the buffer is in a finding already, and kept as the beginning of another.
        self._marked = 0
        self._last = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes and return those that are clean by now."""
        if self._heads is None:
            return chunk
        self._buffer += chunk
        # Attack: the beginning of a long value, then byte by byte; each would be compared again.
        if (len(self._buffer) - self._undecided) * 3 < self._undecided - _RESCANNED_FREELY:
            return b""
        return self._scan(self._heads, ended=False)

    def finish(self) -> bytes:
        """Return what was held back."""
        return b"" if self._heads is None else self._scan(self._heads, ended=True)

    def _scan(self, heads: re.Pattern[bytes], *, ended: bool) -> bytes:
        """Decide about all of the buffer but what more input may still change."""
        content, clean = bytes(self._buffer), bytearray()
        place, done = 0, self._marked
        while (hit := heads.search(content, place)) is not None:
            place = hit.start()
            finding = self._finding(content, place, ended)
            if finding is None:
                break
            end, mark = finding
            # What overlaps is one finding if it is the same secret, else both are named.
            if end > done:
                clean += content[done:place]
                clean += b"" if place < done and mark == self._last else mark
                self._last, done = mark, end
            place += 1
        else:
            place = len(content) if ended else self._rest(content, place)
        clean += content[done:place]
        del self._buffer[:place]
        self._undecided, self._marked = len(self._buffer), max(done - place, 0)
        return bytes(clean)

    def _finding(self, content: bytes, place: int, ended: bool) -> tuple[int, bytes] | None:
        """Return the end of the longest finding at `place` and its mark; None: it is too early.

        Nothing found is a finding that ends where it begins.
        """
        left = len(content) - place
        for spelling, mark in self._known[content[place : place + SHORTEST]]:
            if content.startswith(spelling, place):
                return place + len(spelling), mark
            if left < len(spelling) and not ended and spelling.startswith(content[place:]):
                return None
        return place, b""

    def _rest(self, content: bytes, place: int) -> int:
        """Return where a spelling may begin whose first bytes are not all there yet."""
        for start in range(max(place, len(content) - SHORTEST + 1), len(content)):
            if content[start:] in self._beginnings:
                return start
        return len(content)


def spellings(value: str) -> frozenset[bytes]:
    """Return the encodings of `value` that are looked for.

    Plain; base64 in both alphabets, padded or not, at each place in a longer text; percent encoding
    (RFC 3986, forms, JavaScript, every byte); hexadecimal; JSON as common writers escape it, every
    character too; HTML. Hexadecimal digits are in either case.
    """
    plain = _bytes(value)
    percent = [quote(plain, kept) for kept in _UNQUOTED]
    percent += [quote_plus(plain), "".join(f"%{byte:02X}" for byte in plain)]
    texts = {value, plain.hex(), plain.hex().upper(), *_html(value)}
    for text in (*percent, *_json(value)):
        texts |= {_ESCAPE.sub(lambda found: found[0].lower(), text)}
        texts |= {_ESCAPE.sub(lambda found: found[0][:2] + found[0][2:].upper(), text), text}
    return frozenset({*map(_bytes, texts), *_base64(plain)})


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _json(value: str) -> Iterator[str]:
    units = value.encode("utf-16-be", "surrogatepass").hex()
    yield "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
    for ascii_only, slash, for_html in product((True, False), repeat=3):
        text = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        for sign in "<>&" * for_html:  # as Go does unless told otherwise
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        yield text.replace("/", "\\/") if slash else text


def _html(value: str) -> Iterator[str]:
    for double, single in product(*_QUOTES):
        yield html.escape(value, quote=False).replace('"', double).replace("'", single)


def _base64(plain: bytes) -> Iterator[bytes]:
    for before in range(3):
        text = b64encode(bytes(before) + plain)
        # A character is 6 bits: those that hold bits of the value alone.
        first, end = -(-8 * before // 6), 8 * (before + len(plain)) // 6
        for form in (text[first:], text[first:].rstrip(b"="), text[first:end]):
            yield from (form, form.translate(_URL_ALPHABET))
