"""Whatever a value is written as, wherever the input is cut: it is not in the output."""

from __future__ import annotations

import base64
import html
import json
from itertools import pairwise
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from capbox.broker.redact import SHORTEST, Redactor, spellings

KEY = 'sk-live/ab+c="d"&<é>\'\\~ 42'

# With brackets a value could arise anew from a mark and what stands beside it.
VALUES = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="[]"),
    min_size=SHORTEST,
    max_size=40,
)


def streamed(redactor: Redactor, content: bytes, cuts: list[int]) -> bytes:
    """Feed `content` in the pieces that begin at `cuts`."""
    stream, places = redactor.stream(), [0, *sorted(cuts), len(content)]
    pieces = [content[a:b] for a, b in pairwise(places)]
    return b"".join([*map(stream.feed, pieces), stream.finish()])


def written(value: str) -> dict[str, bytes]:
    """Write `value` as servers do, by other means than the module under test."""
    raw = value.encode()
    percent = quote(value, safe="")
    return {
        "plain": raw,
        "base64": base64.b64encode(raw),
        "base64 for URLs, unpadded": base64.urlsafe_b64encode(raw).rstrip(b"="),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "in a URL": percent.encode(),
        "in a path": quote(value).encode(),
        "in a form": urlencode({"k": value}).encode()[2:],
        "with plus": quote_plus(value).encode(),
        "every byte": b"".join(b"%%%02x" % byte for byte in raw),
        "JSON": json.dumps(value)[1:-1].encode(),
        "JSON, UTF-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "JSON, slashes": json.dumps(value)[1:-1].replace("/", "\\/").encode(),
        "every character": "".join(
            f"\\u{unit[0]:02X}{unit[1]:02X}"
            for unit in zip(*[iter(value.encode("utf-16-be"))] * 2, strict=True)
        ).encode(),
        "HTML": html.escape(value).encode(),
        "HTML text": html.escape(value, quote=False).encode(),
    }


FORMS = sorted(written(KEY))


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_found_in_each_form_and_the_rest_stays(form: str) -> None:
    redactor = Redactor({"KEY": KEY})
    content = b"\x00<" + written(KEY)[form] + b">\xff"
    assert streamed(redactor, content, []) == b"\x00<[secret:KEY]>\xff"
    # The same input without the value is left alone.
    other = b"\x00<" + written(KEY.swapcase())[form] + b">\xff"
    assert streamed(redactor, other, []) == other


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (r"sk-live/ab+c=\"d\"\u0026\u003cé\u003e'\\~ 42", "[secret:KEY]"),  # Go's JSON
        ("sk-live/ab+c=&#34;d&#34;&amp;&lt;é&gt;&#39;\\~ 42", "[secret:KEY]"),  # Go's HTML
        ("sk-live%2Fab%2Bc%3D%22d%22%26%3C%C3%A9%3E'%5C~%2042", "[secret:KEY]"),  # JavaScript
        ("sk-live/ab+c=%22d%22&%3C%C3%A9%3E'%5C~%2042", "[secret:KEY]"),  # the same, a whole URI
        ("sk-live/ab+c", "sk-live/ab+c"),
        ("", ""),
        ("\ud800 " + KEY, "\ud800 [secret:KEY]"),
    ],
)
def test_a_text(text: str, clean: str) -> None:
    assert Redactor({"KEY": KEY}).text(text) == clean


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user"])
@pytest.mark.parametrize("after", ["", "!", "!!", "!!!"])
def test_a_value_inside_longer_base64_is_found_wherever_it_begins(user: str, after: str) -> None:
    text = base64.b64encode(f"{user}:{KEY}{after}".encode()).decode()
    clean = Redactor({"KEY": KEY}).text(f"Basic {text}")
    begin, _, end = clean.partition("[secret:KEY]")
    head = base64.b64encode(f"{user}:".encode()).decode().rstrip("=")
    # What stays holds at most the four bits of the value that share a character with others.
    assert begin.startswith("Basic ")
    assert len(begin) <= len(f"Basic {head}")
    assert len(end) <= len(base64.b64encode(after.encode())) + 4
    assert "[secret:KEY]" in clean


@given(
    value=VALUES,
    form=st.sampled_from(FORMS),
    before=st.binary(max_size=30),
    after=st.binary(max_size=30),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_no_cut_hides_a_value_and_nothing_else_changes(
    value: str, form: str, before: bytes, after: bytes, cuts: list[int]
) -> None:
    redactor = Redactor({"N": value})
    known = spellings(value)
    assume(not any(spelling in b"[secret:N]" for spelling in known))
    content = before + written(value)[form] + after
    clean = streamed(redactor, content, [cut for cut in cuts if cut <= len(content)])
    assert [spelling for spelling in known if spelling in clean] == []
    assert clean == streamed(redactor, content, [])
    # A longer spelling may begin or end in what surrounds it; what is left is as it was.
    first, *_, last = clean.split(b"[secret:N]")
    assert before.startswith(first)
    assert after.endswith(last)


UNPRINTABLE = st.lists(st.sampled_from([*range(32), *range(127, 256)]), max_size=30).map(bytes)


@given(
    value=st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=8),
    form=st.sampled_from(FORMS),
    before=UNPRINTABLE,
    after=UNPRINTABLE,
    cut=st.integers(0, 60),
)
def test_what_no_form_could_go_on_in_stays_byte_for_byte(
    value: str, form: str, before: bytes, after: bytes, cut: int
) -> None:
    content = before + written(value)[form] + after
    clean = streamed(Redactor({"N": value}), content, [min(cut, len(content))])
    assert clean == before + b"[secret:N]" + after


@given(st.lists(st.sampled_from([b"abcdefgh", b"defghijk", b"aaaaaaaa", b"a", b"abcdefghij"])))
def test_findings_that_overlap_are_covered_the_same_wherever_the_input_is_cut(
    pieces: list[bytes],
) -> None:
    redactor = Redactor({"A": "abcdefgh", "D": "defghijk", "R": "aaaaaaaa", "L": "abcdefghij"})
    content = b"".join(pieces)
    whole = streamed(redactor, content, [])
    assert streamed(redactor, content, list(range(len(content)))) == whole
    assert [v for v in (b"abcdefgh", b"defghijk", b"aaaaaaaa") if v in whole] == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("abcdefghijk", "[secret:A][secret:D]"),
        ("abcdefgh|defghijk", "[secret:A]|[secret:D]"),
        ("a" * 9, "[secret:R]"),
        ("a" * 20, "[secret:R]"),
        ("a" * 7, "a" * 7),
        ("abcabcdefgh", "abc[secret:A]"),
    ],
)
def test_what_overlaps_is_named_once_a_secret(text: str, clean: str) -> None:
    redactor = Redactor({"A": "abcdefgh", "D": "defghijk", "R": "aaaaaaaa"})
    assert redactor.text(text) == clean


def test_only_what_may_begin_a_value_is_held_back() -> None:
    stream = Redactor({"KEY": "abcdefghijkl"}).stream()
    said = [stream.feed(piece) for piece in (b"text a", b"b", b"x", b"abcdefghijk", b"!")]
    assert said == [b"text ", b"", b"abx", b"", b"abcdefghijk!"]
    assert stream.finish() == b""


def test_the_beginning_of_a_value_at_the_end_is_given_back() -> None:
    stream = Redactor({"KEY": "abcdefghijkl"}).stream()
    assert (stream.feed(b"abcdefghijk"), stream.finish()) == (b"", b"abcdefghijk")


@pytest.mark.parametrize("size", [1, 65_536])
def test_hostile_repetition_ends(size: int) -> None:
    """Compared anew from each place, or at each byte, this would take hours."""
    value = "a" * 8_000 + "b" + "a" * 8_383
    redactor = Redactor({"KEY": value})
    stream, content = redactor.stream(), b"a" * 300_000
    clean = [stream.feed(content[at : at + size]) for at in range(0, len(content), size)]
    assert b"".join(clean) + stream.finish() == content
    assert redactor.text("a" * 300_000 + "b" + "a" * 8_383) == "a" * 292_000 + "[secret:KEY]"


def test_json_is_clean_in_keys_values_and_numbers() -> None:
    redactor = Redactor({"PIN": "12345678", "KEY": "abcdefgh"})
    dirty = {"abcdefgh": [12345678, 1.5, None, True, {"x": ("YWJjZGVmZ2g=", "ok")}], "n": 7}
    assert redactor.json(dirty) == {
        "[secret:KEY]": ["[secret:PIN]", 1.5, None, True, {"x": ["[secret:KEY]", "ok"]}],
        "n": 7,
    }


def test_without_secrets_nothing_is_touched() -> None:
    redactor, text, value = Redactor({}), "text", {"k": [1]}
    stream, chunk = redactor.stream(), b"chunk"
    assert redactor.text(text) is text
    assert redactor.json(value) is value
    assert stream.feed(chunk) is chunk
    assert stream.finish() == b""


@pytest.mark.parametrize("value", ["", "tiny", "1234567"])
def test_a_value_that_ordinary_text_would_hold_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(ValueError, match="the value of NAME is shorter") as refused:
        Redactor({"NAME": value})
    assert not value or value not in str(refused.value)


def test_a_redactor_does_not_show_what_it_knows() -> None:
    redactor = Redactor({"KEY": KEY})
    assert KEY not in f"{redactor!r} {redactor.stream()!r}"
