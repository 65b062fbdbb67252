"""The public Python API: a `Box` holds what you grant it, and calls tools or runs tasks within.

    async with Box(workspace=".", grants=["read:/workspace"]) as box:
        result = await box.call("read", path="a.txt")

Guarantees: no grant, no effect; a refusal is a `ToolResult` that says which grant is missing, never
an exception; what raises is a wrong setting (`SettingsError`), and a session that cannot be gone on
with (`SessionError`). Does not: read settings that lie in a workspace.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import partial
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
from capbox.engine.embedding.named import in_workspace
from capbox.engine.embedding.talks import Talks
from capbox.engine.grounding import directory_of
from capbox.engine.leaving import leave
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.sessions.errors import SessionError
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.approver import Approver
from capbox.messages import Json, JsonObject, ToolResult
from capbox.models.model import Effort, Model
from capbox.models.open import ModelSpecError
from capbox.undo.undoing import Undone

if TYPE_CHECKING:
    from capbox.engine.hooks.hook import EventName, Hook
    from capbox.engine.runs.runs import Runs
    from capbox.store.sessions import StoredSession
    from capbox.tools.functions.function import EffectClass, Function
    from capbox.tools.loop.person import AskPerson

__all__ = ["Box", "SessionError", "SettingsError", "SyncBox"]

_NOT_OPEN = "the box is not open: async with Box(...) as box, or Box.sync"
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

    `workspace_name` is a workspace of `capbox workspace`, instead of a path: what it says of
    grants, budget, model and style holds where nothing is given here. `resume` is a session to go
    on with, its id or the beginning of it, or `last` for the newest of the workspace: each run of
    the box goes on with it. What it held comes back, less what was revoked, used up or expired;
    `grants` come besides, those of `workspace_name` do not.
    """

    def __init__(
        self,
        *,
        workspace: str | Path = ".",
        workspace_name: str | None = None,
        resume: str | None = None,
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
        if workspace_name is not None and Path(workspace) != Path():
            reason = "names a workspace, and workspace= another folder: leave out one"
            raise SettingsError("workspace_name", reason)
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
        self._name = workspace_name
        self._resume = resume
        self._functions: dict[str, Function] = {}
        self._hooks: list[Hook] = []
        self._approver = approver
        self._engine = engine
        self._home = None if home is None else app.home_of({"CAPBOX_HOME": str(home)})
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._talks: Talks | None = None
        self._spec: str | None = None

    async def __aenter__(self) -> Self:
        """Mint what was granted and open the engine.

        Raises SettingsError for a bad setting, SessionError for a session that cannot be gone on
        with: there is none, another process works in it, or its record is broken.
        """
        async with AsyncExitStack() as stack:
            engine = self._engine
            if engine is None:
                engine = await stack.enter_async_context(app.local_engine(home=self._home))
            functions = app.functions(engine, self._functions) if self._functions else {}
            settings, resume, talks = self._settings, self._resume, Talks(engine.sessions)
            stack.callback(talks.release)
            if self._name is not None:
                settings = in_workspace(settings, engine.home, self._name, resumes=bool(resume))
            if resume is not None:
                fits = partial(app.granting, engine.home)
                settings = await talks.hold(resume, settings, fits, functions)
            session = app.session(engine, settings, approver=self._approver, functions=functions)
            session.companions.hooks = tuple(self._hooks)
            self._session = await stack.enter_async_context(session)
            self._talks, self._spec = talks, settings.model
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
        model: str | Model | None = None,
        base_url: str | None = None,
        fallbacks: Sequence[str | Model] = (),
        effort: Effort | None = None,
        attach: Sequence[str | Path] = (),
        ask_user: AskPerson | None = None,
        session: str | None = None,
    ) -> AsyncIterator[Event]:
        """Give a task to a model and yield the events of the run, the last of them `RunFinished`.

        `model` is `PROVIDER/NAME`, `scripted:FILE.json`, or an object (None: that of the session
        or of the workspace); `fallbacks` take over, in order, when the one before cannot be
        reached; `effort` is how hard to think: low, medium, high, max. `attach` are images and PDFs
        for the model to see, which the run has read then. `ask_user` asks a person what the model
        wants to know (None: nobody is there). `session` is one that a run of this box began
        (`box.session`), to go on with; None begins one, in a box with `resume` it goes on with
        that. Raises SettingsError for a model or a file that cannot be used, SessionError. Leaving
        the loop early interrupts the run.
        """
        from capbox.engine.instructions.attaching import attached

        opened = self._model(model or self._spec, base_url)
        others = tuple(self._model(one, None) for one in fallbacks)
        files = tuple(attached(Path(one)) for one in attach)
        place = self._opened.layout.workspace
        async with self._talk.talking(task, session, place) as talk:
            run = self._opened.run(
                task, opened, ask_user=ask_user, conversation=talk, fallbacks=others,
                effort=effort, attached=files,
            )  # fmt: skip
            async with run as events:
                async for event in events:
                    yield event

    async def sessions(self, limit: int = 50) -> tuple[StoredSession, ...]:
        """Return the sessions of this workspace, those last spoken in first. Raises StoreError."""
        from capbox.store.runs import open_runs

        async with open_runs(self._talk.store) as store:
            return await store.sessions.newest(limit, workspace=self._opened.layout.workspace)

    @property
    def session(self) -> str | None:
        """Return the session of the run begun last, or that of `resume`; None: no run began."""
        return self._talk.last

    @property
    def runs(self) -> Runs:
        """Return the runs under way: `steer(text)`, `pause()`, `resume()`, `compact()`, `cancel()`.

        `undelivered` is what a person said and the model was not given when its run ended.
        """
        return self._opened.runs

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what did not come back of what the session of `resume` held, and why."""
        return self._talk.notes

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

    def _model(self, model: str | Model | None, base_url: str | None) -> Model:
        if model is None or model == "":
            raise SettingsError("model", "which one? model=PROVIDER/NAME, as anthropic/...")
        if not isinstance(model, str):
            return model
        home = self._home if self._engine is None else self._engine.home
        opened = app.roster(home).open(model, base_url)
        if isinstance(opened, ModelSpecError):
            raise SettingsError("model", str(opened))
        return opened

    @property
    def _opened(self) -> Session:
        if self._session is None:
            raise RuntimeError(_NOT_OPEN)
        return self._session

    @property
    def _talk(self) -> Talks:
        if self._session is None or self._talks is None:
            raise RuntimeError(_NOT_OPEN)
        return self._talks

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

    def run(
        self,
        task: str,
        *,
        model: str | Model | None = None,
        base_url: str | None = None,
        fallbacks: Sequence[str | Model] = (),
        effort: Effort | None = None,
        attach: Sequence[str | Path] = (),
        session: str | None = None,
    ) -> list[Event]:
        """Run a task to its end and return all of its events."""

        async def collect() -> list[Event]:
            run = self._box.run(
                task, model=model, base_url=base_url, fallbacks=fallbacks, effort=effort,
                attach=attach, session=session,
            )  # fmt: skip
            return [event async for event in run]

        return self._open.call(collect)

    def sessions(self, limit: int = 50) -> tuple[StoredSession, ...]:
        """Return the sessions of this workspace, those last spoken in first."""
        return self._open.call(lambda: self._box.sessions(limit))

    @property
    def session(self) -> str | None:
        """Return the session of the run begun last; None: no run began."""
        return self._box.session

    @property
    def _open(self) -> BlockingPortal:
        _ = self._box.authorities  # a closed box says so; a portal that is gone, in its own words
        return self._portal
