"""A result that is too long for the model: it gets head, tail and a path, and reads the rest."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

from capbox.agent.events import RunFinished, ToolFinished
from capbox.agent.outcome import Completed
from capbox.messages import AssistantMessage, ToolCall, ToolMessage, Usage
from capbox.models.model import ModelEvent, ModelRequest, Reply


class Paging:
    """A model that prints ten thousand lines, and then pages to one in the middle."""

    name = "paging"

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Call bash, then read what the result names, then be done."""
        results = [m.content for m in request.messages if isinstance(m, ToolMessage)]
        if not results:
            yield self._reply(ToolCall("c1", "bash", {"script": "seq 1 10000"}))
        elif len(results) == 1:
            found = re.search(r"the whole is in (\S+): read", results[0])
            assert found is not None, results[0]
            arguments = {"path": found[1], "offset": 5000, "limit": 1}
            yield self._reply(ToolCall("c2", "read", arguments))
        else:
            yield self._reply(text=results[1])

    def _reply(self, *calls: ToolCall, text: str = "") -> Reply:
        stop = "tool_calls" if calls else "end"
        return Reply(AssistantMessage(text, calls), Usage(1, 1), 0.0, stop)


async def test_the_whole_of_a_long_result_can_be_paged(open_session, workspace: Path) -> None:
    async with (
        open_session("read:/workspace", "write:/workspace") as session,
        session.run("count", Paging()) as stream,
    ):
        events = [event async for event in stream]
    printed, read = (event.result for event in events if isinstance(event, ToolFinished))
    assert len(printed.content) > 40_000
    assert (read.ok, read.denied) == (True, ())
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.outcome == Completed()
    assert "5000\t5000" in finished.text
    # It took no grant, and changed nothing that anybody would be shown.
    assert sorted(os.listdir(workspace)) == ["a.txt", "b.txt"]
