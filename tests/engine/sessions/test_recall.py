"""`recall`: what was said in this workspace, with the labels of all that was known by then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.sessions.recall import recalling
from capbox.engine.sessions.resuming import known_by


def known(runs: Sequence[str]) -> list[str]:
    """What was in their prompts: nothing."""
    return []


async def test_a_reply_after_a_read_carries_what_was_read(
    begin: Callable, script: Callable, home: Home, workspace: Path
) -> None:
    """Attack: a stranger's words, told by the model, come back later without their label."""
    await begin(script([("read", {"path": "a.txt"})], "the garden"), "read:/workspace")
    recall = recalling(home.state / "runs.db", str(workspace), known)
    (told,) = await recall("garden", 5)
    assert told.sources == ("workspace:/workspace/a.txt",)
    (asked,) = await recall("the task", 5)
    assert asked.sources == ()


async def test_nothing_of_another_workspace_is_found(
    begin: Callable, script: Callable, home: Home, tmp_path: Path
) -> None:
    await begin(script("the garden"))
    assert await recalling(home.state / "runs.db", str(tmp_path), known)("garden", 5) == ()


async def test_no_more_is_found_than_is_asked_for(
    begin: Callable, script: Callable, home: Home, workspace: Path
) -> None:
    for _ in range(3):
        await begin(script("the garden"))
    recall = recalling(home.state / "runs.db", str(workspace), known)
    assert [len(await recall("garden", n)) for n in (-1, 1, 2, 1_000)] == [1, 1, 2, 3]


@pytest.mark.parametrize("sound", [True, False], ids=["sound", "broken"])
async def test_what_was_in_a_prompt_alone_is_a_source_of_what_was_said_then(
    begin: Callable, script: Callable, home: Home, workspace: Path, engine: LocalEngine, sound: bool
) -> None:
    """Attack: a secret in a skill's text, repeated by the model, is asked for by another run."""
    (workspace / "AGENTS.md").write_text("The word is hunter2.")
    went = await begin(script("the word is hunter2"), "read:/workspace")
    await begin(script("the garden"))
    if not sound:
        (home.state / "journal" / "heads" / f"{went.told[0].run}.json").unlink()
    recall = recalling(
        home.state / "runs.db", str(workspace), lambda runs: known_by(engine.sessions, runs)
    )
    (told,) = await recall("hunter2", 5)
    all_of_it = ("secret:*", "web:*", "workspace:*")
    assert told.sources == (("workspace:/workspace/AGENTS.md",) if sound else all_of_it)
    (other,) = await recall("garden", 5)
    assert other.sources == ()
