"""`capbox prompt`: the system prompt that a run with these flags would have. Runs nothing.

Guarantees: the text is put together by the code that a run uses, from rights minted as those of a
run are; on a pipe standard output is that text, byte for byte. Does not: start a run, or ask.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.words.chosen import reader_with, with_skill, worded
from capbox.surfaces.cli.commands.words.placed import Typed, placed
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import BudgetFlags, GrantFlags
from capbox.surfaces.cli.flags.settings import budget_of, settings_of, spending
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.agent.instructions.prompt import Prompt
    from capbox.engine.settings import Settings

CHARACTERS_A_TOKEN = 4  # of English text, roughly; what is billed is the provider's own count
Task = Annotated[str, typer.Argument(metavar="[TASK]", help="With --skill: its arguments.")]


@dataclass(frozen=True, slots=True)
class _Shown:
    prompt: Prompt
    notes: tuple[str, ...]


@grouped
def prompt(
    ctx: typer.Context,
    task: Task = "",
    *,
    model: words.ModelSpec = None,
    budget: BudgetFlags,
    tool: words.Tools = None,
    named: words.Named = None,
    grants: GrantFlags,
    limit: words.RunLimits = None,
    style: words.Style = None,
    skill: words.SkillName = None,
    as_json: words.AsJson = False,
) -> int:
    """Show the system prompt that a run would have.

    With its size, and where each part comes from. Nothing is run. Standard output is the text
    alone, as the model gets it.
    """
    entry: Entry = ctx.obj
    amounts = budget_of(budget, limit)
    settings = spending(settings_of(grants, entry.environ, limit=limit), amounts)
    tools = None if tool is None else tuple(tool)
    settings = replace(settings, tools=tools, model=model)
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    typed = Typed(named, grants.given, amounts)
    settings, held = placed(entry, settings, typed, screen.say)
    settings = worded(_remembered(entry, settings, bare=not held), style, skill, task or "-")
    with with_skill(entry, settings) as final:
        _print(_shown(entry, final), screen, as_json=as_json)
    return 0


def _remembered(entry: Entry, settings: Settings, *, bare: bool) -> Settings:
    if not bare:
        return settings
    from capbox.surfaces.cli.commands.radius.asked import remembered

    return remembered(entry, settings)[0]


def _shown(entry: Entry, settings: Settings) -> _Shown:
    from capbox.agent.instructions.prompt import prompt_of
    from capbox.authority.grant import Grant, ModelSelector, NameSelector
    from capbox.engine.instructions.gathering import gather
    from capbox.surfaces.cli.commands.words.chosen import offered_to, there_for

    chosen = gather(entry.home(), settings)
    layout, mint = entry.hold(settings)
    names, _ = there_for(entry, settings)
    tools = tuple(sorted(names if settings.tools is None else settings.tools))
    unknown = next((tool for tool in tools if tool not in names), None)
    if unknown is not None:
        raise usage(f"--tool {unknown}: there is no such tool; there are: {', '.join(names)}")
    model = () if settings.model is None else (Grant("model", ModelSelector(settings.model)),)
    held = mint((*(Grant("tool", NameSelector(name)) for name in tools), *model))
    gathered = chosen.within(reader_with(entry, layout, held))
    notes = gathered.notes
    if settings.model is None:
        notes = (*notes, "without --model the grant of the model is not among those it holds")
    grants = tuple(str(minted.grant) for minted in held.grants)
    offered = offered_to(entry, settings)
    return _Shown(prompt_of(grants, held.budget, gathered.words, offered), notes)


def _print(shown: _Shown, screen: Screen, *, as_json: bool) -> None:
    text = shown.prompt.text
    if as_json:
        parts: list[Json] = [
            {
                "title": part.title,
                "origin": part.origin,
                "characters": len(part.text),
                "untrusted": part.untrusted,
                "text": part.text,
            }
            for part in shown.prompt.parts
        ]
        screen.json(
            {
                "text": text,
                "characters": len(text),
                "bytes": len(text.encode()),
                "tokens_about": len(text) // CHARACTERS_A_TOKEN,
                "parts": parts,
                "notes": list(shown.notes),
            }
        )
        return
    screen.result(text)
    for part in shown.prompt.parts:
        mark = ", untrusted" if part.untrusted else ""
        screen.say(f"{len(part.text):>7} {part.title}: {part.origin}{mark}", "dim")
    about = len(text) // CHARACTERS_A_TOKEN
    screen.say(f"{len(text):>7} characters, about {about} tokens", "bold")
    for note in shown.notes:
        screen.say(note, "yellow")
