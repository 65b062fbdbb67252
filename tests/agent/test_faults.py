"""Whole runs in which anything goes wrong at any time: bounded, honest, and nothing done twice.

A play is drawn: what the model does at each request, and what a person does at each event. Then the
rules are checked that hold whatever was drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import get_args

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from capbox.agent import events, incidents
from capbox.agent.compression.cut import sources_of
from capbox.agent.compression.wording import SYSTEM
from capbox.agent.limits.stopwatch import Stopwatch
from capbox.agent.loop import Run
from capbox.agent.machine.recovery import MESSAGES, RECOVERIES_MAX
from capbox.agent.machine.retry import RETRIED, RETRIES_MAX, STALLS_MAX
from capbox.agent.outcome import Cancelled, Completed, ModelFailed, SandboxFailed
from capbox.agent.plan import OfferedTool, RunPlan
from capbox.authority.budget import Budget
from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolFailure,
    ToolMessage,
    ToolResult,
    Usage,
    UserMessage,
)
from capbox.models.facts import Facts
from capbox.models.model import (
    ErrorKind,
    ModelError,
    ModelEvent,
    ModelRequest,
    Reply,
    Stop,
    TextDelta,
)

KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
ANSWERS = (
    *(events.ModelReply, events.RunFinished, incidents.Retrying, incidents.FellBack),
    *(incidents.Recovering, incidents.Compressed, incidents.CompressionFailed),
)


@dataclass(frozen=True)
class Says:
    """A whole reply: its text, the names of the tools it calls, and how it ends."""

    text: str = ""
    calls: tuple[str, ...] = ()
    stop: Stop = "end"


@dataclass(frozen=True)
class Fails:
    """An error, after a piece of text or before; None: the stream just ends."""

    kind: ErrorKind | None
    begun: bool
    retry_after: float | None = None


GOOD = st.builds(Says, st.sampled_from(["", "so"]), st.sampled_from([("read",), ("read", "write")]))
BAD = st.one_of(
    st.just(Says()),
    st.just(Says("half", stop="length")),
    st.sampled_from(
        [Says("", ("nosuch",)), Says("", ("malformed",)), Says("", ("malformed",) * 2)]
    ),
)
FAILS = st.builds(
    Fails, st.sampled_from([*RETRIED, *KINDS, None]), st.booleans(), st.sampled_from([None, 1, 999])
)
PLAY = st.lists(st.one_of(GOOD, GOOD, BAD, FAILS), max_size=40)
PERSON = st.dictionaries(st.integers(0, 60), st.sampled_from(["steer", "pause", "compact"]))
LENGTHS = st.lists(st.integers(0, 6_000), min_size=1, max_size=10)


@dataclass
class Player:
    """A model, or its fallback, that does what was drawn; the two share the play."""

    name: str
    play: list[Says | Fails]
    facts: Facts
    numbers: count
    requests: list[ModelRequest] = field(default_factory=list)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Do the next thing; done when there is none."""
        await anyio.lowlevel.checkpoint()
        self.requests.append(request)
        does = self.play.pop(0) if self.play else Says("done")
        summing = request.system == SYSTEM
        if isinstance(does, Fails):
            if does.begun:
                yield TextDelta("lost")
            if does.kind is not None:
                raise ModelError(does.kind, "no", retry_after=does.retry_after)
            return
        calls = () if summing else tuple(map(self._call, does.calls))
        text = does.text or ("## Goal" if summing and does.calls else "")
        if text:
            yield TextDelta(text)
        usage = Usage(sum(len(str(m)) for m in request.messages) // 4, 1)
        yield Reply(AssistantMessage(text, calls), usage, 0.0, does.stop)

    def _call(self, name: str) -> ToolCall:
        malformed = "{" if name == "malformed" else None
        return ToolCall(f"c{next(self.numbers)}", name, {}, malformed)


class Scene:
    """One run of a play, and all that could be seen of it."""

    def __init__(self, play, person, lengths, cancelled_at) -> None:
        """Prepare it."""
        self.person, self.lengths, self.cancelled_at = dict(person), lengths, cancelled_at
        facts, numbers = Facts(context_tokens=5_000), count()
        self.models = [Player(name, play, facts, numbers) for name in ("one", "two")]
        self.told: list[events.Event] = []
        self.kept: list[Message] = []
        self.called: list[ToolCall] = []
        self.said: list[str] = []
        self.waits: list[float] = []
        tools = (OfferedTool("read", "", {}, reads_only=True), OfferedTool("write", "", {}))
        plan = RunPlan("r", "task", self.models[0], tools, fallbacks=(self.models[1],))
        plan = replace(plan, result_characters_max=3_000, budget=Budget(turns=400, tool_calls=400))
        self.run = Run(
            *(plan, self._call_tool),
            stopwatch=Stopwatch(lambda: 0.0),
            keep=self._keep,
            wait=self._wait,
            chance=lambda: 0.5,
        )

    async def play(self) -> None:
        """Play it to the end."""
        self.finished = await self.run.run(self._emit)

    @property
    def requests(self) -> list[ModelRequest]:
        """Return every request, of turns and of summaries."""
        return [request for model in self.models for request in model.requests]

    async def _emit(self, event: events.Event) -> None:
        await anyio.lowlevel.checkpoint()
        self.told.append(event)
        if isinstance(event, incidents.Paused):
            self.run.resume()
        match self.person.get(len(self.told)):
            case "steer":
                text = f"note {len(self.told)}"
                if self.run.steer(text):
                    self.said.append(text)
            case "pause":
                self.run.pause()
            case "compact":
                self.run.compact()
            case _:
                pass
        if len(self.told) == self.cancelled_at:
            self.run.cancel()

    async def _keep(self, message: Message) -> None:
        await anyio.lowlevel.checkpoint()
        self.kept.append(message)

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        await anyio.lowlevel.checkpoint()

    async def _call_tool(self, call: ToolCall) -> ToolResult:
        self.called.append(call)
        await anyio.lowlevel.checkpoint()
        if call.name == "nosuch":
            return ToolResult(False, "", error=ToolFailure("unknown_tool", "no"))
        length = self.lengths[len(self.called) % len(self.lengths)]
        return ToolResult(True, "x" * length, sources=(f"web:https://{len(self.called)}.example",))


def played(play, person, lengths, cancelled_at) -> Scene:
    """Play it in an event loop of its own; the model's part is used up by it."""
    scene = Scene([*play], person, lengths, cancelled_at)

    async def to_the_end() -> None:
        with anyio.fail_after(30):
            await scene.play()

    anyio.run(to_the_end)
    return scene


DRAWN = given(PLAY, PERSON, LENGTHS, st.one_of(st.none(), st.integers(1, 60)))


@DRAWN
@settings(max_examples=150, deadline=None)
def test_whatever_goes_wrong_a_run_ends_honestly_and_does_nothing_twice(
    play, person, lengths, cancelled_at
) -> None:
    scene = played(play, person, lengths, cancelled_at)
    check_the_end(scene)
    check_the_bounds(scene)
    check_the_messages(scene)
    check_the_calls(scene)
    check_what_was_shown(scene)
    for request in scene.requests:
        check_that_calls_have_results(request)


def check_the_end(scene: Scene) -> None:
    """One last event, and a success only where the model's last word was one."""
    ends = [place for place, e in enumerate(scene.told) if isinstance(e, events.RunFinished)]
    assert ends == [len(scene.told) - 1]
    replies = [event for event in scene.told if isinstance(event, events.ModelReply)]
    match scene.finished.outcome:
        case Completed():
            last = replies[-1]
            assert (last.stop, last.message.tool_calls) == ("end", ())
            assert last.message.text == scene.finished.text != ""
            assert scene.run.undelivered == ()
        case Cancelled():
            assert scene.cancelled_at is not None
        case ModelFailed() | SandboxFailed():
            pass
        case other:
            raise AssertionError(other)


def check_the_bounds(scene: Scene) -> None:
    """No more recoveries without a reply of use, and no more retries without a whole one."""
    recoveries = retries = failures = 0
    for event in scene.told:
        match event:
            case incidents.Recovering(_, attempt):
                recoveries += 1
                assert attempt == recoveries <= RECOVERIES_MAX
            case incidents.Retrying():
                retries += 1
                assert retries <= RETRIES_MAX + STALLS_MAX
            case events.ModelReply():
                retries = 0
                recoveries = 0 if of_use(event) else recoveries
            case incidents.FellBack() | incidents.Compressed():
                retries = 0
            case incidents.CompressionFailed():
                retries, failures = 0, failures + 1
                assert not event.given_up or failures >= 3
            case _:
                pass
    assert max([*scene.waits, 0]) <= 121
    # No more requests than are told of: for each one a reply, a retry, a fallback, a recovery,
    # a summary or its failure, or the end.
    assert len(scene.requests) <= sum(isinstance(event, ANSWERS) for event in scene.told)


def of_use(reply: events.ModelReply) -> bool:
    """Say whether a reply has a call that can run, or ends the work with a text."""
    calls = {call.name for call in reply.message.tool_calls}
    if calls:
        return bool(calls & {"read", "write"})
    return bool(reply.message.text) and reply.stop == "end"


def check_the_messages(scene: Scene) -> None:
    """Nothing that somebody said is lost or said twice, and nothing read loses its source."""
    transcript = scene.run.transcript
    assert list(transcript) == scene.kept
    assert transcript[:1] in ((UserMessage("task"),), ())
    from_loop = set(MESSAGES.values()) | {"task"}
    heard = [m.text for m in transcript if isinstance(m, UserMessage) and m.text not in from_loop]
    assert [*heard, *scene.run.undelivered] == scene.said
    told = [event.text for event in scene.told if isinstance(event, incidents.Steered)]
    # The last may have been kept when the run was interrupted.
    assert told in (heard, heard[:-1])
    for place, message in enumerate(transcript):
        if isinstance(message, SummaryMessage):
            kept = transcript[place - message.kept : place]
            before = set(sources_of(transcript[:place]))
            assert before <= {*message.sources, *sources_of(kept)}


def check_the_calls(scene: Scene) -> None:
    """Each call of a whole reply runs at most once, and none of another reply runs."""
    replies = [event for event in scene.told if isinstance(event, events.ModelReply)]
    asked = [call.id for reply in replies for call in reply.message.tool_calls]
    ran = [call.id for call in scene.called]
    assert max(Counter(ran).values(), default=0) <= 1
    assert set(ran) <= set(asked)
    assert all(call.malformed is None for call in scene.called)


def check_what_was_shown(scene: Scene) -> None:
    """Whoever drops what is taken back has, at each reply, exactly its text."""
    shown = ""
    for event in scene.told:
        match event:
            case events.TextDelta(text):
                shown += text
            case incidents.ReplyTakenBack():
                shown = ""
            case events.ModelReply(message):
                assert shown == message.text
                shown = ""
            case _:
                pass


def check_that_calls_have_results(request: ModelRequest) -> None:
    """No provider takes a call without its result right behind it, or a result without its call."""
    open_calls: list[str] = []
    for message in request.messages:
        if isinstance(message, ToolMessage):
            assert message.call_id in open_calls
            open_calls.remove(message.call_id)
            continue
        assert open_calls == []
        if isinstance(message, AssistantMessage):
            open_calls = [call.id for call in message.tool_calls]
    assert open_calls == []


@given(PLAY, LENGTHS)
@settings(max_examples=30, deadline=None)
def test_a_run_that_nobody_disturbs_does_the_same_each_time(play, lengths) -> None:
    first, second = (played(play, {}, lengths, None) for _ in range(2))
    assert [e.to_json() for e in first.told] == [e.to_json() for e in second.told]


def test_a_run_of_many_long_results_is_summed_up_again_and_again() -> None:
    play = [Says("so", ("read", "write"))] * 30
    scene = played(play, {}, [3_000], None)
    assert scene.finished.outcome == Completed()
    assert sum(isinstance(event, incidents.Compressed) for event in scene.told) >= 3
    assert not any(isinstance(event, incidents.CompressionFailed) for event in scene.told)
    check_the_messages(scene)
    for request in scene.requests:
        check_that_calls_have_results(request)
