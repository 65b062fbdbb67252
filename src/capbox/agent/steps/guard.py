"""The limits of a run, asked before every step and raised by a person alone.

Guarantees: no turn and no call begins past a limit; two steps that meet one ask once, one after the
other; while a person is waited for, the clock of the run stands still. Does not: count by itself
(`limits/caps.py` and `limits/spending.py` do).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from anyio import Lock, sleep

from capbox.agent.events import LimitAsked, Warned
from capbox.agent.limits.caps import Meter
from capbox.agent.limits.spending import Exceeded, Spending, Turn
from capbox.agent.outcome import BudgetUsedUp, Limit
from capbox.agent.steps.voice import Voice
from capbox.messages import Usage
from capbox.models.model import Model, ModelRequest, Reply
from capbox.models.pricing import quoted

AskMore = Callable[[Limit], Awaitable[bool]]
_CLOCK_STEP_SECONDS = 0.05


class Guard:
    """Of one run; `spending` is what its turns draw on besides its own limits, the `meter`."""

    def __init__(
        self, meter: Meter, spending: Spending, voice: Voice, ask_more: AskMore | None
    ) -> None:
        """Prepare; `ask_more` asks a person at a limit (None: nobody to ask, so no)."""
        self.meter = meter
        self.spending = spending
        self._voice = voice
        self._ask_more = ask_more
        self._asking = Lock(fast_acquire=True)
        self._warned: set[str] = set()

    async def begin(
        self, request: ModelRequest, *, again: bool = False, aside: bool = False
    ) -> Turn | Limit | BudgetUsedUp:
        """Reserve what a turn may take, or say why there is none; see `Spending.begin`."""
        begun: Turn | Exceeded = Exceeded("")

        def check() -> Limit | None:
            nonlocal begun
            limit = self.meter.before_turn(again=again)
            if limit is not None:
                return limit
            begun = self.spending.begin(request, again=again, aside=aside)
            return begun.limit(self.meter.spent) if isinstance(begun, Exceeded) else None

        await self.spending.ready()
        limit = await self.reached(check)
        if limit is not None:
            return limit
        if isinstance(begun, Exceeded):
            return BudgetUsedUp(str(begun))
        if not again:
            self.meter.count_turn()
        return begun

    def pay(self, turn: Turn, reply: Reply) -> tuple[Usage, float | None]:
        """Settle for a reply, and return what it took."""
        usage, usd = turn.replied(reply.usage, reply.usd)
        self.meter.pay(usage, usd)
        return usage, usd

    async def warn(self, model: Model, reply: Reply, usd: float | None) -> None:
        """Say, once a model, what is not known of the cost of its replies."""
        name, budget = model.name, self.meter.allowed_at_first
        if reply.usage is None:
            text = f"{name} did not say how many tokens its reply took: it counts as the most that "
            await self._warn_once(text + "it may have taken, a byte of text as a token")
        if usd is None:
            text = f"no price is known for {name}: against the budget of {budget.usd:g} USD its "
            await self._warn_once(text + "tokens count at a dear model's price")

    def follow(self, model: Model) -> None:
        """Reckon with another model's prices from now on."""
        self.spending.follow(partial(quoted, model))

    async def reached(self, check: Callable[[], Limit | None]) -> Limit | None:
        """Return the limit that forbids the next step, if no person raises it."""
        async with self._asking:
            while (limit := check()) is not None:
                if not await self._more(limit):
                    return limit
        return None

    async def watch_the_clock(self, end: Callable[[Limit], None]) -> None:
        """Call `end` in the middle of a step when the time is up."""
        while True:
            limit = await self.reached(self.meter.out_of_time)
            if limit is not None:
                end(limit)
                return
            # At least a step: the seconds left stand still while a person is waited for.
            await sleep(max(self.meter.seconds_left, _CLOCK_STEP_SECONDS))

    async def _more(self, limit: Limit) -> bool:
        if self._ask_more is None:
            return False
        with self.meter.stopwatch.paused():
            granted = await self._ask_more(limit)
        if granted:
            self.meter.extend(limit)
            self.spending.purse.raise_to(self.meter.allowed.bounds())
        await self._voice.tell(LimitAsked(limit, granted))
        return granted

    async def _warn_once(self, text: str) -> None:
        if text not in self._warned:
            self._warned.add(text)
            await self._voice.tell(Warned(text))
