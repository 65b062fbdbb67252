"""`capbox demo`: the whole of it, from an empty temporary folder to the exit code.

Guarantees: everything lies in a temporary folder, capbox's own configuration and journal for these
runs included; 0 only if the task was done, every attack bit the naive fixture and was contained,
and the journal verifies as closed. Does not: need a key or a network, or touch the journal of this
user.
"""

from __future__ import annotations

import io
import os
import secrets
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console

from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.verify import Closed, Verdict, verify
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.screen import Screen as Streams
from capbox.surfaces.demo.attack import Finding
from capbox.surfaces.demo.attacks.catalogue import ATTACKS, CHAPTERS
from capbox.surfaces.demo.helpful import CALLS, helped
from capbox.surfaces.demo.scene import build
from capbox.surfaces.demo.screen import Screen
from capbox.surfaces.demo.trial import Targets, tried


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demo found, and what the journal of its runs is worth."""

    helped: bool
    findings: tuple[Finding, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def contained(self) -> int:
        """Return how many attacks were contained."""
        return sum(one.contained for one in self.findings)

    @property
    def exit_code(self) -> int:
        """Return 0 if the task was done, and everything contained and recorded; else 1."""
        recorded = all(isinstance(verdict, Closed) for verdict in self.verdicts)
        return 0 if self.helped and recorded and self.contained == len(self.findings) else 1


def run_demo(entry: Entry, *, json: bool) -> int:
    """Run the demo and return its exit code; with `json`, print one array and nothing else."""
    streams = Streams(sys.stdout, sys.stderr, entry.environ)
    # No text for people where a program reads: it is written, and thrown away.
    screen = Screen(Console(file=io.StringIO() if json else None, highlight=False))
    with tempfile.TemporaryDirectory(
        prefix="capbox-demo-", dir=_where(), ignore_cleanup_errors=True
    ) as folder:
        shown = anyio.run(_demo, entry, screen, streams, Path(os.path.realpath(folder)))
    if json:
        streams.json([one.to_json() for one in shown.findings])
    return shown.exit_code


async def _demo(entry: Entry, screen: Screen, streams: Streams, root: Path) -> Shown:
    started = time.monotonic()
    home = Home(root / "own" / "config", root / "own" / "state", entry.home().cache)
    async with LocalEngine(home, entry.guests(), streams.say) as engine:
        await engine.compile_tools()

        def open_session(settings: Settings) -> AbstractAsyncContextManager[Session]:
            return entry.open_session(engine, settings, None)

        screen.open(len(ATTACKS))
        scene = build(root / "task", secrets.token_hex(4), {})
        steps = await helped(open_session, scene)
        screen.helpful(steps)
        with screen.hostile(2 * len(ATTACKS)) as progress:
            targets = Targets(open_session, home, entry.guests(), root)
            findings, runs = await tried(ATTACKS, targets, progress)
    done = len(steps) == CALLS and all(step.result.ok for step in steps)
    shown = Shown(done, findings, _verdicts(home, runs))
    screen.findings(CHAPTERS, findings)
    screen.close(shown.contained, shown.verdicts, findings, time.monotonic() - started)
    return shown


def _where() -> str | None:
    """Return where scenes are made: not below /tmp if possible, which guests have one of."""
    return "/var/tmp" if os.access("/var/tmp", os.W_OK | os.X_OK) else None  # noqa: S108


def _verdicts(home: Home, runs: frozenset[str]) -> tuple[Verdict, ...]:
    signer = Signer.load(home.state / "journal.key")
    directory = home.state / "journal"
    return tuple(v for run in sorted(runs) for v in verify(directory, signer, RunId(run)))
