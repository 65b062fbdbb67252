"""The line below the prompt: model, context, cost, leases, walls.

Guarantees: it fits; what finds no room is left out from the end. Does not: read a clock or a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from capbox.agent.events import Event, ModelReply, RunFinished
from capbox.messages import Usage
from capbox.surfaces.sink import one_line

_GAP = "  "
_MODEL_CHARACTERS = 34
_MODEL_CHARACTERS_MIN = 12


@dataclass(slots=True, eq=False)
class Status:
    """What the line says; `window` and `usd` are None where nobody knows them.

    `context` are the tokens of the last request and its reply, `walls` how many stand, of `two`.
    """

    model: str = ""
    session: str = ""
    context: int = 0
    window: int | None = None
    usd: float | None = 0.0
    usage: Usage = field(default_factory=Usage)
    turns: int = 0
    calls: int = 0
    wall_ms: int = 0
    grants: int = 0
    leases: int = 0
    walls: str = ""
    plans: bool = False

    def add(self, event: Event) -> None:
        """Take one event of a turn into account."""
        match event:
            case ModelReply(_, usage, usd):
                self.context = usage.total or self.context
                self.usage = self.usage + usage
                self.usd = None if usd is None or self.usd is None else self.usd + usd
            case RunFinished(_, _, spent):
                self.turns += spent.turns
                self.calls += spent.tool_calls
                self.wall_ms += spent.wall_ms
            case _:
                pass

    def line(self, columns: int) -> str:
        """Return the line, at most so many columns wide."""
        parts = [
            *(["planning"] if self.plans else []),
            self._context,
            money(self.usd),
            self._held,
            self.walls,
        ]
        parts = [part for part in parts if part]
        room = columns - sum(len(part) + len(_GAP) for part in parts)
        most = min(_MODEL_CHARACTERS, max(_MODEL_CHARACTERS_MIN, room))
        line = one_line(self.model, most)[: max(0, columns)]
        for part in parts:
            longer = f"{line}{_GAP}{part}"
            if len(longer) > columns:
                break
            line = longer
        return line

    def told(self) -> tuple[str, ...]:
        """Return what the chat has taken so far, as lines."""
        usage = self.usage
        cached = f", {tokens(usage.cache_read_tokens)} of it cached" * bool(usage.cache_read_tokens)
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        return (
            f"{money(self.usd)}, {self.wall_ms / 1_000:.1f} s at work",
            f"{counted(self.turns, 'reply')}, {counted(self.calls, 'tool call')}",
            f"{tokens(read)} tokens read{cached}, {tokens(usage.output_tokens)} written",
            f"{self._context} tokens",
        )

    @property
    def _held(self) -> str:
        leases = f", {counted(self.leases, 'lease')}" if self.leases else ""
        return f"{counted(self.grants, 'grant')}{leases}"

    @property
    def _context(self) -> str:
        if self.window is None:
            return f"context {tokens(self.context)}"
        return f"context {tokens(self.context)} of {tokens(self.window)}"


def walls_told(landlock: bool, seccomp: bool) -> str:
    """Return in two words which walls stand around a guest."""
    missing = [name for name, up in (("landlock", landlock), ("seccomp", seccomp)) if not up]
    return f"no {', no '.join(missing)}" if missing else "2 walls"


def money(usd: float | None) -> str:
    """Return an amount for a person."""
    return "price unknown" if usd is None else f"{usd:.4f} USD" if usd < 1 else f"{usd:.2f} USD"


def tokens(count: int) -> str:
    """Return a number of tokens for a person."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 100_000 else f"{count / 1_000:.0f}k"


def counted(number: int, noun: str) -> str:
    """Return how many there are."""
    many = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else many}"
