"""A running engine with the real toolbox, in directories of its own, and the command line there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
import wasmtime

from capbox import app
from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Job, Module, Mount, Rule

START = "import sys; from capbox.app import main; sys.exit(main())"


@pytest.fixture(scope="session")
def capbox_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the directories of these tests' engine lie; what is compiled is kept."""
    return tmp_path_factory.mktemp("capbox-home")


@pytest.fixture
async def engine(capbox_home: Path) -> AsyncIterator[LocalEngine]:
    """Yield an engine without spare workers: every worker there is serves a call."""
    home = Home(capbox_home / "config", capbox_home / "state", capbox_home / "cache")
    async with app.local_engine(home=home, spares=False) as opened:
        yield opened


@pytest.fixture
def open_session(engine: LocalEngine) -> Callable[[Settings], AbstractAsyncContextManager[Session]]:
    """Return what opens a session on that engine."""
    return lambda settings: app.session(engine, settings)


@pytest.fixture(scope="session")
def environment(capbox_home: Path) -> dict[str, str]:
    """Return the environment of the command line."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CAPBOX_HOME": str(capbox_home)}


@pytest.fixture(scope="session")
def capbox(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs the command line to its end."""

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-c", START, *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> HostPath:
    """Where the small guests of these tests are kept compiled."""
    directory = tmp_path_factory.mktemp("compiled")
    directory.chmod(0o700)
    return HostPath(str(directory))


@pytest.fixture
async def sandbox(compiled: HostPath) -> AsyncIterator[Sandbox]:
    """Yield a sandbox with every wall that this kernel offers."""
    async with Sandbox(CompileCache(compiled, lambda line: None), probe()) as opened:
        yield opened


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Return what makes a job of WebAssembly text, with the right to write `tmp_path/work`."""
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()

    def make(wat: str, *, shipped: bool = False, write: bool = True, **changed: object) -> Job:
        wasm = wat.encode() if wat.startswith("garbage") else bytes(wasmtime.wat2wasm(wat))
        digest = sha256(wasm).hexdigest()
        path = tmp_path / f"{digest}.wasm"
        path.write_bytes(wasm)
        mount = Mount(GuestPath("/workspace"), HostPath(str(work)), (Rule(write=write),))
        made = Job(
            run="run-1",
            module=Module(HostPath(str(path)), digest, shipped),
            mounts=(mount,),
            scratch=HostPath(str(scratch)),
            limits=Limits(wall_seconds=20),
            request=b"request",
            seed=bytes(32),
            started_ns=0,
        )
        return replace(made, **changed)

    return make
