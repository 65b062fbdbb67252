"""`capbox demo`: a hostile model against the box, told as a table."""

from __future__ import annotations

import typer

from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags.words import AsJson


def demo(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """Show a hostile model getting nowhere.

    A helpful task first, then the attacks, and what stopped each of them.

    Needs no key and no network. Exit code 1 if anything got through.
    """
    from capbox.surfaces.demo.show import run_demo

    entry: Entry = ctx.obj
    return run_demo(entry, json=as_json)
