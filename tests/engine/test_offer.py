"""Which tools a model is offered: those that can work with what is held, or those named."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox import app
from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.engine.offer import offered
from capbox.gate.runner import Tool
from capbox.tools.registry import load
from capbox.tools.scripted import ScriptedRunner


@pytest.fixture(scope="module")
def tools() -> dict[str, Tool]:
    """The shipped tools, on a runner that is never asked."""
    registry = load(Path(app.GUESTS), shipped=True)
    return dict(registry.with_runner(ScriptedRunner(lambda job: pytest.fail("nothing runs"))))


def holding(*texts: str) -> Authority:
    """An authority with these grants."""
    grants = [parse_grant(text) for text in texts]
    minted = Authority.root(
        [grant for grant in grants if isinstance(grant, Grant)],
        limits=Limits(),
        budget=Budget(),
        id=AuthorityId("a"),
        now=0.0,
    )
    assert isinstance(minted, Authority)
    return minted


@pytest.mark.parametrize(
    ("grants", "chosen", "names"),
    [
        ((), None, "bash javascript python"),
        (("read:/workspace",), None, "bash glob grep javascript python read tree"),
        (
            ("read:/workspace", "fetch:https://a.example"),
            None,
            "bash fetch glob grep javascript python read search tree",
        ),
        (
            ("write:/workspace/a.txt",),
            None,
            "apply_patch bash edit glob grep javascript python read tree write",
        ),
        (("env:X=1",), None, "bash javascript python"),
        ((), ("write", "read", "read"), "read write"),
        (("write:/workspace",), (), ""),
    ],
)
def test_a_tool_is_offered_if_it_can_work_or_was_named(
    tools: dict[str, Tool], grants: tuple[str, ...], chosen: tuple[str, ...] | None, names: str
) -> None:
    assert " ".join(tool.name for tool in offered(tools, holding(*grants), chosen)) == names


def test_only_tools_that_change_nothing_may_run_beside_others(tools: dict[str, Tool]) -> None:
    every = offered(tools, holding(), tuple(tools))
    assert {tool.name: tool.reads_only for tool in every} == {
        "apply_patch": False,
        "bash": False,
        "edit": False,
        "glob": True,
        "grep": True,
        "javascript": False,
        "python": False,
        "read": True,
        "fetch": False,
        "search": True,
        "tree": True,
        "write": False,
    }
