"""A person at a terminal: one question at a time, one line as the answer.

Guarantees: waiting for an answer can be cancelled at any moment and blocks nothing else; meanwhile
nothing but the question is shown (see `screen`); the end of the input is None, never an answer.
Does not: interpret answers.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import anyio

from capbox.surfaces.cli.screen import Line, Question, Screen

_LINE_BYTES_MAX = 4_096


def is_terminal() -> bool:
    """Say whether somebody can be asked: input and messages both lead to a terminal."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


class Terminal:
    """Questions go to the screen's standard error, answers come from `descriptor`."""

    def __init__(self, screen: Screen, descriptor: int = 0) -> None:
        """Read from a terminal or a pipe (a regular file cannot be waited for)."""
        self.screen = screen
        self._descriptor = descriptor
        self._typed = b""
        self._turn: anyio.Lock | None = None

    @asynccontextmanager
    async def question(self, above: Sequence[Line] = ()) -> AsyncGenerator[Question]:
        """Show a question that begins with the lines `above`, after those that are open now.

        Until the block ends nothing else appears on the screen.
        """
        self._turn = self._turn or anyio.Lock()
        async with self._turn:
            with self.screen.question(above, self._drop_typed) as question:
                yield question

    async def answer(self, question: Question, prompt: str, *, fresh: bool = False) -> str | None:
        """Return the line that is typed next, without its end; None when the input ends.

        `fresh` drops what was typed before the prompt was seen.
        """
        if fresh:
            self._drop_typed()
        question.prompt(prompt)
        line = await self._line()
        if line is not None:
            question.answered()
        return line

    async def ask(self, prompt: str, *, fresh: bool = False) -> str | None:
        """Return the answer to a question that is nothing but its prompt (see `answer`)."""
        async with self.question() as question:
            return await self.answer(question, prompt, fresh=fresh)

    async def _line(self) -> str | None:
        while b"\n" not in self._typed:
            await anyio.wait_readable(self._descriptor)
            piece = os.read(self._descriptor, _LINE_BYTES_MAX)
            if not piece or len(self._typed) > _LINE_BYTES_MAX:
                self._typed = b""
                return None
            self._typed += piece
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace").strip()

    def _drop_typed(self) -> None:
        import termios

        # A model that makes a person type ("press o and Enter to go on") could otherwise have the
        # answer to its next question before anybody read it.
        self._typed = b""
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)
