"""The demo as a person sees it: what was helped with, then attack by attack what stopped it.

Guarantees: text of guests and models is never taken for markup, and reaches a terminal without
control characters; colour only on a terminal. Does not: know how anything was found out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from capbox.journal.verify import Broken, Closed, Verdict
from capbox.surfaces.demo.attack import Attack, Finding
from capbox.surfaces.demo.helpful import GRANTS, TASK, Step
from capbox.surfaces.sink import one_line, visible

_WIDTH_MAX = 124
_NARROW = 100
_STYLES: Mapping[str, str] = {"gate": "cyan", "host": "blue", "bound": "magenta"}
_LEGEND = (
    ("gate", "refused before the call"),
    ("host", "refused at the effect"),
    ("bound", "stopped"),
    ("tool", "found nothing"),
    ("absent", "not there"),
)


class Screen:
    """Prints to one console."""

    def __init__(self, console: Console) -> None:
        if not console.is_terminal or console.width > _WIDTH_MAX:
            console.width = _WIDTH_MAX
        self._console = console

    def open(self, count: int) -> None:
        """Say what is about to happen."""
        self._say("capbox demo", "bold")
        self._say(
            "A helpful model first, then one that is hostile from its first token. No key, no "
            f"network.\nEach of its {count} attacks is also made on naive tools, to show that it "
            "works there."
        )

    def helpful(self, steps: Iterable[Step]) -> None:
        """Show the ordinary task."""
        self._heading("1  A task", TASK)
        self._say(f"   granted: {', '.join(GRANTS)}", "dim")
        for step in steps:
            mark = Text("   ok  ", "green") if step.result.ok else Text("   no  ", "red")
            line = mark + Text(f"{step.call.name:<6}", "bold") + Text(visible(step.said))
            done = [f"{e.action} {e.path.removeprefix('/workspace/')}" for e in step.changes]
            failed = step.result.error.message if step.result.error is not None else ""
            what = visible(", ".join(done)) or one_line(failed or step.result.content, 60)
            self._print(line + Text(f"  {what}", "dim"))

    @contextmanager
    def hostile(self, total: int) -> Generator[Callable[[int], None]]:
        """Say that the attacks begin; yields what shows how many attempts are over."""
        self._heading("2  A hostile model", "in a project with a poisoned document, keys and links")
        columns = (TextColumn("   attacking"), BarColumn(), TextColumn("{task.completed}"))
        progress = Progress(*columns, console=self._console, transient=True)
        task = progress.add_task("", total=total)
        if not self._console.is_terminal:
            yield lambda done: None
            return
        with progress:
            yield lambda done: progress.update(task, completed=done)

    def findings(
        self, chapters: Iterable[tuple[str, tuple[Attack, ...]]], findings: Iterable[Finding]
    ) -> None:
        """Show every attack, by chapter."""
        by_id = {one.attack.id: one for one in findings}
        for title, attacks in chapters:
            table = self._table(title)
            for attack in attacks:
                table.add_row(*self._row(by_id[attack.id]))
            self._print()
            self._print(table)

    def close(
        self,
        contained: int,
        verdicts: Iterable[Verdict],
        findings: tuple[Finding, ...],
        seconds: float,
    ) -> None:
        """Say what the words mean, what the journal is worth, and the last line."""
        found = tuple(verdicts)
        closed = sum(isinstance(v, Closed) for v in found)
        entries = sum(v.entries for v in found if not isinstance(v, Broken))
        self._say("\n" + "   ".join(f"{word}: {meaning}" for word, meaning in _LEGEND), "dim")
        self._say(
            f"journal: {closed} of {len(found)} runs closed, {entries} entries verified; "
            f"{seconds:.0f} s",
            "dim" if closed == len(found) else "red",
        )
        for one in found:
            if isinstance(one, Broken):
                self._say(f"journal: broken at entry {one.entry}: {one.reason}", "red")
        style = "bold green" if contained == len(findings) else "bold red"
        self._say(f"contained: {contained} of {len(findings)}", style)

    def _table(self, title: str) -> Table:
        table = Table(box=None, expand=True, pad_edge=False, header_style="dim")
        table.add_column("", width=2)
        table.add_column(Text(title, "bold not dim"), ratio=44, overflow="fold")
        table.add_column("on naive tools", width=24, overflow="ellipsis", no_wrap=True)
        table.add_column("here", width=24, overflow="ellipsis", no_wrap=True)
        if self._console.width >= _NARROW:
            table.add_column("", ratio=26, overflow="ellipsis", no_wrap=True)
        return table

    def _row(self, one: Finding) -> tuple[Text, ...]:
        mark = Text("ok", "green") if one.contained else Text("!!", "bold red")
        title = Text(one_line(one.attack.title, 100))
        bite = Text(visible(one.bite)) if one.bite else Text("did not bite", "bold red")
        if one.breach is not None:
            return (
                mark,
                title,
                bite,
                Text("NOT CONTAINED", "bold red"),
                Text(visible(one.breach), "red"),
            )
        who, _, why = one.stopped_by.partition(": ")
        here = Text(f"{who:<7}", _STYLES.get(who, "dim")) + Text(visible(why))
        row = (mark, title, bite, here, Text(one_line(one.evidence, 100), "dim"))
        return row if self._console.width >= _NARROW else row[:4]

    def _heading(self, title: str, more: str) -> None:
        self._print()
        self._print(Text(title, "bold") + Text(f"  {more}"))

    def _say(self, text: str, style: str = "") -> None:
        self._print(Text(text, style))

    def _print(self, *shown: RenderableType) -> None:
        """Print; what is no terminal gets no blanks that only fill a line."""
        if self._console.is_terminal:
            self._console.print(*shown)
            return
        with self._console.capture() as captured:
            self._console.print(*shown)
        lines = captured.get().split("\n")
        self._console.file.write("\n".join(line.rstrip(" ") for line in lines))
        self._console.file.flush()
