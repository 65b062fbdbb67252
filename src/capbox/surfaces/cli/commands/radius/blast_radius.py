"""`capbox blast-radius`: what the worst model could do with these grants, before it runs.

Guarantees: the authority is minted as that of a run would be, by the same code; nothing is started,
asked or changed, and no file is opened. Does not: say what a model will do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.surfaces.cli.commands.words.placed import Typed, placed
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import BoundFlags, BudgetFlags, GrantFlags, LendFlags
from capbox.surfaces.cli.flags.settings import budget_of, settings_of, spending
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.settings import Settings
    from capbox.surfaces.radius.report import Report

Run = Annotated[
    str | None,
    typer.Option("--run", metavar="ID", help="A run on record, instead of grants; what it used."),
]
AsHtml = Annotated[
    bool, typer.Option("--html", help="Print one page, with a picture of the flows.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where the page goes, with --html.")
]
Assert = Annotated[
    Path | None,
    typer.Option("--assert", metavar="FILE", help="Exit 1 if a rule of this TOML file is broken."),
]


@grouped
def blast_radius(
    ctx: typer.Context,
    *,
    grants: GrantFlags,
    named: words.Named = None,
    model: words.ModelSpec = None,
    tool: words.Tools = None,
    budget: BudgetFlags,
    timeout: words.Timeout = words.LIMITS.wall_seconds,
    limit: words.RunLimits = None,
    ceiling: words.Ceiling = None,
    policy: words.Policy = None,
    run: Run = None,
    as_json: words.AsJson = False,
    as_html: AsHtml = False,
    out: Out = None,
    assert_: Assert = None,
) -> int:
    """Show what a run with these grants could do at worst. Nothing is run.

    As in: capbox blast-radius --read . --read .env --fetch 'https://*.example.com'

    Without a grant: what capbox run at a terminal holds here, which are the grants of the workspace
    (see capbox workspace), the remembered choice, or nothing. What may be lent without a question
    counts too: by --preset auto, by a policy, and what was approved for always.
    --assert FILE holds never = ["flow secret -> web", "read **/.env"] against it.
    Exit codes: 0 shown, 1 a rule is broken, or the record of --run is, 2 usage.
    """
    if as_json and as_html:
        raise usage("--json and --html exclude each other")
    if out is not None and not as_html:
        raise usage("--out needs --html")
    entry: Entry = ctx.obj
    if run is not None and (grants.given or ceiling or policy):
        raise usage("--run has its own grants, those on record: leave out the others")
    amounts, lend = budget_of(budget, limit), LendFlags(ceiling=ceiling, policy=policy)
    environ, bounds = _environ(entry, grants.env or ()), BoundFlags(timeout=timeout)
    settings = spending(settings_of(grants, environ, bounds, limit, lend), amounts)
    tools = None if tool is None else tuple(tool)
    settings = replace(settings, tools=tools, model=model)
    screen, held = Screen(sys.stdout, sys.stderr, entry.environ), grants.given
    if run is None:
        typed = Typed(named, held, amounts)
        settings, held = placed(entry, settings, typed, screen.say)
    report = _report(entry, settings, run, assert_, bare=not held)
    _print(report, screen, out, as_json=as_json, as_html=as_html)
    return 1 if report.broken else 0


def _print(
    report: Report, screen: Screen, out: Path | None, *, as_json: bool, as_html: bool
) -> None:
    if as_json:
        from capbox.surfaces.radius.document import document

        screen.json(document(report))
    elif as_html:
        _show_page(report, out, screen)
    else:
        _show(report, screen)


def _environ(entry: Entry, named: Sequence[str]) -> Mapping[str, str]:
    """Return the variables, also those that are only named.

    Nothing is run, and no value is shown: a build has not the variables that a run will have.
    """
    return {**{name: "" for name in named if "=" not in name}, **entry.environ}


def _report(
    entry: Entry, settings: Settings, run: str | None, rules: Path | None, *, bare: bool
) -> Report:
    from capbox.engine.radius.never.rules import read_rules
    from capbox.engine.radius.never.verdicts import judged, watches_of
    from capbox.engine.radius.radius import radius
    from capbox.surfaces.cli.commands.radius.asked import from_record, from_settings, home_of
    from capbox.surfaces.radius.report import Report

    never = () if rules is None else read_rules(rules, home_of(entry.environ))
    if run is not None:
        asked = from_record(entry, run)
    else:
        asked = from_settings(entry, settings, bare=bare)
    found = radius(asked.subject, watches_of(never))
    return Report(
        radius=found,
        origin=asked.origin,
        verdicts=None if rules is None else judged(never, found),
        used=asked.used,
        notes=asked.notes,
    )


def _show(report: Report, screen: Screen) -> None:
    from capbox.surfaces.radius.text import lines

    screen.line(f"{report.radius.subject.layout.workspace}: what a run could do at worst", "bold")
    for line in lines(report):
        screen.paragraph(line.text, line.style, hang=line.hang)


def _show_page(report: Report, out: Path | None, screen: Screen) -> None:
    from capbox.surfaces.radius.page import page

    text = page(report)
    if out is None:
        screen.result(text)
    else:
        try:
            out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise usage(f"--out {out}: {error.strerror}") from error
        screen.say(f"written to {out}")
    for verdict in report.broken:
        screen.say(f"broken: never {verdict.rule}: {verdict.by}", "bold red")
