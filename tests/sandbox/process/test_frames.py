"""Frames: what is written is read back, and a hostile report is a hangup or harmless."""

from __future__ import annotations

import json
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import JsonObject, Spent
from capbox.sandbox.process.frames import (
    Assignment,
    Birth,
    Report,
    Request,
    Walls,
    parse_assignment,
    parse_birth,
    parse_report,
    parse_request,
)
from capbox.sandbox.process.wire import Hangup
from capbox.sandbox.spec import Broken, Failed, Finished, Mount, Refused, Rule, Stopped, stopped
from capbox.sandbox.wasi.call import READINGS_MAX, CallBounds

RULE = Rule(True, (".env*",), (".git/hooks",), "a/b")
MOUNT = Mount(GuestPath("/workspace"), HostPath("/home/x"), (RULE, Rule(False)), None)
FILE = Mount(GuestPath("/mnt/f"), HostPath("/home"), (Rule(False),), "f")


def sent(header: JsonObject) -> JsonObject:
    """What comes out at the other end."""
    return cast(JsonObject, json.loads(json.dumps(header)))


def test_a_birth_and_an_assignment_are_read_as_written() -> None:
    birth = Birth("ab", HostPath("/c.cwasm"), True, False, 1 << 20, True)
    assert parse_birth(sent(birth.header())["birth"]) == birth
    assignment = Assignment((MOUNT, FILE), Walls(True, False, True, False), 256, True)
    assert parse_assignment(sent(assignment.header())) == assignment


@pytest.mark.parametrize("replay", [None, b"", b"12345678"])
@pytest.mark.parametrize("fuel", [None, 0, 10**9])
def test_a_request_is_read_as_written(replay: bytes | None, fuel: int | None) -> None:
    bounds = CallBounds(1, 2, 3, 4, 5, 6, 7, bytes(range(32)), replay)
    request = Request(bounds, fuel, b"stdin", ("--", "é\n"))
    header, body = request.frame()
    assert parse_request(sent(header), body) == request


SPENT = Spent(1, None, 3, 4)
REFUSED = (Refused("read", "/workspace/.env", "excluded"), Refused("write", "/x", "no grant"))
REPORTS = [
    Report(Finished(b"out", b"err"), REFUSED, SPENT, b"clock"),
    Report(Failed("it crashed", b"err"), (), Spent(1, 2, 3, 4)),
    Report(stopped("fuel"), REFUSED, Spent(1, 2, 3, 4), b"clock"),
    Report(Broken("no wall"), cut=True),
]


@pytest.mark.parametrize("report", REPORTS, ids=lambda r: type(r.end).__name__)
def test_a_report_is_read_as_written(report: Report) -> None:
    header, body = report.frame()
    assert parse_report(sent(header), body) == report


GOOD, _ = REPORTS[0].frame()
HOSTILE: dict[str, object] = {
    "end": [
        *(None, [], ["finished"], ["finished", 1], ["finished", "", ""], ["won", ""], "finished"),
        *(["stopped", "boredom"], ["stopped", "revoked"], ["stopped", "interrupted"]),
    ],
    "refused": [
        *(None, {}, "x", [1], [["read", "/x"]], [["exec", "/x", "y"]], [["read", 1, "y"]]),
        [["read", "/x", "y"]] * 101,
    ],
    "spent": [
        *(None, [], [1, 2, 3], [1, 2, 3, 4, 5], [-1, 0, 0, 0], [1, 2, 3, 1 << 70]),
        *([True, 0, 0, 0], [1.5, 0, 0, 0], ["1", 0, 0, 0], [0, 0, None, 0]),
        [float("nan"), 0, 0, 0],
    ],
    "lengths": [None, [], [1], [-1, 0], [0, -1], ["0", 0], [1 << 70, 0], [0, 1.0]],
}


@pytest.mark.parametrize(("field", "values"), HOSTILE.items(), ids=list(HOSTILE))
def test_a_report_with_a_field_out_of_bounds_is_a_hangup(field: str, values: list[object]) -> None:
    for value in values:
        with pytest.raises(Hangup):
            parse_report(sent(cast(JsonObject, {**GOOD, field: value})), b"")
    with pytest.raises(Hangup):
        parse_report(sent({k: v for k, v in GOOD.items() if k != field}), b"")


def test_texts_of_a_report_are_cut_and_can_be_encoded() -> None:
    hostile = {
        **GOOD,
        "end": ["failed", "x\ud800" * 10_000],
        "refused": [["read", "\udfff", "\ud800"]],
    }
    report = parse_report(sent(cast(JsonObject, hostile)), b"")
    assert isinstance(report.end, Failed)
    assert report.end.reason == "x?" * 2_048
    assert report.refused == (Refused("read", "?", "?"),)


def test_lengths_beyond_the_body_give_what_is_there() -> None:
    report = parse_report(sent({**GOOD, "lengths": [2, 100]}), b"abc")
    assert (report.end, report.clock) == (Finished(b"ab", b"c"), b"")


def test_more_clock_readings_than_a_worker_keeps_are_a_hangup() -> None:
    most = bytes(8 * READINGS_MAX)
    assert parse_report(sent({**GOOD, "lengths": [0, 0]}), most).clock == most
    with pytest.raises(Hangup):
        parse_report(sent({**GOOD, "lengths": [0, 0]}), most + b"x")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)
KEYS = st.sampled_from(["end", "refused", "spent", "lengths", "request", "assignment", "birth"])


@given(st.dictionaries(KEYS, JSON), st.binary(max_size=20))
def test_whatever_is_sent_is_a_value_or_a_hangup(header: dict[str, object], body: bytes) -> None:
    given_header = cast(JsonObject, header)
    for parse in (
        lambda: parse_report(given_header, body),
        lambda: parse_request(given_header, body),
        lambda: parse_assignment(given_header),
        lambda: parse_birth(given_header.get("birth")),
    ):
        try:
            parse()
        except Hangup:
            continue


def test_a_bound_that_only_the_parent_can_see_is_not_the_workers_to_claim() -> None:
    header, body = Report(Stopped("time", "anything")).frame()
    assert parse_report(sent(header), body).end == stopped("time")
