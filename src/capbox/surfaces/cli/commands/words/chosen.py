"""From the flags `--style`, `--skill` and what a run would hold to the settings of that run.

Guarantees: a skill that the person named is looked for with the rights that the run will have, and
one that there is not ends the command before anything starts. Does not: mint what it keeps.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from capbox.engine.settings import Settings, Wording
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure

if TYPE_CHECKING:
    from capbox.authority.authority import Authority
    from capbox.authority.paths import Layout
    from capbox.engine.instructions.reader import Reader
    from capbox.engine.skills.shelf import Shelf
    from capbox.gate.manifest import Manifest


def worded(settings: Settings, style: str | None, skill: str | None, task: str) -> Settings:
    """Return `settings` with what the flags say; a task that is empty needs a skill."""
    if skill is None and not task.strip():
        message = "Missing argument 'TASK'. What is to be done, in words, or --skill NAME?"
        raise CommandFailure("usage", message, 2, see="capbox run")
    old = settings.wording
    wording = replace(
        old,
        style=style or old.style,
        skill=skill,
        arguments=task if skill is not None else "",
    )
    return replace(settings, wording=wording)


def task_of(wording: Wording, task: str) -> str:
    """Return the task as the model gets it."""
    return task if task.strip() or wording.skill is None else f"Use the skill {wording.skill}."


def reader_of(entry: Entry, settings: Settings) -> Reader:
    """Return what reads the workspace as a run with these settings may. Raises SettingsError."""
    layout, mint = entry.hold(settings)
    return reader_with(entry, layout, mint(()))


def reader_with(entry: Entry, layout: Layout, held: Authority) -> Reader:
    """Return what reads the workspace under `held`."""
    from capbox.authority.decision import Standing
    from capbox.authority.holding import Holding
    from capbox.engine.instructions.reader import Reader
    from capbox.gate.rights.labels import Context

    context = Context(entry.trusted())
    return Reader(Holding((held,)), Standing(time.time()), layout, context)


def shelf_with(entry: Entry, settings: Settings) -> Shelf:
    """Return the skills that a run with these settings could use. Raises SettingsError."""
    from capbox.engine.skills.shelf import shelf_of

    return shelf_of(entry.home().config, reader_of(entry, settings))


@contextmanager
def with_skill(entry: Entry, settings: Settings) -> Generator[Settings, None, None]:
    """Yield the settings of a run that uses the skill they name, if they name one.

    They show its files, and leave it the tools that it asks for. Raises SettingsError.
    """
    name = settings.wording.skill
    if name is None:
        yield settings
        return
    from capbox.engine.companions.further import loop_manifests
    from capbox.engine.skills.bundled import mounted
    from capbox.engine.skills.using import narrowed

    skill = shelf_with(entry, settings).named(name)
    if settings.tools is None:
        offered = offered_to(entry, settings)
        tools = narrowed(skill, offered)
        if tools is not None:  # those of the loop act on nothing
            tools = tuple(sorted({*tools, *loop_manifests().keys() & {*offered}}))
        settings = replace(settings, tools=tools)
    with mounted(settings, skill) as shown:
        yield shown


def offered_to(entry: Entry, settings: Settings) -> tuple[str, ...]:
    """Return the tools that a run with these settings is offered. Raises SettingsError."""
    from capbox.engine.offer import able

    names, manifests = there_for(entry, settings)
    held = entry.hold(settings)[1](())
    return able({name: manifests[name] for name in names}, held, settings.tools)


def there_for(entry: Entry, settings: Settings) -> tuple[tuple[str, ...], dict[str, Manifest]]:
    """Return the names of the tools that a run could be offered, and the manifests of all."""
    from capbox.engine.companions.further import loop_manifests
    from capbox.engine.offer import there
    from capbox.surfaces.cli.commands.radius.asked import tools_of

    shipped = {name: found.manifest for name, found in tools_of(entry).items()}
    manifests = {**loop_manifests(), **shipped}
    held = entry.hold(settings)[1](())
    return there(settings.preset, manifests, tuple(shipped), held), manifests
