"""The loop itself: from a state and what came, to the next state and what is to be done. Pure.

    poll ─→ ask ─→ replied ─→ use tools ─→ poll       (a reply without calls: poll, then finish)
     │       └─→ failed ─→ wait ─→ ask                (or another model, a recovery, the end)
     └─→ compress ─→ poll

Guarantees: every way back to `ask` is counted, so each request ends in a reply or in an honest
outcome; a broken reply is taken back before anything else is done; what a person says joins the
conversation only between turns. Does not: know limits. Whoever does the actions asks them first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from capbox.agent.incidents import (
    Compressed,
    CompressionFailed,
    FellBack,
    ReplyTakenBack,
    Retrying,
    Steered,
    StopRefused,
)
from capbox.agent.machine.recovery import compression, recovered
from capbox.agent.machine.retry import (
    RETRIED,
    WAIT_SECONDS_MAX,
    Tries,
    asked_to_wait,
    seconds_to_wait,
)
from capbox.agent.machine.state import (
    Ask,
    Called,
    Failed,
    Finish,
    Note,
    NotSummed,
    Over,
    Poll,
    Polled,
    Replied,
    Signal,
    State,
    Step,
    Summed,
    UseTools,
    Wait,
    Waited,
)
from capbox.agent.outcome import Completed, ModelFailed, SandboxFailed
from capbox.messages import UserMessage
from capbox.models.model import ErrorKind

COMPRESSION_FAILURES_MAX = 3
SANDBOX_FAILURES_MAX = 3
STOPS_REFUSED_MAX = 3
FULL = 0.9
# The code by which whoever runs calls says that arguments were no JSON.
MALFORMED = "malformed"
_UNUSABLE = frozenset({MALFORMED, "unknown_tool", "invalid_arguments"})
# What another model may do better. Not a key that is refused: that is a mistake of whoever set it
# up, which the quiet use of another account would hide. Not a request that is refused: the other
# one would be sent the same.
_FALLS_BACK: Final[frozenset[ErrorKind]] = RETRIED | {"quota"}


def first_step(models: tuple[str, ...]) -> Step:
    """Begin."""
    return Step(State(models), (), Poll(done=False))


def next_step(state: State, signal: Signal) -> Step:
    """Return what follows when `signal` came in answer to the last action."""
    match signal:
        case Polled():
            return _between(state, signal)
        case Replied():
            return _replied(state, signal)
        case Failed():
            return _failed(state, signal)
        case Waited():
            asked = Ask(state.model, again=True)
            return Step(state, (), compression(state, again=True) if state.compressing else asked)
        case Called(codes):
            return _called(state, codes)
        case Summed():
            return _summed(state, signal)
        case NotSummed():
            return _not_summed(state, signal)
        case Over(outcome):
            return Step(state, (), Finish(outcome))
        case _:
            assert_never(signal)


def _ask(state: State) -> Step:
    return Step(replace(state, asked=True), (), Ask(state.model, again=state.asked))


def _poll(state: State, notes: tuple[Note, ...] = ()) -> Step:
    return Step(state, notes, Poll(state.done, state.stops_refused < STOPS_REFUSED_MAX))


def _between(state: State, polled: Polled) -> Step:
    if polled.steered:
        said = tuple(n for text in polled.steered for n in (UserMessage(text), Steered(text)))
        state = replace(state, done=False)
        if not polled.compact:
            return _poll(state, said)
        step = _compact(state)
        return replace(step, notes=(*said, *step.notes))
    if polled.compact:
        return _compact(state)
    if state.done:
        if polled.objection is None:
            return Step(state, (), Finish(Completed()))
        state = replace(state, done=False, stops_refused=state.stops_refused + 1)
        text = polled.objection
        return _poll(state, (UserMessage(text), StopRefused(text)))
    full = polled.window is not None and polled.tokens >= polled.window * FULL
    if full and not state.compressed and not _given_up(state):
        state = replace(state, compressing="full")
        return Step(state, (), compression(state))
    return _ask(state)


def _compact(state: State) -> Step:
    state = replace(state, compressing="asked")
    if _given_up(state):
        many = f"{COMPRESSION_FAILURES_MAX} tries in a row came to nothing"
        return _not_summed(state, NotSummed(f"this run makes no further one: {many}"))
    return Step(state, (), compression(state))


def _replied(state: State, reply: Replied) -> Step:
    message = reply.message
    state = replace(state, asked=False, tries=Tries(), compressed=False)
    if reply.batches:
        state = replace(state, useful=False, cut=reply.stop == "length", todo=reply.batches[1:])
        return Step(state, (message,), UseTools(reply.batches[0]))
    match reply.stop:
        case "refused":
            failed = ModelFailed("refused", "the provider's filter ended the reply")
            return Step(state, (message,), Finish(failed))
        case "length":
            return recovered(state, "length", (message,))
        case "end" | "tool_calls":
            if not message.text.strip():
                return recovered(state, "empty", (message,))
            return _poll(replace(state, done=True, recoveries=0, unusable=0), (message,))
        case _:
            assert_never(reply.stop)


def _called(state: State, codes: tuple[str, ...]) -> Step:
    failures = state.sandbox_failures
    for code in codes:
        failures = failures + 1 if code == "sandbox_failed" else 0
    useful = state.useful or any(code not in _UNUSABLE for code in codes)
    malformed = any(code == MALFORMED for code in codes)
    state = replace(state, sandbox_failures=failures, useful=useful)
    if failures >= SANDBOX_FAILURES_MAX:
        return Step(state, (), Finish(SandboxFailed(f"{failures} tool calls in a row")))
    if state.todo:
        return Step(replace(state, todo=state.todo[1:]), (), UseTools(state.todo[0]))
    if useful:
        return _poll(replace(state, recoveries=0, unusable=0))
    state = replace(state, unusable=state.unusable + 1)
    if state.cut:
        return recovered(state, "length", ())
    # A name or an argument that is wrong once is told by its result alone.
    return recovered(state, "malformed", ()) if malformed or state.unusable > 1 else _poll(state)


def _failed(state: State, failed: Failed) -> Step:
    taken_back = failed.begun and state.compressing is None
    notes: tuple[Note, ...] = (ReplyTakenBack(failed.message),) if taken_back else ()
    named, tries = asked_to_wait(failed.retry_after), state.tries.after(failed.kind)
    too_long = named is not None and named > WAIT_SECONDS_MAX
    if tries is not None and not too_long:
        seconds = seconds_to_wait(tries, named, failed.chance)
        told = Retrying(tries.made, seconds, failed.kind, failed.message)
        return Step(replace(state, tries=tries), (*notes, told), Wait(seconds))
    why = _why(state, failed, named if too_long else None)
    if state.compressing is not None:
        return _not_summed(state, NotSummed(why))
    if failed.kind in _FALLS_BACK and state.model + 1 < len(state.models):
        told_of = FellBack(state.models[state.model], state.models[state.model + 1], why)
        state = replace(state, model=state.model + 1, tries=Tries(), compressed=False)
        return _poll(state, (*notes, told_of))
    if failed.kind == "context_length":
        return _overflown(replace(state, overflow=why), notes)
    if failed.kind == "provider" and not too_long:
        return recovered(state, "provider", notes, failed=why)
    return Step(state, notes, Finish(ModelFailed(failed.kind, why)))


def _why(state: State, failed: Failed, too_long: float | None) -> str:
    if too_long is not None:
        most = f"a run waits at most {WAIT_SECONDS_MAX:g} s. Try again later, or name a fallback"
        return f"{failed.message} (come back in {too_long:g} s, it says; {most} model)"
    made = state.tries.made
    again = f"sent again {made} time{'' if made == 1 else 's'}"
    return f"{failed.message} ({again})" if made else failed.message


def _overflown(state: State, notes: tuple[Note, ...]) -> Step:
    if _given_up(state):
        return Step(state, notes, Finish(ModelFailed("context_length", state.overflow)))
    return recovered(state, "overflow", notes, failed=state.overflow)


def _given_up(state: State) -> bool:
    return state.compression_failures >= COMPRESSION_FAILURES_MAX


def _summed(state: State, summed: Summed) -> Step:
    told = Compressed(summed.message, summed.before, summed.after, summed.usage, summed.usd)
    state = replace(state, compressing=None, compressed=True, tries=Tries())
    state = replace(state, compression_failures=0)
    return _poll(state, (summed.message, told))


def _not_summed(state: State, failed: NotSummed) -> Step:
    why = state.compressing
    # Somebody who asks for it too early has not broken it.
    failures = state.compression_failures + (why != "asked")
    state = replace(state, compression_failures=failures, tries=Tries())
    told = CompressionFailed(failed.reason, _given_up(state), failed.usage, failed.usd)
    if why != "overflow":
        return _poll(replace(state, compressing=None, compressed=True), (told,))
    if _given_up(state):
        return Step(state, (told,), Finish(ModelFailed("context_length", state.overflow)))
    return Step(state, (told,), compression(state))
