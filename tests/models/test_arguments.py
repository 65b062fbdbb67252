"""Arguments of tool calls: JSON objects, or kept as the text they are."""

from __future__ import annotations

import pytest

from capbox.messages import ToolCall
from capbox.models.arguments import tool_call


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ('{"path": "é", "n": [1, null]}', {"path": "é", "n": [1, None]}),
        ("{}", {}),
        ("", {}),
        ("  ", {}),
    ],
)
def test_an_object_is_parsed_and_no_text_is_no_arguments(
    text: str, arguments: dict[str, object]
) -> None:
    assert tool_call("c1", "read", text) == ToolCall("c1", "read", arguments)


@pytest.mark.parametrize(
    "text",
    [
        '{"path": "a"',
        '{"path": "a"} and more',
        "null",
        "[]",
        '"text"',
        "7",
        "{'path': 'a'}",
        '{"limit": NaN}',
        '{"to": "alice@example.com", "to": "mallory@evil.test"}',
        '{"a": {"b": 1, "b": 1}}',
        '{"limit": -Infinity}',
        '{"path": "\\ud800"}',
        '{"limit": ' + "9" * 5_000 + "}",
        '{"a":' * 100_000,
    ],
)
def test_anything_else_is_kept_as_text_and_never_becomes_an_empty_object(text: str) -> None:
    assert tool_call("c1", "read", text) == ToolCall("c1", "read", {}, malformed=text)


def test_malformed_text_can_be_stored() -> None:
    call = tool_call("c1", "read", '{"path": "\ud800')
    assert call == ToolCall("c1", "read", {}, malformed='{"path": "?')
