"""One principal's session: direct tool calls, and tasks for a model, under what was granted.

Guarantees: direct calls share one journaled run, each task is a run of its own; both are closed in
the journal when they end, at the latest with the session, whatever ends them. Does not: mint
authority; the composition root hands in `mint`, which gives the session's grants plus those named.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from capbox.authority.authority import Authority
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant, ModelSelector, NameSelector
from capbox.authority.limits import Limits
from capbox.authority.paths import Layout
from capbox.engine.budgets.purses import Purses
from capbox.engine.companions.companions import Companions
from capbox.engine.grounding import Ground
from capbox.engine.leaving import leave
from capbox.engine.local import LocalEngine, OpenRun
from capbox.engine.runs.runs import Runs
from capbox.engine.sessions.conversation import Conversation, begun
from capbox.engine.settings import Settings, SettingsError
from capbox.gate.approver import Approver, DenyApprover
from capbox.gate.runner import Tool
from capbox.gate.seat import Repeats, Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import Decided
from capbox.messages import JsonObject, ToolCall, ToolFailure, ToolResult

if TYPE_CHECKING:
    from capbox.agent import events
    from capbox.agent.loop import AskMore
    from capbox.agent.plan import OfferedTool
    from capbox.engine.approvers.queue import QueueApprover
    from capbox.engine.hooks.asking import Hold
    from capbox.engine.instructions.attaching import Attached
    from capbox.engine.operator import Operator
    from capbox.models.model import Effort, Model
    from capbox.tools.loop.person import AskPerson
    from capbox.undo.undoing import Undone

Mint = Callable[[tuple[Grant, ...]], Authority]
_Tools = Mapping[str, Tool]
_CLOSED = ToolFailure(
    "interrupted", "the box was closed; what the call did until then is in the journal"
)


class Session:
    """Use as an async context manager, within a running `LocalEngine`.

    `functions` are the program's own tools: no call and no run implies `tool:` for them. `ground`
    returns the values that principals supply with a task.
    """

    def __init__(
        self,
        engine: LocalEngine,
        settings: Settings,
        layout: Layout,
        mint: Mint,
        *,
        ceiling: Authority | None = None,
        approver: Approver | None = None,
        functions: Mapping[str, Tool] | None = None,
        ground: Ground | None = None,
        board: QueueApprover | None = None,
        purses: Purses | None = None,
        operator: Operator | None = None,
        hold: Hold | None = None,
    ) -> None:
        """Prepare; `board` is where the questions of `approver` can be answered from elsewhere.

        `operator` is whose settings go beside each run, `hold` what mints for hooks (None: none).
        """
        self._purses = purses or Purses(settings)
        self._functions = own = functions or {}
        self.companions = Companions(engine, settings, layout, own, ground, operator, hold)
        self._engine = engine
        self._settings = settings
        self._layout = layout
        self._mint = mint
        self._ceiling = ceiling
        self._approver = approver or DenyApprover()
        self._board = board
        self._calls: OpenRun | None = None
        self._undone: OpenRun | None = None  # the run of direct calls before that
        self._seen: tuple[int, int] | None = None  # what the workspace was at the last call
        self._calling: dict[anyio.CancelScope, anyio.Event] = {}
        self.runs = Runs(ground)
        self._revoked = False
        self._numbered = 0
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> Self:
        """Start the task group that runs belong to."""
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        self._stack.push_async_callback(self.runs.end)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """Interrupt the runs that are open, and wait until nothing of any run is left."""
        self._stack.push_async_callback(self._end_calls)
        try:
            return await leave(self._stack, error)
        finally:
            self._purses.close()
            self.companions.close()
            if self._calls is not None:
                # Not in the stack: its task group would wrap a JournalError in a group.
                self._calls.close("ended" if kind is None else "interrupted")

    async def call(
        self,
        tool: str,
        arguments: JsonObject,
        *,
        limits: Limits | None = None,
        malformed: str | None = None,
    ) -> ToolResult:
        """Call one tool as the principal, which implies `tool:NAME`. Never raises on a refusal."""
        try:
            if self._calls is None:
                self._calls = self._open_calls(tool)
        except (JournalError, OSError) as error:
            # No record, no effect.
            failure = ToolFailure("sandbox_failed", f"a run cannot be opened: {error}")
            return ToolResult(ok=False, content="", error=failure)
        self._numbered += 1
        call = ToolCall(f"call-{self._numbered}", tool, arguments, malformed)
        seat = self._calls.seat
        with anyio.CancelScope() as scope:
            ended = self._calling[scope] = anyio.Event()
            try:
                return await self._at_gate(self._calls, call, limits)
            finally:
                del self._calling[scope]
                ended.set()
        return ToolResult(ok=False, content="", error=_CLOSED, journal=seat.run)

    async def undo(self, paths: Iterable[str], *, run: str | None, force: bool) -> Undone:
        """Take back what a run changed, or what is at or below `paths` of it; see `Box.undo`."""
        from capbox.undo.history import find
        from capbox.undo.record import recorded_undo

        if self._calls is not None and not self._calling:
            self._undone, self._calls = self._calls, None
            self._undone.close("ended")
        state, workspace = self._engine.home.state, self._layout.workspace
        one = find(state / "undo", run, workspace)
        tops = [_within(workspace, path) for path in paths]
        return await to_thread.run_sync(lambda: recorded_undo(state, one, tops, force=force))

    def revoke(self, authority: AuthorityId | None = None) -> None:
        """End an authority and its descendants now, and every guest that runs under one.

        Without an argument all authority of this session ends, also what it would still mint.
        """
        self._revoked = self._revoked or authority is None
        ceiling = () if self._ceiling is None else (self._ceiling.id,)
        for one in (*self.authorities, *ceiling) if authority is None else (authority,):
            self._engine.register.revoke(one, "by the principal")

    def interrupt(self) -> None:
        """End every run under way as cancelled; each still yields its last events."""
        self.runs.cancel()

    @property
    def layout(self) -> Layout:
        """Return where its workspace and the host paths it holds are."""
        return self._layout

    @property
    def calls_run(self) -> str | None:
        """Return the run that direct calls are recorded in, also after the end; None: no call."""
        return None if self._calls is None else self._calls.seat.run

    @property
    def authorities(self) -> tuple[AuthorityId, ...]:
        """Return the ids in force here: of direct calls, once there was one, and of open runs."""
        return tuple(seat.authority.id for seat in self._seats)

    @property
    def _seats(self) -> tuple[Seat, ...]:
        calls = () if self._calls is None else (self._calls.seat,)
        return (*calls, *(run.seat for run in self.runs.open))

    @asynccontextmanager
    async def run(
        self,
        task: str,
        model: Model,
        *,
        ask_more: AskMore | None = None,
        ask_user: AskPerson | None = None,
        conversation: Conversation | None = None,
        fallbacks: Sequence[Model] = (),
        effort: Effort | None = None,
        said: Sequence[str] = (),
        attached: Sequence[Attached] = (),
    ) -> AsyncIterator[AsyncIterator[events.Event]]:
        """Give `task` to `model` and yield the events of the run; leaving early interrupts it.

        `ask_more` asks a person at a limit, `ask_user` for the model (None: nobody is there). It
        goes on with a `conversation` that the caller holds (None: it begins one). `fallbacks` take
        over, in order, when the model before cannot be reached; `effort` is how hard to think.
        `said` are the person's words before the task, which ground values as the task does;
        `attached` are images and PDFs beside it.
        Raises SettingsError, and StoreError or JournalError when the run cannot be recorded.
        """
        # A direct call needs none of these, and they take a fifteenth of its time to load.
        from capbox.agent.limits.stopwatch import Stopwatch
        from capbox.agent.plan import RunPlan
        from capbox.engine.instructions.gathering import gather
        from capbox.engine.instructions.known import has_read
        from capbox.engine.runs.under_way import Work, following

        if self._tasks is None:
            raise RuntimeError("the session is not open")
        stopwatch = Stopwatch(anyio.current_time)
        beside = self.companions.begin(stopwatch, ask_user, conversation)
        tools, spending = self._offered(beside.own), await self._purses.spending(model, *fallbacks)
        words = gather(self._engine.home, self._settings)
        minted = self._minted(beside.own, (model, *fallbacks))
        with ExitStack() as stack:
            talk = conversation
            if talk is None:
                talk = begun(self._engine.home.state, task)
                stack.callback(talk.held.release)
            opened = self._open(
                minted, task, "\n".join((*said, task)), talk=talk, own=beside.functions(tools)
            )
            for one in attached:
                has_read(opened.seat, one.sources(opened.seat.context, self._layout))
            plan = RunPlan(
                run=opened.seat.run,
                task=await beside.enter(opened, task),
                model=model,
                tools=tools,
                grants=tuple(str(m.grant) for m in minted.grants),
                history=talk.before(task),
                budget=minted.budget,
                words=words.of_run(self._engine, opened.seat),
                shown=lambda: beside.shown(tools),
                attachments=tuple(one.attachment for one in attached),
                fallbacks=tuple(fallbacks),
                effort=effort,
            )
            draws = spending(opened.seat)
            work = Work(plan, talk, opened, draws, ask_more, self._at_gate, beside, stopwatch)
            async with following(work, self._tasks, self.runs) as stream:
                yield stream

    def _minted(self, own: _Tools, models: Sequence[Model]) -> Authority:
        # A tool that cannot work is not offered, yet a model that names it anyway should hear which
        # file grant is missing, not that the tool is.
        chosen = self._settings.tools
        named = sorted(self._there(own) if chosen is None else chosen)
        grants = tuple(_tool_grant(name) for name in named if name not in self._functions)
        answering = (Grant("model", ModelSelector(model.name)) for model in models)
        return self._mint((*grants, *answering))

    def _offered(self, own: _Tools) -> tuple[OfferedTool, ...]:
        from capbox.engine.offer import offered

        chosen, there = self._settings.tools, self._there(own)
        every = {**own, **self._engine.tools}
        unknown = [name for name in chosen or () if name not in there]
        if unknown:
            reason = "there is no such tool"
            if unknown[0] in every:
                reason = f"the preset {self._settings.preset} leaves this tool out"
                reason += f" but for --grant tool:{unknown[0]}" * (unknown[0] in self._engine.tools)
            known = ", ".join(there)
            raise SettingsError(f"--tool {unknown[0]}", f"{reason}; there are: {known}")
        if chosen is None and self._ceiling is not None:
            # Somebody can be asked: what is missing may be lent.
            chosen = there
        held, tools = self._mint(()), {name: every[name] for name in there}
        if chosen is None:
            granted = {str(m.grant.selector) for m in held.grants if m.grant.action == "tool"}
            tools = {n: t for n, t in tools.items() if n in granted or n not in self._functions}
        return offered(tools, held, chosen)

    def _there(self, own: _Tools) -> tuple[str, ...]:
        from capbox.engine.offer import there
        from capbox.engine.presets import implied

        every, given = {**own, **self._engine.tools}, self._settings
        manifests = implied(every, given.among, given.tools)
        return there(given.preset, manifests, self._engine.tools, self._mint(()))

    def _open_calls(self, tool: str) -> OpenRun:
        """Open the run of direct calls. After an undo it is another one, which holds what is left.

        Attack: calls of which each is undone, so that no counter, expiry or budget ever ends.
        """
        names, before = tuple(_tool_grant(name) for name in self._engine.tools), self._undone
        authority = self._mint(names) if before is None else before.seat.authority
        opened = self._open(authority, f"capbox call {tool}", own=self._functions)
        if before is not None:
            opened.seat.follow(before.seat)
        # A principal may ask the same thing as often as it likes, also side by side; only a model
        # is cut short.
        opened.seat.repeats = Repeats(counting=False)
        return opened

    def _open(
        self,
        authority: Authority,
        what: str,
        task: str | None = None,
        *,
        talk: Conversation | None = None,
        own: _Tools,
    ) -> OpenRun:
        if self._revoked:
            self._engine.gate.revoke(authority.id)
        opened = self._engine.open_run(
            authority,
            self._layout,
            ceiling=self._ceiling,
            approver=self._approver,
            environment=self._settings.environ or {},
            functions=own,
            grounds=self.runs.grounds(task or ""),
            what=what,
            session=() if talk is None else talk.link,
        )
        opened.entry.board = self._board
        self._purses.fill(opened.seat, direct=task is None)
        try:
            self._engine.lend_stored(opened)
            if talk is not None:
                self._engine.restore(opened, talk)
        except JournalError:
            with suppress(JournalError):  # nobody else knows of the run yet
                opened.close("interrupted")
            raise
        return opened

    async def _at_gate(self, opened: OpenRun, call: ToolCall, limits: Limits | None) -> ToolResult:
        """Call at the gate, unless the workspace is gone: "no grant covers it" would be a lie."""
        lost, seat = self._lost(), opened.seat
        if lost is None:
            with opened.entry.call(call.name):
                return await self._engine.gate.call(call, seat, limits)
        try:
            seat.journal.append(Decided("denial", f"tool {call.name[:64]}", lost.code, call.id))
        except JournalError as error:
            lost = ToolFailure("sandbox_failed", f"the journal cannot be written: {error}")
        return ToolResult(ok=False, content="", error=lost, journal=seat.run)

    def _lost(self) -> ToolFailure | None:
        """Say that the workspace was deleted, moved or replaced since it was granted, if it was."""
        workspace = self._layout.workspace
        with suppress(OSError):
            found = os.lstat(workspace)
            if (found.st_dev, found.st_ino) == self._seen:
                return None
            if os.path.realpath(workspace) == workspace and stat.S_ISDIR(found.st_mode):
                self._seen = found.st_dev, found.st_ino
                return None
        reason = f"the workspace {workspace} is no longer a directory there: it was deleted, moved"
        return ToolFailure("not_found", f"{reason} or replaced. Put it back, or open another one.")

    async def _end_calls(self) -> None:
        """Interrupt the calls under way; each has its outcome in the journal before that closes."""
        under_way = dict(self._calling)
        for scope in under_way:
            scope.cancel()
        with anyio.CancelScope(shield=True):
            for ended in under_way.values():
                await ended.wait()


def _within(workspace: str, path: str) -> str:
    return os.path.normpath(Path(workspace) / path)


def _tool_grant(name: str) -> Grant:
    return Grant("tool", NameSelector(name))
