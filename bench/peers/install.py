"""Finds the peers, and installs below `bench/.peers` those that are missing.

Guarantees: what cannot be installed (no network, no npm) is a peer with a reason, never an error;
nothing outside that folder changes. Versions are fixed, so that two runs compare.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.peers import shells
from bench.peers.answer import CannotError
from bench.peers.served import Served, served

PEERS = Path(__file__).resolve().parents[1] / ".peers"
HERE = Path(__file__).parent
MONTY = "1.4.0"
JUST_BASH = "3.4.2"
QUICKJS = "0.32.0"
CAPSULE = "0.8.10"
_INSTALL_SECONDS_MAX = 180.0

_BUBBLEWRAP = "a new shell in new namespaces (`bwrap --unshare-all`)"
_WASMTIME = "the same tools on wasmtime-py's own WASI: no walls, gate or journal"
_MONTY = "a Python interpreter in Rust, in a process of its pool: equivalent Python"
_JUST_BASH = "a shell in TypeScript, inside the calling process"
_QUICKJS = "QuickJS as WebAssembly inside Node's process, a fresh context: nothing but the language"
_CAPSULE = "CPython as a component in wasmtime, a worker of its own: the code is a task's argument"
_EXTISM = "a host for plug-ins of WebAssembly"

Say = Callable[[str], None]
Doing = shells.Shell | Served
"""A peer at work on one workspace."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer: `open` starts it on a workspace; where it is None, `reason` says why."""

    name: str
    what: str
    version: str = ""
    open: Callable[[Path], AbstractContextManager[Doing]] | None = None
    reason: str = ""


def peers(compiled: str, say: Say) -> Iterator[Peer]:
    """Return every peer; `compiled` is the toolbox as capbox has compiled it."""
    version = _output(["bash", "-c", "echo $BASH_VERSION"]).split("(")[0]
    yield Peer("native", "a new shell and the machine's commands", version, shells.native)
    yield _or_reason("bubblewrap", _BUBBLEWRAP, _bubblewrap, say)
    command = [sys.executable, "-m", "bench.peers.serve_wasmtime", compiled]
    version = importlib.metadata.version("wasmtime")
    yield Peer("wasmtime", _WASMTIME, version, partial(served, command, "tool"))
    yield _or_reason("monty", _MONTY, _monty, say)
    yield _or_reason("just-bash", _JUST_BASH, _just_bash, say)
    yield _or_reason("quickjs-emscripten", _QUICKJS, _quickjs, say)
    yield _or_reason("capsule", _CAPSULE, _capsule, say)
    yield Peer("extism", _EXTISM, reason="no package registry has an interpreter for it")


def _or_reason(name: str, what: str, find: Callable[[str, str, Say], Peer], say: Say) -> Peer:
    try:
        return find(name, what, say)
    except CannotError as error:
        return Peer(name, what, reason=str(error))


def _bubblewrap(name: str, what: str, say: Say) -> Peer:
    program = shutil.which("bwrap")
    if program is None:
        place = PEERS / "bubblewrap"
        program = str(place / "usr" / "bin" / "bwrap")
        if not Path(program).exists():
            # Unpacked only: installing it would change the machine.
            say("fetching bubblewrap")
            place.mkdir(parents=True, exist_ok=True)
            bounds = ["-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=20"]
            _run(["apt-get", *bounds, "download", "bubblewrap"], place)
            _run(["dpkg-deb", "--extract", *map(str, place.glob("*.deb")), str(place)], place)
    reason = shells.trial(program)
    if reason:
        raise CannotError(reason)
    version = _output([program, "--version"]).rpartition(" ")[2]
    return Peer(name, what, version, partial(shells.wrapped, program))


def _monty(name: str, what: str, say: Say) -> Peer:
    python = _of_pypi("pydantic-monty", MONTY, say) / "bin" / "python"
    command = [str(python), str(HERE / "serve_monty.py")]
    return Peer(name, what, MONTY, partial(served, command, "python"))


def _capsule(name: str, what: str, say: Say) -> Peer:
    place = _of_pypi("capsule-run", CAPSULE, say)
    task = place / "task" / "task.wasm"
    if not task.exists():
        say("compiling the task of capsule")
        task.parent.mkdir(exist_ok=True)
        shutil.copyfile(HERE / "task_of_capsule.py", task.with_suffix(".py"))
        environ = {"PATH": f"{place / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(place)}
        _run(["capsule", "build", "task.py", "--export"], task.parent, environ)
        # It compiles once more when it first runs: that is no call's time.
        _run(["capsule", "exec", "task.wasm", "0"], task.parent, environ)
    command = [str(place / "bin" / "python"), str(HERE / "serve_capsule.py"), str(task)]
    return Peer(name, what, CAPSULE, partial(served, command, "python"))


def _just_bash(name: str, what: str, say: Say) -> Peer:
    place = _of_npm("just-bash", JUST_BASH, say)
    command = ["node", str(HERE / "serve_just_bash.mjs"), str(place)]
    return Peer(name, what, _with_node(JUST_BASH), partial(served, command, "script"))


def _quickjs(name: str, what: str, say: Say) -> Peer:
    place = _of_npm("quickjs-emscripten", QUICKJS, say)
    command = ["node", str(HERE / "serve_quickjs.mjs"), str(place)]
    return Peer(name, what, _with_node(QUICKJS), partial(served, command, "javascript"))


def _with_node(version: str) -> str:
    return f"{version}, Node {_output(['node', '--version']).lstrip('v')}"


def _of_pypi(package: str, version: str, say: Say) -> Path:
    """Return a virtual environment that has the package. Raises CannotError."""
    place = PEERS / f"{package}-{version}"
    if not (place / "ready").exists():
        say(f"installing {package} {version}")
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], HERE)
        install = [uv, "pip", "install", "--quiet", "--python", str(place / "bin" / "python")]
        _run([*install, f"{package}=={version}"], HERE)
        (place / "ready").touch()
    return place


def _of_npm(package: str, version: str, say: Say) -> Path:
    """Return a folder whose node_modules has the package. Raises CannotError."""
    place = PEERS / f"{package}-{version}"
    if not (place / "ready").exists():
        say(f"installing {package} {version}")
        place.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        install += ["--fetch-retries", "0", "--fetch-timeout", "20000"]
        _run([*install, "--prefix", str(place), f"{package}@{version}"], place)
        (place / "ready").touch()
    return place


def _run(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_INSTALL_SECONDS_MAX,
        )
    except FileNotFoundError as error:
        raise CannotError(f"{command[0]} is not here to install it") from error
    except subprocess.SubprocessError as error:
        raise CannotError("it could not be installed") from error


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip()
