"""`capbox revoke RUN|GRANT`: take authority back from a run that is under way, from anywhere.

Guarantees: when it says that something is revoked, that is on record, and nothing works under it
any more; a process that hangs, or is gone, is told apart from one that obeyed. Does not: undo what
was done before.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json, JsonObject
from capbox.surfaces.cli.commands.control.grants import held
from capbox.surfaces.cli.commands.control.ps import asked_all, run_named, runs_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.control.client import Reply


def revoke(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="RUN|GRANT", help="See: capbox ps, and capbox grants list."),
    ],
    *,
    as_json: AsJson = False,
) -> int:
    """End a run, or take one grant back, at once.

    As in: capbox revoke 20260131-1201. A run may be named by the beginning of its id. Whatever
    works under what is revoked is stopped, with all that descends from it; but on record first.

    Exit codes: 0 it is revoked, 1 nothing of that name is under way, 2 usage, 5 its process does
    not answer.
    """
    from capbox.engine.stored.lending import stored_id

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    replies = asked_all(entry, {"do": "runs"})
    runs = list(runs_of(replies))
    run = run_named(name, runs)
    if run is not None:
        request: JsonObject = {"do": "revoke_run", "run": run["run"]}
        answers = _sent(entry, {str(run["socket"])}, request)
    else:
        forgotten = _forgotten(entry, name)
        answers = tuple(
            reply
            for one in runs
            for held in _names(one)
            if held == name or (forgotten and held == stored_id(str(one["run"]), name))
            for reply in _sent(entry, {str(one["socket"])}, {"do": "revoke", "name": held})
        )
        if forgotten and not answers:
            screen.say(f"removed {name}; no run holds it")
            return 0
    what = f"revoked {name}{_text_of(name, runs)}" if run is None else ""
    told = (*answers, *(r for r in replies if r.problem))
    return _told(entry, screen, name, told, None if as_json else what)


def _forgotten(entry: Entry, name: str) -> bool:
    """Remove the stored grant of this name, if it is one, before runs that hold it are told."""
    from capbox.surfaces.cli.commands.control.grants import stored_grants

    removed = stored_grants(entry).remove(name)
    if isinstance(removed, str):
        raise CommandFailure("sandbox_failed", removed, 5)
    return removed


def _names(run: JsonObject) -> set[str]:
    """Return the ids of the authorities and grants that a run lists."""
    listed = run.get("authorities")
    found: set[str] = set()
    for authority in listed if isinstance(listed, list) else []:
        if isinstance(authority, dict):
            grants = authority.get("grants")
            held = grants if isinstance(grants, list) else []
            found.update(str(one["id"]) for one in (authority, *held) if isinstance(one, dict))
    return found


def _text_of(name: str, runs: list[JsonObject]) -> str:
    """Return the grant of this id in brackets, as far as a run lists it."""
    found = (str(row["grant"]) for run in runs for row in held(run) if row.get("id") == name)
    return next((f" ({text})" for text in found), "")


def _sent(entry: Entry, sockets: set[str], request: JsonObject) -> tuple[Reply, ...]:
    from capbox.engine.control.client import ask_one

    found = (ask_one(entry.home().control, socket, request) for socket in sorted(sockets))
    return tuple(reply for reply in found if reply is not None)


def _told(
    entry: Entry, screen: Screen, name: str, replies: tuple[Reply, ...], what: str | None
) -> int:
    """Tell what was done: `what` was revoked; "" is the run itself, None asks for JSON."""
    done = [reply.message for reply in replies if reply.problem is None]
    runs: list[Json] = [run for message in done for run in _texts(message.get("runs"))]
    calls: list[Json] = [call for message in done for call in _texts(message.get("calls"))]
    silent = [reply for reply in replies if reply.problem is not None]
    if not done:
        if silent:
            said = "; ".join(f"process {one.pid} {one.problem}" for one in silent)
            hint = "; kill -9 ends a process with everything that works for it"
            raise CommandFailure("sandbox_failed", f"{name} is not revoked: {said}{hint}", 5)
        raise CommandFailure("not_found", _gone(entry, name), 1)
    if what is None:
        screen.json({"revoked": name, "runs": runs, "stopped": calls})
        return 0
    at_work = f"; stopped: {', '.join(map(str, calls))}" if calls else "; nothing was at work"
    where = ", ".join(map(str, runs))
    screen.line(f"{what} in run {where}{at_work}" if what else f"ended run {where}{at_work}")
    return 0


def _gone(entry: Entry, name: str) -> str:
    """Say why nothing of this name can be revoked: it ended, its process is gone, or never was."""
    from capbox.store.journal import runs

    directory = entry.home().state / "journal"
    known = [run for run in runs(directory) if run.startswith(name)] if directory.exists() else []
    if len(known) == 1:
        from capbox.store.journal import read
        from capbox.surfaces.cli.record import brief

        outcome = brief(known[0], read(directory, known[0])).outcome
        how = "its process is gone" if outcome == "open" else f"it ended ({outcome})"
        return f"run {known[0]} is not under way: {how}, and its authority with it"
    if not name:
        raise usage("which run or grant? see: capbox ps")
    return f"nothing under way has the name {name}; see: capbox ps, capbox grants list"


def _texts(value: Json) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
