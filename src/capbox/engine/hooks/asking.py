"""How a hook is asked: a callable of the program, or a tool under an authority of its own.

Guarantees: a tool that is a hook holds what its configuration grants and nothing of the run's; its
calls are in a journaled run of their own. It is told what the run may know, and so it may know it:
the labels of the run go with the event, and those of all that it has read come back with its words.
Every way to fail is a `Failure`, a wait that takes too long too. Does not: decide what follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio

from capbox.authority.authority import Authority
from capbox.authority.grant import Grant, NameSelector
from capbox.authority.limits import Limits
from capbox.authority.paths import Layout
from capbox.authority.values.label import NOTHING, Sources
from capbox.engine.hooks.hook import Hook, ToolHook
from capbox.engine.local import LocalEngine, OpenRun
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.approver import DenyApprover
from capbox.gate.protocol import Reply, parse_reply
from capbox.gate.seat import Repeats
from capbox.journal.errors import JournalError
from capbox.messages import JsonObject, ToolCall
from capbox.sandbox.spec import Finished
from capbox.tools.functions.runner import FunctionRunner
from capbox.tools.scripted import reply

Hold = Callable[[Settings], tuple[Layout, Callable[[tuple[Grant, ...]], Authority]]]
"""From settings to what a run with them would hold. Raises SettingsError."""
Asked = Callable[[JsonObject], object]
ANSWER_BYTES_MAX = 64_000
# Its tool is stopped at the timeout by its own bound; this is for one that never gets that far.
_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook said, and the sources of that."""

    text: str
    sources: Sources = NOTHING


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a hook said nothing that can be used."""

    reason: str


class Callables(FunctionRunner):
    """Asks callables of the program, in its process."""

    async def ask(
        self, call: Callable[[JsonObject], object], event: JsonObject
    ) -> Answer | Failure:
        """Return what `call` says of `event`."""
        end = await self._called(partial(call, dict(event)), dict, _as_json)
        told = parse_reply(end.stdout, ANSWER_BYTES_MAX)
        if not isinstance(told, Reply) or not told.ok:
            return Failure(told if isinstance(told, str) else told.message)
        return Answer(told.content)


class Asking:
    """Asks the hooks of one session; made once, closed with it."""

    def __init__(self, engine: LocalEngine, settings: Settings, hold: Hold | None) -> None:
        """Prepare; `hold` mints what tools that are hooks hold (None: they all fail)."""
        self._engine, self._settings, self._hold = engine, settings, hold
        self._callables = Callables({})
        self._open: dict[str, OpenRun] = {}
        self._numbered = 0

    def check(self, hook: Hook) -> None:
        """Raise SettingsError for a hook that could never be asked."""
        if isinstance(hook.ask, ToolHook):
            self._authority(hook, hook.ask)

    async def ask(self, hook: Hook, event: JsonObject, knows: Sources) -> Answer | Failure:
        """Return what `hook` says of `event`, of which `knows` are the sources."""
        late = Failure(f"it did not answer within {hook.timeout:g} s")
        try:
            text = json.dumps(event, allow_nan=False)
        except (ValueError, TypeError, RecursionError) as error:
            return Failure(f"what it is asked about is not JSON: {error}")
        if isinstance(hook.ask, ToolHook):
            with anyio.move_on_after(hook.timeout + _GRACE_SECONDS):
                return await self._tool(hook, hook.ask, text, knows)
            return late
        with anyio.move_on_after(hook.timeout):
            return await self._callables.ask(hook.ask, json.loads(text))
        return late

    def close(self) -> None:
        """Close what was opened for tools that are hooks."""
        for opened in self._open.values():
            with suppress(JournalError):  # it stays an open prefix
                opened.close("ended")
        self._open.clear()

    async def _tool(
        self, hook: Hook, tool: ToolHook, text: str, knows: Sources
    ) -> Answer | Failure:
        try:
            opened = self._open.get(hook.name) or self._opened(hook, tool)
        except (JournalError, OSError, SettingsError) as error:
            return Failure(f"it cannot be run: {error}")
        seat = opened.seat
        seat.context.sources |= knows
        self._numbered += 1
        arguments = {**tool.arguments, tool.input: text}
        call = ToolCall(f"hook-{self._numbered}", tool.tool, arguments)
        result = await self._engine.gate.call(call, seat)
        exited = (result.data or {}).get("exit_code", 0)
        if result.error is not None:
            return Failure(f"{result.error.code}: {result.error.message}")
        if not result.ok or result.truncated or exited != 0:
            return Failure(f"its script ended with exit code {exited}")
        return Answer(result.content, seat.context.sources)

    def _opened(self, hook: Hook, tool: ToolHook) -> OpenRun:
        layout, authority = self._authority(hook, tool)
        opened = self._engine.open_run(
            authority,
            layout,
            ceiling=None,
            approver=DenyApprover(),
            environment=self._settings.environ or {},
            what=f"{hook.event} {hook.name}",
        )
        opened.seat.repeats = Repeats(counting=False)  # the same question is asked often
        self._open[hook.name] = opened
        return opened

    def _authority(self, hook: Hook, tool: ToolHook) -> tuple[Layout, Authority]:
        if self._hold is None or tool.tool not in self._engine.tools:
            there = ", ".join(sorted(self._engine.tools))
            reason = f"there is no tool {tool.tool}; there are: {there}"
            raise SettingsError(f"config.toml: {hook.name}", reason)
        settings = Settings(
            workspace=self._settings.workspace,
            grants=tool.grants,
            environ=self._settings.environ,
            limits=replace(Limits(), wall_seconds=hook.timeout),
        )
        try:
            layout, mint = self._hold(settings)
            return layout, mint((Grant("tool", NameSelector(tool.tool)),))
        except SettingsError as error:
            raise SettingsError(f"config.toml: {hook.name}", str(error)) from error


def _as_json(result: object) -> Finished:
    """Return an answer as the reply of a tool. Raises TypeError or ValueError: it is no JSON."""
    known = dict(result) if isinstance(result, Mapping) else result
    return reply("" if result is None else json.dumps(known, allow_nan=False))
