"""The seam to whatever runs a tool, and a tool as the gate knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from capbox.gate.manifest import Manifest
from capbox.messages import JsonObject
from capbox.sandbox.spec import Job, Module, Outcome, Serve


class Runner(Protocol):
    """Runs one job at a time or many; every implementation passes `tests/contracts`."""

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Run the job to its end, whatever that is: a failure is an `Outcome`, never an exception.

        `serve` answers what the tool asks of the network. Nothing outside the job's mounts is
        touched, and nothing after this returned. When the surrounding task is cancelled, `cut`
        gets what had happened, and the cancellation goes on.
        """
        ...

    def stop_run(self, run: str) -> None:
        """End every job of `run` that is under way, as `Stopped("revoked")`."""
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `digest` (SHA-256, hex) covers the module's bytes and the manifest's text.

    `settings` are the operator's for it, and go to the guest with every request.
    """

    manifest: Manifest
    module: Module
    digest: str
    runner: Runner
    settings: JsonObject | None = None
