"""What a peer answers, and how it says that it cannot."""

from __future__ import annotations

from bench.tasks import Task

ANSWER_SECONDS_MAX = 25.0


class CannotError(Exception):
    """A peer cannot do this, or not here; the message says why, in a few words."""


def checked(task: Task, said: str) -> None:
    """Refuse an answer that is not that of the task: a wrong one is no measurement."""
    if task.answer not in said:
        raise CannotError(f"another answer: {said.strip()[:60]!r}")
