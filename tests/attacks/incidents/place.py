"""Where an incident happens: a project, what lies beside it, a small internet, and what harm is.

Harm is what can be measured afterwards, the same on the naive side and on capbox's: a secret that
went out, a local file that a guest saw, a file outside that changed, a command that ran, a mail to
an outsider. Nothing here knows which side it is on.
"""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anyio import to_thread
from tests.attacks.network.conftest import LOCAL, SECRET, World

from capbox import app
from capbox.agent.events import Event, ToolFinished
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
PATIENCE_SECONDS = 120
Use = tuple[str, dict[str, Any]]


@dataclass
class Place:
    """`nobody` runs programs as another account; `sent` is what functions let go: to whom, what."""

    world: World
    nobody: Any
    sent: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outside.write_text(LOCAL)
        self.before = self._beside()

    @property
    def folder(self) -> Path:
        """The project."""
        return self.world.folder

    @property
    def outside(self) -> Path:
        """A file that is not of the project, and is nobody's business there."""
        return self.folder.parent / "outside.txt"

    @property
    def marker(self) -> Path:
        """What a command makes that should not have run."""
        return self.folder.parent / "a-command-ran"

    @property
    def output(self) -> str:
        """What a model got to see."""
        return self.world.output

    @property
    def harm(self) -> str:
        """What was achieved, "" for nothing."""
        if self.marker.exists():
            return "a command ran"
        if changed := [
            path for path, was in self._beside().items() if self.before.get(path) != was
        ]:
            return f"{changed} was changed"
        if any("evil" in to or SECRET in what for to, what in self.sent):
            return "it was sent where it should not be"
        return self.world.harm

    def _beside(self) -> dict[str, str | bytes]:
        """Return everything beside the project, links as links."""
        kept = (str(self.folder), str(self.world.home.state.parent))
        found: dict[str, str | bytes] = {}
        for base, folders, files in os.walk(self.folder.parent):
            folders[:] = [one for one in folders if f"{base}/{one}" not in kept]
            for name in (*folders, *files):
                path = Path(base, name)
                if path.is_symlink():
                    found[str(path)] = str(path.readlink())
                else:
                    found[str(path)] = "folder" if path.is_dir() else path.read_bytes()
        return found

    def beside(self, name: str, text: str) -> Path:
        """Make a file beside the project, which is to stay as it is."""
        path = self.folder.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        self.before = self._beside()
        return path

    def file(self, name: str, text: str) -> Path:
        """Make a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    # --- capbox ----------------------------------------------------------------------------

    @asynccontextmanager
    async def box(
        self, *grants: str, functions: Callable[[Box], None] | None = None, **more: Any
    ) -> AsyncIterator[Box]:
        """Open a box on the project, with the names and servers of this world."""
        async with self.engine() as engine:
            box = Box(workspace=self.folder, grants=grants, engine=engine, **more)
            if functions is not None:
                functions(box)
            async with box:
                yield box

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[LocalEngine]:
        """Open an engine: what a process has."""
        async with app.local_engine(
            home=self.world.home, spares=False, network=self.world.network
        ) as engine:
            yield engine

    def saw(self, *results: ToolResult) -> None:
        """Note what a model saw."""
        for one in results:
            self.world.output += f"{one.content}{one.data}"

    async def tries(self, grants: tuple[str, ...], *uses: Use) -> list[ToolResult]:
        """Call tools as a model would, and note what it sees."""
        async with self.box(*grants) as box:
            results = [await box.call(tool, **arguments) for tool, arguments in uses]
        self.saw(*results)
        return results

    async def runs(self, box: Box, task: str, *uses: Use) -> list[ToolResult]:
        """Give a task to a model that makes these calls, one after the other."""
        replies = [ScriptedReply(tool_calls=(ScriptedCall(t, json.dumps(a)),)) for t, a in uses]
        model = ScriptedModel("hostile", (*replies, ScriptedReply("Done.")))
        events: list[Event] = [event async for event in box.run(task, model=model)]
        results = [event.result for event in events if isinstance(event, ToolFinished)]
        self.saw(*results)
        return results

    @property
    def environ(self) -> Mapping[str, str]:
        """Return the environment of somebody's command line."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.world.home.state.parent),
            "CAPBOX_HOME": str(self.world.home.state.parent),
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            "NO_COLOR": "1",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }

    async def capbox(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line in the project, where nobody is at a terminal."""

        def run() -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [*COMMAND, *arguments],
                cwd=self.folder,
                env={**self.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE_SECONDS,
                check=False,
            )

        done = await to_thread.run_sync(run)
        self.world.output += done.stdout
        return done

    async def at_a_terminal(self, *arguments: str) -> str:
        """Run the command line at a terminal, and return what stands on it at the end."""

        def run() -> str:
            screen, inside = pty.openpty()
            process = subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=self.folder,
                env=self.environ,
                stdin=inside,
                stdout=inside,
                stderr=inside,
                start_new_session=True,
            )
            os.close(inside)
            seen = b""
            try:
                while piece := os.read(screen, 65_536):
                    seen += piece
            except OSError as error:  # Linux: the last program has left the terminal
                assert error.errno == errno.EIO
            os.close(screen)
            process.wait(PATIENCE_SECONDS)
            return seen.decode().replace("\r\n", "\n")

        return await to_thread.run_sync(run)


Naive = Callable[[Place], None]
Try = Callable[[Place], Awaitable[None]]
Allowed = Callable[[Place], Awaitable[bool]]


@dataclass(frozen=True)
class Case:
    """`naive` does harm, `attack` tries the same here, and `allowed` is the honest use of it."""

    naive: Naive
    attack: Try
    allowed: Allowed
