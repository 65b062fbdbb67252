"""A model's Markdown, rendered for a terminal of so many columns.

Guarantees: what `safe_markdown` promises; and whatever the renderer makes of it (an entity becomes
a character), what is written holds no control or hidden character but line ends and the styles of
ours. Does not: write anything.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar

from capbox.surfaces.markdown import safe_markdown
from capbox.surfaces.sink import visible

if TYPE_CHECKING:
    from rich.markdown import Markdown

_COLUMNS_MAX = 110
"""Longer lines are hard to read."""
_STYLES = {
    "markdown.code": "cyan",
    "markdown.item.bullet": "dim",
    "markdown.item.number": "dim",
    "markdown.table.border": "dim",
    "markdown.table.header": "bold",
    "markdown.block_quote": "dim",
}


def rendered(text: str, columns: int, *, plain: bool = False) -> str:
    """Return `text` as lines with styles; `plain` leaves the colours out."""
    from rich.console import Console
    from rich.segment import Segment
    from rich.text import Text
    from rich.theme import Theme

    written = io.StringIO()
    console = Console(
        file=written, width=max(20, min(columns - 1, _COLUMNS_MAX)), force_terminal=True,
        highlight=False, emoji=False, color_system="standard", no_color=plain,
        legacy_windows=False, theme=Theme(_STYLES),
    )  # fmt: skip
    segments = console.render(_markdown(safe_markdown(text)), console.options)
    # Attack: "&#x1b;]0;" and "&#8238;" are plain ASCII until the renderer has read them.
    shown = (Segment(visible(one.text), one.style) for one in segments if not one.control)
    for line in Segment.split_lines(shown):
        row = Text.assemble(*((one.text, one.style or "") for one in line))
        row.rstrip()
        console.print(row, soft_wrap=True)
    lines = written.getvalue().strip("\n")
    return f"{lines}\n" if lines else ""


def _markdown(text: str) -> Markdown:
    from rich.console import Console as Page
    from rich.console import ConsoleOptions, RenderResult
    from rich.markdown import CodeBlock, Heading, Markdown
    from rich.syntax import Syntax
    from rich.text import Text

    class Title(Heading):
        """A heading at the left, without the box that takes five rows."""

        def __rich_console__(self, console: Page, options: ConsoleOptions) -> RenderResult:
            self.text.justify = "left"
            self.text.stylize("bold" if self.tag != "h1" else "bold underline")
            yield self.text

    class Code(CodeBlock):
        """Code indented by two columns, without a background that ends at the window's edge."""

        def __rich_console__(self, console: Page, options: ConsoleOptions) -> RenderResult:
            from rich.padding import Padding

            code = str(self.text).rstrip()
            shown: Syntax | Text = Text(code)
            if self.lexer_name:
                shown = Syntax(
                    code, self.lexer_name, theme="ansi_dark", word_wrap=True,
                    background_color="default",
                )  # fmt: skip
            yield Padding(shown, (0, 0, 0, 2))

    class Document(Markdown):
        """Markdown with these two."""

        elements: ClassVar = {
            **Markdown.elements,
            "heading_open": Title,
            "fence": Code,
            "code_block": Code,
        }

    return Document(text, hyperlinks=False, code_theme="ansi_dark")
