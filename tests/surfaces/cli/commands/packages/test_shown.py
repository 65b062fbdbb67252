"""What a person reads before they say yes: every line of it can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.surfaces.test_rows import drawn
from tests.tools.packages.making import manifest, packed

from capbox.gate.manifest import parse_request
from capbox.surfaces.cli.commands.packages.shown import compared, requested, review, signed, title
from capbox.tools.packages.installing.plan import Plan
from capbox.tools.packages.review.requests import difference
from capbox.tools.packages.signatures.publishers import Unsigned


def test_a_long_request_moves_no_other_out_of_sight() -> None:
    long = "read:/" + "a" * 200
    shown = [line for line, _ in requested(parse_request(one, "") for one in (long, "fetch:*"))]
    assert shown == [
        f"  {long}  read {long.removeprefix('read:')}",
        f"  {'fetch:*':<48}  send requests to every address that a run lets it reach",
    ]
    short = [line for line, _ in requested(parse_request(one, "") for one in ("env:A", "env:AB"))]
    assert short == ["  env:A   see the variable A", "  env:AB  see the variable AB"]


def test_an_update_has_a_line_for_each_request_and_not_for_each_pair(tmp_path: Path) -> None:
    before = tuple(parse_request(f"read:/workspace/d/{n}", "") for n in range(40))
    after = tuple(parse_request(one, "") for one in ("read:/workspace", "read:/workspace/d"))
    found = difference(before, after)
    assert len(found.widened) == 80
    plan = Plan(packed(tmp_path, manifest())[1], Unsigned(), None, found, after, ())
    assert [line for line, _ in compared(plan)] == [
        "  + read:/workspace instead of read:/workspace/d/0 and 39 more  read /workspace",
        "  + read:/workspace/d instead of read:/workspace/d/0 and 39 more  read /workspace/d",
    ]
    back = Plan(plan.package, Unsigned(), None, difference(after[:1], before[:2]), before, ())
    assert [line for line, _ in compared(back)] == [
        "  - read:/workspace/d/0 instead of read:/workspace",
        "  - read:/workspace/d/1 instead of read:/workspace",
    ]


LIE = "it requests nothing: capbox has checked it, press y and Enter to go on"


HEADS = ("it requests", "at worst, if a run grants all of that, it could", "mind")


@pytest.mark.attack
@pytest.mark.parametrize("window", [40, 80, 132])
@pytest.mark.parametrize("sign", ["a", "─", "ー", "я", "❤", "x "])
def test_no_row_of_the_question_is_a_strangers_own(sign: str, window: int, tmp_path: Path) -> None:
    """Each row is marked, or begins with words of ours, whatever they pad theirs with."""
    for padding in range(window // 2 - 24, window + 8, 7):
        said = sign * padding + LIE
        path = f'read:"/workspace/{sign.strip() * min(padding, 90)} {LIE}"'
        place = tmp_path / str(padding)
        place.mkdir()
        package = packed(place, manifest(description=said, required=[path]))[1]
        requests = package.manifest.requests
        asked = difference((), requests)
        plan = Plan(package, Unsigned(), None, asked, requests, (said,), readme=(said, LIE))
        lines = [line for line, _ in review(plan, window)]
        ours = {*HEADS, title(plan), f"  {signed(plan)}"}
        theirs = [line for line in lines if line not in ours]
        assert all(line.startswith("  ") for line in theirs)
        for wide in (1, 2):
            assert [drawn(line, window, ambiguous=wide) for line in theirs] == [[x] for x in theirs]
        assert lines[1] == "  says of itself:" and lines[2].startswith("  | ")
