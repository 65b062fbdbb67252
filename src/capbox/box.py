"""The public Python API: a `Box` holds what you grant it, and calls tools or runs tasks within.

    async with Box(workspace=".", grants=["read:/workspace"]) as box:
        result = await box.call("read", path="a.txt")

Guarantees: no grant, no effect; a refusal is a `ToolResult` that says which grant is missing, never
an exception; only a wrong setting raises (`SettingsError`). Does not: read a workspace's settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from capbox import app
from capbox.agent.events import Event
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId
from capbox.authority.limits import Limits
from capbox.authority.values.kinds import Kind
from capbox.engine.budgets.given import budget_of
from capbox.engine.grounding import directory_of
from capbox.engine.leaving import leave
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.approver import Approver
from capbox.messages import Json, JsonObject, ToolResult
from capbox.models.model import Model
from capbox.models.open import ModelSpecError
from capbox.undo.undoing import Undone

if TYPE_CHECKING:
    from capbox.engine.hooks.hook import EventName, Hook
    from capbox.tools.functions.function import EffectClass, Function
    from capbox.tools.loop.person import AskPerson

__all__ = ["Box", "SettingsError", "SyncBox"]
_P = ParamSpec("_P")
_R = TypeVar("_R")


class Box:
    """A workspace, what may be done in it, and within which bounds.

    `grants` are texts as the glossary has them (`read:/workspace/docs`), `maps` are
    `HOST=/mnt/NAME[:rw]`. Give several boxes one `engine` (`app.local_engine`) to share its
    processes; otherwise each opens its own, with its state in `home` (None: CAPBOX_HOME, or where
    the platform keeps such). `approver` may lend what is missing, inside the workspace; without
    one everything missing is refused. `directory` says what names in a task stand for:
    `{"Alice": {"email": "alice@example.com"}}`. `budget` is what each run may spend,
    `{"calls": 50, "usd": 1.5, "bytes_out": "10MB"}`; the keys that are there, or all of a
    `Budget`, hold for the direct calls of this box together, too.
    """

    def __init__(
        self,
        *,
        workspace: str | Path = ".",
        grants: Sequence[str] = (),
        maps: Sequence[str] = (),
        preset: str = "none",
        limits: Limits | None = None,
        budget: Budget | Mapping[str, float | str] | None = None,
        tools: Sequence[str] | None = None,
        approver: Approver | None = None,
        engine: LocalEngine | None = None,
        home: str | Path | None = None,
        directory: Mapping[str, Mapping[Kind, str]] | None = None,
    ) -> None:
        if workspace == "":
            raise SettingsError("workspace", 'the path is empty; give "." for this folder')
        for name, texts in (("grants", grants), ("maps", maps), ("tools", tools)):
            if isinstance(texts, str):
                raise SettingsError(name, f"is a list of texts, not one text: [{texts!r}]")
        bounds, given = budget_of(budget)
        self._settings = Settings(
            workspace=Path(workspace),
            grants=tuple(grants),
            maps=tuple(maps),
            preset=preset,
            limits=limits or Limits(),
            budget=bounds,
            budget_given=frozenset(given),
            tools=None if tools is None else tuple(tools),
            directory=directory_of(directory or {}),
        )
        self._functions: dict[str, Function] = {}
        self._hooks: list[Hook] = []
        self._approver = approver
        self._engine = engine
        self._home = None if home is None else app.home_of({"CAPBOX_HOME": str(home)})
        self._stack = AsyncExitStack()
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        """Mint what was granted and open the engine. Raises SettingsError for a bad setting."""
        async with AsyncExitStack() as stack:
            engine = self._engine
            if engine is None:
                engine = await stack.enter_async_context(app.local_engine(home=self._home))
            functions = app.functions(engine, self._functions) if self._functions else None
            session = app.session(
                engine, self._settings, approver=self._approver, functions=functions
            )
            session.companions.hooks = tuple(self._hooks)
            self._session = await stack.enter_async_context(session)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Interrupt what still runs, end every guest, and close the journal of this box."""
        self._session = None
        return await leave(self._stack, error)

    def tool(
        self,
        *,
        effect: EffectClass,
        sinks: Mapping[str, Kind] | None = None,
        timeout: float = 30.0,
        name: str | None = None,
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
        """Make a function a tool of this box; before it is opened. Each needs a `tool:NAME` grant.

            @box.tool(effect="send", sinks={"to": "email"})
            def send(to: str, text: str) -> str:
                "Send a mail."

        Hints and docstring become the schema. `sinks` are the arguments that say where an effect
        goes, and of what kind; `arg.NAME=` in a grant says what they may be. `effect` is none,
        read, write or send; `timeout` is in seconds. Raises SettingsError for what is no tool.
        """
        from capbox.tools.functions.function import FunctionError, function_of

        def register(call: Callable[_P, _R]) -> Callable[_P, _R]:
            if self._session is not None:
                raise RuntimeError("what a box can do is fixed when it is opened: register before")
            found = function_of(call, effect=effect, sinks=sinks or {}, timeout=timeout, name=name)
            if isinstance(found, FunctionError):
                raise SettingsError(found.subject, found.message)
            if found.manifest.name in self._functions:
                raise SettingsError(found.manifest.name, "is the name of another function")
            self._functions[found.manifest.name] = found
            return call

        return register

    def hook(
        self, event: EventName, *, matcher: str = "*", timeout: float = 10.0
    ) -> Callable[[Callable[[JsonObject], _R]], Callable[[JsonObject], _R]]:
        """Ask a function about each `event` of the runs of this box; before it is opened.

            @box.hook("PreToolUse", matcher="bash|write*")
            def look(event: JsonObject) -> dict[str, str] | None:
                return {"deny": "not today"} if "rm" in str(event["arguments"]) else None

        docs/hooks.md has the events and the answers. One that fails, or takes longer than `timeout`
        seconds, is a no where it decides. Raises SettingsError.
        """
        from capbox.engine.hooks.hook import hook_of

        def register(call: Callable[[JsonObject], _R]) -> Callable[[JsonObject], _R]:
            if self._session is not None:
                raise RuntimeError("what a box asks is fixed when it is opened: register before")
            self._hooks.append(hook_of(call, event, matcher, timeout))
            return call

        return register

    async def call(self, tool: str, /, **arguments: Json) -> ToolResult:
        """Call one tool. Never raises on a refusal or a failure of the tool.

        That implies `tool:NAME` for the tools that capbox brings, not for functions of this box.
        """
        return await self._opened.call(tool, arguments)

    async def run(
        self,
        task: str,
        *,
        model: str | Model,
        base_url: str | None = None,
        ask_user: AskPerson | None = None,
    ) -> AsyncIterator[Event]:
        """Give a task to a model and yield the events of the run, the last of them `RunFinished`.

        `model` is `PROVIDER/NAME`, `scripted:FILE.json`, or an object; `ask_user` asks a person
        what the model wants to know (None: nobody is there). Raises SettingsError for a model that
        cannot be opened. Leaving the loop early interrupts the run.
        """
        opened = self._model(model, base_url) if isinstance(model, str) else model
        if isinstance(opened, ModelSpecError):
            raise SettingsError("model", str(opened))
        async with self._opened.run(task, opened, ask_user=ask_user) as events:
            async for event in events:
                yield event

    @property
    def authorities(self) -> tuple[AuthorityId, ...]:
        """Return what is in force here: of direct calls, if there was one, and of open runs."""
        return self._opened.authorities

    def revoke(self, authority: AuthorityId | None = None) -> None:
        """End an authority and its descendants now, and every guest that runs under one.

        Without an argument everything that this box holds ends, for good.
        """
        self._opened.revoke(authority)

    async def undo(self, *paths: str, run: str | None = None, force: bool = False) -> Undone:
        """Take back what a run changed (None: the last one in this workspace), or `paths` of it.

        Direct calls of this box are one run, which ends with this. The next call begins another:
        with the same authority, as far as it is not used up, the same budget and the same labels.
        What somebody else changed since is left, and in `left`, unless `force`. Raises UndoError.
        """
        return await self._opened.undo(paths, run=run, force=force)

    def _model(self, spec: str, base_url: str | None) -> Model | ModelSpecError:
        home = self._home if self._engine is None else self._engine.home
        return app.roster(home).open(spec, base_url)

    @property
    def _opened(self) -> Session:
        if self._session is None:
            raise RuntimeError("the box is not open: async with Box(...) as box, or Box.sync")
        return self._session

    @staticmethod
    @contextmanager
    def sync(box: Box) -> Generator[SyncBox, None, None]:
        """Open `box` for a script without an event loop: `with Box.sync(Box(...)) as box`."""
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(box):
            yield SyncBox(box, portal)


class SyncBox:
    """A box whose calls block; made by `Box.sync`."""

    def __init__(self, box: Box, portal: BlockingPortal) -> None:
        self._box = box
        self._portal = portal

    def call(self, tool: str, /, **arguments: Json) -> ToolResult:
        """Call one tool and wait for its result."""
        return self._open.call(lambda: self._box.call(tool, **arguments))

    def run(self, task: str, *, model: str | Model, base_url: str | None = None) -> list[Event]:
        """Run a task to its end and return all of its events."""

        async def collect() -> list[Event]:
            return [event async for event in self._box.run(task, model=model, base_url=base_url)]

        return self._open.call(collect)

    @property
    def _open(self) -> BlockingPortal:
        _ = self._box.authorities  # a closed box says so; a portal that is gone, in its own words
        return self._portal
