"""The tool javascript beside Node: its start, and how fast it computes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns
from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine

START, NODE_START = "node -e 0", "0"
LOOP = "let s = 0; for (let i = 0; i < 3e6; i++) s += (i * i) % 7; console.log(s)"
LOOPED = "5999999"


async def javascript(engine: LocalEngine, workspace: Path, rounds: int, few: int) -> Rows:
    """Measure whole calls after a pause; without Node there is nothing to compare them with."""
    async with Box(workspace=workspace, engine=engine) as box:

        async def one(number: int) -> None:
            done(await box.call("javascript", code=f"{number} + 1"))

        async def loop(number: int) -> None:
            said = done(await box.call("javascript", code=f"{LOOP}; // {number}"))
            if said.strip() != LOOPED:
                raise RuntimeError(f"the loop came to {said!r}")

        starts: dict[str, Act] = {"ours": one}
        loops: dict[str, Act] = {"ours": loop}
        if shutil.which("node") is not None:
            starts["node"], loops["node"] = _node(NODE_START), _node(LOOP)
        start = await in_turns(starts, rounds, IDLE_SECONDS)
        computed = await in_turns(loops, few, IDLE_SECONDS)
    what = "javascript `1`, after a pause"
    return {
        "js_start": _row(start, what, START),
        "js_loop": _row(computed, "javascript: a loop of 3,000,000 rounds", "the same in Node"),
    }


def _row(taken: dict[str, float], what: str, against: str) -> Row:
    node = taken.get("node")
    ratio = None if node is None else taken["ours"] / node
    return Row(taken["ours"] * 1000, "ms", ratio, what, against)


def _node(code: str) -> Act:
    async def act(_number: int) -> None:
        # Blocking, as the other native yardsticks are: nothing else is to run meanwhile.
        subprocess.run(["node", "-e", code], check=True, capture_output=True)  # noqa: ASYNC221

    return act
