"""Each run of the demo, the hostile ones too, comes out the same once more."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from capbox import app
from capbox.engine.home import Home
from capbox.engine.replay.recorded import run_on_record
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.store.journal import runs
from capbox.surfaces.demo.attacks.catalogue import ATTACKS
from capbox.surfaces.demo.helpful import CALLS, helped
from capbox.surfaces.demo.hostile import Attempt
from capbox.surfaces.demo.scene import build
from capbox.surfaces.demo.trial import Targets, try_here


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that is not below /tmp, which to tools is their own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@pytest.mark.slow
async def test_replays_of_the_demos_runs_are_identical(root: Path, cache: Path) -> None:
    home = Home(root / "own" / "config", root / "own" / "state", cache)
    attempts: dict[str, Attempt] = {}
    async with app.local_engine(home=home, spares=False) as engine:

        def open_session(settings: Settings) -> Session:
            return app.session(engine, settings)

        steps = await helped(open_session, build(root / "task", secrets.token_hex(4), {}))
        targets = Targets(open_session, home, app.GUESTS, root)
        await try_here(ATTACKS, targets, attempts, lambda: None)
    assert (len(steps), len(attempts)) == (CALLS, len(ATTACKS))
    signer, replayed = Signer.load(home.state / "journal.key"), 0
    for run in runs(home.state / "journal"):
        record = run_on_record(home.state, signer, RunId(run))
        player = app.replaying(home, lambda line: None, lambda played: None)
        report = await player.replay(record)
        assert (report.difference, report.left, report.identical) == (None, (), True)
        replayed += len(report.calls)
    assert replayed > 100  # all but what is no JSON, which never comes to the gate
