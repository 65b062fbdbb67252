"""Standard output and error of a chat, above its prompt, and the questions in its place.

Guarantees: while a question is open nothing but it is on the screen, and no key goes to the prompt.
Does not: neutralise; `Screen` does, before it writes here.
"""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, TextIO

from capbox.surfaces.cli.screen import Line, Question, Screen
from capbox.surfaces.cli.terminal import Terminal
from capbox.surfaces.sink import visible

if TYPE_CHECKING:
    from capbox.surfaces.cli.talk.prompt.editor import Editor

_COLUMNS_MIN = 20
_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"} | {
    "magenta": "35",
    "cyan": "36",
}


class Paper(io.StringIO):
    """A terminal's text stream that prints above the prompt, and keeps nothing."""

    def __init__(self, editor: Editor) -> None:
        """Print by `editor`."""
        super().__init__()
        self._editor = editor

    def write(self, text: str) -> int:
        """Print; from any thread."""
        self._editor.print(text)
        return len(text)

    def isatty(self) -> bool:
        """Say that a person sees it."""
        return True

    def fileno(self) -> int:
        """Return the terminal, for its size."""
        return 1 if sys.__stdout__ is None else sys.__stdout__.fileno()


class ChatScreen(Screen):
    """A screen above the prompt, on which messages are folded between words."""

    def __init__(self, editor: Editor, environ: Mapping[str, str]) -> None:
        """Write by `editor`."""
        self.paper = Paper(editor)
        super().__init__(self.paper, self.paper, environ)

    def say(self, text: str, style: str = "") -> None:
        """Write a message as `Screen` does, its rows folded between words and indented."""
        self.end_line()
        width = max(self.columns - 1, _COLUMNS_MIN)
        first, *rest = visible(text.rstrip("\n")).split("\n")
        # Attack: words of a tool that are just so long that the next row looks like ours.
        inner = (f"  | {row}" for one in rest for row in _folded(one, width))
        self._put(self.paper, "\n".join((*_folded(first, width), *inner)), style, end="\n")

    def _write(self, stream: TextIO, text: str, style: str, end: str) -> None:
        codes = [] if self.plain else [_CODES[word] for word in style.split() if word in _CODES]
        if codes and text:
            # Not by rich, which takes longer to load than the prompt may.
            text = f"\x1b[{';'.join(codes)}m{text}\x1b[0m"
        stream.write(text + end)


def _folded(line: str, width: int) -> list[str]:
    if len(line) * 2 <= width:
        return [line]
    from rich.cells import cell_len

    if cell_len(line) <= width:
        return [line]
    return wrap(line, width - 4, break_on_hyphens=False, subsequent_indent="    ") or [line]


class ChatTerminal(Terminal):
    """A person at the prompt of a chat, which gives way to each question."""

    def __init__(self, screen: Screen, editor: Editor) -> None:
        """Ask on `screen`, where `editor` stands."""
        super().__init__(screen)
        self._editor = editor

    @asynccontextmanager
    async def question(self, above: Sequence[Line] = ()) -> AsyncGenerator[Question]:
        """Show a question in the place of the prompt."""
        async with self._editor.aside(), super().question(above) as question:
            yield question
