"""The person at a terminal, as the model asks: a question or a plan, and a line as the answer.

Guarantees: what the model wrote is neutralised, stands behind a mark, and below a line of ours that
says who asks and that an answer grants nothing; a plan is accepted by its word alone, and only
after it was shown whole. Does not: grant; approvals have their own question (see `approver`).
"""

from __future__ import annotations

from capbox.surfaces.cli.screen import Line
from capbox.surfaces.cli.terminal import Terminal
from capbox.surfaces.sink import visible
from capbox.tools.loop.person import Question
from capbox.tools.loop.planning import ACCEPT

_ASKS = "The model asks; your answer goes to it and grants nothing:"
_PLANS = "The model shows its plan; a yes lets it act within what it holds, and grants nothing:"
_KEYS_PLAN = f"[{ACCEPT}], or what is to be changed: "
_KEYS = "your answer: "
_INSIDE = "  | "


class TerminalPerson:
    """Asks the person at `terminal`."""

    def __init__(self, terminal: Terminal) -> None:
        """Ask there."""
        self._terminal = terminal

    async def ask(self, question: Question) -> str | None:
        """Show the question; return an option by its number, or what was typed; None: nothing."""
        above = _block(question)
        async with self._terminal.question(above) as shown:
            keys = _KEYS_PLAN if question.plan else _KEYS
            line = await self._terminal.answer(shown, keys, fresh=True)
        if line is None or not line:
            return None
        options = question.options
        if not question.plan and line.isascii() and line.isdecimal() and len(line) < 3:
            return options[int(line) - 1] if 0 < int(line) <= len(options) else line
        return line


def _block(question: Question) -> tuple[Line, ...]:
    head: Line = (_PLANS if question.plan else _ASKS, "bold yellow")
    # Attack: a question whose second line looks like one of ours.
    text = tuple((f"{_INSIDE}{visible(line)}", "") for line in question.text.splitlines())
    choices = () if question.plan else enumerate(question.options, 1)
    listed = tuple((f"  {number}  {_one(option)}", "bold") for number, option in choices)
    return (("", ""), head, *text, *listed)


def _one(text: str) -> str:
    return visible(" ".join(text.split()))
