"""The suites: which rows there are, in which order, and how often each is sampled."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.clock import IDLE_SECONDS
from bench.memory import memory
from bench.peers.install import Peer, peers
from bench.row import Rows
from bench.rows import calls
from bench.rows.building import python_build
from bench.rows.commands import command_line
from bench.rows.control import control
from bench.rows.conversation.crowd import crowd
from bench.rows.conversation.first_event import first_event
from bench.rows.conversation.opening import opening
from bench.rows.conversation.prompt import chat_ready
from bench.rows.conversation.turns import turns
from bench.rows.exclusions import exclusions
from bench.rows.functions import functions
from bench.rows.gate import gate_alone, many_grants
from bench.rows.interpreters import interpreters
from bench.rows.network import network
from bench.rows.packages import installing
from bench.rows.radius import blast_radius
from bench.rows.rate import rate
from bench.rows.undo import undoing
from bench.rows.work import Bench, Pace, Reasons
from bench.tasks import ECHO, LANGUAGES, LARGE, LOOPS, READ, SMALL
from bench.workspace import Sizes, large, small
from capbox import app
from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.engine import EngineKey

BUDGET_SECONDS = 4.0
RATE_CALLS = 400


@asynccontextmanager
async def engine_at(home: Path) -> AsyncIterator[LocalEngine]:
    """Open an engine with a home of its own, whose tools are compiled."""
    directories = app.home_of({"CAPBOX_HOME": str(home)})
    seed(directories.cache)
    async with app.local_engine(say, home=directories) as engine:
        await engine.compile_tools()
        yield engine


async def quick(place: Path, rounds: int) -> Rows:
    """Measure single calls, whole processes and memory."""
    few, workspace, home = max(3, rounds // 20), place / "workspace", place / "home"
    small(workspace)
    async with engine_at(home) as engine:
        async with Box(workspace=workspace, preset="read-only", engine=engine) as box:
            found = await calls.after_idle(box, rounds)
            found |= await calls.back_to_back(box, rounds)
        found |= await _beside(engine, workspace, rounds)
    return found | await command_line(workspace, _environ(home), few)


async def runs(place: Path, rounds: int, scale: float) -> Rows:
    """Measure what runs with a model cost, and nothing else."""
    small(workspace := place / "workspace")
    async with engine_at(place / "home") as engine:
        found = await conversations(engine, workspace, rounds, scale)
    return found | await chat_ready(workspace, _environ(place / "home"), max(5, rounds // 10))


@dataclass(frozen=True, slots=True)
class Everything:
    """What the full suite found: its rows, who took part, and why some did not."""

    rows: Rows
    peers: Sequence[Peer]
    reasons: Reasons


async def full(place: Path, rounds: int, scale: float, all_peers: bool) -> Everything:
    """Measure everything, beside peers."""
    few, some = max(3, rounds // 20), max(5, rounds // 10)
    tiny, big, home = place / "small" / "workspace", place / "large" / "workspace", place / "home"
    small(tiny)
    large(big, Sizes().scaled(scale))
    (granted := place / "grants").mkdir()
    reasons: Reasons = {}
    async with engine_at(home) as engine:
        there = peers(await _compiled(engine), say)
        taking_part = list(there) if all_peers else [next(there)]
        with ExitStack() as stack:
            at_tiny, at_big = (
                {p.name: stack.enter_context(p.open(at)) for p in taking_part if p.open}
                for at in (tiny, big)
            )
            async with (
                Box(workspace=tiny, preset="read-only", engine=engine) as box,
                Box(workspace=big, preset="edit", engine=engine) as wide,
            ):
                found = await calls.yardsticks(rounds)
                bench = Bench(tiny, box, at_tiny, reasons)
                found |= await bench.rows((READ, ECHO), Pace(rounds, IDLE_SECONDS))
                found |= await calls.back_to_back(box, rounds)
                found |= await rate(box, at_tiny, reasons, max(rounds, 8))
                found |= await bench.rows(LANGUAGES, Pace(some, IDLE_SECONDS, BUDGET_SECONDS))
                found |= await bench.rows(LOOPS, Pace(few, IDLE_SECONDS, BUDGET_SECONDS))
                bench = Bench(big, wide, at_big, reasons)
                found |= await bench.rows(SMALL, Pace(some, IDLE_SECONDS, BUDGET_SECONDS))
                found |= await bench.rows(LARGE, Pace(few, IDLE_SECONDS, BUDGET_SECONDS))
        found |= await exclusions(engine, big, few)
        found |= await gate_alone(engine, tiny, rounds * 5)
        found |= await many_grants(engine, granted, some)
        found |= await functions(engine, granted, some)
        found |= await interpreters(engine, tiny, some)
        found |= await network(engine, granted, some * 2, few)
        found |= await control(engine, granted, few)
        found |= await undoing(engine, place / "undoing", rounds)
        found |= await conversations(engine, tiny, rounds, scale)
        found |= await _beside(engine, tiny, rounds)
    found |= await command_line(tiny, _environ(home), some)
    found |= await chat_ready(tiny, _environ(home), some)
    found |= await blast_radius(place, _environ(home), few, scale)
    found |= await installing(place, _environ(home), scale)
    found |= python_build(place, _environ(home), 3)
    return Everything(found, taking_part, reasons)


async def conversations(
    engine: LocalEngine, workspace: Path, rounds: int, scale: float = 1.0
) -> Rows:
    """Rows of runs with a model."""
    found = await turns(engine, workspace, rounds)
    found |= await first_event(engine, workspace, max(3, rounds // 5))
    found |= await opening(engine, workspace, max(3, rounds // 20), scale)
    return found | await crowd(engine, workspace, max(2, rounds // 100), scale)


async def _beside(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Rows that open boxes of their own."""
    found = await calls.deadline(engine, workspace, max(3, rounds // 20))
    found |= await calls.gate_journal(engine, workspace, rounds)
    return found | await memory(engine, workspace)


async def _compiled(engine: LocalEngine) -> str:
    """Return where the toolbox lies as native code."""
    cache = CompileCache(HostPath(str(engine.home.cache / "compiled")), say)
    key = EngineKey(fuel=False, stack_bytes=Limits().stack_bytes)
    return await cache.compiled(engine.tools["bash"].module, key)


def seed(cache: Path) -> None:
    """Begin with what `make setup` compiled, so that nothing waits for the compiler."""
    built = app.home_of(os.environ).cache / "compiled"
    if built.is_dir():
        shutil.copytree(built, cache / "compiled")
        cache.chmod(0o700)


def say(line: str) -> None:
    """Show progress where it is in nobody's way."""
    print(line, file=sys.stderr)


def _environ(home: Path) -> dict[str, str]:
    return {**os.environ, "CAPBOX_HOME": str(home)}
