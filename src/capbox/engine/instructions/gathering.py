"""From a person's settings and a run's rights to the words of its system prompt.

Guarantees: what a principal chose and cannot be had (a style, a skill, a file that cannot be read)
raises before a run begins; what the workspace holds never does: it is left out, with a note. A run
whose prompt holds a text of the workspace knows it from the start, by its label. Does not: decide.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from capbox.agent.instructions.material import bounded
from capbox.agent.instructions.words import ChosenSkill, Material, Said, Words
from capbox.authority.holding import Holding
from capbox.authority.paths import Layout
from capbox.authority.values.label import NOTHING, Source, Sources
from capbox.engine.home import Home
from capbox.engine.instructions.folder import TEXT_BYTES_MAX, Folder, folder_of
from capbox.engine.instructions.known import has_read
from capbox.engine.instructions.own import own_instructions, style
from capbox.engine.instructions.reader import Reader
from capbox.engine.local import LocalEngine
from capbox.engine.operator import read_operator
from capbox.engine.settings import PIPED_CHARACTERS_MAX, Settings, Wording
from capbox.engine.skills.shelf import Shelf, shelf_of
from capbox.engine.skills.using import chosen, listed, skill_function
from capbox.gate.seat import Seat

PIPED = Source("workspace", "standard input")


@dataclass(frozen=True, slots=True)
class Gathered:
    """The words of one run, what they came from, and what a person should hear about them."""

    words: Words
    sources: Sources = NOTHING
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A principal's own words, read; what the workspace adds is known once the run's rights are."""

    home: Home
    wording: Wording
    style: tuple[str, Said]
    user: Said | None = None
    workspace: Said | None = None

    def within(self, reader: Reader) -> Gathered:
        """Add what the run may read of the workspace. Raises SettingsError: no such skill."""
        folder = folder_of(reader)
        shelf = shelf_of(self.home.config, reader)
        skills, picked = listed(shelf), self._skill(shelf, reader)
        shown = {one.name for one in skills} | {self.wording.skill}
        sources = folder.sources
        for one in shelf.skills:
            if one.name in shown or f"{one.kind}:{one.name}" in shown:
                sources |= one.sources
        piped = bounded(self.wording.piped, PIPED_CHARACTERS_MAX)
        sources |= {PIPED} if piped.strip() else NOTHING
        words = Words(
            style=self.style[0],
            style_text=self.style[1],
            user=self.user,
            workspace=self.workspace,
            mounts=_mounts(reader.layout),
            folder=_material(folder),
            further=folder.further,
            skills=skills,
            chosen=picked,
            piped=Material(piped, PIPED.name) if piped.strip() else None,
        )
        notes = tuple(f"{one.path} is not in the prompt: {one.reason}" for one in folder.unread)
        strange = tuple(
            f"{one.path} is not in the prompt: {one.reason}" for one in folder.unread if one.strange
        )
        told = tuple(shelf.notes())
        return Gathered(words, sources, (*notes, *told), (*strange, *_few(told)))

    def _skill(self, shelf: Shelf, reader: Reader) -> ChosenSkill | None:
        name = self.wording.skill
        return None if name is None else chosen(shelf.named(name), self.wording.arguments, reader)

    def of_run(self, engine: LocalEngine, seat: Seat) -> Words:
        """Return the words of a run that sits at `seat`, which has read them from now on."""
        found = self.within(reader_at(engine, seat))
        # Attack: AGENTS.md tells the model where to send the secret that it will read.
        has_read(seat, found.sources)
        for line in found.warnings:
            engine.report(line)
        return found.words


def reader_at(engine: LocalEngine, seat: Seat) -> Reader:
    """Return what reads the workspace as the run at `seat` may at this moment."""
    holding = Holding((seat.authority, *seat.leases))
    return Reader(holding, engine.standing(), seat.layout, seat.context)


def skill_at(engine: LocalEngine, seat: Seat) -> Callable[[str, str, str], Awaitable[str]]:
    """Return the function `skill` of the run at `seat`, to be one of its tools."""

    def look() -> tuple[Shelf, Reader]:
        reader = reader_at(engine, seat)
        return shelf_of(engine.home.config, reader), reader

    return skill_function(look, partial(has_read, seat))


def gather(home: Home, settings: Settings) -> Chosen:
    """Read what the person chose. Raises SettingsError."""
    wording = settings.wording
    file = home.config / "config.toml"
    named = wording.style
    where = "--style"
    if named is None:
        named, where = read_operator(file).style, f"{file}: style"
    said = wording.instructions
    return Chosen(
        home,
        wording,
        style=style(named, home.config, where),
        user=own_instructions(home.config),
        workspace=Said(said, wording.origin) if said else None,
    )


def _few(told: tuple[str, ...]) -> tuple[str, ...]:
    """Return one line for a run's person, who has the rest from `capbox skill list`."""
    return (f"{told[0]} (see capbox skill list)",) if told else ()


def _material(folder: Folder) -> Material | None:
    top = folder.top
    if top is None or not top.content.strip():
        return None
    text = bounded(top.content, TEXT_BYTES_MAX)
    if not top.whole:
        text += f"\n[... {top.path} goes on; read the file for the rest]"
    return Material(text, str(top.path), top.trusted)


def _mounts(layout: Layout) -> Mapping[str, str]:
    return {place.guest: place.host for place in layout.mounts}
