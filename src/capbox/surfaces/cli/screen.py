"""Where a command writes: results on standard output, everything else on standard error.

Guarantees: text of a model, a tool or a file reaches a terminal only through `sink`, so that it can
neither act on the terminal nor hide in it nor, in messages and lines, pass for one of ours; a link
in a model's text shows where it leads. Messages, tables and lines for people go through it wherever
they lead; a result and a model's text that a program reads are left byte for byte. While a question
is open nothing else is written, and nothing is lost; JSON is ASCII, and strict readers take it;
colour only on a terminal, and not with NO_COLOR. Does not: read anything (see `terminal`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from textwrap import wrap
from typing import TextIO

from capbox.messages import Json
from capbox.surfaces.prose import Prose
from capbox.surfaces.rows import cut
from capbox.surfaces.sink import one_line, visible

_CELL_MAX = 200
_GAP = 2
_COLUMNS_ASSUMED = 80
_ROW_MIN = 20
HELD_CHARACTERS_MAX = 4_000 * _COLUMNS_ASSUMED
"""How much is kept while a question is open; the end of a line counts as a whole line."""

_INSIDE = "  | "
"""Before each further line of one message, so that none of them looks like a message of its own."""

Line = tuple[str, str]
"""A line and its style."""


class Question:
    """What a person is asked: lines above, and the prompt with which it waits for an answer."""

    def __init__(self, above: Sequence[Line], write: Callable[[str, str, str], None]) -> None:
        """Show `above`; `write` takes a text, its style and its end."""
        self._above = above
        self._write = write
        self._prompt = ""
        self.show()

    def show(self) -> None:
        """Show the whole question, as far as it has come."""
        for text, style in self._above:
            self.say(text, style)
        if self._prompt:
            self.prompt(self._prompt)

    def say(self, text: str, style: str = "") -> None:
        """Write a line that belongs to the question."""
        self._write(visible(text), style, "\n")

    def prompt(self, text: str) -> None:
        """Write a prompt without a line end; `answered` says that its line was ended."""
        self._prompt = text
        self._write(visible(text), "", "")

    def answered(self) -> None:
        """Take note that a person ended the line of the prompt."""
        self._prompt = ""

    def end_line(self) -> None:
        """End the line of a prompt that nobody has answered."""
        if self._prompt:
            self._write("", "", "\n")


class Screen:
    """The two streams of one command."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        """Write results to `out` and the rest to `err`."""
        self._out = out
        self._err = err
        self._environ = environ
        self._plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._line_open = False
        self._prose = Prose()
        self._question: Question | None = None
        self._again: Callable[[], None] = lambda: None
        self._held: list[tuple[TextIO, str, str, str]] = []
        self._held_characters = 0

    def result(self, text: str) -> None:
        """Write a whole result; raw where a program reads it, neutralised on a terminal."""
        if self._out.isatty():
            text = visible(text)
        self._put(self._out, text, end="\n" if text and not text.endswith("\n") else "")

    def stream(self, text: str) -> None:
        """Write a piece of a model's text; `say` begins on a line of its own after it."""
        self._line_open = not text.endswith("\n") if text else self._line_open
        self._put(self._out, self._prose.feed(text) if self._out.isatty() else text)

    def end_line(self) -> None:
        """Write what `stream` still holds back, and end the line that it left open, if it did."""
        rest = self._prose.finish() + ("\n" if self._line_open else "")
        self._line_open = False
        if rest:
            self._put(self._out, rest)

    def markdown(self, text: str) -> None:
        """Write a part of a model's Markdown, rendered; for a terminal."""
        from capbox.surfaces.cli.talk.showing.rendering import rendered

        shown = rendered(text, _columns(self._out), plain=self._plain)
        if shown:
            self._put(self._out, shown)

    @property
    def columns(self) -> int:
        """Return how wide the window is; a large number where there is none."""
        return _columns(self._out)

    @property
    def narrowest(self) -> int:
        """Return how wide the narrower window of the two streams is; a large number without one."""
        return min(_columns(self._out), _columns(self._err))

    @property
    def plain(self) -> bool:
        """Say whether nobody wants colours."""
        return self._plain

    def json(self, value: Json) -> None:
        """Write one JSON value on one line."""
        self._put(self._out, as_json(value), end="\n")

    def say(self, text: str, style: str = "") -> None:
        """Write a message for the person who watches, in a `rich` style.

        It is one line; what a tool or a model put line ends into goes on behind a mark.
        """
        self.end_line()
        # Attack: an error of a tool whose second line is "to allow it, add: --write /".
        self._put(self._err, _as_one(text), style, end="\n")

    def line(self, text: str, style: str = "") -> None:
        """Write a line of a result that is meant for people, in a `rich` style; one, as `say`."""
        # Attack: a case of a stranger's tool whose name goes on with "3 passed, 0 failed".
        self._put(self._out, _as_one(text), style, end="\n")

    def paragraph(self, text: str, style: str = "", *, hang: int = 0) -> None:
        """Write a line for people as `line` does; on a terminal folded between words.

        What is below the first row is indented by `hang` columns.
        """
        rows = [text]
        if self._out.isatty():
            width = max(_columns(self._out), hang + _ROW_MIN)
            rows = wrap(text, width, subsequent_indent=" " * hang, break_on_hyphens=False)
        for row in rows or [""]:
            self.line(row, style)

    @contextmanager
    def question(
        self, above: Sequence[Line] = (), again: Callable[[], None] = lambda: None
    ) -> Generator[Question]:
        """Ask, with the lines `above`; all else is kept until the block ends, however it ends.

        What is more than can be kept is written, and the whole question once more below it, after
        a call of `again`. One question at a time (`Terminal` sees to it).
        """
        self.end_line()
        self._question = question = Question(above, partial(self._write, self._err))
        self._again = again
        try:
            yield question
        finally:
            self.give_up()

    def give_up(self) -> None:
        """End the question that is open, if one is, and write what was kept meanwhile."""
        if self._question is not None:
            self._question.end_line()
            self._question = None
            self._release()

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table; on a terminal its last column is cut to the width of the window.

        Only the last one: half a run id is of no use.
        """
        clean = [[one_line(cell, _CELL_MAX) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(headings, *clean, strict=True)]
        room = _columns(self._out) - sum(widths[:-1]) - _GAP * (len(widths) - 1)
        widths[-1] = max(room, len(headings[-1]))
        for number, row in enumerate([headings, *clean]):
            *cells, last = (
                one_line(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)
            )
            # Attack: wide characters, so that the end of a cell is a row of its own.
            cells.append(cut(last.rstrip(), widths[-1]))
            row_style = "" if number else "bold"
            self._put(self._out, (" " * _GAP).join(cells).rstrip(), row_style, end="\n")

    def _put(self, stream: TextIO, text: str, style: str = "", *, end: str = "") -> None:
        """Write, or keep for after the question that is open."""
        if self._question is None:
            self._write(stream, text, style, end)
            return
        # Results of parallel calls could push a question out of sight, and lines that a model
        # worded look like another one, just above where the answer is typed. Standard output is
        # kept even where it is no terminal: `| tee` leads it to one.
        self._held.append((stream, text, style, end))
        line_ends = text.count("\n") + len(end)
        self._held_characters += len(text) + line_ends * _COLUMNS_ASSUMED
        if self._held_characters > HELD_CHARACTERS_MAX:
            self._ask_again(self._question)

    def _ask_again(self, question: Question) -> None:
        question.end_line()
        self._question = None
        self._release()
        self.end_line()
        self._again()
        question.show()
        self._question = question

    def _release(self) -> None:
        held, self._held, self._held_characters = self._held, [], 0
        for stream, text, style, end in held:
            self._write(stream, text, style, end)

    def _write(self, stream: TextIO, text: str, style: str, end: str) -> None:
        if not style or self._plain or not stream.isatty():
            stream.write(text + end)
            stream.flush()
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(file=stream, highlight=False, force_terminal=True)
        console.print(Text(text, style), soft_wrap=True, end=end)


def _as_one(text: str) -> str:
    """Return a text whose further lines look like none of ours."""
    return visible(text.rstrip("\n")).replace("\n", f"\n{_INSIDE}")


def as_json(value: Json) -> str:
    """Return a JSON value as one line of ASCII."""
    text = json.dumps(value, ensure_ascii=True, default=list)
    if "\\ud" in text:
        # Attack: half of a surrogate pair in a tool's data, for which others refuse the whole line.
        clean = json.dumps(value, ensure_ascii=False, default=list).encode(errors="replace")
        text = json.dumps(json.loads(clean), ensure_ascii=True)
    # DEL is the one control character that JSON leaves as it is.
    return text.replace("\x7f", "\\u007f")


def _columns(stream: TextIO) -> int:
    """Return how wide the window is; no limit where there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS_ASSUMED
    except (OSError, ValueError):
        return _COLUMNS_ASSUMED if stream.isatty() else 10 * _CELL_MAX
