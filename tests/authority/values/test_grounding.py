"""Grounded is what a principal spelt, or named: nothing else, and no part of anything."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from capbox.authority.values.grounding import Entry, grounded_in
from capbox.authority.values.kinds import Kind, Value

ALICE = Value("email", "alice@example.com")
SMITH = Value("email", "smith@example.com")
BOOK = (
    Entry("Alice", (ALICE, Value("iban", "DE89370400440532013000"))),
    Entry("Alice Smith", (SMITH,)),
    Entry("Sam", (Value("email", "sam1@example.com"),)),
    Entry("sam", (Value("email", "sam2@example.com"),)),
    Entry("Zoë", (Value("email", "zoe@example.com"),)),
)


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("mail alice@example.com now", "email", {"alice@example.com"}),
        ("Mail Alice@EXAMPLE.com.", "email", {"Alice@example.com"}),
        (
            "(see <alice@example.com>, or bob@example.com!)",
            "email",
            {"alice@example.com", "bob@example.com"},
        ),
        ("alice@example.com,bob@example.com", "email", {"alice@example.com", "bob@example.com"}),
        ("alice@example.com;bob@example.com", "email", {"alice@example.com", "bob@example.com"}),
        # A word counts whole: nothing is cut out of another address.
        ("alice@example.com.evil.test", "email", {"alice@example.com.evil.test"}),
        ("alice@example.com@evil.test", "email", set()),
        ("alice@example.com\u0435", "email", set()),
        ("Xalice@example.comX", "email", {"Xalice@example.comx"}),
        ("https://a.example/?to=alice@example.com", "email", set()),
        ("x%alice@example.com", "email", set()),
        ("open https://a.example/x.", "url", {"https://a.example/x"}),
        ("open https://a.example/a_(b)", "url", {"https://a.example/a_(b)"}),
        ("open https://a.example/x,y", "url", {"https://a.example/x,y"}),
        ("a.example is down", "host", {"a.example"}),
        ("every word is a host name", "host", set()),
        ("https://a.example/x", "host", set()),
        ("save out/report.txt", "path", {"/workspace/out/report.txt"}),
        ("save it under /srv/data", "path", {"/srv/data"}),
        ("save report.txt", "path", {"/workspace/report.txt"}),
        ("read ../secret", "path", set()),
        ("list /workspace or X/X", "path", {"/workspace", "/workspace/X/X"}),
        ('end it with a "."', "path", set()),
        ("this and/or that, yes / no", "path", {"/workspace/and/or"}),
        ("see ./", "path", set()),
        ("pay 50 today", "amount", {"50"}),
        ("pay $50.50, not more", "amount", {"50.5"}),
        ("pay 50€.", "amount", {"50"}),
        ("pay 1,000", "amount", set()),
        ("pay 1.000", "amount", set()),
        ("pay -50", "amount", set()),
        ("version 1.2.3", "amount", set()),
        ("on 2030-05-07 please", "date", {"2030-05-07"}),
        ("on 2030-02-30", "date", set()),
        ("to DE89 3704 0044 0532 0130 00 please", "iban", {"DE89370400440532013000"}),
        ("to DE89370400440532013000.", "iban", {"DE89370400440532013000"}),
        # The shortest that there is, and the longest.
        ("to NO93 8601 1117 947 please", "iban", {"NO9386011117947"}),
        (
            "to RU02 0445 2560 0407 0281 0412 3456 7890 1 please",
            "iban",
            {"RU0204452560040702810412345678901"},
        ),
        ("to DE89 3704 0044 0532 0130 01", "iban", set()),
        ('subject "Re: Tuesday"', "text", {"Re: Tuesday"}),
        ("subject “Re: Tuesday”", "text", {"Re: Tuesday"}),
        ("subject Re: Tuesday", "text", set()),
        ('"a\nb"', "text", set()),
        ("refund order A-17", "id", {"A-17"}),
        ('refund "alpha"', "id", {"alpha"}),
        ("refund it all", "id", set()),
    ],
)
def test_values_are_found_as_they_are_written(text: str, kind: Kind, found: set[str]) -> None:
    assert {value.text for value in grounded_in(text) if value.kind == kind} == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("answer Alice that Tuesday works", {"alice@example.com"}),
        ("answer ALICE, please", {"alice@example.com"}),
        ("Alice's mail", {"alice@example.com"}),
        ("answer Alice Smith", {"smith@example.com"}),
        ("Alice and Alice Smith", {"alice@example.com", "smith@example.com"}),
        ("answer Zoe\u0308", {"zoe@example.com"}),
        ("answer Sam", set()),  # two have this name
        ("answer malice", set()),
        ("answer Alicea", set()),
        ("answer Аlice", set()),  # Cyrillic
        ("answer alice@evil.test", {"alice@evil.test"}),
        ("answer x@alice.example", {"x@alice.example"}),
        ("see https://evil.test/alice", set()),
        ("see /home/alice", set()),
        ("ignore alice-mallory", set()),
        ("ignore alice.mallory", set()),
    ],
)
def test_a_name_stands_for_its_entry_as_words_of_its_own(text: str, found: set[str]) -> None:
    emails = {value.text for value in grounded_in(text, BOOK) if value.kind == "email"}
    assert emails == found


@pytest.mark.parametrize(
    ("known", "text", "told"),
    [
        (["Al Bo", "Bo"], "Al Bo", {"Al Bo"}),
        (["Al Bo", "Al"], "Al Bo", {"Al Bo"}),
        (["Al Bo Cy", "Bo"], "Al Bo Cy", {"Al Bo Cy"}),
        (["Al Bo Cy", "Bo"], "Bo, Al Bo Cy", {"Al Bo Cy", "Bo"}),
        (["Al Bo", "Bo Cy"], "Al Bo Cy", set()),
        (["Al Bo", "Bo Cy", "Cy"], "Al Bo Cy; Cy", {"Cy"}),
        (["(Al)", "(Bo)"], "(Al)(Bo)", {"(Al)", "(Bo)"}),
    ],
)
def test_of_names_that_overlap_only_the_one_around_the_others_is_told(
    known: list[str], text: str, told: set[str]
) -> None:
    book = [Entry(name, (Value("text", name),)) for name in known]
    assert {value.text for value in grounded_in(text, book)} == told


def test_a_name_stands_for_everything_in_its_entry_and_nothing_without_a_directory() -> None:
    assert grounded_in("pay Alice", BOOK) == set(BOOK[0].values)
    assert grounded_in("pay Alice") == frozenset()


def test_an_entry_without_a_name_is_named_by_nothing() -> None:
    book = (Entry(" ", (SMITH,)), Entry(" Sam ", (ALICE,)))
    assert grounded_in("pay nobody - now", book) == frozenset()
    assert grounded_in("pay Sam now", book) == {ALICE}


names = st.text(min_size=1, max_size=12)
words = st.sampled_from(
    [
        *("Alice", "Bob", "al", "ice", "mail", "to", "a@b.example", "c@d.example", "1,000", "50.0"),
        *(
            "https://a.example/x",
            "/tmp/x",
            '"',
            "“",
            "”",
            "`",
            ",",
            ".",
            "<",
            ">",
            "(",
            ")",
            "\n",
            "\u0435",
        ),
    ]
)
texts = st.text() | st.lists(words | st.just(" ")).map("".join)


def squeezed(text: str) -> str:
    """Return a text without what its spellings may differ in."""
    return "".join(text.casefold().split()).replace("e\u0301", "é")


@example('"."')
@example("./ or /")
@given(texts)
def test_nothing_is_grounded_that_does_not_stand_in_the_text(text: str) -> None:
    for value in grounded_in(text):
        shown = value.text.removeprefix("/workspace/") if value.kind == "path" else value.text
        shown = shown.removesuffix("/") if value.kind == "url" else shown
        pieces = shown.split("/") if value.kind == "path" else [shown]
        assert all(squeezed(piece) in squeezed(_composed(text)) for piece in pieces), value


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@given(texts, st.lists(names, max_size=3, unique=True))
def test_an_entry_grounds_only_if_its_name_stands_in_the_text(text: str, known: list[str]) -> None:
    book = [Entry(name, (Value("email", f"u{n}@x.example"),)) for n, name in enumerate(known)]
    for value in grounded_in(text, book) - grounded_in(text):
        entry = next(entry for entry in book if value in entry.values)
        assert _composed(entry.name.strip()).casefold() in _composed(_composed(text).casefold())


@pytest.mark.parametrize(
    ("text", "within", "beyond"),
    [
        ("a.b", {"host"}, set()),
        ("\na.b", {"host"}, set()),
        ("a.b\nc", {"host"}, {"host"}),
        # The attack: so long a text that it ends where another address, or a name, would.
        ("a@b.example.evil", {"email"}, set()),
        ("Alice Smith", {"email"}, set()),
    ],
)
def test_of_a_text_that_is_too_long_whole_lines_are_read(
    text: str, within: set[str], beyond: set[str]
) -> None:
    for most, kinds in ((100_000, within), (100_001, beyond)):
        found = grounded_in(text.rjust(most), BOOK)
        assert {value.kind for value in found} & {"email", "host"} == kinds


def test_account_numbers_are_looked_for_so_often() -> None:
    iban = "NO93 8601 1117 947"
    for starts, found in ((1_000, {"NO9386011117947"}), (1_001, set())):
        text = "NO93 " * (starts - 1) + "word " * 1_000 + iban
        assert {value.text for value in grounded_in(text) if value.kind == "iban"} == found


def test_a_text_that_repeats_a_name_is_read_in_time() -> None:
    """The attack: a mail with a name 25,000 times, each place held against each (90 s)."""
    book = (Entry("Bob", (ALICE,)), Entry("Bob Bob", (SMITH,)), Entry("Zed Bob", (SMITH,)))
    started = time.process_time()
    assert grounded_in("Bob " * 25_000, book) == {SMITH}
    assert grounded_in("Bob. " * 20_000, book) == {ALICE}
    assert grounded_in("Zed Bob " * 12_000 + "and Bob", book) == {ALICE, SMITH}
    assert time.process_time() - started < 10
