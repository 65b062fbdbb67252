"""The local engine: one process with its sandbox, gate, journal and store, shared by its sessions.

Guarantees: a run is in the journal before its first effect and closed when it ends; its scratch
directory goes with it, and those of killed processes are swept at the next start. Does not: mint
authority, or decide about a call.
"""

from __future__ import annotations

import importlib.metadata
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from capbox.authority.authority import Authority
from capbox.authority.decision import Standing
from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath, Layout
from capbox.authority.values.kinds import Value
from capbox.broker.network import Network
from capbox.engine.approvers.taken import TakenBack
from capbox.engine.control.register import Register, RunUnderWay
from capbox.engine.control.requests import Requests
from capbox.engine.control.server import ControlServer
from capbox.engine.home import Home
from capbox.engine.leaving import leave
from capbox.engine.replay.kept import BOUNDS as TAPES
from capbox.engine.replay.kept import tape_of
from capbox.engine.replay.opening import described
from capbox.engine.scratch import Scratch, make, sweep
from capbox.engine.sessions.conversation import Conversation
from capbox.engine.sessions.restoring import restore
from capbox.engine.settings import SettingsError
from capbox.engine.stored.places import Places
from capbox.gate.approver import Approver
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.recording import Recording
from capbox.gate.rights.labels import Context
from capbox.gate.runner import Tool
from capbox.gate.seat import Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import RunClosed, RunId, RunOpened, run_id
from capbox.journal.head import Heads, Signer
from capbox.journal.log import Journal
from capbox.journal.tables.provenance import Provenance
from capbox.messages import JsonObject
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.handles import ZygoteHandle
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.process.frames import Walls
from capbox.sandbox.run import Sandbox
from capbox.sandbox.undo.keeper import Bounds, Keeper
from capbox.tools.available import available
from capbox.tools.registry import Found, Registry, RegistryError
from capbox.tools.wasm import WasmRunner
from capbox.undo.history import prune

if TYPE_CHECKING:
    from capbox.engine.sessions.resuming import Place as SessionPlace


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run under way: its seat at the gate, and how to end it."""

    entry: RunUnderWay
    register: Register
    home: Home
    scratch: Scratch
    stores: Places
    end_workers: Callable[[str], None]

    @property
    def seat(self) -> Seat:
        """Return where it sits."""
        return self.entry.seat

    def close(self, outcome: str) -> None:
        """Close the journal's chain, make it durable, and wipe the scratch directory.

        Raises JournalError; the run then stays an open prefix.
        """
        self.end_workers(self.seat.run)
        self.register.remove(self.seat.run)
        if self.seat.keeper is not None:
            with suppress(OSError):  # what was saved is there all the same
                self.seat.keeper.close()
        try:
            mark = self.seat.recording.mark()
            self.seat.journal.close(RunClosed(outcome, time.time(), mark))
            self.seat.journal.sync()
        finally:
            if self.seat.recording.tape is not None:
                self.seat.recording.tape.close()
            self.scratch.remove()
            self.stores.close()
            self.entry.let_go()

    @property
    def store(self) -> Path:
        """Return the file that runs and their events are stored in."""
        return self.home.state / "runs.db"


class LocalEngine:
    """Use as an async context manager; `guests` holds the built tools that capbox ships."""

    def __init__(
        self,
        home: Home,
        guests: Path,
        report: Callable[[str], None],
        *,
        walls: Walls | None = None,
        spares: bool = True,
        zygotes: Iterable[ZygoteHandle] = (),
        network: Network | None = None,
        settings: Mapping[str, JsonObject] | None = None,
        trusted: Iterable[HostPath] = (),
        keeps: Bounds | None = None,
        tapes: Bounds | None = TAPES,
    ) -> None:
        """Prepare; `report` gets progress lines, `walls` None asks the kernel what it offers.

        `zygotes` were started before, to be ready sooner. `settings` are the operator's, by tool;
        what lies at or below `trusted` paths, only the operator has written; `keeps` bounds what is
        kept for undo (None: the default), `tapes` what is kept for a replay (None: nothing is).
        """
        self.home = home
        self.walls = walls or probe()
        self._guests = guests
        self.own: tuple[Found, ...] = ()  # tools of folders, put here before it is opened
        self.report = report
        self._spares = spares
        self._zygotes = tuple(zygotes)
        self._network = network
        self._settings = settings or {}
        self._trusted = tuple(trusted)
        self.keeps: Bounds | None = keeps or Bounds()  # None: nothing is kept
        self.tapes: Bounds | None = tapes  # None: no run can be replayed
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open everything.

        Raises SettingsError when a directory or the tools cannot be used, JournalError when the
        journal or its signing key cannot.
        """
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def _open(self, stack: AsyncExitStack) -> None:
        for zygote in self._zygotes:
            stack.callback(zygote.release)  # also if what follows cannot be opened
        self.home.prepare()
        self.registry: Registry = available(self._guests, self.home.tools)
        if self.registry.errors:
            first = self.registry.errors[0]
            raise SettingsError(first.where, first.message)
        own = self.registry.with_own(self.own)
        if isinstance(own, RegistryError):
            raise SettingsError(own.where, own.message)
        self.registry = own
        for broken in self.registry.unusable:
            self.report(f"{broken.where}: {broken.message}; this tool is left out")
        self._signer = _signer(self.home.state)
        self._journal = Journal(self.home.state / "journal", self._signer)
        stack.callback(self._journal.close)
        self._provenance = Provenance(self.home.state / "labels.db")
        stack.callback(self._provenance.close)
        cache = CompileCache(HostPath(str(self.home.cache / "compiled")), self.report)
        sandbox = Sandbox(cache, self.walls, spares=self._spares, zygotes=self._zygotes)
        self.sandbox = await stack.enter_async_context(sandbox)
        runner = WasmRunner(self.sandbox)
        self.tools: Mapping[str, Tool] = self.registry.with_runner(runner, self._settings)
        self._holdings = Holdings()
        self.gate = Gate(
            self.tools,
            holdings=self._holdings,
            clock_ns=time.time_ns,
            entropy=os.urandom,
            network=self._network,
        )
        self.register = Register(self.gate, self.standing)
        self._control = await stack.enter_async_context(
            ControlServer(self.home.control, Requests(self.register), self.report)
        )
        sweep(self._scratches)
        sweep(self.home.copies)  # a replay that was killed has left what the run could read

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """End every worker, then close the journal."""
        return await leave(self._stack, error)

    async def compile_tools(self) -> None:
        """Compile every shipped guest for the default engine, so that no call waits for it."""
        bounds = EngineKey(fuel=False, stack_bytes=Limits().stack_bytes)
        for module in {tool.module for tool in self.tools.values()}:
            await self.sandbox.warm(module, bounds)

    def open_run(
        self,
        authority: Authority,
        layout: Layout,
        *,
        ceiling: Authority | None,
        approver: Approver,
        environment: Mapping[str, str],
        functions: Mapping[str, Tool] | None = None,
        grounds: frozenset[Value] = frozenset(),
        what: str = "",
        session: tuple[str, ...] = (),
    ) -> OpenRun:
        """Begin a journaled run that holds `authority`. Raises JournalError or OSError.

        From here on other processes of this user see it, as `what`, and can end it. `functions` are
        tools of this run alone, `grounds` what its principals' words name, `session` what it
        belongs to (`RunOpened`).
        """
        tools = {**(functions or {}), **self.tools}
        now = time.time()
        run = run_id(now, os.urandom(10))
        opened = RunOpened(
            who=f"uid {os.getuid()}",
            workspace=layout.workspace,
            authority_id=authority.id,
            authority=tuple(str(minted.grant) for minted in authority.grants),
            tools=tuple(sorted((name, tool.digest) for name, tool in tools.items())),
            versions=tuple((name, importlib.metadata.version(name)) for name in _COMPONENTS),
            started=now,
            session=session,
        )
        scratch = make(self._scratches, run)
        try:
            journal = self._journal.begin(run, opened)
        except JournalError:
            scratch.remove()
            raise
        stores = Places(self.home.stores, layout.workspace, opened.tools)
        seat = Seat(
            authority=authority,
            layout=layout,
            scratch=HostPath(str(scratch.path)),
            journal=journal,
            ceiling=ceiling,
            approver=approver,
            environment=environment,
            context=Context(self._trusted, self._provenance),
            functions=functions or {},
            grounds=grounds,
            keeper=self._keeper(run, layout, now),
            stores=stores.place,
        )
        seat.approver = TakenBack(approver, seat, self.standing)
        self._record(seat, now)
        runners = {tool.runner for tool in seat.functions.values()}

        def end_workers(run: str) -> None:
            for runner in runners:
                runner.stop_run(run)
            self.sandbox.stop_run(run)

        entry = RunUnderWay(seat, what, now)
        self.register.add(entry)
        self._control.open()
        return OpenRun(entry, self.register, self.home, scratch, stores, end_workers)

    def lend_stored(self, opened: OpenRun) -> None:
        """Lend to a run what was approved for always in its workspace. Raises JournalError."""
        seat = opened.seat
        if seat.ceiling is not None:  # a run in which nobody is asked reads no file
            from capbox.engine.stored.counted import Counts
            from capbox.engine.stored.grants import StoredGrants
            from capbox.engine.stored.lending import lend_stored

            digests = {name: tool.digest for name, tool in {**seat.functions, **self.tools}.items()}
            counts = Counts(self.home.state / "journal", self._signer)
            stored = StoredGrants(self.home.grants, time.time, counts)
            opened.entry.let_go = stored.claims.release
            lend_stored(stored, seat, digests, self.report, self._holdings.resume)

    @property
    def sessions(self) -> SessionPlace:
        """Return where sessions are, for `engine.sessions.resuming`."""
        from capbox.engine.sessions.resuming import Place

        manifests = {name: tool.manifest for name, tool in self.tools.items()}
        return Place(self.home, self._signer, manifests, self._trusted)

    def restore(self, opened: OpenRun, talk: Conversation) -> None:
        """Have a run go on with what its session held and knew. Raises JournalError."""
        restore(talk, opened.seat, self._holdings.resume, self.report)

    def standing(self) -> Standing:
        """Return what is revoked and used up at this moment."""
        return self._holdings.standing(time.time())

    def _keeper(self, run: RunId, layout: Layout, now: float) -> Keeper | None:
        place, keeps = self.home.state / "undo", self.keeps
        if keeps is None:
            return None
        header: JsonObject = {"run": run, "workspace": layout.workspace, "started": now}
        return Keeper(place, header, keeps, first=lambda: prune(place, keeps, now))

    def _record(self, seat: Seat, now: float) -> None:
        """Keep what a replay of this run needs, unless the operator does not want that."""
        if self.tapes is not None:
            tape = tape_of(self.home.replay, seat.run, self.tapes, now)
            told = partial(described, seat, self._trusted, self._settings, self._holdings)
            seat.recording = Recording(tape, told, time.time_ns, lambda: seat.redactor)

    @property
    def _scratches(self) -> Path:
        return self.home.cache / "scratch"


def _signer(state: Path) -> Signer:
    """Load the signing key, made first if missing, but not when it has signed runs already."""
    key, journal = state / "journal.key", state / "journal"
    # The key is looked for again: a process that starts beside this one makes it, then the run.
    missing = not os.path.lexists(key)
    if missing and Heads(journal / "heads").runs() and not os.path.lexists(key):
        # A new key would call every true run forged, and hide that the old one is gone.
        raise JournalError(
            str(key),
            f"the signing key is missing, but {journal} holds runs that it signed: "
            "put the key back, or move the journal away",
        )
    return Signer.load(key)


_COMPONENTS = ("capbox", "wasmtime")
