"""What every runner of this process's own code has in common: jobs that can be stopped by run.

Guarantees: a job of a run that is stopped ends as revoked, a cancelled one is reported with what it
had begun. Does not: confine anything, or end a thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from capbox.sandbox.spec import Job, Outcome, Touched, stopped


class LocalJobs:
    """The jobs that are under way in this process."""

    def __init__(self) -> None:
        self._under_way: list[tuple[str, anyio.CancelScope]] = []

    async def run(
        self,
        job: Job,
        cut: Callable[[Outcome], None],
        answer: Callable[[Job], Awaitable[Outcome]],
        begun: tuple[Touched, ...] = (),
    ) -> Outcome:
        """Return what `answer` says of the job; `begun` is what it does, however it ends."""
        try:
            with anyio.CancelScope() as scope:
                under_way = (job.run, scope)
                self._under_way.append(under_way)
                try:
                    return await answer(job)
                finally:
                    self._under_way.remove(under_way)
        except anyio.get_cancelled_exc_class():
            # What surrounds it ends, perhaps by the same revocation: then nothing is returned.
            cut(Outcome(stopped("revoked" if scope.cancel_called else "interrupted"), begun))
            raise
        return Outcome(stopped("revoked"), begun)

    def stop_run(self, run: str) -> None:
        """Cancel every job of the run."""
        for name, scope in self._under_way:
            if name == run:
                scope.cancel()
