"""`capbox grants list|show|export|remove`: what runs hold now, and what was approved for always.

Guarantees: says of each stored grant whether it still counts, by looking at what is there. Does
not: add one; only an answer to a question does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json, JsonObject
from capbox.surfaces.cli.commands.control.ps import asked_all, runs_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.engine.stored.grants import StoredGrant, StoredGrants
    from capbox.surfaces.cli.opening import Remembered

Id = Annotated[str, typer.Argument(metavar="ID", help="As capbox grants list has it.")]


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("show")(show)
    group.command("export")(export)
    group.command("remove")(remove)
    return group


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the grants of runs under way, those given for always, and what folders begin with.

    As in: capbox grants list --json
    """
    entry: Entry = ctx.obj
    screen = _screen(entry)
    rows_held = [row for run in runs_of(asked_all(entry, {"do": "runs"})) for row in held(run)]
    stored = [_described(one, *_state(entry, one)) for one in _all(entry)]
    folders = list(_folders(entry))
    if as_json:
        screen.json({"held": [*rows_held], "stored": [*stored], "folders": [*folders]})
        return 0
    rows = [(str(row["id"]), _where(row), str(row["grant"])) for row in rows_held]
    for one in stored:
        state = "always" if one["problem"] is None else f"not used: {one['problem']}"
        state += f", {one['used']}" if one["used"] else ""
        workspace = one["workspace"]
        where = workspace["path"] if isinstance(workspace, dict) else ""
        rows.append((str(one["id"]), f"{state}, in {where}", str(one["grant"])))
    for one in folders:
        state = "each run" if one["problem"] is None else f"not used: {one['problem']}"
        rows.append((str(one["id"]), f"{state} in {one['path']}", str(one["choice"])))
    if rows:
        screen.table(("id", "where", "grant"), rows)
    else:
        screen.say("no run is under way, and nothing was approved for always", "dim")
    return 0


def show(ctx: typer.Context, name: Id, *, as_json: AsJson = False) -> int:
    """Show one grant that was given for always.

    As in: capbox grants show g5b1f09aa
    """
    entry: Entry = ctx.obj
    screen = _screen(entry)
    found = next((one for one in _all(entry) if one.id == name), None)
    if found is None:
        raise usage(f"no stored grant has the id {name}; see: capbox grants list")
    problem, used = _state(entry, found)
    if as_json:
        screen.json(_described(found, problem, used))
        return 0
    given = datetime.fromtimestamp(found.given).astimezone()
    screen.line(str(found.grant), "bold")
    screen.line(f"  in {found.workspace.path}")
    if found.bound is not None:
        at = f"device {found.bound.device}, inode {found.bound.inode}"
        screen.line(f"  for {found.bound.path} ({at})")
    screen.line(f"  given {given:%Y-%m-%d %H:%M:%S} in run {found.run}")
    screen.line(f"  not used: {problem}" if problem else "  lent to each run that asks there")
    if used:
        screen.line(f"  {used}")
    return 0


def export(ctx: typer.Context) -> int:
    """Print the grants that were given for always, one a line, each below a comment: its folder.

    As in: capbox grants export > kept.txt
    """
    entry: Entry = ctx.obj
    screen = _screen(entry)
    for one in _all(entry):
        # `/workspace` is another folder in each of them, and a count is what was given.
        given = ", of which some may be used" if one.grant.counted else ""
        screen.result(f"# {one.id}, in {one_line(one.workspace.path, 4_096)}{given}\n{one.grant}\n")
    return 0


def remove(ctx: typer.Context, name: Id) -> int:
    """Forget a grant that was given for always, or what is remembered for a folder.

    Runs under way keep what they were lent; capbox revoke ID takes it from them too.
    """
    entry: Entry = ctx.obj
    removed = stored_grants(entry).remove(name) or _remembered(entry).remove(name)
    if isinstance(removed, str):
        raise CommandFailure("sandbox_failed", removed, 5)
    if not removed:
        raise usage(f"no stored grant has the id {name}; see: capbox grants list")
    _screen(entry).say(f"removed {name}")
    return 0


def stored_grants(entry: Entry) -> StoredGrants:
    """Return the approvals for always of this user, in a directory that is closed to others."""
    from capbox.engine.stored.grants import StoredGrants

    entry.home().prepare()
    return StoredGrants(entry.home().grants, time.time)


def _all(entry: Entry) -> tuple[StoredGrant, ...]:
    found = stored_grants(entry).all()
    if isinstance(found, str):
        raise CommandFailure("sandbox_failed", found, 5)
    return found


def _state(entry: Entry, one: StoredGrant) -> tuple[str | None, str]:
    """Return why it is lent to no run, if so, and how much of it is used, if it is counted."""
    problem = _problem(entry, one)
    if one.count is None:
        return problem, ""
    from capbox.engine.stored.counted import Counts
    from capbox.surfaces.cli.commands.audit import signer_of

    directory = entry.home().state / "journal"
    signer = signer_of(entry, directory)
    settled = (
        "there is no journal" if signer is None else Counts(directory, signer).settled(one.count)
    )
    if isinstance(settled, str):
        return problem or settled, ""
    if problem is None and not settled.left(one.grant):
        problem = "it is used up"
    return problem, settled.told(one.grant)


def _remembered(entry: Entry) -> Remembered:
    from capbox.surfaces.cli.opening import Remembered

    return Remembered(entry.home().state / "folders.json")


def _folders(entry: Entry) -> Iterator[dict[str, Json]]:
    """Yield what runs at a terminal begin with: the answer to the opening question, with a `!`."""
    known = _remembered(entry).all()
    if isinstance(known, str):
        raise CommandFailure("sandbox_failed", known, 5)
    for folder, choice in known.items():
        problem = None if folder.is_there else "another folder is there now, or none"
        said = ", ".join(choice.given) or "nothing"
        grants: list[Json] = [*choice.given]
        yield {
            **{"id": folder.id, "path": folder.path, "choice": said},
            **{"grants": grants, "problem": problem},
        }


def _problem(entry: Entry, one: StoredGrant) -> str | None:
    from capbox.authority.paths import HostPath, Layout
    from capbox.tools.available import available

    digests: dict[str, str] = {}
    if one.digest is not None:
        registry = available(entry.guests(), entry.home().tools)
        digests = {name: found.digest for name, found in registry.tools.items()}
    return one.problem(Layout(HostPath(one.workspace.path)), digests)


def _described(one: StoredGrant, problem: str | None, used: str) -> dict[str, Json]:
    bound = one.bound
    return {
        "id": one.id,
        "grant": str(one.grant),
        "workspace": {
            "path": one.workspace.path,
            "device": one.workspace.device,
            "inode": one.workspace.inode,
        },
        "bound": None
        if bound is None
        else {"path": bound.path, "device": bound.device, "inode": bound.inode},
        "digest": one.digest,
        "run": one.run,
        "given": one.given,
        "problem": problem,
        "used": used or None,
    }


def _where(row: JsonObject) -> str:
    lapsed = row.get("lapsed")
    return f"run {row['run']}" + (f", {lapsed}" if isinstance(lapsed, str) else "")


def held(run: JsonObject) -> list[JsonObject]:
    """Return each grant of a run that `capbox ps` lists, with the run."""
    authorities = run.get("authorities")
    found: list[JsonObject] = []
    for authority in authorities if isinstance(authorities, list) else []:
        grants = authority.get("grants") if isinstance(authority, dict) else None
        for grant in grants if isinstance(grants, list) else []:
            if isinstance(grant, dict):
                found.append({"run": run["run"], **grant})
    return found


def _screen(entry: Entry) -> Screen:
    return Screen(sys.stdout, sys.stderr, entry.environ)
