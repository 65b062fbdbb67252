"""The commands of the command line, in the five groups that `capbox --help` shows them in.

Guarantees: every command is in one group. Does not: run any, or import what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from capbox.surfaces.cli.commands import (
    audit,
    cache,
    call,
    demo,
    doctor,
    fake_llm,
    run,
    secret,
    tool,
)
from capbox.surfaces.cli.commands.building import python
from capbox.surfaces.cli.commands.changes import diff, replay, store, undo
from capbox.surfaces.cli.commands.control import approve, grants, ps, revoke, why
from capbox.surfaces.cli.commands.models import login, models
from capbox.surfaces.cli.commands.packages import pkg
from capbox.surfaces.cli.commands.radius import blast_radius
from capbox.surfaces.cli.commands.sessions import chat, listing, resume, usage_of
from capbox.surfaces.cli.commands.words import prompt, skill, workspace

ABOUT = "Agents get capabilities, not root: contained tool calls and runs."


def _group(help_text: str, cls: type[TyperGroup] = TyperGroup) -> typer.Typer:
    # Plain help and no completion installer: both would import far more than they show. Locals in
    # a traceback could show a key.
    return typer.Typer(
        help=help_text,
        cls=cls,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


Command = Callable[..., int] | typer.Typer


def _work() -> Mapping[str, Command]:
    return {
        "run": run.run,
        "chat": chat.chat,
        "resume": resume.resume,
        "sessions": listing.commands(_group("Conversations with models: every task is one.")),
        "call": call.call,
        "prompt": prompt.prompt,
        "usage": usage_of.usage_of,
    }


def _authority() -> Mapping[str, Command]:
    return {
        "blast-radius": blast_radius.blast_radius,
        "why": why.why,
        "grants": grants.commands(_group("What runs hold now, and what was approved for always.")),
        "ps": ps.ps,
        "approve": approve.approve,
        "revoke": revoke.revoke,
    }


def _record() -> Mapping[str, Command]:
    return {
        "diff": diff.diff,
        "undo": undo.undo,
        "redo": undo.redo,
        "replay": replay.replay,
        "store": store.commands(_group("What tools keep from call to call.")),
        "audit": audit.commands(_group("What was asked, decided and done: the journal.")),
    }


def _settings() -> Mapping[str, Command]:
    return {
        "models": models.models,
        "login": login.login,
        "logout": login.logout,
        "secret": secret.commands(
            _group("Secrets, kept outside of every sandbox.", secret.Discreet)
        ),
        "workspace": workspace.commands(_group("Folders with a name and settings of their own.")),
        "skill": skill.commands(_group("Skills: how to do one kind of task well.")),
        "tool": tool.commands(_group("Tools: those that are there, and your own.")),
        "python": python.commands(_group("Packages of pure Python, for the tool python.")),
        "pkg": pkg.commands(_group("Packages of tools: made, signed, installed, updated.")),
    }


def _installation() -> Mapping[str, Command]:
    return {
        "demo": demo.demo,
        "doctor": doctor.doctor,
        "cache": cache.commands(_group("Compiled tools.")),
        "fake-llm": fake_llm.fake_llm,
    }


GROUPS: Mapping[str, Callable[[], Mapping[str, Command]]] = {
    "Work": _work,
    "What it may do": _authority,
    "What it did": _record,
    "Settings": _settings,
    "This installation": _installation,
}

# A key that is pasted where a name is expected must not be quoted in an error.
_LOOSE = {"login": login.LOOSE, "logout": login.LOOSE}


class _InGroups(TyperGroup):
    """The program itself, whose help has its commands in groups."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one section a group."""
        longest = max(map(len, self.commands))
        most = formatter.width - 6 - longest
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [
                        (name.ljust(longest), self.commands[name].get_short_help_str(most))
                        for name in group()
                    ]
                )


def build() -> typer.Typer:
    """Return the commands; they take the `Entry` from the context."""
    program = _group(ABOUT, _InGroups)
    program.callback()(_options)
    for group in GROUPS.values():
        for name, command in group().items():
            if isinstance(command, typer.Typer):
                program.add_typer(command, name=name)
            else:
                program.command(name, context_settings=_LOOSE.get(name))(command)
    return program


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(f"capbox {importlib.metadata.version('capbox')}")
        raise typer.Exit


def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Agents get capabilities, not root: contained tool calls and runs."""
