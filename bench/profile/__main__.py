"""Where the time of one call goes: `python -m bench.profile read_1k|echo|gate|... [--calls N]`.

Prints three tables. The way of a call, from moments noted in parent and worker: means over the
calls in the middle half, so that the parts add up. The host functions of one guest. The parent's
functions by their own time, from cProfile over calls of their own, since it slows what it measures.

    python -m bench.profile echo                    after an idle pause, as an agent calls
    python -m bench.profile gate --idle-ms 0        without a guest, back to back
    python -m bench.profile glob                    or any other row of work

Does not: change how a call is made. Functions are wrapped by name; when one has got another name
its row is missing, and the time goes to the row after it.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count, pairwise
from pathlib import Path
from statistics import fmean, median
from time import monotonic_ns
from typing import Any

import anyio

from bench.memory import children, zygotes
from bench.row import done
from bench.rows.calls import without_guest
from bench.suites import engine_at
from bench.tasks import ECHO, LANGUAGES, LARGE, LOOPS, READ, SMALL
from bench.workspace import Sizes, large, small
from capbox.box import Box
from capbox.gate.gate import Gate
from capbox.journal.log import RunJournal
from capbox.messages import JsonObject
from capbox.sandbox.channel import Channel
from capbox.sandbox.handles import ZygoteHandle
from capbox.sandbox.process import wire
from capbox.sandbox.run import Sandbox

WARM_CALLS = 10
TASKS = {task.name: task for task in (READ, ECHO, *SMALL, *LANGUAGES, *LOOPS, *LARGE)}
HEAVY = {task.name for task in LARGE}
ZYGOTE = Path(__file__).with_name("marked_zygote.py")

# The moments of a call in their order, each with what has happened since the one before it. A name
# with ":" is when a function was entered, without when it returned.
WAY = (
    ("call:", ""),
    ("Gate.call:", "parent: the box, until the gate is asked"),
    ("RunJournal.append:1", "parent: the gate checks, decides, cuts rights"),
    ("RunJournal.append1", "parent: the intent is journalled"),
    ("Sandbox.call:", "parent: from the journal to the sandbox"),
    ("Channel.send:", "parent: the sandbox finds a worker, builds the request"),
    ("packed", "parent: packs the request"),
    ("readable", "it is sent, and the worker wakes"),
    ("received", "worker: receives and parses the request"),
    ("begin", "worker: arms the bounds"),
    ("finish:", "worker: the guest runs, host functions included"),
    ("finish", "worker: the host closes and counts"),
    ("report packed", "worker: packs the report"),
    ("Channel.receive", "it is sent, the parent wakes and parses it"),
    ("Sandbox.call", "parent: the sandbox reads the effects, keeps the worker"),
    ("RunJournal.append:2", "parent: the gate concludes"),
    ("RunJournal.append2", "parent: the outcome is journalled"),
    ("Gate.call", "parent: the gate keeps state and counts repetitions"),
    ("call", "parent: the box returns"),
)


class Moments:
    """When the wrapped functions of this process were entered and left, during one call."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self._times: dict[str, int] = {}

    def restart(self) -> None:
        """Forget the last call."""
        self.at, self._times = {}, {}

    def wrap(self, owner: type, name: str, *, asynchronous: bool, numbered: bool = False) -> None:
        """Note each call of a method; `numbered` ones happen several times."""
        real = getattr(owner, name, None)
        label = f"{owner.__name__}.{name}"
        if real is None:
            return

        @contextmanager
        def noted() -> Iterator[None]:
            number = self._times[label] = self._times.get(label, 0) + 1
            suffix = str(number) if numbered else ""
            self.at[f"{label}:{suffix}"] = monotonic_ns()
            yield
            self.at[f"{label}{suffix}"] = monotonic_ns()

        async def later(*given: Any, **named: Any) -> Any:
            with noted():
                return await real(*given, **named)

        def at_once(*given: Any, **named: Any) -> Any:
            with noted():
                return real(*given, **named)

        setattr(owner, name, later if asynchronous else at_once)

    def wrap_pack(self) -> None:
        """Note when a frame is ready; it may arrive before the call that sends it returns."""
        real = wire.pack

        def pack(header: JsonObject, body: bytes = b"") -> bytes:
            packed = real(header, body)
            self.at["packed"] = monotonic_ns()
            return packed

        wire.pack = pack


def main() -> int:
    """Profile one kind of call and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", choices=(*TASKS, "gate"))
    parser.add_argument("--calls", type=int, help="calls for each table (300; of heavy work 15)")
    parser.add_argument("--idle-ms", type=float, default=8, help="pause before each call (8)")
    parser.add_argument("--top", type=int, default=25, help="functions of the parent (25)")
    options = parser.parse_args()
    options.calls = options.calls or (15 if options.what in HEAVY else 300)
    with tempfile.TemporaryDirectory(prefix="capbox-profile-") as place:
        anyio.run(_profile, options, Path(place))
    return 0


async def _profile(options: argparse.Namespace, place: Path) -> None:
    moments, lines = Moments(), place / "worker.jsonl"
    if options.what != "gate":
        _mark_zygotes(lines)
    async with _calling(options.what, place) as call:

        async def one() -> None:
            await anyio.sleep(options.idle_ms / 1000)
            moments.restart()
            moments.at["call:"] = monotonic_ns()
            await call()
            moments.at["call"] = monotonic_ns()

        profiler = cProfile.Profile()
        for _ in range(WARM_CALLS):
            await one()
        for _ in range(options.calls):
            await anyio.sleep(options.idle_ms / 1000)
            profiler.enable()
            await call()
            profiler.disable()
        _wrap_all(moments)
        taken: list[dict[str, int]] = []
        # One more than is used: a worker writes the line of a call when the next one arrives.
        faults = _faults()
        for _ in range(options.calls + 1):
            await one()
            taken.append(moments.at)
        faults = (_faults() - faults) // len(taken)
    workers = _lines(lines, taken)
    pairs = zip(taken[:-1], workers, strict=True)
    _print_way(options, [{**at, **line.get("at", {})} for at, line in pairs])
    _print_functions(workers)
    if workers[0]:
        print(f"\npage faults of the worker: {faults} a call, the next guest's start included")
    print("\nparent, by own time (cProfile, which makes calls dearer than they are):")
    stats = pstats.Stats(profiler, stream=sys.stdout)
    stats.strip_dirs().sort_stats("tottime").print_stats(options.top)


@asynccontextmanager
async def _calling(what: str, place: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Open a box, and give the call that is profiled."""
    task, workspace = TASKS.get(what, READ), place / "workspace"
    if task in (READ, ECHO):
        small(workspace)
    else:
        large(workspace, Sizes())
    task.prepare(workspace, ["capbox"])
    numbers = count()
    async with engine_at(place / "home") as engine:
        if what == "gate":
            without_guest(engine)
        async with Box(workspace=workspace, preset="edit", engine=engine) as box:

            async def call() -> None:
                filled = task.filled(next(numbers), "capbox")
                done(await box.call(filled.tool, **filled.arguments))

            yield call


def _wrap_all(moments: Moments) -> None:
    moments.wrap(Gate, "call", asynchronous=True)
    moments.wrap(RunJournal, "append", asynchronous=False, numbered=True)
    moments.wrap(Sandbox, "call", asynchronous=True)
    moments.wrap(Channel, "send", asynchronous=True)
    moments.wrap_pack()
    moments.wrap(Channel, "receive", asynchronous=True)


def _mark_zygotes(lines: Path) -> None:
    """Let zygotes be started that note the moments of their workers in the file `lines`."""
    file = os.open(lines, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    popen: Callable[..., Any] = subprocess.Popen

    def started(command: Sequence[str], **named: Any) -> Any:
        if "capbox.sandbox.process.zygote" not in command:
            return popen(command, **named)
        at = command.index("-m")
        marked = [*command[:at], str(ZYGOTE), str(file), *command[at + 2 :]]
        return popen(marked, **{**named, "pass_fds": [*named["pass_fds"], file]})

    module: Any = sys.modules[ZygoteHandle.__module__]
    module.subprocess.Popen = started


def _lines(file: Path, taken: list[dict[str, int]]) -> list[dict[str, Any]]:
    """Return the worker's line of each call, found by its time; the last call has none."""
    text = file.read_text() if file.exists() else ""
    found = [json.loads(line) for line in text.splitlines()]
    return [
        next((f for f in found if at["call:"] < f["at"]["received"] < at["call"]), {})
        for at in taken[:-1]
    ]


def _print_way(options: argparse.Namespace, calls: list[dict[str, int]]) -> None:
    names = [name for name, _ in WAY if sum(name in at for at in calls) > len(calls) / 2]
    whole = sorted((at for at in calls if at.keys() >= set(names)), key=_total)
    middle = whole[len(whole) // 4 : -(len(whole) // 4) or None]
    pause = f"after {options.idle_ms:g} ms of idling" if options.idle_ms else "back to back"
    total = fmean(map(_total, middle)) / 1000
    print(f"{options.what}, {len(calls)} calls {pause}: {total:.0f} us")
    for before, name in pairwise(names):
        spent = fmean(at[name] - at[before] for at in middle) / 1000
        print(f"  {spent:8.0f} us  {dict(WAY)[name]}")
    if "report packed" in names:
        ahead = median(at["parked"] - at["reported"] for at in middle) / 1000
        made = median(at["instantiate"] - at["instantiate:"] for at in middle) / 1000
        print(f"  beside it {ahead:.0f} us in the worker, from its report until the next guest is")
        print(f"  parked, of which instantiating it {made:.0f} us")


def _faults() -> int:
    """Return the page faults of all workers so far; /proc is all that tells it without a wall."""
    pids = [pid for zygote in zygotes() for pid in children(zygote)]
    texts = (Path(f"/proc/{pid}/stat").read_text() for pid in pids)
    return sum(int(text.rpartition(")")[2].split()[7]) for text in texts)


def _total(at: dict[str, int]) -> int:
    return at["call"] - at["call:"]


def _print_functions(workers: list[dict[str, Any]]) -> None:
    for key, what in (("functions", "of one call"), ("ahead", "of a guest before its request")):
        some = [line[key] for line in workers if line]
        names = {name for functions in some for name in functions}
        if not names:
            continue
        total = median(sum(spent for _, spent in f.values()) for f in some) / 1000
        print(f"\nhost functions {what}: {total:.0f} us")
        means = {n: [median(f.get(n, (0, 0))[i] for f in some) for i in (0, 1)] for n in names}
        for name, (calls, spent) in sorted(means.items(), key=lambda item: -item[1][1]):
            print(f"  {spent / 1000:8.0f} us  {calls:4.0f} x {name}")


if __name__ == "__main__":
    sys.exit(main())
