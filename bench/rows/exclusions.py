"""What the exclusions of every grant cost: each name a guest meets is compared with them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns
from bench.row import Row, Rows, done
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.messages import JsonObject
from capbox.sandbox.spec import Job, Mount, Outcome, Rule, Serve
from capbox.tools.wasm import WasmRunner

CALLS: dict[str, tuple[str, JsonObject]] = {
    "glob": ("tool glob over 10,000 files", {"pattern": "**/*77.md", "path": "many"}),
    "grep": ("tool grep over 60 MB", {"pattern": "needle found", "path": "src"}),
}


async def exclusions(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """The same calls, with the exclusions and with rights that have none."""
    runner = _Stripping(WasmRunner(engine.sandbox))
    real = engine.tools, engine.gate
    engine.tools = engine.registry.with_runner(runner)
    engine.gate = Gate(engine.tools, holdings=Holdings(), clock_ns=time.time_ns, entropy=os.urandom)
    found: Rows = {}
    async with (
        Box(workspace=workspace, preset="read-only", engine=engine) as kept,
        Box(workspace=workspace, preset="read-only", engine=engine) as free,
    ):
        for tool, (what, arguments) in CALLS.items():
            acts = {
                "with": _calling(kept, tool, arguments, runner, strip=False),
                "without": _calling(free, tool, arguments, runner, strip=True),
            }
            for act in acts.values():
                await act(0)
            taken = await in_turns(acts, rounds, IDLE_SECONDS)
            found[f"excluded_{tool}"] = Row(
                value=taken["with"] * 1e3,
                unit="ms",
                ratio=taken["with"] / taken["without"],
                what=f"{what}, with the exclusions that every grant has",
                against="without",
            )
    engine.tools, engine.gate = real
    return found


@dataclass(slots=True)
class _Stripping:
    """Runs jobs in the sandbox; while `strip` holds, without the exclusions of their mounts."""

    inner: WasmRunner
    strip: bool = False

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Run one call in a locked worker."""
        if self.strip:
            job = replace(job, mounts=tuple(map(_stripped, job.mounts)))
        return await self.inner.run(job, cut, serve)

    def stop_run(self, run: str) -> None:
        """Kill every worker of the run."""
        self.inner.stop_run(run)


def _stripped(mount: Mount) -> Mount:
    return replace(mount, rules=tuple(Rule(rule.write) for rule in mount.rules))


def _calling(
    box: Box, tool: str, arguments: JsonObject, runner: _Stripping, *, strip: bool
) -> Act:  # fmt: skip
    async def act(_number: int) -> None:
        runner.strip = strip
        done(await box.call(tool, **arguments))

    return act
