"""A tool call in full."""

from __future__ import annotations

import pytest

from capbox.messages import Denial, Effect, Spent, ToolCall, ToolFailure, ToolResult
from capbox.surfaces.cli.failures import CommandFailure
from capbox.surfaces.cli.talk.showing.telling import folded
from capbox.surfaces.cli.talk.unfolded import unfolded

ROW = "  7 write  a.txt  "
WRITTEN = Effect("create", "/workspace/a.txt", None, 12)
CALL = ToolCall("c", "write", {"path": "a.txt", "content": "x"})
DONE = ToolResult(True, "made it\nwell", effects=(WRITTEN,), spent=Spent(wall_ms=3))
REFUSED = ToolResult(
    False, "", error=ToolFailure("denied", "no\nway"),
    denied=(Denial("write /etc/x", "no grant covers it", "write:/etc/x", "--write /etc/x"),),
)  # fmt: skip


def test_it_shows_arguments_effects_and_result() -> None:
    assert [line for line, _ in unfolded([(1, CALL, DONE)], "")] == [
        "1 write  a.txt  ok, 3 ms",
        "  {",
        '   "path": "a.txt",',
        '   "content": "x"',
        "  }",
        "did create /workspace/a.txt  12 B",
        "  | made it",
        "  | well",
    ]


def test_it_shows_what_was_refused_and_why() -> None:
    lines = [line for line, _ in unfolded([(1, CALL, DONE), (2, CALL, REFUSED)], "2")]
    assert lines[-2:] == ["denied write /etc/x: no grant covers it", "denied: no way"]


@pytest.mark.parametrize("number", ["3", "x", "-1", "0"])
def test_a_call_that_is_not_there_is_told(number: str) -> None:
    with pytest.raises(CommandFailure, match="here are 1 to 2"):
        unfolded([(1, CALL, DONE), (2, CALL, DONE)], number)
    with pytest.raises(CommandFailure, match="no tool was called yet"):
        unfolded([], "")


def test_a_long_result_is_cut_with_a_mark() -> None:
    many = ToolResult(True, "line\n" * 1_000)
    assert [line for line, _ in unfolded([(1, CALL, many)], "")][-1] == "  | [... 800 lines more]"
    long = ToolResult(True, "x" * 30_000)
    last = [line for line, _ in unfolded([(1, CALL, long)], "")][-1]
    assert last == "  | [... 10000 characters more]"


@pytest.mark.parametrize(
    ("result", "row", "style"),
    [
        (DONE, f"{ROW}ok, 3 ms · create 12 B", "dim"),
        (REFUSED, f"{ROW}denied: write /etc/x", "red"),
        (ToolResult(True, "", effects=(WRITTEN,) * 2), f"{ROW}ok, 0 ms · create 24 B", "dim"),
    ],
)  # fmt: skip
def test_a_call_is_folded_to_a_row(result: ToolResult, row: str, style: str) -> None:
    assert folded(7, CALL, result, 80) == (row, style)


def test_a_row_is_cut_to_the_window() -> None:
    from rich.cells import cell_len

    call = ToolCall("c", "read", {"path": "日本語" * 40})
    row, _ = folded(1, call, DONE, 40)
    assert cell_len(row) <= 40
    assert row.endswith("...")
