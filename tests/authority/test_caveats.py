"""Each caveat reads into a typed value, prints canonically, and knows where it applies."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.caveats import (
    Ask,
    Bytes,
    Caveat,
    Except,
    ExpiresAfter,
    ExpiresAt,
    Format,
    Header,
    Later,
    Net,
    Rate,
)
from capbox.authority.parse import parse_caveat
from capbox.authority.values.arguments import Among, Arg, AtMost
from capbox.authority.web.addresses import PRIVATE


@pytest.mark.parametrize(
    ("action", "key", "value", "expected", "elsewhere"),
    [
        ("read", "except", "*.pem,a/**", Except(("*.pem", "a/**")), "tool"),
        ("write", "bytes", "10MB", Later("bytes", "10MB"), "read"),
        ("fetch", "net", "private", Net(PRIVATE), "read"),
        ("fetch", "net", "10.0.0.0/8", Net((ip_network("10.0.0.0/8"),)), "tool"),
        ("secret", "header", "X-Key", Header("X-Key"), "fetch"),
        ("secret", "format", "Key {}", Format("Key {}"), "fetch"),
        ("fetch", "bytes", "10MB", Bytes(10_000_000), "read"),
        ("fetch", "rate", "10/min", Rate(10, 60), ""),
        ("invoke", "rate", "10/min", Rate(10, 60), ""),
        ("fetch", "ask", "each", Ask(each=True), ""),
        ("tool", "arg.to", "in(b,a)", Arg("to", Among(("a", "b"))), "read"),
        ("invoke", "arg.n", "max(3)", Arg("n", AtMost("3")), "env"),
    ],
)
def test_a_caveat_applies_to_its_own_actions_only(
    action: str, key: str, value: str, expected: Caveat, elsewhere: str
) -> None:
    assert parse_caveat(action, key, value) == expected
    if elsewhere:
        assert isinstance(parse_caveat(elsewhere, key, value), str)
    else:  # understood everywhere, enforced nowhere else yet
        assert isinstance(parse_caveat("read", key, value), Later)


@given(st.integers(0, 3_650 * 86_400))
def test_a_duration_prints_and_reads_back(seconds: int) -> None:
    caveat = ExpiresAfter(seconds)
    assert parse_caveat("tool", "expires", str(caveat).partition("=")[2]) == caveat


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_moment_prints_and_reads_back(ms: int) -> None:
    caveat = ExpiresAt(ms)
    assert parse_caveat("tool", "expires", str(caveat).partition("=")[2]) == caveat


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_moment_beyond_the_calendar_is_told(text: str) -> None:
    assert isinstance(parse_caveat("read", "expires", text), str)


@given(st.sampled_from(["expires", "uses", "except", "bytes", "rate", "format"]), st.text())
def test_no_value_raises(key: str, value: str) -> None:
    for action in ("read", "write", "fetch", "secret"):
        assert isinstance(parse_caveat(action, key, value), str | Caveat)
