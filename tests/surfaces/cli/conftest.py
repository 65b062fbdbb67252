"""The command line in this process, with a home of its own, and in a process at a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import termios
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

import anyio
import pytest
from tests.furnished import furnished

from capbox import app
from capbox.broker.secrets import SecretStore
from capbox.engine.home import Home
from capbox.messages import Json
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.program import main

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """What it printed, which must be one JSON value on one line."""
        assert self.out.count("\n") == 1, self.out
        value: Json = json.loads(self.out)
        return value


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with two texts and a secret."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "a.txt").write_text("alpha\n")
    (folder / "b.txt").write_text("beta\n")
    (folder / ".env").write_text("KEY=1\n")
    return folder


@pytest.fixture
def home_folder() -> Iterator[Path]:
    """A folder that is not below /tmp, which to tools is their own."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def scratch_folder() -> Iterator[Path]:
    """A folder below /tmp."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def entry(home: Home) -> Entry:
    """The real runtime, in the directories of this test; nobody's keyring."""
    secrets = SecretStore(home.state, keyring=lambda: None)
    return Entry(
        environ={"SECRET": "s3", "NO_COLOR": "1"},
        home=lambda: home,
        guests=lambda: app.GUESTS,
        open_engine=lambda report, spares: app.local_engine(report, home=home, spares=spares),
        open_session=lambda engine, settings, approver: app.session(
            engine, settings, approver=approver
        ),
        open_model=lambda spec, base_url: app.roster(home, secrets).open(spec, base_url),
        roster=lambda: app.roster(home, secrets),
        secrets=lambda: secrets,
        explain=lambda settings, access: app.explain(home, settings, access),
        hold=lambda settings: app.granting(home, settings),
        replaying=lambda report, told: app.replaying(home, report, told),
        unasked=lambda settings, tools: app.unasked(home, settings, tools),
        trusted=lambda: app.operator_of(home).trusted_paths(Path.home()),
    )


Capbox = Callable[..., Done]


@pytest.fixture
def capbox(entry: Entry) -> Capbox:
    """Run the command line in this process; it has pipes, not a terminal."""

    def run(*arguments: str | Path) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(entry, [str(argument) for argument in arguments])
        return Done(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write replies as a scripted model and return its specification."""

    def write(*replies: Json) -> str:
        file = tmp_path / "script.json"
        file.write_text(json.dumps(replies))
        return f"scripted:{file}"

    return write


@pytest.fixture
def environ(home: Home, tmp_path: Path) -> Mapping[str, str]:
    """The environment of a process with a home of its own, in which the tools are compiled."""

    async def compile_tools() -> None:
        async with app.local_engine(home=home, spares=False) as engine:
            await engine.compile_tools()

    anyio.run(compile_tools)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CAPBOX_HOME": str(furnished(tmp_path / "capbox", home.cache)),
        "LC_ALL": "C.UTF-8",
        "TERM": "xterm",
        "NO_COLOR": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }


@pytest.fixture
def begun(environ: Mapping[str, str]) -> Callable[[], list[Path]]:
    """Return the signed heads of the runs that a process began."""
    heads = Path(environ["CAPBOX_HOME"], "state", "journal", "heads")
    return lambda: list(heads.glob("[!.]*.json"))


COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]


@pytest.fixture
def process(environ: Mapping[str, str], workspace: Path) -> Capbox:
    """Run the command line as a process of its own, with pipes."""

    def run(*arguments: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Done:
        done = subprocess.run(
            [*COMMAND, *arguments],
            cwd=workspace,
            env={**environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


class Person:
    """Somebody at a terminal in which one command runs."""

    def __init__(self, arguments: list[str], env: Mapping[str, str], cwd: Path) -> None:
        self._screen, inside = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=cwd,
            env=env,
            start_new_session=True,
            # So that Ctrl-C is what it is at a real terminal.
            preexec_fn=lambda: ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(inside)
        self.seen = ""
        self._read = 0

    def waits_for(self, text: str) -> None:
        """Look at the screen until `text` appears below what was waited for before."""
        while text not in self.seen[self._read :]:
            assert self._look(), f"the command ended without {text!r}:\n{self.seen}"
        self._read = self.seen.index(text, self._read) + len(text)

    def waits_until(self, true: Callable[[], object]) -> None:
        """Look at the screen until something outside of it is true."""
        while not true():
            assert self.process.poll() is None, f"the command ended too early:\n{self.seen}"
            if select.select([self._screen], [], [], 0.05)[0]:
                self._look()

    def types(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def leaves(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the whole screen."""
        while self._look():
            pass
        return self.process.wait(PATIENCE_SECONDS), self.seen.replace("\r\n", "\n")

    def close(self) -> None:
        """End the command, if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._screen)

    def _look(self) -> bool:
        ready, _, _ = select.select([self._screen], [], [], PATIENCE_SECONDS)
        assert ready, f"nothing happened:\n{self.seen}"
        try:
            piece = os.read(self._screen, 65_536)
        except OSError:  # Linux: the last program has left the terminal
            return False
        self.seen += piece.decode(errors="replace")
        return bool(piece)


@pytest.fixture
def person(environ: Mapping[str, str], workspace: Path) -> Iterator[Callable[..., Person]]:
    """Start a command at a terminal, in the workspace."""
    started: list[Person] = []

    def start(*arguments: str) -> Person:
        started.append(Person(list(arguments), environ, workspace))
        return started[-1]

    yield start
    for one in started:
        one.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts processes takes a second or more; `make check` leaves it to `make test`."""
    for item in items:
        if {"person", "process"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
