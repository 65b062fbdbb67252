"""What a tool reads for the run labels its result; what it did not read labels nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.authority.values.label import Source
from capbox.sandbox.run import no_service
from capbox.sandbox.spec import Job, Module
from capbox.tools.loop.offer import loop_tool
from capbox.tools.loop.runner import LoopRunner
from capbox.tools.loop.told import Told, Unable

pytestmark = pytest.mark.anyio
STRANGER = frozenset({Source("web", "https://a.example")})
JOB = Job(
    run="r",
    module=Module(HostPath(""), ""),
    mounts=(),
    scratch=HostPath("/tmp"),
    limits=Limits(),
    request=b"",
    seed=b"s" * 32,
    started_ns=0,
)


async def recall(query: str) -> Told | Unable:
    """Look something up."""
    found = Told("what a page said", {"count": 1}, STRANGER)
    return found if query == "known" else Unable("not_found", "nothing")


@pytest.mark.parametrize(("query", "sources"), [("known", STRANGER), ("other", frozenset())])
async def test_a_result_has_the_sources_that_its_tool_names(query: str, sources: object) -> None:
    runner = LoopRunner({"recall": loop_tool(recall)})
    request = json.dumps({"tool": "recall", "arguments": {"query": query}}).encode()
    outcome = await runner.run(replace(JOB, request=request), lambda cut: None, no_service)
    assert (outcome.sources, outcome.touched) == (sources, ())
    assert outcome.spent.wall_ms >= 1
