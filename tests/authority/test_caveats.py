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
    ExceptPlaces,
    ExpiresAfter,
    ExpiresAt,
    Format,
    Header,
    Later,
    Net,
    Public,
    Rate,
    Untainted,
    Uses,
    kept,
)
from capbox.authority.parse import parse_caveat
from capbox.authority.values.arguments import Among, Arg, AtMost
from capbox.authority.web.addresses import PRIVATE
from capbox.authority.web.places import FetchAccess, Origin


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


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("expires", "1s", ExpiresAfter(1)),
        ("expires", "2m", ExpiresAfter(120)),
        ("expires", "2h", ExpiresAfter(7_200)),
        ("expires", "2d", ExpiresAfter(172_800)),
        ("expires", "3650d", ExpiresAfter(315_360_000)),
        ("expires", "1970-01-01T00:00:01.5Z", ExpiresAt(1_500)),
        ("expires", "1970-01-01T00:00:01.0015Z", ExpiresAt(1_001)),
        ("bytes", "2", Bytes(2)),
        ("bytes", "2B", Bytes(2)),
        ("bytes", "2kB", Bytes(2_000)),
        ("bytes", "2MB", Bytes(2_000_000)),
        ("bytes", "2GB", Bytes(2_000_000_000)),
        ("rate", "2/s", Rate(2, 1)),
        ("rate", "2/min", Rate(2, 60)),
        ("rate", "2/h", Rate(2, 3_600)),
        ("rate", "2/d", Rate(2, 86_400)),
        ("rate", "10000/s", Rate(10_000, 1)),
    ],
)
def test_a_unit_is_what_it_says(key: str, value: str, expected: Caveat) -> None:
    assert parse_caveat("fetch", key, value) == expected


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


@pytest.mark.parametrize(
    "value", ["3651d", "315360001s", "1", "s", "1w", "2030-01-01", "2030-01-01T00:00:00"]
)
def test_an_end_that_is_too_far_or_no_moment_is_none(value: str) -> None:
    assert isinstance(parse_caveat("read", "expires", value), str)


@pytest.mark.parametrize(("path", "expected"), [("/x", True), ("/y", False)])
def test_each_place_that_is_left_out_is_looked_at(path: str, expected: bool) -> None:
    caveat = parse_caveat("fetch", "except", "https://b.example,https://a.example/x")
    assert isinstance(caveat, ExceptPlaces)
    assert (
        caveat.leaves_out(FetchAccess("GET", Origin("https", "a.example", 443), path)) is expected
    )


@given(st.sampled_from(["expires", "uses", "except", "bytes", "rate", "format"]), st.text())
def test_no_value_raises(key: str, value: str) -> None:
    for action in ("read", "write", "fetch", "secret"):
        assert isinstance(parse_caveat(action, key, value), str | Caveat)


@pytest.mark.parametrize(
    ("parent", "within", "beyond"),
    [
        (ExpiresAt(10), ExpiresAt(10), ExpiresAt(11)),
        (ExpiresAt(10), ExpiresAt(0), ExpiresAfter(0)),
        (Uses(2), Uses(2), Uses(3)),
        (Uses(2), Uses(0), Bytes(2)),
        (Bytes(2), Bytes(2), Bytes(3)),
        (Rate(2, 60), Rate(2, 60), Rate(3, 60)),
        (Rate(2, 60), Rate(1, 86_400), Rate(1, 59)),
        (Rate(2, 60), Rate(2, 61), Rate(3, 86_400)),
        (Ask(each=True), Ask(each=True), Ask(each=False)),
        (Ask(each=False), Ask(each=False), Uses(1)),
        (Ask(each=False), Ask(each=True), Uses(1)),
        (Header("A"), Header("A"), Header("B")),
        (Format("a {}"), Format("a {}"), Format("b {}")),
        (Untainted(), Untainted(), Public()),
        (Public(), Public(), Untainted()),
    ],
)
def test_a_child_keeps_a_caveat_with_one_that_is_as_narrow(
    parent: Caveat, within: Caveat, beyond: Caveat
) -> None:
    assert kept(parent, [Net(PRIVATE), within]) is True
    assert kept(parent, [Net(PRIVATE), beyond]) is False
    assert kept(parent, []) is False


@pytest.mark.parametrize("caveat", [Later("idle", "1m"), Except(("a",)), ExpiresAfter(1)])
def test_what_cannot_be_decided_by_itself_is_not_kept(caveat: Caveat) -> None:
    assert kept(caveat, [caveat]) is False


@pytest.mark.parametrize("caveat", [Net(PRIVATE), Arg("to", Among(("a",)))])
def test_what_a_grant_decides_with_others_of_its_kind_is_left_to_it(caveat: Caveat) -> None:
    assert kept(caveat, []) is True


@pytest.mark.parametrize(
    ("action", "there"),
    [
        ("read", "except, expires, uses"),
        ("tool", "expires, rate, uses, arg.NAME, untainted, public"),
        ("invoke", "expires, rate, uses, arg.NAME, untainted, public"),
        ("fetch", "ask, bytes, except, expires, net, rate, uses, untainted, public"),
        ("secret", "expires, format, header, uses"),
    ],
)
def test_who_mistypes_a_caveat_is_told_all_that_there_are(action: str, there: str) -> None:
    expected = f"unknown caveat 'untaintd'; on {action}: there are {there}"
    assert parse_caveat(action, "untaintd", None) == expected
