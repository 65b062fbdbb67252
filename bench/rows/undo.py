"""What it costs to keep what is changed, and how long it takes to bring it back."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench.clock import Act, in_turns
from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.undo.history import find
from capbox.undo.undoing import undo

WRITES = 1_000
WITHOUT = "the same without it"


async def undoing(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Write new files with and without pre-images in turns, then undo as many at once."""
    kept, plain = workspace / "kept", workspace / "plain"
    async with AsyncExitStack() as stack:
        boxes: list[Box] = []
        for folder in (kept, plain):
            folder.mkdir(parents=True)
            box = Box(workspace=folder, grants=("write:/workspace",), engine=engine)
            boxes.append(await stack.enter_async_context(box))
        done(await boxes[0].call("write", path="first.txt", content="first"))
        keeps, engine.keeps = engine.keeps, None
        done(await boxes[1].call("write", path="first.txt", content="first"))
        engine.keeps = keeps

        async def with_it(number: int) -> None:
            done(await boxes[0].call("write", path=f"{number}.txt", content=f"{number}\n"))

        async def without(number: int) -> None:
            done(await boxes[1].call("write", path=f"{number}.txt", content=f"{number}\n"))

        acts: dict[str, Act] = {"with": with_it, "without": without}
        taken = await in_turns(acts, rounds, 0)
        for number in range(rounds, WRITES):
            await with_it(number)
    one = find(engine.home.state / "undo", None, str(kept.resolve()))
    began = time.perf_counter()
    left = undo(one).left
    seconds = time.perf_counter() - began
    if left or any(kept.iterdir()):
        raise RuntimeError(f"not all was undone: {left}")
    ratio = taken["with"] / taken["without"]
    what = "write of a new file whose pre-image is kept, back to back"
    return {
        "pre_image": Row(taken["with"] * 1e3, "ms", ratio, what, WITHOUT),
        "undo": Row(seconds * 1e3, "ms", None, f"undo of {WRITES} writes"),
    }
