"""Runs tools that are WASM modules, each call in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Job, Outcome, Serve


@dataclass(frozen=True, slots=True)
class WasmRunner:
    """The `Runner` of a sandbox that someone else opened and will close."""

    sandbox: Sandbox

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Run one call in a locked worker."""
        return await self.sandbox.call(job, cut, serve)

    def stop_run(self, run: str) -> None:
        """Kill every worker of the run."""
        self.sandbox.stop_run(run)
