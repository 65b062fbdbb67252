"""Calls of the tool `python`, replayed: clock, chance, files and refusals are as they were."""

from __future__ import annotations

from tests.engine.conftest import OpenSession
from tests.engine.replay.conftest import Replay
from tests.engine.replay.test_replaying import states

PROGRAMS = (
    "import time, random, os, uuid, secrets\n"
    "print(time.time_ns(), random.random(), os.urandom(8), uuid.uuid4(), secrets.token_hex(4))",
    "print({'b', 'a', 'c'}, [hash(x) for x in ('a', b'a', 1.5)], id(object()))",
    "open('a.txt', 'w').write('one'); open('/tmp/t', 'w').write('two')\nimport os; os.mkdir('d')",
    "import os; print(open('a.txt').read(), open('/tmp/t').read(), sorted(os.listdir()))",
    "open('/etc/passwd')",
    "import asyncio\nfor d in (0.01, 0.02): await asyncio.sleep(d)\nimport time; time.monotonic()",
    "1 / 0",
)


async def test_programs_replay_as_they_ran(open_session: OpenSession, replay: Replay) -> None:
    async with open_session("write:/workspace") as session:
        for program in PROGRAMS:
            assert (await session.call("python", {"code": program})).ok
    report = await replay(session.calls_run)
    assert states(report) == [("python", "identical")] * len(PROGRAMS)
    assert report.identical
