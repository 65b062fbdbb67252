"""`capbox why ACCESS`: whether something is allowed, by which grant, or by none, and why.

Guarantees: without --run it is the decision that a run with these flags would get now; with --run
it is what that run's record says. Does not: do what it tells of, or ask anybody.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import JsonObject
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import GrantFlags
from capbox.surfaces.cli.flags.settings import settings_of
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.control.explaining import Explanation


@grouped
def why(
    ctx: typer.Context,
    access: Annotated[
        list[str],
        typer.Argument(metavar="ACCESS", help="read PATH, write PATH, fetch URL, tool NAME, ..."),
    ],
    *,
    run: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="What this run's record says of it.")
    ] = None,
    grants: GrantFlags,
    as_json: words.AsJson = False,
) -> int:
    """Tell why something is allowed, or not.

    As in: capbox why read a.txt --read . Each grant that concerns it is named, with what it comes
    from. Exit codes: 0 it is allowed, 3 it is not, 1 the record of RUN is broken, 2 usage.
    """
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    if run is not None and grants.given:
        raise usage("--run is about what that run held; grant flags do not go with it")
    if run is not None:
        from capbox.surfaces.cli.commands.audit import believed
        from capbox.surfaces.cli.commands.control.recorded import recorded

        told = recorded(entry, run, " ".join(access))
        sound = believed(entry, told.run, screen)
        if as_json:
            screen.json(told.to_json())
        else:
            told.show(screen)
        if not sound:
            return 1
        return 0 if told.allowed else 3
    settings = settings_of(grants, entry.environ)
    found = entry.explain(settings, " ".join(access))
    if as_json:
        screen.json(_as_json(found))
    else:
        _show(found, screen)
    return 0 if found.allowed_by is not None else 3


def _show(found: Explanation, screen: Screen) -> None:
    if found.allowed_by is None:
        screen.line(f"{found.access}: denied: {found.reason}", "yellow")
    else:
        screen.line(f"{found.access}: allowed by {found.allowed_by}", "green")
        screen.line(f"  grant {' from '.join(found.grant_chain)}")
        screen.line(f"  of authority {' from '.join(found.authority_chain)}")
    for considered in found.considered:
        screen.paragraph(f"  {considered.grant}: {considered.verdict}", hang=2)
    if found.flag is not None:
        screen.line(f"to allow it: {found.flag}")


def _as_json(found: Explanation) -> JsonObject:
    return {
        "access": found.access,
        "allowed": found.allowed_by is not None,
        "by": found.allowed_by,
        "grants": list(found.grant_chain),
        "authorities": list(found.authority_chain),
        "reason": found.reason,
        "considered": [{"grant": c.grant, "verdict": c.verdict} for c in found.considered],
        "flag": found.flag,
    }
