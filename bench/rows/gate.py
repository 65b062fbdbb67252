"""The gate and the journal by themselves: the real ones, on real files, back to back.

Beside them the cost of holding many grants.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from bench.clock import IDLE_SECONDS, Act, in_turns
from bench.row import Row, Rows, Unit, done
from bench.rows.calls import without_guest
from capbox import app
from capbox.authority.access import ReadAccess
from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import Allowed, AuthorityId, Standing
from capbox.authority.paths import GrantPath
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.engine.principal import resolve
from capbox.engine.settings import Settings
from capbox.gate.approver import DenyApprover
from capbox.gate.seat import Seat
from capbox.messages import ToolCall

GRANTS = 200
DEPTH = 8
DECISIONS = 200
PLAIN = ("read:/workspace",)


async def gate_alone(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """One call from the gate's entry to its result, with a runner that returns at once."""
    with no_guest(engine):
        async with (
            seated(engine, workspace, PLAIN) as seat,
            seated(engine, workspace, PLAIN, taped=False) as plain,
        ):
            acts = {
                "gate": _asking(engine, seat, "0.txt"),
                "plain": _asking(engine, plain, "0.txt"),
            }
            taken = await in_turns(acts, rounds, 0)
    what = "gate and journal alone, without a guest, back to back"
    more, ratio = taken["gate"] - taken["plain"], taken["gate"] / taken["plain"]
    added = "what keeping a call for a replay adds to that"
    return {
        "gate_alone": Row(taken["gate"] * 1e6, "us", None, what),
        "recording": Row(more * 1e6, "us", ratio, added, "gate and journal without it"),
    }


async def many_grants(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """What 200 grants cost against one: to decide, at the gate, and in a whole read."""
    for number in range(GRANTS):
        folder = workspace / f"part{number}"
        folder.mkdir()
        (folder / "a.txt").write_text("one line\n")
    last = f"part{GRANTS - 1}"
    one, many = (f"read:/workspace/{last}",), _grants(GRANTS)
    with no_guest(engine):
        async with seated(engine, workspace, one) as few, seated(engine, workspace, many) as full:
            acts = {
                "one": _asking(engine, few, f"{last}/a.txt"),
                "many": _asking(engine, full, f"{last}/a.txt"),
            }
            gate = await in_turns(acts, rounds, 0)
            path = GrantPath(f"/workspace/{last}/a.txt")
            deciding = {"one": _deciding(few, path), "many": _deciding(full, path)}
            decision = await in_turns(deciding, rounds, 0)
    async with (
        Box(workspace=workspace, grants=one, engine=engine) as narrow,
        Box(workspace=workspace, grants=many, engine=engine) as wide,
    ):
        acts = {"one": _reading(narrow, last), "many": _reading(wide, last)}
        for act in acts.values():
            await act(0)
        read = await in_turns(acts, rounds, IDLE_SECONDS)
    return {
        "grants_decide": _against_one(
            decision, 1e6, "us", f"one decision, handed on {DEPTH} times"
        ),
        "grants_gate": _against_one(gate, 1e6, "us", "gate and journal alone"),
        "grants_read": _against_one(read, 1e3, "ms", "a whole read, after an idle pause"),
    }


@contextmanager
def no_guest(engine: LocalEngine) -> Iterator[None]:
    """Have tools return at once, for a while."""
    real = engine.tools, engine.gate
    without_guest(engine)
    yield
    engine.tools, engine.gate = real


@asynccontextmanager
async def seated(
    engine: LocalEngine, workspace: Path, grants: tuple[str, ...], *, taped: bool = True
) -> AsyncIterator[Seat]:
    """Open a run that holds `grants`, without a session around it, and yield where it sits."""
    tapes = engine.tapes
    engine.tapes = tapes if taped else None
    settings = Settings(workspace=workspace, grants=(*grants, "tool:read"))
    asked = resolve(settings)
    opened = engine.open_run(
        app.mint(asked, settings, engine.home.guards()),
        asked.layout,
        ceiling=None,
        approver=DenyApprover(),
        environment={},
    )
    engine.tapes = tapes
    yield opened.seat
    opened.close("ended")


def _asking(engine: LocalEngine, seat: Seat, path: str) -> Act:
    async def act(number: int) -> None:
        call = ToolCall(f"call-{number}", "read", {"path": path, "limit": 1 + number})
        done(await engine.gate.call(call, seat))

    return act


def _deciding(seat: Seat, path: GrantPath) -> Act:
    authority, standing = _handed_on(seat.authority), Standing(now=time.time())

    async def act(_number: int) -> float:
        started = time.perf_counter()
        for _ in range(DECISIONS):
            decision = authority.decide(ReadAccess(path), standing)
        seconds = time.perf_counter() - started
        if not isinstance(decision, Allowed):
            raise RuntimeError(f"the decision that is measured is a refusal: {decision}")
        return seconds / DECISIONS

    return act


def _handed_on(authority: Authority) -> Authority:
    """Return the last of a chain: every grant is held through DEPTH authorities."""
    for depth in range(1, DEPTH):
        grants = [minted.grant for minted in authority.grants]
        child = authority.attenuate(grants, id=AuthorityId(f"child-{depth}"), now=time.time())
        if isinstance(child, AuthorityError):
            raise TypeError(str(child))
        authority = child
    return authority


def _reading(box: Box, folder: str) -> Act:
    async def act(number: int) -> None:
        done(await box.call("read", path=f"{folder}/a.txt", limit=1 + number))

    return act


def _grants(count: int) -> tuple[str, ...]:
    return tuple(f"read:/workspace/part{number}" for number in range(count))


def _against_one(taken: Mapping[str, float], factor: float, unit: Unit, what: str) -> Row:
    ratio = taken["many"] / taken["one"]
    return Row(taken["many"] * factor, unit, ratio, f"{GRANTS} grants held: {what}", "one grant")
