"""One worker's death, one call's rights and one parent's end concern nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import anyio
import pytest

from capbox.engine.session import Session
from capbox.engine.settings import Settings
from capbox.journal.head import Signer
from capbox.journal.verify import Closed, OpenPrefix, verify
from capbox.messages import ToolResult

OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]
START = "import sys; from capbox.app import main; sys.exit(main())"
PATIENCE_SECONDS = 60.0


def descendants(root: int) -> frozenset[int]:
    """Return the processes below `root`, however deep, without zombies."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    todo = [root]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return frozenset(found)


def parents() -> Iterator[tuple[int, int]]:
    """Yield (pid, parent) of every process that is not a zombie."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] not in "ZX":
            yield int(entry.parent.name), int(fields[1])


def leaves(root: int) -> frozenset[int]:
    """Return the workers below `root`: processes that have a parent there and no child."""
    below = descendants(root)
    having = {parent for _, parent in parents()}
    return frozenset(pid for pid in below if pid not in having)


async def until(there: Callable[[], bool]) -> bool:
    """Wait until something is so; False when it is not after a long time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not there() and time.monotonic() < deadline:  # noqa: ASYNC110
        await anyio.sleep(0.01)
    return there()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV], ids=lambda s: s.name)
async def test_the_death_of_a_worker_fails_its_own_call_and_no_other(
    how: signal.Signals, open_session: OpenSession, tmp_path: Path
) -> None:
    (tmp_path / "go").mkdir()
    results: dict[str, ToolResult] = {}

    async def call(session: Session, name: str) -> None:
        script = f": > go/{name}; while [ ! -e go/on ]; do sleep 0.02; done; echo {name}"
        results[name] = await session.call("bash", {"script": script})

    async with (
        open_session(Settings(workspace=tmp_path, writes=(".",))) as first,
        open_session(Settings(workspace=tmp_path, writes=(".",))) as second,
        anyio.create_task_group() as tasks,
    ):
        before = descendants(os.getpid())
        tasks.start_soon(call, first, "first")
        assert await until((tmp_path / "go" / "first").exists)
        workers = leaves(os.getpid()) - before
        assert len(workers) == 1
        tasks.start_soon(call, second, "second")
        assert await until((tmp_path / "go" / "second").exists)
        os.kill(next(iter(workers)), how)
        assert await until(lambda: "first" in results)
        (tmp_path / "go" / "on").touch()
        assert await until(lambda: "second" in results)
        tasks.start_soon(call, first, "third")
    assert [(r.ok, r.content) for r in (results["second"], results["third"])] == [
        (True, "second\n"),
        (True, "third\n"),
    ]
    assert results["first"].error is not None
    assert results["first"].error.code == "sandbox_failed"
    assert how.name in results["first"].error.message


def test_a_call_whose_worker_dies_exits_with_5(environment: dict[str, str], tmp_path: Path) -> None:
    with started("echo > here; sleep 60", tmp_path, environment) as parent:
        wait_for(tmp_path / "here")
        (worker,) = leaves(parent.pid)
        os.kill(worker, signal.SIGKILL)
        assert parent.wait(timeout=PATIENCE_SECONDS) == 5


async def test_64_concurrent_calls_of_different_authorities_see_only_their_own(
    open_session: OpenSession, tmp_path: Path
) -> None:
    names = [f"w{number:02}" for number in range(64)]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text(f"secret of {name}\n")
    results: dict[str, ToolResult] = {}

    async def call(session: Session, name: str, other: str) -> None:
        script = (
            f"cat secret; echo {name} > mine; cat ../{other}/secret {tmp_path}/{other}/secret; "
            "ls / /workspace /tmp /mnt; echo from > /tmp/scratch; cat mine"
        )
        results[name] = await session.call("bash", {"script": script})

    async with AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(
                open_session(Settings(workspace=tmp_path / name, writes=(".",)))
            )
            for name in names
        ]
        async with anyio.create_task_group() as tasks:
            for number, (name, session) in enumerate(zip(names, sessions, strict=True)):
                tasks.start_soon(call, session, name, names[number - 1])
    for name in names:
        seen = results[name]
        assert seen.content.startswith(f"secret of {name}\n"), seen
        assert seen.content.endswith(f"{name}\n"), seen
        assert not any(f"secret of {n}\n" in seen.content for n in names if n != name), seen
        places = {e.host_path for e in seen.effects if e.path.startswith("/workspace")}
        assert places and all(p and p.startswith(f"{tmp_path}/{name}") for p in places), seen
        assert sorted(p.name for p in (tmp_path / name).iterdir()) == ["mine", "secret"]
        assert (tmp_path / name / "mine").read_text() == f"{name}\n"


def test_the_death_of_the_parent_leaves_no_worker_and_an_open_prefix(
    environment: dict[str, str], capbox_home: Path, tmp_path: Path
) -> None:
    before = {v.run for v in judged(capbox_home)}
    with started("echo > here; sleep 60", tmp_path, environment) as parent:
        wait_for(tmp_path / "here")
        below = descendants(parent.pid)
        assert len(below) >= 2
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while alive(below) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert alive(below) == frozenset()
    left = [v for v in judged(capbox_home) if v.run not in before]
    assert [type(v) for v in left] == [OpenPrefix]


def test_a_parent_that_ends_by_itself_leaves_no_worker_and_a_closed_journal(
    environment: dict[str, str], capbox_home: Path, tmp_path: Path
) -> None:
    before = {v.run for v in judged(capbox_home)}
    with started("echo > here; sleep 1", tmp_path, environment) as parent:
        wait_for(tmp_path / "here")
        below = descendants(parent.pid)
        assert parent.wait(timeout=PATIENCE_SECONDS) == 0
        deadline = time.monotonic() + PATIENCE_SECONDS
        while alive(below) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert alive(below) == frozenset()
    left = [v for v in judged(capbox_home) if v.run not in before]
    assert [type(v) for v in left] == [Closed]


def started(script: str, workspace: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start one call on the command line."""
    command = [sys.executable, "-I", "-c", START, "call", "bash", f"script={script}"]
    return subprocess.Popen(
        [*command, "--write", ".", "--timeout", "60", "--json"],
        cwd=workspace,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.01)


def alive(pids: frozenset[int]) -> frozenset[int]:
    return pids & {pid for pid, _ in parents()}


def judged(home: Path) -> tuple[Closed | OpenPrefix, ...]:
    state = home / "state"
    return verify(state / "journal", Signer.load(state / "journal.key"))
