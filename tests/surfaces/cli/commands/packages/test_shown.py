"""What a person reads before they say yes: every line of it can be read."""

from __future__ import annotations

from pathlib import Path

from tests.tools.packages.making import manifest, packed

from capbox.gate.manifest import parse_request
from capbox.surfaces.cli.commands.packages.shown import compared, requested
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
