"""Runs of the real tools, replayed as soon as they are over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.replay.replaying import Report
from capbox.journal.event import RunId
from capbox.journal.head import Signer

Replay = Callable[..., Awaitable[Report]]


@pytest.fixture
def replay(home: Home) -> Replay:
    """Replay a run of this test; `other_tools` as on the command line."""

    async def replayed(run: str | None, **flags: bool) -> Report:
        signer = Signer.load(home.state / "journal.key")
        record = run_on_record(home.state, signer, RunId(run or ""))
        player = app.replaying(home, lambda line: None, lambda played: None)
        return await player.replay(record, **flags)

    return replayed
