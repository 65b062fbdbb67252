"""Has a model sum up the older part of a conversation, at the cost of a turn.

Guarantees: a summary that is taken makes requests at least a fifth smaller; one that is cut, empty
or hardly smaller is none. Its request has no tools, so nothing can be done because of it. Does not:
say when (`machine/transition.py` does), or change the transcript.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from capbox.agent.compression.cut import Cut, cut_of
from capbox.agent.compression.wording import SYSTEM, shown, summary_text
from capbox.agent.limits.spending import Spending, Turn, request_bytes
from capbox.agent.machine.state import Compress, Failed, NotSummed, Over, Summed
from capbox.agent.steps.asking import Broken, ask
from capbox.agent.steps.guard import Guard
from capbox.agent.transcript import in_context
from capbox.messages import Message, SummaryMessage, UserMessage
from capbox.models.facts import facts_of
from capbox.models.model import Model, ModelRequest, Reply

SUMMARY_TOKENS_MAX = 8_192
SMALLER = 0.8
# Of text and code a token has about four bytes; rather one too many tokens than one too few.
BYTES_PER_TOKEN = 3
_ROOM = 0.7  # of the window, for what is shown: the rest is for the summary, and for error


def tokens_taken(spending: Spending, request: ModelRequest) -> int:
    """Return what a request takes: what is known of it, and about as many for what came since."""
    known, fresh = spending.sized(request)
    return known + fresh // BYTES_PER_TOKEN


@dataclass(frozen=True, slots=True)
class Compressor:
    """Sums up for one run; `guard` lets its turns begin, and has them paid."""

    guard: Guard

    async def compress(
        self, wanted: Compress, model: Model, transcript: Sequence[Message], now: ModelRequest
    ) -> Summed | NotSummed | Failed | Over:
        """Sum up what `now`, the request that is due, is too long with."""
        cut = cut_of(transcript, tightness=wanted.tightness)
        if cut is None:
            return NotSummed("there is too little to sum up")
        before = tokens_taken(self.guard.spending, now)
        facts = facts_of(model)
        limits = (SUMMARY_TOKENS_MAX, facts.output_tokens or SUMMARY_TOKENS_MAX)
        text = shown(cut.older, _room(wanted, before, facts.context_tokens))
        request = ModelRequest(SYSTEM, (UserMessage(text),), (), min(limits))
        turn = await self.guard.begin(request, again=wanted.again, aside=True)
        if not isinstance(turn, Turn):
            return Over(turn)
        reply = await ask(model, turn, None)
        if isinstance(reply, Broken):
            error = reply.error
            return Failed(error.kind, error.message, error.retry_after)
        usage, usd = self.guard.pay(turn, reply)
        await self.guard.warn(model, reply, usd)
        judged = _judged(reply, cut, transcript, now)
        if isinstance(judged, str):
            return NotSummed(judged, usage, usd)
        message, share = judged
        self.guard.meter.shrink()
        return Summed(message, before, round(before * share), usage, usd)


def _room(wanted: Compress, tokens: int, window: int | None) -> int:
    """Return how many characters the model is shown."""
    # A window that nobody knows is smaller than what has just passed it.
    most = tokens // 2 if wanted.overflow else tokens
    if window is not None:
        most = min(most, window)
    return max(1_000, round(_ROOM * most * BYTES_PER_TOKEN) >> wanted.tightness)


def _judged(
    reply: Reply, cut: Cut, transcript: Sequence[Message], now: ModelRequest
) -> tuple[SummaryMessage, float] | str:
    """Return the summary and its share of what requests took, or why it is none."""
    if reply.stop == "length":
        return "the summary was cut at its length limit"
    if reply.stop == "refused":
        return "the provider's filter ended the summary"
    if not reply.message.text.strip():
        return "the summary was empty"
    summed_up = transcript[: len(transcript) - cut.kept]
    text = summary_text(reply.message.text, summed_up)
    message = SummaryMessage(text, cut.kept, cut.sources)
    after = ModelRequest(now.system, in_context((*transcript, message)), now.tools)
    share = request_bytes(after) / request_bytes(now)
    if share > SMALLER:
        return f"with the summary a request is hardly smaller ({share:.0%} of it)"
    return message, share
