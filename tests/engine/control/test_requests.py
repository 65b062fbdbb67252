"""What a process answers over its control socket; the socket itself is in `test_server`."""

from __future__ import annotations

import json
from types import SimpleNamespace

import anyio

from capbox.authority.access import ReadAccess
from capbox.authority.paths import GrantPath
from capbox.engine.approvers.queue import QueueApprover
from capbox.engine.control.requests import Requests
from capbox.engine.control.wire import REPLY_BYTES_MAX
from capbox.gate.approver import ask_request


async def test_one_huge_question_does_not_hide_the_others() -> None:
    """A request with a megabyte of headers is shown at its own terminal, and not over the wire."""
    board = QueueApprover(60)
    answers = Requests([SimpleNamespace(board=board)])
    async with anyio.create_task_group() as tasks:
        for size in (10, REPLY_BYTES_MAX, 20, REPLY_BYTES_MAX // 3, REPLY_BYTES_MAX // 3, 30):
            asked = ask_request(
                ReadAccess(GrantPath("/workspace/a")),
                run="r",
                tool="read",
                tool_digest="d",
                host=None,
                arguments="{}",
                details=("x" * size,),
            )
            tasks.start_soon(board.ask, asked)
        await anyio.wait_all_tasks_blocked()
        reply = answers.answer({"do": "questions"})
        tasks.cancel_scope.cancel()
    shown = [len(one["details"][0]) for one in reply["questions"]]
    assert shown == [10, 20, REPLY_BYTES_MAX // 3, REPLY_BYTES_MAX // 3, 30]
    assert reply["left_out"] == 1
    assert len(json.dumps(reply)) < REPLY_BYTES_MAX
