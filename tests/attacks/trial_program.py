"""Run as another user by conftest.py: tries attacks, prints what came of them as one JSON line.

The argument is JSON: `walls` (four booleans, or null for all that this kernel has), `home` (where
capbox's directories go), `naive` (whether to try the naive fixture instead of capbox).
"""

import json
import os
import sys
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import anyio

from capbox import app
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.process.frames import Walls
from capbox.surfaces.demo.attacks.catalogue import ATTACKS
from capbox.surfaces.demo.hostile import Attempt
from capbox.surfaces.demo.trial import Targets, finding, try_here, try_naive


def walls_of(down: list[str]) -> Walls:
    """Return the walls of this kernel without those named."""
    here = probe()
    up = {name: getattr(here, name) and name not in down for name in Walls.__slots__}
    return Walls(**up)


async def here(down: list[str], home: Home, root: Path) -> dict[str, object]:
    """Try every attack on capbox; return what stopped it and whether anything got through."""
    attempts: dict[str, Attempt] = {}
    async with app.local_engine(home=home, walls=walls_of(down)) as engine:
        await engine.compile_tools()

        def open_session(settings: Settings) -> AbstractAsyncContextManager[Session]:
            return app.session(engine, settings)

        await try_here(
            ATTACKS, Targets(open_session, home, app.GUESTS, root), attempts, lambda: None
        )
    found = [finding(attempts[attack.id], "not tried") for attack in ATTACKS]
    return {one.attack.id: [one.stopped_by, one.breach] for one in found}


async def naively(root: Path) -> dict[str, object]:
    """Try every attack on the naive fixture; return how it bit."""
    bites: dict[str, str | None] = {}
    await try_naive(ATTACKS, root, bites, lambda: None)
    return dict(bites)


def main(job: dict) -> None:
    base = Path(job["home"])
    home = Home(base / "config", base / "state", base / "cache")
    with tempfile.TemporaryDirectory(dir="/var/tmp", ignore_cleanup_errors=True) as folder:
        root = Path(os.path.realpath(folder))
        found = (
            anyio.run(naively, root) if job["naive"] else anyio.run(here, job["down"], home, root)
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
