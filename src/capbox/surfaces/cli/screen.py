"""Where a command writes: results on standard output, everything else on standard error.

Guarantees: text of a model, a tool or a file reaches a terminal without control, bidi and separator
characters, so that it can neither act on the terminal nor pass for a line of ours; JSON is ASCII;
colour only on a terminal, and not with NO_COLOR. Does not: read anything (see `terminal`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TextIO

from capbox.messages import Json

_CELL_MAX = 200
_GAP = 2
_COLUMNS_ASSUMED = 80


def shown(text: str) -> str:
    """Return `text` for a terminal: line ends and tabs stay, every other control is spelt out."""
    if text.isascii() and text.isprintable():
        return text
    from capbox.gate.approver import neutral

    # ESC sequences could paint over a denial or type into the terminal; bidi: CVE-2021-42574.
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(neutral(part) for part in line.split("\t")) for line in lines)


def one_line(text: str, characters_max: int) -> str:
    """Return `text` for a terminal on a single line, cut with a mark when it is longer."""
    flat = shown(" ".join(text.split()))
    return flat if len(flat) <= characters_max else flat[: characters_max - 3] + "..."


class Screen:
    """The two streams of one command."""

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str]) -> None:
        """Write results to `out` and the rest to `err`."""
        self._out = out
        self._err = err
        self._environ = environ
        self._plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._line_open = False
        self._question_open = False

    def result(self, text: str) -> None:
        """Write a whole result; raw where a program reads it, neutralised on a terminal."""
        if self._out.isatty():
            text = shown(text)
        self._out.write(text if text.endswith("\n") or not text else text + "\n")
        self._out.flush()

    def stream(self, text: str) -> None:
        """Write a piece of a result; `say` begins on a line of its own after it."""
        self._out.write(shown(text) if self._out.isatty() else text)
        self._out.flush()
        self._line_open = not text.endswith("\n") if text else self._line_open

    def end_line(self) -> None:
        """End the line that `stream` left open, if it did."""
        if self._line_open:
            self.stream("\n")

    def json(self, value: Json) -> None:
        """Write one JSON value on one line."""
        self._out.write(json.dumps(value, ensure_ascii=True, default=list) + "\n")
        self._out.flush()

    def say(self, text: str, style: str = "") -> None:
        """Write a line for the person who watches, in a `rich` style."""
        self.end_line()
        if self._question_open:  # it was not answered: the answer would have ended its line
            self.answered()
            self._err.write("\n")
        self._styled(self._err, shown(text), style)

    def line(self, text: str, style: str = "") -> None:
        """Write a line of a result that is meant for people, in a `rich` style."""
        self._styled(self._out, shown(text), style)

    def prompt(self, text: str) -> None:
        """Write a question without a line end; `answered` says that its line was ended."""
        self.end_line()
        self._err.write(shown(text))
        self._err.flush()
        self._question_open = True

    def answered(self) -> None:
        """Take note that a person ended the line of the question."""
        self._question_open = False

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write a table; on a terminal its last column is cut to the width of the window.

        Only the last one: half a run id is of no use.
        """
        clean = [[one_line(cell, _CELL_MAX) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(headings, *clean, strict=True)]
        room = _columns(self._out) - sum(widths[:-1]) - _GAP * (len(widths) - 1)
        widths[-1] = max(room, len(headings[-1]))
        for number, row in enumerate([headings, *clean]):
            cells = (
                one_line(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True)
            )
            self._styled(self._out, (" " * _GAP).join(cells).rstrip(), "" if number else "bold")

    def _styled(self, stream: TextIO, text: str, style: str) -> None:
        if not style or self._plain or not stream.isatty():
            stream.write(text + "\n")
            stream.flush()
            return
        from rich.console import Console
        from rich.text import Text

        console = Console(file=stream, highlight=False, force_terminal=True)
        console.print(Text(text, style), soft_wrap=True)


def _columns(stream: TextIO) -> int:
    """Return how wide the window is; no limit where there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS_ASSUMED
    except (OSError, ValueError):
        return _COLUMNS_ASSUMED if stream.isatty() else 10 * _CELL_MAX
