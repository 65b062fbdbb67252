"""`capbox pkg`: its commands."""

from __future__ import annotations

import typer

from capbox.surfaces.cli.commands.packages import installing, listing, making, moving


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    for name, command in (
        ("install", installing.install),
        ("update", installing.update),
        ("remove", installing.remove),
        ("list", listing.list_),
        ("search", moving.search),
        ("verify", making.verify),
        ("lock", listing.lock),
        ("pack", making.pack),
        ("sign", making.sign),
        ("push", moving.push),
        ("pull", moving.pull),
    ):
        group.command(name)(command)
    return group
