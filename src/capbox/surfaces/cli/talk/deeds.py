"""The commands of a chat, carried out: each by the code behind the command of the same name.

Guarantees: whatever is wrong with one is told, and the chat goes on; none of it reaches the model.
Does not: parse a line (see `slash`).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capbox.engine.sessions.errors import SessionError
from capbox.engine.settings import SettingsError
from capbox.store.errors import StoreError
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.slash import Do, help_lines
from capbox.surfaces.cli.talk.unfolded import unfolded

if TYPE_CHECKING:
    from capbox.surfaces.cli.talk.showing.status import Status
    from capbox.surfaces.cli.talk.turns import Turns
    from capbox.surfaces.cli.talk.unfolded import Calls

_SESSIONS_SHOWN: Final = "20"
_SUMMED_BYTES_MIN: Final = 2_000  # a summary takes as much
_SEARCHES: Final = ("list", "search", "show")


@dataclass(slots=True, eq=False)
class Deeds:
    """What commands work on. `cli` runs a command line of capbox, off the loop; `calls` are those
    that turns have made; `changed` hears that the next turn is another one than before.
    """

    turns: Turns
    screen: Screen
    status: Status
    calls: Calls
    cli: Callable[[Sequence[str]], Awaitable[None]]
    document: Callable[[str, str], str]
    forked: Callable[[str, int | None], str]
    changed: Callable[[], None]
    _listed: list[str] = field(default_factory=list)

    async def do(self, do: Do) -> None:
        """Carry out one command but /quit, or say why not."""
        deeds: dict[str, Callable[[Do], Awaitable[None]]] = {
            "help": self._help,
            "model": self._model,
            "grants": self._grants,
            "grant": self._grant,
            "revoke": self._revoke,
            "undo": self._undo,
            "diff": self._diff,
            "show": self._show,
            "cost": self._cost,
            "compact": self._compact,
            "sessions": self._sessions,
            "fork": self._fork,
            "skills": self._skills,
            "plan": self._plan,
            "export": self._export,
        }
        try:
            await deeds[do.name](do)
        except CommandFailure as failure:
            self.screen.say(f"/{do.name}: {failure.message}", "red")
        except (SettingsError, SessionError, StoreError, OSError) as error:
            self.screen.say(f"/{do.name}: {error}", "red")
        self.changed()

    async def _help(self, do: Do) -> None:
        rows = help_lines()
        width = max(len(typed) for typed, _ in rows)
        for typed, what in rows:
            self.screen.paragraph(f"{typed.ljust(width)}  {what}", hang=width + 2)
        for line in (
            "@ names a file of the workspace. Alt-Enter, or \\ at the end, begins another line.",
            "What you type while it works is told to it between two steps.",
            "Ctrl-C stops a turn, a second one leaves; Ctrl-D leaves.",
        ):
            self.screen.paragraph(line, "dim")

    async def _model(self, do: Do) -> None:
        turns = self.turns
        if not do.words:
            self.screen.line(turns.model.name)
            return
        from capbox.models.open import ModelSpecError

        opened = turns.entry.open_model(do.words[0], None)
        if isinstance(opened, ModelSpecError):
            raise usage(str(opened))
        turns.model = opened
        self.screen.say(f"{opened.name} works from the next turn on", "dim")

    async def _grants(self, do: Do) -> None:
        rows = self.turns.holding()
        self._listed = [text for text, _ in rows]
        listed = [(str(n), how, text) for n, (text, how) in enumerate(rows, 1)]
        listed += [(name, "always", text) for name, text in self.turns.always()]
        if listed:
            self.screen.table(("id", "how", "grant"), listed)
        else:
            self.screen.say("nothing; /grant G gives something, as /grant read:/workspace", "dim")

    async def _grant(self, do: Do) -> None:
        if not do.rest:
            raise usage("which grant? as /grant write:/workspace/docs")
        self.turns.grant(do.rest)
        self.screen.say(f"granted from the next turn on: {do.rest}", "dim")

    async def _revoke(self, do: Do) -> None:
        if len(do.words) != 1:
            raise usage("which one? /grants lists them with their ids")
        name = do.words[0]
        if not name.isdecimal():
            # What was kept in the turn under way is lent there under another name.
            self.turns.end_leases(dict(self.turns.always()).get(name, ""))
            await self.cli(["revoke", name])
            return
        if not self._listed:
            self._listed = [text for text, _ in self.turns.holding()]
        if not 0 < int(name) <= len(self._listed):
            raise usage(f"nothing has the id {name[:20]}; /grants lists them")
        text = self._listed[int(name) - 1]
        self.screen.say(f"revoked {text}{await self.turns.take_back(text)}")

    async def _undo(self, do: Do) -> None:
        if self._changed():
            await self.cli(["undo", self._last(), *do.words, *self._there()])

    async def _diff(self, do: Do) -> None:
        if self._changed():
            await self.cli(["diff", self._last(), *do.words, *self._there()])

    def _changed(self) -> bool:
        """Say whether anything that the last turn changed is saved; tell the person if not."""
        from capbox.undo.history import kept

        run, turns = self._last(), self.turns
        if any(one.run == run for one in kept(turns.engine.home.state / "undo")):
            return True
        pruned = "" if turns.has_begun else ", or what it changed was pruned"
        self.screen.say(f"the last turn changed nothing{pruned}", "dim")
        return False

    def _last(self) -> str:
        if not self.turns.last_run:
            raise usage("no turn of this chat has run yet")
        return self.turns.last_run

    def _there(self) -> tuple[str, str]:
        return "--workspace", str(self.turns.asked.workspace)

    async def _show(self, do: Do) -> None:
        number = do.words[0] if do.words else ""
        for line, style in unfolded(self.calls, number):
            self.screen.line(line, style)

    async def _cost(self, do: Do) -> None:
        for line in self.status.told():
            self.screen.line(line)

    async def _compact(self, do: Do) -> None:
        from capbox.agent.limits.spending import message_bytes

        if self.turns.session is not None:
            self.turns.session.runs.compact()
            self.screen.say("it sums up before its next step", "dim")
        elif not self.turns.talk.history:
            self.screen.say("nothing was said yet, so there is nothing to sum up", "dim")
        elif sum(map(message_bytes, self.turns.talk.history)) < _SUMMED_BYTES_MIN:
            self.screen.say("there is too little to sum up; it stays as it is", "dim")
        else:
            self.turns.compacts = True
            self.screen.say("the next turn begins by summing up what came before", "dim")

    async def _sessions(self, do: Do) -> None:
        words = do.words or ("list", "--limit", _SESSIONS_SHOWN)
        if words[0] not in _SEARCHES:
            raise usage(f"there is {', '.join(_SEARCHES)} here; more with: capbox sessions --help")
        await self.cli(["sessions", *words])

    async def _fork(self, do: Do) -> None:
        from anyio import to_thread

        if do.words and not do.words[0].isdecimal():
            raise usage("up to which message? as /fork 4")
        at = int(do.words[0]) if do.words else None
        made = await to_thread.run_sync(self.forked, self.turns.talk.id, at)
        self.screen.say(f"capbox chat --resume {made} goes on with it; it holds nothing yet", "dim")

    async def _skills(self, do: Do) -> None:
        from anyio import to_thread

        from capbox.surfaces.cli.commands.words.chosen import shelf_with

        settings, _ = self.turns.settings()
        shelf = await to_thread.run_sync(shelf_with, self.turns.entry, settings)
        rows = [(one.name, one.kind, one.description) for one in shelf.skills]
        self.screen.table(("skill", "from", "what it is for"), rows)
        for note in shelf.notes():
            self.screen.say(note, "yellow")

    async def _plan(self, do: Do) -> None:
        if do.words not in ((), ("on",), ("off",)):
            raise usage("/plan, or /plan off")
        self.turns.plans = do.words != ("off",)
        acts = "acts" if do.words == ("off",) else "looks and plans only, until you accept its plan"
        self.screen.say(f"the next turn {acts}", "dim")

    async def _export(self, do: Do) -> None:
        from anyio import to_thread

        if len(do.words) != 1:
            raise usage("to which file? as /export chat.md, or chat.json")
        file = Path(do.words[0])
        shape = "json" if file.suffix == ".json" else "markdown"
        text = await to_thread.run_sync(self.document, self.turns.talk.id, shape)
        await to_thread.run_sync(_write, file, text)
        self.screen.say(f"written to {file}", "dim")


def _write(file: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(file, flags, 0o600)
    except FileExistsError:
        raise usage(f"{file} is there already; give another name") from None
    except FileNotFoundError:
        raise usage(f"there is no folder {file.parent}") from None
    except OSError as error:
        raise usage(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        written.write(text)
