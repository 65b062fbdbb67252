"""The system prompt tells what the run holds and where its limits are."""

from __future__ import annotations

from capbox.agent.prompt import system_prompt
from capbox.authority.budget import Budget


def test_it_lists_the_grants_and_the_limits_it_was_given() -> None:
    prompt = system_prompt(("read:/workspace", "write:/workspace/out"), Budget())
    assert "You hold:\n- read:/workspace\n- write:/workspace/out\n" in prompt
    assert "50 replies, 200 tool calls or 30 minutes" in prompt


def test_a_run_without_grants_is_told_that_it_holds_nothing() -> None:
    assert "You hold:\n- nothing\n" in system_prompt((), Budget())
