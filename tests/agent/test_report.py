"""The report of a run: everything that was done and refused, and how it ended."""

from __future__ import annotations

from capbox.agent import events
from capbox.agent.outcome import Completed
from capbox.agent.report import Report
from capbox.messages import Denial, Effect, ToolCall, ToolResult, Usage

CALL = ToolCall("c1", "read", {})
DENIED = Denial("read /etc/x", "no grant", "read:/etc/x", "--read /etc/x")
EFFECT = Effect("read", "/workspace/a", "/home/a", 5)


def test_a_report_lists_a_refusal_once_and_every_effect() -> None:
    report = Report()
    result = ToolResult(True, "", denied=(DENIED, DENIED), effects=(EFFECT,))
    for event in (
        events.RunStarted("r1", "do it", "m", (), ()),
        events.TextDelta("done"),
        events.ToolFinished(CALL, result),
        events.ToolFinished(CALL, result),
        events.RunFinished(Completed(), "done", events.RunSpent(1, 2, 3, Usage(1, 1), 0.5)),
    ):
        report.add(event)
    effect = {"action": "read", "path": "/workspace/a", "host_path": "/home/a", "bytes": 5}
    assert report.to_json() == {
        "outcome": "completed",
        "text": "done",
        "run": "r1",
        "denied": [
            {
                "access": "read /etc/x",
                "reason": "no grant",
                "missing": "read:/etc/x",
                "flag": "--read /etc/x",
            }
        ],
        "effects": [effect, effect],
        "spent": events.RunSpent(1, 2, 3, Usage(1, 1), 0.5).to_json(),
    }


def test_a_run_that_has_not_ended_has_no_outcome() -> None:
    report = Report()
    report.add(events.RunStarted("r1", "do it", "m", (), ()))
    assert (report.to_json()["outcome"], report.to_json()["run"]) == (None, "r1")
