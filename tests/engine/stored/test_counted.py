"""A counted approval for always: one count for all runs and processes, whatever ends them."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.stored.counted import Count, count_of
from capbox.engine.stored.grants import StoredGrant, StoredGrants
from capbox.gate.approver import Always, No
from capbox.journal.counting import Used
from capbox.messages import ToolResult

OpenSession = Callable[..., Session]
KILLED = """
import anyio, os, signal, sys
from pathlib import Path
from capbox import app
from capbox.engine.home import Home
from capbox.engine.settings import Settings
from capbox.gate.approver import Always

class Person:
    async def ask(self, request):
        return Always(3)

async def main():
    root = Path(sys.argv[1])
    home = Home(*map(Path, sys.argv[2:5]))
    async with app.local_engine(home=home) as engine:
        async with app.session(engine, Settings(workspace=root), approver=Person()) as session:
            assert (await session.call("read", {"path": "a.txt"})).ok
            os.kill(os.getpid(), signal.SIGKILL)

anyio.run(main)
"""


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


def only(home: Home) -> StoredGrant:
    found = StoredGrants(home.grants, lambda: 5.0).all()
    assert isinstance(found, tuple), found
    (one,) = found
    return one


async def read(session: Session, times: int) -> list[str | None]:
    return [code(await session.call("read", {"path": "a.txt"})) for _ in range(times)]


async def test_it_counts_on_over_runs_and_then_it_is_asked_anew(
    open_session: OpenSession, approver: type, home: Home
) -> None:
    async with open_session(approver=approver(Always(3))) as session:
        assert await read(session, 2) == [None, None]
    assert str(only(home).grant) == "read:/workspace/a.txt uses=3"
    person = approver(No())
    async with open_session(approver=person) as session:
        assert await read(session, 2) == [None, "denied"]
    last = approver(No())
    async with open_session(approver=last) as session:
        assert await read(session, 1) == ["denied"]
    assert [len(one.questions) for one in (person, last)] == [1, 1]


async def test_one_run_holds_it_at_a_time(
    open_session: OpenSession, approver: type, home: Home
) -> None:
    """Attack: runs side by side each begin with all that is left."""
    async with open_session(approver=approver(Always(3))) as session:
        assert await read(session, 1) == [None]
        async with open_session(approver=approver(No())) as beside:
            assert await read(beside, 1) == ["denied"]
    async with open_session(approver=approver(No())) as session:
        assert await read(session, 3) == [None, None, "denied"]


@pytest.mark.slow
async def test_what_a_killed_process_used_is_used(
    open_session: OpenSession, approver: type, home: Home, workspace: Path
) -> None:
    places = [str(place) for place in (workspace, home.config, home.state, home.cache)]
    killed = subprocess.run(  # noqa: ASYNC221 (nothing else runs here)
        [sys.executable, "-c", KILLED, *places], timeout=120, env={**os.environ}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    async with open_session(approver=approver(No())) as session:
        assert await read(session, 3) == [None, None, "denied"]


async def test_a_record_with_a_gap_is_no_record_of_nothing(
    open_session: OpenSession, approver: type, home: Home
) -> None:
    async with open_session(approver=approver(Always(3))) as session:
        assert await read(session, 1) == [None]
    count = only(home).count
    assert count is not None
    database = sqlite3.connect(home.state / "journal" / "journal.db")
    database.execute("DELETE FROM entry WHERE run = ? AND seq = 2", (count.run,))
    database.commit()
    database.close()
    async with open_session(approver=approver(No())) as session:
        assert await read(session, 1) == ["denied"]


@pytest.mark.parametrize(
    "spoilt",
    [
        {"uses": -1},
        {"uses": True},
        {"uses": 1.5},
        {"bytes": "0"},
        {"times": [None]},
        {"times": 0},
        {"run": None},
        {"more": 1},
    ],
)
def test_a_count_that_cannot_be_read_is_refused(spoilt: dict[str, object]) -> None:
    good = Count(Used(1, 2, (3.0,)), "r", "r/x#0")
    assert count_of(json.loads(json.dumps(good.to_json()))) == good
    with pytest.raises(ValueError, match=r"count|times"):
        count_of({**good.to_json(), **spoilt})
