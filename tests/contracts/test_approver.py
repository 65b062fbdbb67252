"""What the gate may rely on, whoever answers: the same suite for every `Approver`.

A new implementation adds a maker to APPROVERS, in a state where nobody says yes.
"""

import io
import os
from collections.abc import Callable

import pytest

from capbox.authority.access import Access, EnvAccess, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.paths import GrantPath
from capbox.engine.approvers.queue import QueueApprover
from capbox.gate.approver import Approver, AskRequest, DenyApprover, No, ask_request
from capbox.surfaces.cli.approver import TerminalApprover
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.terminal import Terminal


def at_a_terminal(typed: bytes) -> Approver:
    """The terminal's approver, where `typed` is all that anybody ever types."""
    ask, answer = os.pipe()
    os.write(answer, typed)
    os.close(answer)
    return TerminalApprover(Terminal(Screen(io.StringIO(), io.StringIO(), {}), ask))


APPROVERS: dict[str, Callable[[], Approver]] = {
    "deny": DenyApprover,
    "terminal, nobody there": lambda: at_a_terminal(b""),
    "queue, nobody reads it": lambda: QueueApprover(0.01),
    "queue, a terminal with nobody beside": lambda: QueueApprover(None, beside=at_a_terminal(b"")),
    "terminal, unclear answers": lambda: at_a_terminal(b"y\nyes\n1\nok\n\x1b[A\n\xff\n" * 4),
}


@pytest.fixture(params=APPROVERS)
def approver(request: pytest.FixtureRequest) -> Approver:
    """Each approver in turn, with nobody there."""
    return APPROVERS[request.param]()


def question(access: Access, arguments: str = "{}") -> AskRequest:
    return ask_request(
        access, run="r", tool="write", tool_digest="ab" * 32, host="/h/a", arguments=arguments
    )


@pytest.mark.parametrize(
    "access",
    [
        ReadAccess(GrantPath("/workspace/a")),
        WriteAccess(GrantPath("/workspace/\u202ea\nb")),
        EnvAccess("HOME"),
        ToolAccess("x\x1b[2J"),
    ],
)
@pytest.mark.parametrize("arguments", ["", "{}", "\x1b]0;x\x07" * 1_000, "\ud800"])
async def test_whatever_is_asked_without_a_clear_yes_the_answer_is_no(
    approver: Approver, access: Access, arguments: str
) -> None:
    assert isinstance(await approver.ask(question(access, arguments)), No)


async def test_an_answer_does_not_depend_on_how_often_it_was_asked(approver: Approver) -> None:
    asked = question(ReadAccess(GrantPath("/workspace/a")))
    answers = [await approver.ask(asked) for _ in range(20)]
    assert all(isinstance(answer, No) for answer in answers)
