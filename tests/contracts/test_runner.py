"""What the gate may rely on, whatever runs a tool: the same suite for every `Runner`.

A new implementation adds a fixture to RUNNERS that builds a `Stand`.
"""

import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
import wasmtime

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.engine.replay.runner import ReplayRunner
from capbox.gate.runner import Runner
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.run import Sandbox, no_service
from capbox.sandbox.spec import Failed, Finished, Job, Module, Outcome, Stopped
from capbox.tools.functions.function import Function, function_of
from capbox.tools.functions.runner import FunctionRunner
from capbox.tools.loop.runner import LoopRunner
from capbox.tools.scripted import ScriptedRunner, reply
from capbox.tools.wasm import WasmRunner

# Copies standard input to standard output; the second module then traps, the third never ends.
WAT = """
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 4096))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    %s))
"""
ENDINGS = {"echo": "", "trap": "unreachable", "loop": "(loop $again (br $again))"}


@dataclass(frozen=True)
class Stand:
    """A runner, and jobs that it can run: one answers its request, one fails, one never ends.

    `asking` makes the request that the first answers with the same text, as `answered` has it.
    """

    runner: Runner
    echo: Job
    trap: Job
    loop: Job
    asking: Callable[[str], bytes] = str.encode
    answered: Callable[[str], Finished] = lambda text: Finished(text.encode())
    failed: type[Failed] | type[Finished] = Failed


def job(directory: Path, name: str) -> Job:
    """A job for the module `name`, without any rights."""
    wasm = bytes(wasmtime.wat2wasm(WAT % ENDINGS[name]))
    path, scratch = directory / f"{name}.wasm", directory / "scratch"
    path.write_bytes(wasm)
    scratch.mkdir(exist_ok=True)
    return Job(
        run="run-1",
        module=Module(HostPath(str(path)), sha256(wasm).hexdigest()),
        mounts=(),
        scratch=HostPath(str(scratch)),
        limits=Limits(),
        request=b"request",
        seed=b"s" * 32,
        started_ns=0,
    )


@asynccontextmanager
async def scripted(directory: Path) -> AsyncIterator[Stand]:
    """The public fake."""

    async def answer(job: Job) -> Outcome:
        await anyio.lowlevel.checkpoint()
        match Path(job.module.path).stem:
            case "echo":
                return Outcome(Finished(job.request))
            case "trap":
                return Outcome(Failed("unreachable"))
        await anyio.sleep_forever()
        raise AssertionError

    yield Stand(ScriptedRunner(answer), *(job(directory, name) for name in ENDINGS))


@asynccontextmanager
async def wasm(directory: Path) -> AsyncIterator[Stand]:
    """Real modules in real workers."""
    cache = directory / "cache"
    cache.mkdir(mode=0o700)
    compiled = CompileCache(HostPath(str(cache)), lambda line: None)
    async with Sandbox(compiled, probe()) as sandbox:
        yield Stand(WasmRunner(sandbox), *(job(directory, name) for name in ENDINGS))


@asynccontextmanager
async def functions(directory: Path) -> AsyncIterator[Stand]:
    """Functions of this program, whose failure is an answer that says so."""

    async def echo(text: str) -> str:
        """Echo."""
        return text

    def trap() -> str:
        """Fail."""
        raise ValueError("unreachable")

    async def loop() -> str:
        """Never end."""
        await anyio.sleep_forever()
        raise AssertionError

    made = [function_of(f, effect="none", sinks={}, timeout=9) for f in (echo, trap, loop)]
    known = {f.manifest.name: f for f in made if isinstance(f, Function)}

    def asking(text: str, tool: str = "echo") -> bytes:
        arguments = {"text": text} if tool == "echo" else {}
        return json.dumps({"tool": tool, "arguments": arguments}).encode()

    jobs = (replace(job(directory, name), request=asking("request", name)) for name in ENDINGS)
    yield Stand(FunctionRunner(known), *jobs, asking, reply, Finished)


@asynccontextmanager
async def of_the_loop(directory: Path) -> AsyncIterator[Stand]:
    """The same functions, as capbox's own ones are run."""
    async with functions(directory) as stand:
        assert isinstance(stand.runner, FunctionRunner)
        yield replace(stand, runner=LoopRunner(stand.runner._functions))


@asynccontextmanager
async def replayed(directory: Path) -> AsyncIterator[Stand]:
    """Real modules once more; nothing is on record, and no path leads elsewhere."""
    async with wasm(directory) as stand:
        assert isinstance(stand.runner, WasmRunner)
        yield replace(stand, runner=ReplayRunner(stand.runner.sandbox, lambda host: host))


RUNNERS = {
    "scripted": scripted,
    "wasm": wasm,
    "functions": functions,
    "loop": of_the_loop,
    "replayed": replayed,
}


@pytest.fixture(params=RUNNERS)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """Each runner in turn."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(RUNNERS[request.param](tmp_path))


def unexpected(outcome: Outcome) -> None:
    """What is called when a job is cancelled that nobody cancelled."""
    raise AssertionError(outcome)


async def test_a_job_gets_its_request_and_its_output_is_returned(stand: Stand) -> None:
    outcome = await stand.runner.run(stand.echo, unexpected, no_service)
    assert outcome.end == stand.answered("request")


async def test_a_failure_is_an_outcome_and_the_next_job_works(stand: Stand) -> None:
    outcome = await stand.runner.run(stand.trap, unexpected, no_service)
    assert isinstance(outcome.end, stand.failed) and b"unreachable" in repr(outcome.end).encode()
    again = await stand.runner.run(stand.echo, unexpected, no_service)
    assert again.end == stand.answered("request")


async def test_jobs_side_by_side_never_see_each_others_requests(stand: Stand) -> None:
    outputs: dict[int, Outcome] = {}

    async def one(number: int) -> None:
        mine = replace(stand.echo, run=f"run-{number}", request=stand.asking(f"request {number}"))
        outputs[number] = await stand.runner.run(mine, unexpected, no_service)

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)
    assert {n: o.end for n, o in outputs.items()} == {
        n: stand.answered(f"request {n}") for n in range(8)
    }


async def test_stopping_a_run_ends_its_jobs_as_revoked(stand: Stand) -> None:
    ends: list[Outcome] = []

    async def one() -> None:
        ends.append(await stand.runner.run(stand.loop, unexpected, no_service))

    async def stop() -> None:
        while not ends:
            stand.runner.stop_run("another")
            stand.runner.stop_run("run-1")
            await anyio.wait_all_tasks_blocked()
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(stop)
    assert [o.end.bound for o in ends if isinstance(o.end, Stopped)] == ["revoked"]


async def test_stopping_another_run_ends_nothing(stand: Stand) -> None:
    stand.runner.stop_run("another")
    again = await stand.runner.run(stand.echo, unexpected, no_service)
    assert again.end == stand.answered("request")


async def test_a_cancelled_job_reports_what_had_happened(stand: Stand) -> None:
    cut: list[Outcome] = []
    started = anyio.Event()

    async def one() -> None:
        started.set()
        with anyio.CancelScope() as mine:
            scopes.append(mine)
            await stand.runner.run(stand.loop, cut.append, no_service)

    scopes: list[anyio.CancelScope] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await started.wait()
        await anyio.wait_all_tasks_blocked()
        scopes[0].cancel()
    # At most: a job that was cancelled before it started has nothing to report.
    assert len(cut) <= 1 and all(isinstance(o.end, Stopped) for o in cut)
    again = await stand.runner.run(stand.echo, unexpected, no_service)
    assert again.end == stand.answered("request")


async def test_no_descriptor_is_left_when_a_job_has_ended(stand: Stand) -> None:
    await stand.runner.run(stand.echo, unexpected, no_service)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        await stand.runner.run(stand.echo, unexpected, no_service)
    assert len(os.listdir("/proc/self/fd")) == before
