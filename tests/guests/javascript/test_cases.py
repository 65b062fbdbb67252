"""Programs print what they print in Node; the slow half asks Node itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.guests.javascript.case import Case, cannot_ask, furnish, load_all, node_prints

from capbox.box import Box
from capbox.engine.local import LocalEngine

ALL = load_all()


@pytest.fixture
async def box(engine: LocalEngine, place: Path) -> AsyncIterator[Box]:
    """A box that may write its workspace."""
    async with Box(workspace=place, grants=("write:/workspace",), engine=engine) as opened:
        yield opened


@pytest.mark.parametrize("case", ALL, ids=str)
async def test_a_program_prints_what_it_prints_in_node(box: Box, place: Path, case: Case) -> None:
    furnish(place, case)
    result = await box.call("javascript", code=case.code)
    assert result.data is not None and result.data["exit_code"] == 0, result.content
    assert result.data["stdout"] == case.stdout


@pytest.mark.slow
@pytest.mark.parametrize("case", [case for case in ALL if case.differs is None], ids=str)
def test_node_prints_what_the_case_says(case: Case) -> None:
    if why := cannot_ask():
        pytest.skip(why)
    assert node_prints(case) == case.stdout


def test_a_case_that_is_not_node_s_says_why() -> None:
    assert all(case.stdout for case in ALL)
    assert all(case.differs != "" for case in ALL)
