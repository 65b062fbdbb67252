"""First, what it is for: an ordinary task, done by a scripted model with the real tools.

Guarantees: every result shown is the real one. Does not: judge anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from capbox.agent import events
from capbox.engine.settings import Settings, SettingsError
from capbox.messages import Effect, Json, ToolCall, ToolResult
from capbox.models.script import ScriptError, parse_script
from capbox.models.scripted import ScriptedModel
from capbox.sandbox.effects import READ_ACTIONS
from capbox.surfaces.demo.hostile import OpenSession
from capbox.surfaces.demo.scene import Scene

TASK = "Add up the sales by item and write a report to out/report.md."
GRANTS = ("read:/workspace", "write:/workspace/out")

_SUM = "awk -F, 'NR > 1 { n[$1] += $2 } END { for (i in n) print i, n[i] }' data/sales.csv | sort"
_REPORT = "# Sales by item\n\n| item | count |\n| --- | --- |\n| anvil | 15 |\n| rocket | 3 |\n"
_REPLIES: tuple[tuple[str, str, dict[str, Json]], ...] = (
    ("I look at the data first.", "read", {"path": "data/sales.csv"}),
    ("Where do prices come from?", "grep", {"pattern": "PRICES", "path": "src"}),
    ("I add up the counts.", "bash", {"script": _SUM}),
    ("I write the report.", "write", {"path": "out/report.md", "content": _REPORT}),
    (
        "The heading could say more.",
        "edit",
        {"path": "out/report.md", "old": "# Sales by item", "new": "# Sales by item, March"},
    ),
)


CALLS = len(_REPLIES)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the helpful run, with what the model said before it."""

    said: str
    call: ToolCall
    result: ToolResult

    @property
    def changes(self) -> tuple[Effect, ...]:
        """Return the effects that changed something."""
        return tuple(e for e in self.result.effects if e.action not in READ_ACTIONS)


def model() -> ScriptedModel:
    """Return the model of this task."""
    replies = [
        {"text": said, "tool_calls": [{"name": name, "arguments": arguments}]}
        for said, name, arguments in _REPLIES
    ]
    script = parse_script(
        json.dumps([*replies, {"text": "The report is in out/report.md."}]), "demo"
    )
    if isinstance(script, ScriptError):
        raise SettingsError("demo", script.reason)
    return ScriptedModel("scripted:helpful", script)


async def helped(open_session: OpenSession, scene: Scene) -> list[Step]:
    """Do the task in the workspace of `scene` and return its steps."""
    said, steps = "", list[Step]()
    settings = Settings(workspace=scene.workspace, grants=GRANTS)
    async with open_session(settings) as session, session.run(TASK, model()) as stream:
        async for event in stream:
            if isinstance(event, events.ModelReply):
                said = event.message.text
            elif isinstance(event, events.ToolFinished):
                steps.append(Step(said, event.call, event.result))
    return steps
