"""What the model reads of a result: bounded, honest about failure, teaching on refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capbox.agent.context import bounded, tool_message
from capbox.messages import Denial, ToolCall, ToolFailure, ToolMessage, ToolResult
from capbox.models.script import ScriptedReply
from capbox.models.scripted import ScriptedModel

CALL = ToolCall("c1", "bash", {})
DENIED = Denial("read /etc/passwd", "no grant covers it", "read:/etc/passwd", "--read /etc/passwd")
TEACHING = (
    "Do not try this again or by another way: the answer stays the same. Go on with what you "
    "hold, or tell the person what you could not do."
)


@pytest.mark.parametrize(
    ("result", "content", "is_error"),
    [
        (ToolResult(True, "a\nb"), "a\nb", False),
        (ToolResult(True, ""), "(no output)", False),
        (ToolResult(False, ""), "error", True),
        (
            ToolResult(False, "half", error=ToolFailure("time", "stopped after 30 s")),
            "error (time): stopped after 30 s\nhalf",
            True,
        ),
        (
            ToolResult(True, "ab", truncated=True),
            "ab\n[The tool's output was cut at its output limit.]",
            False,
        ),
        (
            ToolResult(True, "ran", denied=(DENIED,)),
            "ran\nRefused: read /etc/passwd: no grant covers it\n"
            f"You hold: read:/workspace.\n{TEACHING}",
            False,
        ),
    ],
)
def test_a_result_as_the_model_reads_it(result, content, is_error) -> None:
    message = tool_message(CALL, result, ("read:/workspace",), characters_max=1_000)
    assert message == ToolMessage("c1", "bash", content, is_error)


def test_a_run_that_holds_nothing_is_told_so() -> None:
    message = tool_message(CALL, ToolResult(True, "", denied=(DENIED,)), (), characters_max=100)
    assert "You hold: nothing." in message.content


def test_a_flood_of_refusals_is_counted_and_not_repeated() -> None:
    result = ToolResult(True, "", denied=(DENIED,) * 5_000)
    message = tool_message(CALL, result, (), characters_max=100)
    assert "and 4990 more refusals" in message.content
    assert len(message.content) < 1_500


@pytest.mark.parametrize("length", [0, 1, 99, 100])
def test_a_text_within_the_bound_is_whole(length) -> None:
    assert bounded("x" * length, 100) == "x" * length


def test_a_text_beyond_the_bound_keeps_head_and_tail_and_says_what_is_missing() -> None:
    text = "".join(chr(ord("a") + n % 26) for n in range(10_000))
    cut = bounded(text, 90)
    head, _, tail = cut.partition("\n[... 9910 characters left out here; ")
    assert (head, tail.endswith(text[-30:])) == (text[:60], True)
    assert len(cut) < 200


def test_a_text_that_was_kept_names_the_place_where_the_whole_of_it_is() -> None:
    cut = bounded("x" * 100, 90, "/tmp/results/1.txt")
    assert "the whole is in /tmp/results/1.txt: read it in parts, with offset and limit" in cut
    assert bounded("x" * 90, 90, "/tmp/results/1.txt") == "x" * 90


async def test_a_result_is_kept_only_if_it_is_too_long(stage, calling) -> None:
    kept = []

    def stow(call: ToolCall, text: str) -> str | None:
        kept.append((call.name, text))
        return None if call.name == "write" else f"/tmp/results/{len(kept)}.txt"

    async def call_tool(call: ToolCall) -> ToolResult:
        return ToolResult(True, "x" * int(call.arguments["length"]))

    stage.plan = replace(stage.plan, result_characters_max=100)
    sizes = ['{"length": 100}', '{"length": 101}', '{"length": 101}']
    reply = calling("read", "read", "write", arguments=sizes)
    stage.plan = replace(stage.plan, model=ScriptedModel("s", (reply, ScriptedReply(text="done"))))
    run = stage.run(call_tool=call_tool, stow=stow)
    await run.run(stage.emit)
    assert kept == [("read", "x" * 101), ("write", "x" * 101)]
    shown = [m.content for m in run.transcript if isinstance(m, ToolMessage)]
    assert shown[0] == "x" * 100
    assert "the whole is in /tmp/results/1.txt" in shown[1]
    assert "ask for a smaller part" in shown[2]
