"""The prompt of a chat, below which the terminal ends: the one place that uses prompt_toolkit.

Guarantees: what is printed stands above the prompt and stays; whatever is typed or pasted is shown
before it is sent, characters that hide or act on a terminal spelt out; while somebody is asked
(`aside`) no key reaches the prompt. Does not: neutralise what is printed (`Screen` does), or know
what a line means.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from capbox.surfaces.cli.talk.prompt.history import History
from capbox.surfaces.sink import visible

if TYPE_CHECKING:
    from anyio.abc import TaskStatus
    from prompt_toolkit.application import Application
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import Completer as Completes
    from prompt_toolkit.data_structures import Size
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.history import History as Remembered
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.layout import Layout

_MENU_ROWS = 8
_MARK = "> "
_QUIET_SECONDS = 0.6
_QUIET_SECONDS_MAX = 8.0
_STYLE = {
    "mark": "ansigreen bold",
    "live": "",
    "busy": "ansiyellow",
    "status": "ansibrightblack",
    "completion-menu": "bg:default fg:default",
    "completion-menu.completion.current": "reverse",
    "completion-menu.meta.completion": "bg:default ansibrightblack",
    "completion-menu.meta.completion.current": "bg:default ansibrightblack",
    "scrollbar.background": "bg:default",
    "scrollbar.button": "bg:ansibrightblack",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the last `replaces` characters may become; `note` says what it is."""

    text: str
    replaces: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """Who hears of what a person does, and what the prompt shows.

    `line` gets a message, `interrupt` a Ctrl-C (with whether the prompt was empty) and says whether
    what is typed stays, `end` a Ctrl-D on an empty one. `complete` returns what the text before the
    cursor may go on with; `status` is the line below the prompt, `live` the lines above it, each
    for so many columns.
    """

    line: Callable[[str], None]
    interrupt: Callable[[bool], bool]
    end: Callable[[], None]
    complete: Callable[[str], Iterable[Candidate]]
    status: Callable[[int], str]
    live: Callable[[int], Sequence[tuple[str, str]]]


class Editor:
    """One prompt at the terminal of this process, from `run` to `stop`."""

    def __init__(self, typing: Typing, history: History, *, plain: bool) -> None:
        """Prepare; `plain` is without colour."""
        self._typing = typing
        self._history = history
        self._plain = plain
        self._app: Application[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._owner = threading.get_ident()
        self._waiting = ""
        self._scheduled = False
        self._aside = self._started = False
        self._pressed = 0.0
        self._buffer: Buffer | None = None

    @contextmanager
    def early(self) -> Generator[None]:
        """Show a prompt at once, and leave the terminal as it was found at the end.

        What is typed from here on is kept by the terminal until `run` reads it: the editor takes
        longer to load than a person takes to begin.
        """
        import termios

        before = termios.tcgetattr(0)
        quiet = [*before[:3], before[3] & ~(termios.ECHO | termios.ICANON), *before[4:]]
        termios.tcsetattr(0, termios.TCSANOW, quiet)
        try:
            self._write(_MARK)
            yield
        finally:
            if not self._started:
                self._write("\r\x1b[K")
            termios.tcsetattr(0, termios.TCSANOW, before)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Show the prompt until `stop`; it has started when the prompt is seen."""
        self._loop = asyncio.get_running_loop()
        self._app = app = self._application()
        seen = False

        def shown(_: object) -> None:
            nonlocal seen
            if not seen:
                seen = True
                task_status.started()

        app.after_render += shown
        self._started = True
        self._write("\r")  # over the prompt of `early`
        try:
            await app.run_async(handle_sigint=False, set_exception_handler=False)
        finally:
            self._app = None
            self._flush()

    def stop(self) -> None:
        """End the prompt; what was typed and not sent is dropped."""
        if self._app is not None and self._app.is_running and not self._app.is_done:
            self._app.exit()

    def print(self, text: str) -> None:
        """Print above the prompt, from any thread; what ends no line waits for its end.

        While a question is open only what the loop's own thread prints is shown.
        """
        if self._aside and threading.get_ident() == self._owner:
            self._write(text)
            return
        self._waiting += text
        if self._app is None or self._loop is None:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon_threadsafe(self._flush)

    def put_back(self, text: str) -> None:
        """Have `text` stand at the prompt again, before what is typed there."""
        if self._buffer is not None:
            typed = self._buffer.text
            self._buffer.text = f"{text}\n{typed}" if typed else text
            self._buffer.cursor_position = len(self._buffer.text)

    def redraw(self) -> None:
        """Show what `status` and `live` say now."""
        if self._app is not None:
            self._app.invalidate()

    @asynccontextmanager
    async def aside(self) -> AsyncGenerator[None]:
        """Take the prompt away, for a question whose answer is typed in its place.

        Attack: a question that comes up in the middle of a word is answered by the rest of it. So
        it waits until the person has not typed for a moment.
        """
        from prompt_toolkit.application import in_terminal

        started = time.monotonic()
        while (  # noqa: ASYNC110 (the end of typing is no event)
            time.monotonic() - self._pressed < _QUIET_SECONDS
            and time.monotonic() - started < _QUIET_SECONDS_MAX
        ):
            await anyio.sleep(0.05)
        async with in_terminal():
            self._flush()
            self._aside = True
            try:
                yield
            finally:
                self._aside = False
                self._flush()

    def _flush(self) -> None:
        """Print the whole lines that wait; all of it where there is no prompt."""
        self._scheduled = False
        app = self._app
        if self._aside:
            return
        whole = len(self._waiting) if app is None else self._waiting.rfind("\n") + 1
        text, self._waiting = self._waiting[:whole], self._waiting[whole:]
        if not text:
            return
        above = app is not None and app.is_running
        if above and app is not None:
            app.renderer.erase()
        self._write(text)
        if above and app is not None:
            app.renderer.reset()
            app._redraw()

    def _write(self, text: str) -> None:
        if sys.__stdout__ is not None:
            sys.__stdout__.write(text)
            sys.__stdout__.flush()

    def _application(self) -> Application[None]:
        from prompt_toolkit.application import Application
        from prompt_toolkit.output.color_depth import ColorDepth
        from prompt_toolkit.output.vt100 import Vt100_Output
        from prompt_toolkit.styles import Style

        return Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=Style.from_dict(_STYLE),
            color_depth=ColorDepth.DEPTH_1_BIT if self._plain else ColorDepth.DEPTH_4_BIT,
            # Where the cursor is need not be asked: the prompt follows what is printed.
            output=Vt100_Output(sys.stdout, self._size, enable_cpr=False),
            erase_when_done=True,
            refresh_interval=0.5,
            min_redraw_interval=0.03,
        )

    def _layout(self) -> Layout:
        from prompt_toolkit.buffer import Buffer
        from prompt_toolkit.filters import Condition, has_completions
        from prompt_toolkit.layout import HSplit, Layout, VerticalAlign, Window
        from prompt_toolkit.layout.containers import ConditionalContainer
        from prompt_toolkit.layout.controls import BufferControl, FormattedTextControl
        from prompt_toolkit.layout.dimension import Dimension
        from prompt_toolkit.layout.menus import CompletionsMenuControl

        self._buffer = buffer = Buffer(
            completer=_completer(self._typing.complete),
            complete_while_typing=Condition(self._completes),
            history=_remembered(self._history),
            multiline=True,
            on_text_changed=self._typed,
        )
        live = Window(FormattedTextControl(self._live), dont_extend_height=True, wrap_lines=False)
        words = Window(
            BufferControl(buffer),
            get_line_prefix=self._prefix,
            wrap_lines=True,
            dont_extend_height=True,
            height=lambda: Dimension(min=1, max=max(1, self._rows // 2)),
        )
        menu = Window(
            CompletionsMenuControl(),
            height=Dimension(min=1, max=_MENU_ROWS),
            dont_extend_height=True,
            style="class:completion-menu",
        )
        status = Window(FormattedTextControl(self._status), height=1, dont_extend_height=True)
        return Layout(
            HSplit(
                [
                    ConditionalContainer(live, Condition(lambda: bool(self._live()))),
                    words,
                    ConditionalContainer(menu, has_completions),
                    status,
                ],
                align=VerticalAlign.TOP,
            ),
            focused_element=words,
        )

    def _keys(self) -> KeyBindings:
        from prompt_toolkit.key_binding import KeyBindings

        keys = KeyBindings()
        keys.add("enter")(self._enter)
        keys.add("escape", "enter")(_new_line)
        keys.add("c-j")(_new_line)
        keys.add("c-c")(self._interrupted)
        keys.add("c-d")(self._ended)
        keys.add("c-z")(lambda event: event.app.suspend_to_background())
        keys.add("<bracketed-paste>")(_pasted)
        return keys

    def _enter(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        state = buffer.complete_state
        if state is not None and state.current_completion is not None:
            buffer.apply_completion(state.current_completion)
            return
        text = buffer.text
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor(1)
            buffer.insert_text("\n")
            return
        if not text.strip():
            return
        buffer.reset(append_to_history=True)
        self._typing.line(visible(text))

    def _interrupted(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not self._typing.interrupt(not buffer.text):
            buffer.reset()

    def _ended(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.text:
            buffer.delete()
        else:
            self._typing.end()

    def _typed(self, _: object) -> None:
        self._pressed = time.monotonic()

    def _completes(self) -> bool:
        before = "" if self._buffer is None else self._buffer.document.text_before_cursor
        word = before.split()[-1:] if before[-1:].strip() else []
        return before.startswith("/") or bool(word and word[0].startswith("@"))

    def _size(self) -> Size:
        from prompt_toolkit.data_structures import Size

        try:
            found = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            return Size(24, 80)
        return Size(found.lines or 24, found.columns or 80)

    @property
    def _rows(self) -> int:
        return 24 if self._app is None else self._app.output.get_size().rows

    @property
    def columns(self) -> int:
        """Return how wide the terminal is."""
        return 80 if self._app is None else self._app.output.get_size().columns

    def _prefix(self, line: int, wrapped: int) -> StyleAndTextTuples:
        return [("class:mark", _MARK if line == 0 and wrapped == 0 else "  ")]

    def _status(self) -> StyleAndTextTuples:
        return [("class:status", self._typing.status(self.columns - 1))]

    def _live(self) -> StyleAndTextTuples:
        rows = self._typing.live(self.columns - 1)[-max(1, self._rows // 3) :]
        found: StyleAndTextTuples = []
        for text, style in rows:
            found.append((f"class:{style or 'live'}", f"{text}\n"))
        if found:
            found[-1] = (found[-1][0], found[-1][1].rstrip("\n"))
        return found


def _new_line(event: KeyPressEvent) -> None:
    event.current_buffer.insert_text("\n")


def _pasted(event: KeyPressEvent) -> None:
    # Attack: pasted text holds characters that are not seen, and the model reads them.
    text = event.data.replace("\r\n", "\n").replace("\r", "\n")
    event.current_buffer.insert_text(visible(text))


def _completer(complete: Callable[[str], Iterable[Candidate]]) -> Completes:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion
    from prompt_toolkit.document import Document

    class Words(Completer):
        def get_completions(
            self, document: Document, complete_event: CompleteEvent
        ) -> Iterable[Completion]:
            for one in complete(document.text_before_cursor):
                yield Completion(
                    one.text, -one.replaces, visible(one.text), display_meta=visible(one.note)
                )

    return Words()


def _remembered(history: History) -> Remembered:
    from prompt_toolkit.history import History as Base

    class Lines(Base):
        def load_history_strings(self) -> Iterable[str]:
            return reversed(history.lines())

        def store_string(self, string: str) -> None:
            history.add(string)

    return Lines()
