"""One spelling a value: what is the same for every reader is equal, what is doubtful is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.values.kinds import (
    CHARACTERS_MAX,
    KINDS,
    Kind,
    Unfit,
    Value,
    canonical,
)

SPELT: dict[Kind, list[tuple[object, str]]] = {
    "email": [
        ("alice@example.com", "alice@example.com"),
        ("Alice@EXAMPLE.com", "Alice@example.com"),
        ("a.b+tag_1-x@mail.example.co.uk", "a.b+tag_1-x@mail.example.co.uk"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
    ],
    "host": [
        ("Example.COM", "example.com"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
    "url": [
        ("https://Example.com", "https://example.com/"),
        ("https://example.com:443/a?b=c", "https://example.com/a?b=c"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]/a"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/a..b", "https://example.com/a..b"),
    ],
    "path": [
        ("out/a.txt", "/workspace/out/a.txt"),
        ("/workspace//out/./a.txt", "/workspace/out/a.txt"),
        ("/etc/hosts", "/etc/hosts"),
        ("a~/..b", "/workspace/a~/..b"),
    ],
    "id": [
        *(("A-17/b", "A-17/b"), (42, "42"), ("42", "42"), ("é", "é"), ("e\u0301", "é")),
        *(("1.000", "1.000"), (-7, "-7"), (10**18 - 1, "9" * 18), ("a" * 256, "a" * 256)),
    ],
    "amount": [
        (50, "50"),
        (50.0, "50"),
        (0.1, "0.1"),
        (1.125, "1.1250"),
        ("50.00", "50"),
        ("0.125", "0.125"),
        (0, "0"),
        (0.00001, "0.00001"),
        (10**15 - 1, "9" * 15),
    ],
    "iban": [
        ("DE89370400440532013000", "DE89370400440532013000"),
        ("de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        ("GB82WEST12345698765432", "GB82WEST12345698765432"),
        ("AZ21NABZ00000000137010001944", "AZ21NABZ00000000137010001944"),
    ],
    "date": [("2030-01-31", "2030-01-31"), ("2028-02-29", "2028-02-29")],
    "text": [
        ("Re: Tuesday, 5pm", "Re: Tuesday, 5pm"),
        ("e\u0301", "é"),
        ("", ""),
        ("a" * 2_000,) * 2,
    ],
}
REFUSED: dict[Kind, list[object]] = {
    "email": [
        *("Alice <alice@example.com>", "alice@example.com (Alice)", '"a b"@example.com'),
        *("alice@example.com,evil@evil.test", "alice@example.com;evil@evil.test"),
        *("alice@example.com evil@evil.test", "<alice@example.com>", "alice@example.com "),
        *("alice@example.com\nBcc: evil@evil.test", "alice@example.com\0", "alice@example.com\r"),
        *("alice@ex\u0430mple.com", "alice@example\u3002com", "\u0430lice@example.com"),
        "alice@ban\u212a.example",  # the sign for Kelvin, whose small letter is k
        *("alice@example.com.", "alice@.example.com", "alice@example..com", "alice@"),
        *("@example.com", "alice", ".alice@example.com", "alice.@example.com", "a..b@example.com"),
        *(
            "alice%evil.test@example.com",
            "evil.test!alice@example.com",
            "alice@evil.test@example.com",
        ),
        *("-fevil@example.com", "alice@[192.0.2.1]", "alice@192.0.2.1", "mailto:alice@example.com"),
        *("a" * 65 + "@example.com", "=?utf-8?q?alice?=@example.com", "alice@example.com\u202e"),
    ],
    "host": [
        "example.com.",
        "ex\u00e4mple.com",
        "ban\u212a.example",
        "127.1",
        "0x7f000001",
        "a b",
        "",
        "h:80",
        "[::1]",
        "*.a",
    ],
    "url": [
        *("https://alice@example.com/", "https://example.com@evil.test/", "//example.com/"),
        *("https://example.com/#a", "https://example.com\\@evil.test/", "ftp://example.com/"),
        *("https://example.com/../a", "https://example.com/%2e%2e/a", "https://example.com/a%2fb"),
        *("https://example.com/*", "https://*.example.com/", "GET https://example.com/"),
        *(" https://example.com/", "https://example.com/?*", "https://*.example.com/"),
        *("https://example.com:1..9/", "https://example.com:80..80/", "https://[::1/128]/"),
        *(
            "https://ex\u0430mple.com/",
            "https://example.com /",
            "javascript:alert(1)",
            "https:/a.b/",
        ),
    ],
    "path": ["../a", "a/../b", "~/a", "~root/a", "a\\b", "", "a\0b", "a\nb"],
    "id": ["", "a b", "a\tb", "a\u00a0b", "a" * 257, 1.5, "a\u202eb", 10**18],
    "amount": [
        *("1e3", "-1", "-0", "+1", "NaN", "Infinity", "0x10", "1,000", "1.000", "12.500", "1_000"),
        *("", " 1", "01", "1.", ".5", "1.5.5", "\u0661", "1" * 16, -1, -0.0, 1e18, 10**18),
        *(float("nan"), float("inf"), True),
    ],
    "iban": [
        "DE89370400440532013001",
        "DE8937040044 0532013000",
        "DE",
        "",
        "DE89-3704-0044-0532-0130-00",
        "GB82WE\u017fT12345698765432",  # a long s, whose capital is S
    ],
    "date": [
        "2030-02-30",
        "20300131",
        "2030-1-31",
        "31.01.2030",
        "2030-01-31T00:00",
        "2030-W05-4",
        "",
    ],
    "text": [
        "a\nBcc: evil@evil.test",
        "a\r",
        "a\tb",
        "a\u2028b",
        "a\u202eb",
        "a\0",
        "a" * 2_001,
        5,
    ],
}


@pytest.mark.parametrize(
    ("kind", "given_", "text"), [(k, *pair) for k, pairs in SPELT.items() for pair in pairs]
)
def test_what_names_one_value_is_spelt_in_one_way(kind: Kind, given_: object, text: str) -> None:
    assert canonical(kind, given_) == Value(kind, text)


@pytest.mark.parametrize(
    ("kind", "given_"), [(k, one) for k, texts in REFUSED.items() for one in texts]
)
def test_what_may_name_another_value_or_several_is_refused(kind: Kind, given_: object) -> None:
    assert isinstance(canonical(kind, given_), Unfit)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given_", [None, True, False, [], ["a"], {}, {"to": "a"}, b"a"], ids=repr)
def test_no_kind_takes_what_is_neither_text_nor_number(kind: Kind, given_: object) -> None:
    assert isinstance(canonical(kind, given_), Unfit)


@given(st.sampled_from(KINDS), st.text(max_size=60) | st.floats() | st.integers())
def test_a_canonical_spelling_is_its_own(kind: Kind, given_: object) -> None:
    found = canonical(kind, given_)
    if isinstance(found, Value) and not (kind == "amount" and isinstance(given_, float)):
        assert canonical(kind, found.text) == found
        assert len(found.text) <= CHARACTERS_MAX + len("/workspace/")


@given(st.sampled_from(KINDS), st.text())
def test_what_is_refused_is_told_in_a_short_sentence(kind: Kind, text: str) -> None:
    found = canonical(kind, text)
    if isinstance(found, Unfit):
        assert len(found.text) <= 80 and found.reason


WANTED: dict[Kind, str] = {
    "email": "one plain ASCII address is expected, such as alice@example.com",
    "host": "one host name in ASCII is expected, or one IP address",
    "url": "one http(s) URL is expected, without user, fragment or *, its path in one reading",
    "path": "one path without .. is expected, below /workspace unless it starts with /",
    "id": "at most 256 characters without spaces are expected, or a whole number",
    "amount": "digits with at most one decimal point are expected, neither sign nor separators",
    "iban": "an account number with a right checksum is expected",
    "date": "YYYY-MM-DD is expected",
    "text": "one line of text is expected, without control characters",
}


@pytest.mark.parametrize(("kind", "wanted"), WANTED.items())
def test_the_reason_says_what_is_expected_and_shows_the_beginning(kind: Kind, wanted: str) -> None:
    long = "\n" + "x" * 100
    assert canonical(kind, long) == Unfit(long[:80], f"is no {kind}: {wanted}")
    assert canonical(kind, [long]) == Unfit(str([long])[:80], f"is no {kind}: {wanted}")
    far = canonical(kind, "x" * 2_001)
    assert far == Unfit("x" * 80, "is longer than 2000 characters")
