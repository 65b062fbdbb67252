"""`capbox audit list|show|verify|export`: the journal, read and judged, never changed.

Guarantees: nothing here writes to the journal or makes a signing key. Does not: believe what it
shows: the other commands show what is written, and say first where `verify` finds it broken.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.journal.event import RunId
    from capbox.journal.head import Signer
    from capbox.journal.verify import Verdict

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run id, or the beginning of one.")]


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("show")(show)
    group.command("verify")(verify)
    group.command("export")(export)
    return group


def list_(
    ctx: typer.Context,
    *,
    last: Annotated[int, typer.Option("--last", min=1, help="How many runs to list.")] = 30,
    as_json: AsJson = False,
) -> int:
    """List runs, newest first."""
    from capbox.store.journal import read, runs
    from capbox.surfaces.cli.record import brief

    entry: Entry = ctx.obj
    directory, screen = journal_of(entry), _screen(entry)
    every = runs(directory)
    newest = [brief(run, read(directory, run)) for run in every[: -last - 1 : -1]]
    # Ids sort by the second; what began within one is told apart by the record itself.
    newest.sort(key=lambda one: one.started or 0.0, reverse=True)
    broken = {one.run for one in newest if not believed(entry, one.run, screen)}
    newest = [replace(b, outcome="broken") if b.run in broken else b for b in newest]
    if as_json:
        screen.json([one.to_json() for one in newest])
    elif not newest:
        screen.say("no run is on record yet")
    else:
        # A run's id begins with its start (UTC); another column of it would leave the last no room.
        screen.table(("run", "outcome", "what"), [(b.run, b.outcome, b.doing) for b in newest])
        if len(every) > last:
            screen.say(f"{len(every) - last} older runs: --last N shows more", "dim")
    return 1 if broken else 0


def show(ctx: typer.Context, run: Run, *, as_json: AsJson = False) -> int:
    """Show what is written about one run, entry by entry."""
    from capbox.store.journal import read
    from capbox.surfaces.cli.record import told

    entry: Entry = ctx.obj
    directory, screen = journal_of(entry), _screen(entry)
    wanted = run_named(run, directory)
    sound, records = believed(entry, wanted, screen), read(directory, wanted)
    if as_json:
        screen.json([{"seq": r.seq, "hash": r.hash, "content": r.content} for r in records])
        return 0 if sound else 1
    for record in records:
        for line, style in told(record):
            screen.line(line, style)
    return 0 if sound else 1


def verify(
    ctx: typer.Context,
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A run id; without it, all runs.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """Check that the record is whole: every entry, its order and its end.

    Exit code 0: each run is closed, or the sound beginning of one that was cut off. 1: a run is
    broken, and the first bad entry is named.
    """
    from capbox.journal.verify import Broken
    from capbox.journal.verify import verify as judged

    entry: Entry = ctx.obj
    directory, screen = journal_of(entry), _screen(entry)
    wanted = None if run is None else run_named(run, directory)
    signer = signer_of(entry, directory)
    verdicts = () if signer is None else judged(directory, signer, wanted)
    if as_json:
        screen.json([_verdict_json(verdict) for verdict in verdicts])
    else:
        _show_verdicts(verdicts, screen, each=run is not None)
    return 1 if any(isinstance(verdict, Broken) for verdict in verdicts) else 0


def export(
    ctx: typer.Context,
    run: Run,
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file, not standard output.")
    ] = None,
) -> int:
    """Print a run as JSON lines that can be checked elsewhere, its signed head last.

    Kept where this user cannot write, it shows if the journal is ever rewritten.
    """
    from capbox.store import journal as reader

    entry: Entry = ctx.obj
    directory, screen = journal_of(entry), _screen(entry)
    wanted = run_named(run, directory)
    signer = signer_of(entry, directory)
    if signer is None:
        raise usage("there is no run on record")
    sound = believed(entry, wanted, screen)
    lines = reader.export(directory, wanted, signer)
    if out is None:
        for line in lines:
            screen.result(line)
        return 0 if sound else 1
    try:
        # A checkpoint is never overwritten: the older one may be the one that tells the truth.
        with out.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except OSError as error:
        raise usage(f"--out {out}: {error.strerror}") from error
    screen.say(f"exported {wanted} to {out}")
    return 0 if sound else 1


def journal_of(entry: Entry) -> Path:
    """Return where the journal is kept."""
    return entry.home().state / "journal"


def _screen(entry: Entry) -> Screen:
    return Screen(sys.stdout, sys.stderr, entry.environ)


def signer_of(entry: Entry, directory: Path) -> Signer | None:
    """Return the key; None when there is neither a key nor a journal. Never makes a key."""
    from capbox.journal.errors import JournalError
    from capbox.journal.head import Signer

    key = entry.home().state / "journal.key"
    if key.exists():
        try:
            return Signer.load(key)
        except JournalError as error:
            raise CommandFailure("broken", str(error), 1) from error
    if directory.exists():
        # A fresh key would call every true run forged, and hide that the old one is gone.
        raise CommandFailure(
            "broken", f"the signing key {key} is missing: put it back from a backup", 1
        )
    return None


def believed(entry: Entry, run: str, screen: Screen) -> bool:
    """Say whether what is on record of a run can be believed, and before it is shown, if not."""
    from capbox.journal.errors import JournalError
    from capbox.journal.event import RunId
    from capbox.journal.verify import Broken
    from capbox.journal.verify import verify as judged

    directory = journal_of(entry)
    try:
        signer = signer_of(entry, directory)
        verdicts = () if signer is None else judged(directory, signer, RunId(run))
    except (CommandFailure, JournalError) as error:
        screen.say(f"the record of {run} cannot be checked: {error}", "bold red")
        return False
    for one in verdicts:
        if isinstance(one, Broken):
            place = "" if one.entry is None else f" at entry {one.entry}"
            told = f"the record of {run} is broken{place}: {one.reason}"
            screen.say(f"{told}; what it shows may not be what happened", "bold red")
            return False
    return True


def run_named(text: str, directory: Path) -> RunId:
    """Return the run that `text` names or begins."""
    from capbox.journal.event import RunId, is_run_id
    from capbox.store.journal import read, runs

    found = [run for run in runs(directory) if run.startswith(text)]
    if text in found:
        return RunId(text)
    if len(found) > 1:
        raise usage(f"{text} begins {len(found)} runs: {', '.join(found[:3])} ...")
    if found:
        return found[0]
    # A run whose head was removed is still in the database, and must be judged, not overlooked.
    if is_run_id(text) and (directory / "journal.db").exists() and read(directory, RunId(text)):
        return RunId(text)
    raise usage(f"there is no run {text}; see: capbox audit list")


def _show_verdicts(verdicts: tuple[Verdict, ...], screen: Screen, *, each: bool) -> None:
    from capbox.journal.verify import Broken, Closed, OpenPrefix

    for verdict in verdicts:
        match verdict:
            case Broken(run, entry, reason):
                place = "" if entry is None else f" at entry {entry}"
                screen.line(f"broken  {run or 'the journal'}{place}: {reason}", "bold red")
            case OpenPrefix(run, entries) if each:
                screen.line(f"open    {run}: {entries} sound entries, and no end", "yellow")
            case Closed(run, entries) if each:
                screen.line(f"closed  {run}: {entries} sound entries", "green")
            case _:
                pass
    if not each:
        kinds = (Closed, OpenPrefix, Broken)
        closed, opened, broken = (sum(isinstance(v, kind) for v in verdicts) for kind in kinds)
        total = f"{len(verdicts)} runs: {closed} closed, {opened} open, {broken} broken"
        screen.line(total, "bold red" if broken else "green")


def _verdict_json(verdict: Verdict) -> dict[str, str | int | None]:
    from capbox.journal.verify import Broken

    return {
        "run": verdict.run,
        "verdict": _word(verdict),
        "entries": None if isinstance(verdict, Broken) else verdict.entries,
        "entry": verdict.entry if isinstance(verdict, Broken) else None,
        "reason": verdict.reason if isinstance(verdict, Broken) else None,
    }


def _word(verdict: Verdict) -> str:
    from capbox.journal.verify import Broken, Closed, OpenPrefix

    match verdict:
        case Closed():
            return "closed"
        case OpenPrefix():
            return "open"
        case Broken():
            return "broken"
        case _:
            assert_never(verdict)
