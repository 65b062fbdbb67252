"""Every bound of a call ends it, by name, through the real toolbox; the next call works.

The bound must be the worker's own: if the parent had to kill a worker, the message would say so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from capbox.authority.limits import MB, Limits
from capbox.engine.session import Session
from capbox.engine.settings import Settings

Command = Callable[..., CompletedProcess[str]]
OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]


PARENT_KILLED_IT = "was killed"


@dataclass(frozen=True, slots=True)
class Flood:
    """A script that goes too far, and the bound that must end it."""

    script: str
    code: str
    flags: tuple[str, ...] = ()


FLOODS = {
    "an endless loop": Flood("while :; do :; done", "time"),
    "a long sleep": Flood("sleep 3600", "time"),
    "a pipe that never ends": Flood("yes | cat > /dev/null", "time"),
    "endless recursion": Flood("f() { f; }; f", "stack"),
    "a memory bomb": Flood("x=0123456789abcdef; while :; do x=$x$x; done", "memory"),
    "an output flood": Flood("yes", "output"),
    "a file flood": Flood(
        "i=0; while [ $i -lt 400 ]; do : > f$i; i=$((i+1)); done",
        "files_created",
        ("--limit", "files_created=100"),
    ),
    "a write flood": Flood(
        "while :; do head -c 1000000 /dev/zero; done > big",
        "written",
        ("--limit", "written_bytes=8000000"),
    ),
    "too many instructions": Flood("while :; do :; done", "fuel", ("--fuel", "50000000")),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_is_stopped_by_its_bound(name: str, capbox: Command, tmp_path: Path) -> None:
    flood = FLOODS[name]
    done = capbox(
        "call", "bash", f"script={flood.script}", "--write", ".", "--timeout", "1", "--json",
        *flood.flags, cwd=tmp_path,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"], result["error"]["code"]) == (4, False, flood.code)
    assert PARENT_KILLED_IT not in result["error"]["message"]


@pytest.mark.slow
async def test_after_each_flood_the_next_call_of_the_same_session_works(
    open_session: OpenSession, tmp_path: Path
) -> None:
    limits = Limits(wall_seconds=0.5, written_bytes=8 * MB, files_created=100)
    settings = Settings(workspace=tmp_path, writes=(".",), limits=limits)
    async with open_session(settings) as session:
        for flood in FLOODS.values():
            await session.call("bash", {"script": flood.script})
            after = await session.call("bash", {"script": "echo well"})
            assert (after.ok, after.content) == (True, "well\n")


async def test_a_fifo_is_refused_and_not_waited_for(
    open_session: OpenSession, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "plain").write_text("text\n")
    async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
        found = {
            use: await session.call("bash", {"script": script})
            for use, script in {
                "read": "cat pipe",
                "write": "echo x > pipe",
                "plain": "cat plain",
            }.items()
        }
        page = await session.call("read", {"path": "pipe"})
    assert {use: (one.data or {})["exit_code"] for use, one in found.items()} == {
        "read": 1,
        "write": 1,
        "plain": 0,
    }
    assert [d.reason for use in ("read", "write") for d in found[use].denied] == [
        "not a regular file or directory",
        "not a regular file or directory",
    ]
    assert page.error is not None
    assert page.error.code == "not_a_file"


FILLS_SCRATCH = {
    "seq": "seq 100 > /tmp/f",
    "sort": "seq 100 | sort -o /tmp/f",
    "awk": "seq 100 | awk '{print > \"/tmp/f\"}'",
    "sed": "seq 100 | sed -n 'w /tmp/f'",
    "tee": "seq 100 | tee /tmp/f > /dev/null",
    "uniq": "seq 100 | uniq - /tmp/f",
    "shuf": "shuf -i 1-100 -o /tmp/f",
    "cp": "cp big /tmp/f",
    "echo": "echo $(seq 100) > /tmp/f",
    "printf": "printf '%0200d' 1 > /tmp/f",
}


@pytest.mark.parametrize("name", FILLS_SCRATCH)
async def test_a_full_scratch_is_an_error_of_the_command_that_fills_it(
    name: str, open_session: OpenSession, tmp_path: Path
) -> None:
    (tmp_path / "big").write_text("x" * 200)
    seen = []
    for limits in (Limits(tmp_bytes=100), Limits()):
        settings = Settings(workspace=tmp_path, reads=(".",), limits=limits)
        async with open_session(settings) as session:
            result = await session.call("bash", {"script": FILLS_SCRATCH[name]})
            code = (result.data or {})["exit_code"]
            seen.append((code != 0, f"{name}: " in result.content, "No space" in result.content))
    assert seen == [(True, True, True), (False, False, False)]
