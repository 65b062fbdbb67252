"""`replay` of one run, from its verified record to the report.

Guarantees: everything happens in a directory of its own below the cache, removed at the end; the
workspace is read, where the run could read it, and nothing else is touched. Does not: believe a
record whose journal or tape is broken, or take another version of a tool for the one that ran.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.authority import Authority
from capbox.authority.paths import HostPath
from capbox.broker.network import Network
from capbox.engine.home import Home
from capbox.engine.replay.comparing import Difference
from capbox.engine.replay.kept import ReplayError
from capbox.engine.replay.opening import Written
from capbox.engine.replay.playing import Played, Player
from capbox.engine.replay.recorded import Run
from capbox.engine.replay.runner import ReplayRunner
from capbox.engine.replay.seating import Holder, Notes
from capbox.engine.replay.tree.changed import Since
from capbox.engine.replay.tree.copying import Copying
from capbox.engine.replay.tree.earlier import rewind
from capbox.engine.results.stowing import stowing
from capbox.engine.scratch import make, sweep
from capbox.gate.gate import Gate
from capbox.gate.holdings import Holdings
from capbox.gate.runner import Tool
from capbox.messages import Json, JsonObject
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.process.frames import Walls
from capbox.sandbox.run import Sandbox
from capbox.tools.available import available
from capbox.tools.registry import Registry

Remint = Callable[[Written, float], Authority]


@dataclass(frozen=True, slots=True)
class Report:
    """What a replay found. `notes` are what a reader has to know of it."""

    run: Run
    calls: tuple[Played, ...]
    decisions: int
    difference: Difference | None
    notes: tuple[str, ...]

    @property
    def left(self) -> tuple[Played, ...]:
        """Return the calls that could not be executed as they were."""
        return tuple(one for one in self.calls if one.state == "not replayable")

    @property
    def identical(self) -> bool:
        """Say whether every call was executed, or answered from the record, and came out alike."""
        return self.difference is None and not self.left and self.whole

    @property
    def whole(self) -> bool:
        """Say whether every call of the journal is on the tape."""
        return not self.run.full and _taped(self.run) == self.run.intents


@dataclass(frozen=True, slots=True)
class Replaying:
    """What a replay needs of the program: its directories, tools, walls, and who mints authority.

    `settings` are the operator's for tools, `report` gets progress lines, `told` each call.
    """

    home: Home
    guests: Path
    walls: Walls
    remint: Remint
    settings: Mapping[str, JsonObject]
    report: Callable[[str], None]
    told: Callable[[Played], None]

    async def replay(self, run: Run, *, other_tools: bool = False) -> Report:
        """Replay a run. Raises ReplayError, SettingsError or OSError."""
        registry = available(self.guests, self.home.tools)
        notes = [*self._tools(run, registry, other_tools), *_notes(run)]
        held = run.opening
        authority = self.remint(held.authority, run.started)
        ceiling = None if held.ceiling is None else self.remint(held.ceiling, run.started)
        holder = Holder(run, authority, ceiling, self.home.stores)
        place = self.home.copies
        sweep(place)
        work = make(place, f"{run.id}-{secrets.token_hex(4)}")
        try:
            return await self._in(work.path, run, holder, registry, notes, other_tools=other_tools)
        finally:
            work.remove()

    async def _in(
        self,
        work: Path,
        run: Run,
        holder: Holder,
        registry: Registry,
        notes: list[str],
        *,
        other_tools: bool,
    ) -> Report:
        scratch = work / "scratch"
        scratch.mkdir(mode=0o700)
        copied = Copying(work / "tree", holder.readable())
        copied.top.mkdir(mode=0o700)
        copied.roots(holder.roots())
        undone = self.home.state / "undo"
        past = rewind(undone, run.id, run.started, work / "undo", copied)
        cache = CompileCache(HostPath(str(self.home.cache / "compiled")), self.report)
        async with Sandbox(cache, self.walls, spares=False) as sandbox:
            runner = ReplayRunner(sandbox, copied.moved)
            clock = _Clock(runner)
            notebook, holdings = Notes(run.id), Holdings()
            for grant, used in run.opening.used.items():
                holdings.resume(grant, used)
            tools: Mapping[str, Tool] = registry.with_runner(runner, self.settings)
            player = Player(
                run,
                Gate(
                    tools,
                    holdings=holdings,
                    clock_ns=lambda: clock.now_ns,
                    entropy=clock.entropy,
                    network=Network(),
                ),
                holder.seat(notebook, runner, scratch, clock.set),
                notebook,
                holdings,
                runner,
                Since(past, copied.moved),
                self.settings,
                clock.set,
                lambda: clock.now_ns / 1e9,
                stowing(HostPath(str(scratch))),
                other_tools=other_tools,
            )
            await player.play(self.told)
        return Report(run, tuple(player.calls), player.decisions, player.found, tuple(notes))

    def _tools(self, run: Run, registry: Registry, other_tools: bool) -> Iterable[str]:
        """Tell of tools that are not the recorded ones. Raises ReplayError where that matters."""
        then = {str(name): str(digest) for name, digest in _pairs(run.opened.get("tools"))}
        for name in sorted({call.tool for call in run.calls if call.intent is not None}):
            if name in run.opening.functions:
                continue
            found = registry.tools.get(name)
            if found is None:
                raise ReplayError(run.id, f"there is no tool {name} here any more")
            if found.digest == then.get(name):
                continue
            is_another = f"{name} is another version (sha256 {found.digest[:12]}) than the one that"
            if not other_tools:
                reason = f"{is_another} ran ({then.get(name, '')[:12]}): --other-tools takes it"
                raise ReplayError(run.id, reason)
            yield f"{is_another} ran"


class _Clock:
    """The time of the replay: that of the call's record."""

    def __init__(self, runner: ReplayRunner) -> None:
        self.now_ns = 0
        self._runner = runner

    def set(self, at: Json) -> None:
        """Let it be `at`, in nanoseconds since 1970."""
        self.now_ns = at if isinstance(at, int) else self.now_ns

    def entropy(self, count: int) -> bytes:
        """Return the seed that a call had. Right after it the gate looks when the call starts."""
        intent = self._runner.call.of("intent")
        self.set(intent.get("started_ns"))
        return bytes.fromhex(str(intent.get("seed") or "")) or bytes(count)


def _notes(run: Run) -> Iterable[str]:
    if not run.closed:
        yield "the run goes on, or was killed: what is on record of it was replayed"
    if run.full:
        yield "the tape of the run met its bound ([replay] run_bytes): later calls are not on it"
    if _taped(run) < run.intents:
        count = run.intents - _taped(run)
        calls = (
            "1 call at the end of the record is" if count == 1 else f"{count} calls at the end are"
        )
        yield f"{calls} not on the tape"


def _taped(run: Run) -> int:
    return sum(call.intent is not None for call in run.calls)


def _pairs(value: Json) -> Iterable[tuple[Json, Json]]:
    for one in value if isinstance(value, list) else []:
        match one:
            case [name, digest]:
                yield name, digest
            case _:
                pass
