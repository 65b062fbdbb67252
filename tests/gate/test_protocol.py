"""Whatever a guest writes becomes a reply, or a sentence about what is wrong; never a success."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.gate.protocol import (
    RESERVED,
    Envelope,
    Reply,
    cut,
    parse_reply,
    request_bytes,
    strict_json,
)
from capbox.messages import JsonObject

SUCCESS = Reply(True, "text", None, None, "", "", False)


def nested(levels: int) -> JsonObject:
    """An object with so many levels."""
    found: JsonObject = {}
    for _ in range(levels - 1):
        found = {"x": found}
    return found


@pytest.mark.parametrize(
    ("stdout", "expected"),
    [
        ('{"ok": true, "content": "text"}', SUCCESS),
        ('{"ok": true, "content": "text"}\n', SUCCESS),
        (
            '{"ok": true, "content": "text", "data": {"a": 1}, "state": {"b": 2}, "truncated": true}',  # noqa: E501
            Reply(True, "text", {"a": 1}, {"b": 2}, "", "", True),
        ),
        (
            '{"ok": false, "error": {"code": "not_found", "message": "a"}}',
            Reply(False, "", None, None, "not_found", "a", False),
        ),
        (
            '{"ok": false, "content": "so far", "error": {"code": "io", "message": "a"}}',
            Reply(False, "so far", None, None, "io", "a", False),
        ),
        *(
            (
                json.dumps({"ok": True, "content": "text", "data": deep, "state": deep}),
                Reply(True, "text", deep, deep, "", "", False),
            )
            for deep in [nested(64)]
        ),
        *(
            (
                json.dumps({"ok": False, "error": {"code": "io", "message": "x" * size}}),
                Reply(False, "", None, None, "io", "x" * 4_000, False),
            )
            for size in (4_000, 4_001)
        ),
    ],
)
def test_a_result_is_read(stdout: str, expected: Reply) -> None:
    assert parse_reply(stdout.encode(), 1_000) == expected


@pytest.mark.parametrize(
    "stdout",
    [
        "",
        "done",
        "null",
        "[]",
        "true",
        '"ok"',
        "{}",
        '{"ok": true}',
        '{"ok": true, "content": null}',
        '{"ok": true, "content": 3}',
        '{"ok": "true", "content": ""}',
        '{"ok": 1, "content": ""}',
        '{"ok": true, "content": "", "extra": 1}',
        '{"ok": true, "content": "", "data": []}',
        '{"ok": true, "content": "", "state": "x"}',
        '{"ok": true, "content": "", "data": {"x": NaN}}',
        '{"ok": true, "content": "", "truncated": 1}',
        '{"ok": true, "content": "", "error": {"code": "io", "message": ""}}',
        '{"ok": true, "content": ""}{"ok": true, "content": ""}',
        'log line\n{"ok": true, "content": ""}',
        '{"ok": true, "content": "',
        '{"ok": false, "error": {"code": "io", "message": ""}, "ok": true, "content": ""}',
        '{"ok": false}',
        '{"ok": false, "error": "x"}',
        '{"ok": false, "error": {"code": "io"}}',
        '{"ok": false, "error": {"code": "IO ERROR", "message": ""}}',
        '{"ok": false, "error": {"code": "io", "message": 3}}',
        '{"ok": false, "error": {"code": 3, "message": ""}}',
        '{"ok": false, "error": {"code": "io", "message": "", "more": 1}}',
        "[" * 100_000,
        '{"ok": true, "content": "", "state": {"x": 1e999}}',
        *(f'{{"ok": true, "content": "", "data": {{"x": {s}{"9" * 4_000}}}}}' for s in ("", "-")),
        *(json.dumps({"ok": True, "content": "", key: nested(65)}) for key in ("data", "state")),
    ],
)
def test_anything_else_is_an_error_of_the_tool(stdout: str) -> None:
    assert isinstance(parse_reply(stdout.encode(), 1_000), str)


@pytest.mark.parametrize("code", sorted(RESERVED))
def test_a_tool_cannot_give_the_gates_own_codes(code: str) -> None:
    stdout = json.dumps({"ok": False, "error": {"code": code, "message": ""}})
    assert isinstance(parse_reply(stdout.encode(), 1_000), str)


def test_content_beyond_its_bound_is_cut_and_marked() -> None:
    assert parse_reply(b'{"ok": true, "content": "text"}', 4) == SUCCESS
    assert parse_reply(b'{"ok": true, "content": "text"}', 3) == replace(
        SUCCESS, content="tex", truncated=True
    )


@given(st.binary(max_size=200))
def test_no_bytes_are_mistaken_for_a_success(stdout: bytes) -> None:
    reply = parse_reply(stdout, 1_000)
    assert isinstance(reply, str) or json.loads(stdout)["ok"] is reply.ok


@given(st.text(), st.integers(0, 50))
def test_a_cut_fits_and_is_a_prefix(text: str, size: int) -> None:
    kept = cut(text, size)
    assert len(kept.encode()) <= size and text.startswith(kept)


def test_a_lone_surrogate_does_not_escape_the_cut() -> None:
    assert cut("a\ud800b", 10) == "a?b"


@pytest.mark.parametrize("state", [{}, {"state": {"cwd": "/x"}}])
@pytest.mark.parametrize("settings", [{}, {"settings": {"engine": "a"}}])
def test_a_request_has_the_shape_that_guests_read(state: JsonObject, settings: JsonObject) -> None:
    more = state.get("state"), 1.5, 99, settings.get("settings")
    envelope = Envelope("c1", {"A": "b"}, *more)
    assert json.loads(request_bytes("read", {"path": "é"}, envelope)) == {
        "tool": "read",
        "arguments": {"path": "é"},
        "cwd": "/workspace",
        "env": {"A": "b"},
        "call": {"id": "c1", "deadline_ms": 1500, "output_bytes_max": 99},
        **state,
        **settings,
    }


def test_what_is_no_json_makes_no_request() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        request_bytes("read", {"n": float("nan")}, Envelope("c1", {}, None, 1.5, 99))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"to": "alice", "to": "mallory"}', 'the key "to" is given twice'),
        ('[{"a": {"b": 1, "\\u0062": 2}}]', 'the key "b" is given twice'),
        ('{"amount": NaN}', "NaN is not JSON"),
        ('{"amount": 1e999}', "1e999"),
        ('{"to": "\\ud800"}', "it holds half of a surrogate pair"),
        ("[" * 65 + "]" * 65, "it is nested deeper than 64 levels"),
        ("[" * 1_000_000, "it is nested deeper than 64 levels"),
        ("{} {}", "Extra data"),
        ("9" * 400, "9{64} is too large a number"),
        ("9" * 5_000, "9{64} is too large a number"),
        ("", "Expecting value"),
    ],
)
def test_what_has_two_readings_is_no_json(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        strict_json(text)


def test_what_has_one_reading_is() -> None:
    text = '{"a": [1, 2.5, null, true, "\\ud83d\\ude00"], "A": {"a": {}}}'
    assert strict_json(text) == {"a": [1, 2.5, None, True, "\U0001f600"], "A": {"a": {}}}
    assert strict_json("[" * 64 + "]" * 64)
