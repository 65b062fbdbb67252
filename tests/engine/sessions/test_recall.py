"""`recall`: what was said in this workspace, with the labels of all that was known by then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from capbox.engine.home import Home
from capbox.engine.sessions.recall import recalling


async def test_a_reply_after_a_read_carries_what_was_read(
    begin: Callable, script: Callable, home: Home, workspace: Path
) -> None:
    """Attack: a stranger's words, told by the model, come back later without their label."""
    await begin(script([("read", {"path": "a.txt"})], "the garden"), "read:/workspace")
    recall = recalling(home.state / "runs.db", str(workspace))
    (told,) = await recall("garden", 5)
    assert told.sources == ("workspace:/workspace/a.txt",)
    (asked,) = await recall("the task", 5)
    assert asked.sources == ()


async def test_nothing_of_another_workspace_is_found(
    begin: Callable, script: Callable, home: Home, tmp_path: Path
) -> None:
    await begin(script("the garden"))
    assert await recalling(home.state / "runs.db", str(tmp_path))("garden", 5) == ()


async def test_no_more_is_found_than_is_asked_for(
    begin: Callable, script: Callable, home: Home, workspace: Path
) -> None:
    for _ in range(3):
        await begin(script("the garden"))
    recall = recalling(home.state / "runs.db", str(workspace))
    assert [len(await recall("garden", n)) for n in (-1, 1, 2, 1_000)] == [1, 1, 2, 3]
