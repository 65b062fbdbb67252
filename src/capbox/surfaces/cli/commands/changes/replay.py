"""`capbox replay`: a run once more, on a copy of its tree, and the first thing that is another.

Guarantees: a broken record is refused; the workspace stays as it is, and nothing is sent. Does not:
ask anybody, or need the model or the program whose run it was.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.commands.audit import Run, journal_of, run_named, signer_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.replay.playing import Played
    from capbox.engine.replay.replaying import Report

_STYLES = {"identical": "green", "from the record": "green", "different": "bold red"}


def replay(
    ctx: typer.Context,
    run: Run,
    *,
    other_tools: Annotated[
        bool, typer.Option("--other-tools", help="Also with other versions of the tools.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Execute the tool calls of a run once more, and compare.

    On a copy of the tree as it was, with the recorded clock, randomness and answers of the network;
    every decision is made again. Your files stay as they are, nothing is sent.

    Example: capbox replay 20260301

    Exit codes: 0 identical, 1 a difference, which is shown, or a record that is broken, 2 usage,
    4 no difference, but some calls could not be executed as they were, 5 the box does not work.
    """
    import anyio

    from capbox.engine.replay.kept import ReplayError
    from capbox.engine.replay.recorded import run_on_record
    from capbox.sandbox.cache import CacheError
    from capbox.sandbox.handles import SandboxError

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    directory = journal_of(entry)
    wanted = run_named(run, directory)
    signer = signer_of(entry, directory)
    if signer is None:
        raise usage("there is no run on record")

    def told(played: Played) -> None:
        if not as_json:
            _tell(played, screen)

    try:
        recorded = run_on_record(entry.home().state, signer, wanted)
        player = entry.replaying(screen.say, told)
        report = anyio.run(lambda: player.replay(recorded, other_tools=other_tools))
    except ReplayError as error:
        raise CommandFailure(
            "broken" if error.forged else "not_replayable", str(error), 1
        ) from error
    except (OSError, SandboxError, CacheError) as error:
        raise CommandFailure("sandbox_failed", str(error), 5) from error
    if as_json:
        screen.json(_document(report))
    else:
        _show(report, screen)
    if report.difference is not None:
        return 1
    return 4 if report.left or not report.whole else 0


def _tell(played: Played, screen: Screen) -> None:
    reason = f": {played.reason}" if played.reason else ""
    style = _STYLES.get(played.state, "yellow")
    screen.line(f"{played.seq:>4}  {played.tool:<12} {played.state}{reason}", style)


def _show(report: Report, screen: Screen) -> None:
    if report.difference is not None:
        screen.line(f"the first difference: entry {report.difference.seq}", "bold red")
        screen.line(f"  {report.difference.what}")
        for line in report.difference.lines:
            screen.line(f"  {line}")
    for note in report.notes:
        screen.say(note, "yellow")
    counted = Counter(one.state for one in report.calls)
    states = ", ".join(f"{count} {state}" for state, count in counted.items()) or "no call"
    word = "identical" if report.identical else "different" if report.difference else "in part"
    style = "green" if report.identical else "red" if report.difference else "yellow"
    screen.line(f"{word}: {states}; {report.decisions} entries decided again", style)


def _document(report: Report) -> JsonObject:
    found = report.difference
    return {
        "run": report.run.id,
        "closed": report.run.closed,
        "identical": report.identical,
        "calls": [
            {"seq": one.seq, "tool": one.tool, "state": one.state, "reason": one.reason}
            for one in report.calls
        ],
        "entries_decided": report.decisions,
        "difference": None
        if found is None
        else {"seq": found.seq, "what": found.what, "diff": list(found.lines)},
        "notes": list(report.notes),
    }
