"""How soon a run tells the first piece of a reply after the provider's first byte has left.

With the provider's real library over loopback. The clock is the machine's, which both sides read.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.clock import IDLE_SECONDS, Act, in_turns, yardstick
from bench.row import Rows, timed
from capbox.agent.events import RunFinished, TextDelta
from capbox.agent.outcome import Completed
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.models.model import Model
from capbox.models.open import ModelSpecError, open_model

ROOT = Path(__file__).resolve().parents[3]
MODELS = {
    "first_event": ("anthropic/claude-haiku-4-5", ""),
    "first_event_openai": ("openai/gpt-5-mini", "/v1"),
}


async def first_event(engine: LocalEngine, workspace: Path, rounds: int) -> Rows:
    """Measure whole runs of one reply, a library after the other in turns."""
    async with Box(workspace=workspace, engine=engine) as box:
        with _provider() as (url, times):
            acts = {
                name: _asking(box, _opened(spec, url + path), times)
                for name, (spec, path) in MODELS.items()
            }
            for act in acts.values():  # which load their library first
                await act(0)
            taken = await in_turns({"bash": yardstick, **acts}, rounds, IDLE_SECONDS)
    what = "from the first byte of a streamed reply to the first event of its run with text, by"
    return {
        name: timed(taken, name, f"{what} the library of {spec.partition('/')[0]}")
        for name, (spec, _) in MODELS.items()
    }


def _opened(spec: str, url: str) -> Model:
    model = open_model(spec, base_url=url, api_key="sk-bench-0123456789")
    if isinstance(model, ModelSpecError):
        raise TypeError(str(model))
    return model


def _asking(box: Box, model: Model, times: IO[str]) -> Act:
    async def act(_number: int) -> float:
        heard = await _heard(box, model)
        return heard - float(times.readline())

    return act


async def _heard(box: Box, model: Model) -> float:
    heard = 0.0
    finished = None
    async for event in box.run("say it", model=model):
        if isinstance(event, TextDelta) and not heard:
            heard = time.perf_counter()
        finished = event
    if not isinstance(finished, RunFinished) or finished.outcome != Completed() or not heard:
        raise RuntimeError(f"the run that is measured failed: {finished}")
    return heard


@contextmanager
def _provider() -> Iterator[tuple[str, IO[str]]]:
    """Start the provider; yield its address, and where it says when first bytes left."""
    command = [sys.executable, "-m", "bench.rows.conversation.provider"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as provider:
        if provider.stdin is None or provider.stdout is None:
            raise RuntimeError("the provider has no pipes")
        yield provider.stdout.readline().strip(), provider.stdout
        provider.stdin.close()
