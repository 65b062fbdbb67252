"""Runs of the real tools, replayed as soon as they are over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.replay.opening import grant_of
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.replay.replaying import Report
from capbox.journal.event import RunId
from capbox.journal.head import Signer

Replay = Callable[..., Awaitable[Report]]


@pytest.fixture
def replay(home: Home) -> Replay:
    """Replay a run of this test; `other_tools` as on the command line.

    With `holding` it is decided again as if these had been its grants.
    """

    async def replayed(run: str | None, *, holding: Sequence[str] = (), **flags: bool) -> Report:
        signer = Signer.load(home.state / "journal.key")
        record = run_on_record(home.state, signer, RunId(run or ""))
        if holding:
            opened = record.opening
            held = replace(opened.authority, grants=tuple(map(grant_of, holding)))
            record = replace(record, opening=replace(opened, authority=held))
        player = app.replaying(home, lambda line: None, lambda played: None)
        return await player.replay(record, **flags)

    return replayed
