"""The tools that are interpreters, back to back, and the memory of a worker that runs one."""

from __future__ import annotations

from pathlib import Path

from bench.clock import Act, in_turns
from bench.memory import MB, bytes_of, children, zygotes
from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine

_CODE = {"python": "print({})", "javascript": "console.log({})"}


async def interpreters(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Measure programs that nobody has run before, and what their workers hold."""
    found: Rows = {}
    for tool in _CODE:
        before = _workers()
        async with Box(workspace=workspace, preset="read-only", engine=engine) as box:
            taken = await in_turns({tool: _asked(box, tool)}, rounds, 0)
            resident = max(map(bytes_of, _workers() - before))
        what = f"{tool}, a program a call, back to back"
        found[f"{tool}_fresh"] = Row(taken[tool] * 1000, "ms", None, what)
        what = f"resident, a worker that runs {tool}"
        found[f"{tool}_rss"] = Row(resident / MB, "MB", None, what)
    return found


def _asked(box: Box, tool: str) -> Act:
    async def act(number: int) -> None:
        if str(number) not in done(await box.call(tool, code=_CODE[tool].format(number))):
            raise RuntimeError(f"{tool}: another answer")

    return act


def _workers() -> set[int]:
    return {pid for zygote in zygotes() for pid in children(zygote)}
