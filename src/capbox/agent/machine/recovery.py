"""Asking a model to go on after a reply of no use: how often, and in which words. Pure.

Guarantees: at most `RECOVERIES_MAX` in a row, whatever the problems are; a reply that is of use (a
text that ends the work, a call that could run) makes room for as many again, nothing else does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from capbox.agent.incidents import Problem, Recovering
from capbox.agent.machine.state import Compress, Finish, Note, Poll, State, Step
from capbox.agent.outcome import FailureKind, ModelFailed
from capbox.messages import UserMessage

RECOVERIES_MAX = 3

# An overflow has no words of its own: the summary is what the model reads.
MESSAGES: Final[dict[Problem, str]] = {
    "empty": "Your last reply was empty. Go on with the task, or give your final answer.",
    "length": "Your last reply was cut at its length limit. Go on, in smaller steps.",
    "malformed": (
        "None of the tool calls in your last reply could run; the results above say why. Call the "
        "tools by the names that you were given, each with one JSON object of the arguments that "
        "its schema names, or give your final answer."
    ),
    "provider": (
        "Your last reply was lost: the service that carries it failed. Go on with the task, in "
        "smaller steps."
    ),
}


def recovered(
    state: State, problem: Problem, notes: tuple[Note, ...], failed: str | None = None
) -> Step:
    """Ask again, with the reason, unless that was done often enough; `failed` is then said."""
    if state.recoveries >= RECOVERIES_MAX:
        why = failed or f"{RECOVERIES_MAX} requests to go on did not help"
        return Step(state, notes, Finish(ModelFailed(_kind(problem), why)))
    state = replace(state, recoveries=state.recoveries + 1)
    told = Recovering(problem, state.recoveries)
    if problem == "overflow":
        state = replace(state, compressing="overflow")
        return Step(state, (*notes, told), compression(state))
    return Step(state, (*notes, UserMessage(MESSAGES[problem]), told), Poll(done=False))


def compression(state: State, *, again: bool = False) -> Compress:
    """Return the next try, tighter for each that came before it in vain."""
    overflow = state.compressing == "overflow"
    tightness = state.compression_failures + (max(0, state.recoveries - 1) if overflow else 0)
    return Compress(state.model, again, tightness, overflow)


def _kind(problem: Problem) -> FailureKind:
    return "context_length" if problem == "overflow" else problem
