"""Every case, through the tool `bash` as a model calls it; the slow half asks real bash too."""

from __future__ import annotations

import pytest
from tests.conformance.case import Case, load_all
from tests.conformance.play import Boxes, cannot_ask, complaint, real

ALL = load_all()


@pytest.mark.parametrize("case", ALL, ids=str)
def test_the_tool_does_what_the_case_says(boxes: Boxes, case: Case) -> None:
    got, stderr = boxes.play(case)
    problem = complaint(case, got, stderr, case.expected)
    assert not problem, problem


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL, ids=str)
def test_real_bash_does_what_the_case_says(case: Case) -> None:
    if why := cannot_ask(case):
        pytest.skip(why)
    got, stderr = real(case)
    problem = complaint(case, got, stderr, case.real or case.expected)
    assert not problem, problem
    assert case.real is None or got != case.expected, f"{case} no longer differs: {case.differs}"


def test_there_are_enough_cases() -> None:
    assert len(ALL) >= 600
