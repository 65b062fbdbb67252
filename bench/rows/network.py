"""The network: one small request, a large download to a granted file, and a decision.

Beside them `curl` as a process, which is what an agent without a box would start, and httpx2 within
this process.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from bench.clock import IDLE_SECONDS, Act, in_turns
from bench.row import Row, Rows, done
from bench.web import LARGE_BYTES, serving
from capbox import app
from capbox.authority.decision import Allowed, Standing
from capbox.authority.limits import MB, Limits
from capbox.authority.web.places import FetchAccess, Origin
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.engine.principal import resolve
from capbox.engine.settings import Settings

GRANTS = 100
DECISIONS = 200
CURL = "curl"
_LIMITS = Limits(body_bytes=200 * MB, written_bytes=200 * MB)


async def network(engine: LocalEngine, workspace: Path, rounds: int, few: int) -> Rows:
    """Measure through tool, worker and broker, against a server of our own on loopback."""
    with serving() as port:
        at = f"http://127.0.0.1:{port}"
        grants = (f"fetch:{at}", "write:/workspace")
        async with (
            Box(workspace=workspace, grants=grants, limits=_LIMITS, engine=engine) as box,
            httpx2.AsyncClient(trust_env=False) as client,
        ):
            found = await _small(box, client, f"{at}/1k", rounds)
            found |= await _large(box, workspace, f"{at}/100m", few)
    return found | await _matching(workspace, rounds)


async def _small(box: Box, client: httpx2.AsyncClient, url: str, rounds: int) -> Rows:
    async def fetch(_number: int) -> None:
        done(await box.call("fetch", url=url, format="raw"))

    async def inside(_number: int) -> None:
        (await client.get(url)).raise_for_status()

    acts: dict[str, Act] = {"fetch": fetch, "httpx2": inside, **_curl(url, "/dev/null")}
    for act in acts.values():
        await act(0)
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    return {
        "http_get": Row(
            value=taken["fetch"] * 1e3,
            unit="ms",
            ratio=_ratio(taken, "fetch"),
            what="fetch of 1 KB from loopback, after an idle pause",
            against=CURL,
            peers={name: taken[name] * 1e3 for name in (CURL, "httpx2") if name in taken},
        )
    }


async def _large(box: Box, workspace: Path, url: str, rounds: int) -> Rows:
    async def fetch(number: int) -> None:
        done(await box.call("fetch", url=url, format="raw", save_to=f"large-{number}.bin"))
        (workspace / f"large-{number}.bin").unlink()

    acts: dict[str, Act] = {"fetch": fetch, **_curl(url, str(workspace / "large.bin"))}
    taken = await in_turns(acts, rounds, IDLE_SECONDS)
    (workspace / "large.bin").unlink(missing_ok=True)
    megabytes = LARGE_BYTES / MB
    return {
        "http_save": Row(
            value=megabytes / taken["fetch"],
            unit="MB/s",
            ratio=_ratio(taken, "fetch"),
            what="100 MB from loopback to a granted file",
            against=CURL,
            peers={CURL: megabytes / taken[CURL]} if CURL in taken else {},
        )
    }


async def _matching(workspace: Path, rounds: int) -> Rows:
    """One decision among a hundred grants, of which the last one allows."""
    settings = Settings(workspace=workspace, grants=_grants())
    authority = app.mint(resolve(settings), settings, ())
    access = FetchAccess("GET", Origin("https", f"host{GRANTS - 1}.example", 443), "/v1/x")
    standing = Standing(now=time.time())

    async def decide(_number: int) -> float:
        started = time.perf_counter()
        for _ in range(DECISIONS):
            decision = authority.decide(access, standing)
        seconds = time.perf_counter() - started
        if not isinstance(decision, Allowed):
            raise RuntimeError(f"the decision that is measured is a refusal: {decision}")
        return seconds / DECISIONS

    taken = await in_turns({"decide": decide}, rounds, 0)
    what = f"one decision on a request, among {GRANTS} grants"
    return {"http_match": Row(taken["decide"] * 1e6, "us", None, what)}


def _grants() -> tuple[str, ...]:
    return tuple(f'fetch:"GET https://host{n}.example/v1/*"' for n in range(GRANTS))


def _curl(url: str, target: str) -> dict[str, Act]:
    """Return curl as a process, where there is one."""
    program = shutil.which(CURL)
    if program is None:
        return {}

    async def act(_number: int) -> None:
        command = [program, "-q", "-sS", "--noproxy", "*", "-o", target, url]
        subprocess.run(command, check=True)  # noqa: ASYNC221 - nothing runs beside it

    return {CURL: act}


def _ratio(taken: Mapping[str, float], name: str) -> float | None:
    return taken[name] / taken[CURL] if CURL in taken else None
