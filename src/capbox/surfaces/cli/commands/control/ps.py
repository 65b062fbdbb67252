"""`capbox ps`: the runs of this user that are under way, in whatever process.

Guarantees: a process that does not answer is listed as such, and holds nothing up beyond a few
seconds. Does not: read the journal; a run that ended is in `capbox audit list`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from capbox.messages import Json, JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.engine.control.client import Reply

_WHAT_CHARACTERS = 60


def ps(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the runs that are under way.

    As in: capbox ps --json | jq -r '.runs[].run'

    Exit codes: 0 ok, also if there is none; 1 a process that has runs does not answer.
    """
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    replies = asked_all(entry, {"do": "runs"})
    found = list(runs_of(replies))
    silent = [reply for reply in replies if reply.problem is not None]
    if as_json:
        problems: list[Json] = [{"pid": one.pid, "problem": one.problem} for one in silent]
        screen.json({"runs": [*found], "problems": problems})
    else:
        head = ("run", "since", "turns", "calls", "asking", "spent", "pid", "what")
        if found:
            screen.table(head, [_row(run) for run in found])
        elif not silent:
            screen.say("no run is under way", "dim")
        for one in silent:
            screen.say(f"process {one.pid} {one.problem}", "yellow")
    return 1 if silent else 0


def asked_all(entry: Entry, request: JsonObject) -> tuple[Reply, ...]:
    """Ask every process of this user. Raises CommandFailure where that cannot be done."""
    from capbox.engine.control.client import ask_all

    try:
        return tuple(ask_all(entry.home().control, request))
    except OSError as error:
        where = entry.home().control
        raise CommandFailure("sandbox_failed", f"{where} cannot be used: {error}", 5) from error


def runs_of(replies: Iterable[Reply]) -> Iterable[JsonObject]:
    """Return the runs in replies to `runs`, each with its process and the socket to reach it."""
    for reply in replies:
        listed = reply.message.get("runs")
        for run in listed if isinstance(listed, list) else []:
            if isinstance(run, dict):
                yield {**run, "pid": reply.message.get("pid"), "socket": reply.name}


def run_named(text: str, runs: Iterable[JsonObject]) -> JsonObject | None:
    """Return the run that `text` names or begins; None if there is none."""
    if not text:
        raise usage("which run? see: capbox ps")
    found = [run for run in runs if str(run.get("run")).startswith(text)]
    exact = [run for run in found if run.get("run") == text]
    if len(found) > 1 and not exact:
        raise usage(f"{text} begins {len(found)} runs; see: capbox ps")
    return next(iter(exact or found), None)


def _row(run: JsonObject) -> tuple[str, ...]:
    since = run.get("since")
    when = datetime.fromtimestamp(float(since)) if isinstance(since, int | float) else None
    calling = run.get("calling")
    now = f" ({', '.join(map(str, calling))})" if isinstance(calling, list) and calling else ""
    turns, calls, asking, pid = (
        str(run.get(key, "")) for key in ("turns", "calls", "pending", "pid")
    )
    what = one_line(str(run.get("what", "")), _WHAT_CHARACTERS) + now
    return (
        str(run.get("run")),
        f"{when:%H:%M:%S}" if when else "",
        *(turns, calls, asking, _spent(run), pid),
        what,
    )


def _spent(run: JsonObject) -> str:
    """Return the share of the bound that is nearest to its end, as in `calls 40 of 50`."""
    from capbox.authority.values.draws import shown

    budget, found = run.get("budget"), [(0.0, "")]
    for word, pair in budget.items() if isinstance(budget, dict) else ():
        match pair:
            case [int() | float() as used, int() | float() as bound] if bound > 0:
                share = f"{one_line(word, 20)} {shown(used)} of {shown(bound)}"
                found.append((used / bound, share))
            case _:
                continue
    return max(found)[1]
