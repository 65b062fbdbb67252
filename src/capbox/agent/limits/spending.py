"""What a turn takes from the run's purse: reserved before the model is asked, settled after.

Guarantees: no turn begins that must pass a bound in tokens or US dollars, its ancestors' and the
day's too, and the model is asked for no more output than is left; a reply that was cut off has
spent what was reserved for it. Does not: know how many tokens a text has. Until a reply says so,
a byte counts as one, which is more than any text has, and so it does again once a conversation is
summed up; a bound in tokens may be passed by what one turn adds to the conversation, one in US
dollars only if a provider counts more tokens than bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from json import dumps

from anyio import to_thread

from capbox.agent.events import RunSpent
from capbox.agent.limits.caps import dear
from capbox.agent.outcome import BudgetExceeded, Limit, TokenLimit, TurnLimit
from capbox.authority.values.draws import Draw, Overspent
from capbox.gate.budget.purse import OWN, Purse, Reserved
from capbox.journal.errors import JournalError
from capbox.messages import AssistantMessage, Attachment, Message, Usage
from capbox.models.model import ModelError, ModelRequest

# Providers refuse these before they count anything, as long as nothing of a reply has come.
_FREE = frozenset(
    {
        *("authentication", "invalid_request", "context_length", "quota", "script"),
        *("rate_limit", "overloaded"),
    }
)
_OUTPUT_TOKENS_MIN = 256  # less is no useful reply, and its input would be paid all the same
_FRAME_BYTES = 64  # what a provider wraps each message in
_FIRST_BYTES = 2_000  # and what it says to a model about tools
_IMAGE_TOKENS = 10_000
_PDF_TOKENS = 500_000  # a hundred pages, each text and image

Quote = Callable[[int, int], float | None]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a conversation: its first message, how many, and the tokens they take."""

    first: Message | None = None
    messages: int = 0
    tokens: int = 0

    def of(self, messages: Sequence[Message]) -> tuple[int, int]:
        """Return how many of these messages have how many tokens; none of another conversation.

        One that was summed up is another one: it begins with its summary.
        """
        same = len(messages) >= self.messages > 0 and messages[0] is self.first
        return (self.messages, self.tokens) if same else (0, 0)


@dataclass(slots=True, eq=False)
class Spending:
    """The purse of one run as its turns use it; `quote` is the most that tokens in and out cost."""

    purse: Purse = field(default_factory=Purse)
    quote: Quote = lambda given, wanted: None
    warnings: list[str] = field(default_factory=list)
    broken: str | None = None  # why nothing more can be spent
    _ready: bool = False
    _known: Known = field(default_factory=Known)
    _counted: tuple[int, Known] = (0, Known())  # from which place on, and how many bytes

    async def ready(self) -> None:
        """Have prices at hand: their tables take a second to load."""
        if not self._ready:
            self._ready = True
            await to_thread.run_sync(self.quote, 1, 1, abandon_on_cancel=True)

    def follow(self, quote: Quote) -> None:
        """Have another model's prices from now on."""
        self.quote, self._ready = quote, False

    def begin(
        self, request: ModelRequest, *, again: bool = False, aside: bool = False
    ) -> Turn | Exceeded:
        """Reserve what a reply may take, or say what does not suffice.

        `again`: its turn is drawn already. `aside`: it is no part of the conversation.
        """
        if self.broken is not None:
            return Exceeded(self.broken)
        try:
            turn = self._begun(request, Draw("turns", 0 if again else 1))
        except JournalError as error:
            return Exceeded(str(error))
        return replace(turn, aside=aside) if isinstance(turn, Turn) else turn

    def known(self, messages: Sequence[Message]) -> tuple[int, int]:
        """Return how many of these messages, from the first on, are known to have how many tokens.

        Then those of the system prompt and the tools are among them.
        """
        return self._known.of(messages)

    def sized(self, request: ModelRequest) -> tuple[int, int]:
        """Return how many tokens a request is known to have, and how many bytes the rest of it has.

        A message that was counted is not counted again, however long no reply says what it has.
        """
        messages = request.messages
        place, known = self.known(messages)
        since, counted = self._counted
        count, size = counted.of(messages) if since == place else (0, 0)
        size += sum(map(message_bytes, messages[count or place :]))
        first = messages[0] if messages else None
        self._counted = place, Known(first, len(messages), size)
        return known, size if place else size + _bytes_beside(request)

    def _begun(self, request: ModelRequest, turn: Draw) -> Turn | Exceeded:
        known, fresh = self.sized(request)
        given, wanted = known + fresh, request.max_output_tokens
        tokens = self.purse.left("tokens")
        if tokens is not None:
            wanted = min(wanted, max(1, int(tokens) - known))
        usd = self.purse.left("usd")
        if usd is not None:
            wanted = self._affordable(usd, given, wanted)
        count = given + wanted if tokens is None else max(known + 1, min(given + wanted, tokens))
        draws = turn, Draw("tokens", count), Draw("usd", self._price(given, wanted))
        reserved = self.purse.reserve(*draws)
        if isinstance(reserved, Overspent):
            return Exceeded(reserved)
        self.purse.warn(draws[:1])
        most = Usage(given, wanted)
        return Turn(self, reserved, replace(request, max_output_tokens=wanted), most)

    def drain(self) -> list[str]:
        """Return the warnings that nobody was shown yet."""
        found, self.warnings[:] = list(self.warnings), []
        return found

    @property
    def over(self) -> str | None:
        """Say why no further tool call can be made, if so."""
        for word in ("calls", "seconds"):
            left = self.purse.left(word)
            refusal = None if left is None or left > 0 else self.purse.reserve(Draw(word))
            if isinstance(refusal, Overspent):
                return str(refusal)
        return None

    def settle(self, reserved: Reserved, **came_to: float) -> None:
        """Settle; what cannot be settled any more is the last that was spent."""
        try:
            reserved.settle(**came_to)
        except JournalError as error:
            self.broken = str(error)

    def learn(self, request: ModelRequest, usage: Usage) -> None:
        """Note what a conversation and the reply to it are known to have."""
        self._known = Known(request.messages[0], len(request.messages) + 1, usage.total)

    def _affordable(self, usd: float, given: int, wanted: int) -> int:
        least, most = self._price(given, 0), self._price(given, wanted)
        if most <= usd or most <= least:
            return wanted
        fewer = int((usd - least) / (most - least) * wanted)
        return min(wanted, max(fewer, _OUTPUT_TOKENS_MIN))

    def _price(self, given: int, wanted: int) -> float:
        price = self.quote(given, wanted)
        return dear(Usage(given, wanted)) if price is None else price


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Why there is no further turn."""

    why: Overspent | str

    def __str__(self) -> str:
        return str(self.why)

    def limit(self, spent: RunSpent) -> Limit | None:
        """Return it as a limit of the run itself, which a person may raise; None: it is none."""
        why = self.why
        if isinstance(why, str) or why.whose != OWN:
            return None
        match why.resource:
            case "turns":
                return TurnLimit(int(why.allowed))
            case "tokens":
                return TokenLimit(int(why.allowed), int(why.used))
            case "usd":
                return BudgetExceeded(why.allowed, why.used, spent.usd is None, why.wanted)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn under way: its `request`, with no more output than is left, and the `most` of it."""

    spending: Spending
    reserved: Reserved
    request: ModelRequest
    most: Usage
    aside: bool = False

    def replied(self, usage: Usage | None, usd: float | None) -> tuple[Usage, float | None]:
        """Settle for what the reply took, and return it; where nobody said, it took the most."""
        if usage is None:
            return self.most, self.spending.quote(self.most.input_tokens, self.most.output_tokens)
        if not self.aside:
            self.spending.learn(self.request, usage)
        price = dear(usage) if usd is None else usd
        self.spending.settle(self.reserved, tokens=usage.total, usd=price)
        return usage, usd

    def failed(self, error: ModelError, *, begun: bool) -> None:
        """Give back what a refused request did not take."""
        if not begun and error.kind in _FREE:
            self.spending.settle(self.reserved, tokens=0, usd=0)


def request_bytes(request: ModelRequest, place: int = 0) -> int:
    """Return how many bytes a provider is sent, of which the first `place` messages are known."""
    fresh = sum(map(message_bytes, request.messages[place:]))
    return fresh if place else fresh + _bytes_beside(request)


def _bytes_beside(request: ModelRequest) -> int:
    """Return how many bytes the system prompt has, and what a provider says about tools."""
    tools = dumps([[t.name, t.description, t.input_schema] for t in request.tools])
    return len(request.system.encode()) + len(tools) + _FIRST_BYTES


def message_bytes(message: Message) -> int:
    """Return how many bytes a message has, with what a provider wraps it in."""
    match message:
        case AssistantMessage(text, calls, thinking):
            arguments = dumps([[call.id, call.name, dict(call.arguments)] for call in calls])
            said = text + thinking + message.signature
            return len(said.encode(errors="replace")) + len(arguments) + _FRAME_BYTES
        case _:
            text = message.text if hasattr(message, "text") else message.content
            beside = sum(map(_tokens, getattr(message, "attachments", ())))
            return len(text.encode(errors="replace")) + beside + _FRAME_BYTES


def _tokens(attachment: Attachment) -> int:
    """Return more than an image has, or the pages of a PDF as long as providers take it."""
    if attachment.media_type.startswith("image/"):
        return _IMAGE_TOKENS
    return _IMAGE_TOKENS + min(len(attachment.content), _PDF_TOKENS)
