"""`capbox usage`: what runs took, as a table and a chart.

Guarantees: the sums are those of the stored events; a reply without a known price is counted and
named, never taken for free. Does not: know what a provider bills.
"""

from __future__ import annotations

import csv
import io
import re
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from capbox.surfaces.cli.commands.sessions.listing import with_store
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.store.usage import Took

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SINCE = re.compile(r"(\d{1,6})([dhms])")
_BAR_COLUMNS = 40
_NAME_COLUMNS = 24
_NAME_COLUMNS_MIN = 8
_GAP = 2


def usage_of(
    ctx: typer.Context,
    *,
    by: Annotated[
        Literal["day", "model", "session", "run", "workspace"],
        typer.Option("--by", help="What to sum up."),
    ] = "day",
    since: Annotated[
        str | None, typer.Option("--since", metavar="7d", help="Only the last 7d, 24h, 30m.")
    ] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
) -> int:
    """Show what runs took: tokens, cache, cost and time.

    As in: capbox usage --by model --since 30d
    """
    from capbox.store.usage import total

    if as_json and as_csv:
        raise usage("--json or --csv, not both")
    entry: Entry = ctx.obj
    screen, after = Screen(sys.stdout, sys.stderr, entry.environ), _after(since)
    rows = with_store(ctx, lambda store: store.taken(by, after))
    whole = total(rows)
    if as_json:
        told = {"by": by, "rows": [one.to_json() for one in rows], "total": whole.to_json()}
        screen.json(told)
    elif as_csv:
        screen.result(_csv(by, rows))
    elif not rows:
        screen.say("no run is stored" + (f" of the last {since}" if since else ""), "dim")
    else:
        _table(screen, by, rows, whole)
    return 0


def _after(since: str | None) -> float:
    if since is None:
        return 0.0
    found = _SINCE.fullmatch(since)
    if found is None:
        raise usage(f"--since {since[:40]!r}: it is a number and d, h, m or s, as in 7d")
    return time.time() - int(found[1]) * _UNITS[found[2]]


def _table(screen: Screen, by: str, rows: Sequence[Took], whole: Took) -> None:
    head = (by, "runs", "replies", "in", "out", "cache read", "cache write", "USD", "time")
    cells = [_cells(one) for one in (*rows, whole)]
    if by in ("model", "workspace"):  # half an id is of no use, nor is half a number
        columns = zip(head[1:], *(one[1:] for one in cells), strict=True)
        numbers = sum(max(map(len, column)) + _GAP for column in columns)
        room = max(screen.columns - numbers, _NAME_COLUMNS_MIN)
        cells = [(one_line(key, room), *rest) for key, *rest in cells]
    screen.table(head, cells)
    if whole.unpriced:
        count = f"{whole.unpriced} replies have" if whole.unpriced > 1 else "1 reply has"
        screen.say(f"{count} no known price: what they cost is not in USD", "yellow")
    money = whole.usd > 0
    amounts = [one.usd if money else float(one.usage.total) for one in rows]
    most = max(amounts)
    if most <= 0:
        return
    screen.line("")
    screen.line("USD" if money else "tokens", "bold")
    names = [one_line(one.key, _NAME_COLUMNS) for one in rows]
    for name, amount in zip(names, amounts, strict=True):
        bar = _bar(amount / most)
        shown = f"{amount:.4f}" if money else f"{int(amount)}"
        screen.line(f"{name.ljust(max(map(len, names)))}  {bar} {shown}")


def _bar(share: float) -> str:
    sign = "█" if "utf" in (sys.stdout.encoding or "").lower() else "#"
    return sign * max(round(share * _BAR_COLUMNS), 1 if share else 0)


def _cells(one: Took) -> tuple[str, ...]:
    tokens = one.usage
    counts = (one.runs, one.replies, tokens.input_tokens, tokens.output_tokens)
    cached = (tokens.cache_read_tokens, tokens.cache_write_tokens)
    return (
        one.key,
        *map(str, (*counts, *cached)),
        f"{one.usd:.4f}" + ("+?" if one.unpriced else ""),
        _lasted(one.seconds),
    )


def _lasted(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _csv(by: str, rows: Sequence[Took]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    listed = [one.to_json() for one in rows]
    heads = [name for name in _columns() if name != "key"]
    writer.writerow([by, *heads])
    for one in listed:
        writer.writerow([one["key"], *(one[name] for name in heads)])
    return text.getvalue()


def _columns() -> list[str]:
    from capbox.store.usage import Took

    return list(Took("").to_json())
