"""A flag is advised for what a call named, not for what a `..` seemed to name."""

from __future__ import annotations

import io

import pytest

from capbox.messages import Denial
from capbox.surfaces.cli.denials import climbed, show_denials
from capbox.surfaces.cli.screen import Screen


@pytest.mark.parametrize(
    ("script", "path", "is_climbed"),
    [
        ("cat ../tour/x", "/tour/x", True),
        ("cd ..; cat tour/x", "/tour/x", True),
        ("cat <../tour/x", "/tour/x", True),
        ("cat $'../tour/x'", "/tour/x", True),
        ("..", "/", True),
        ("cat a/../../tour/x", "/tour/x", True),
        ("cat /tour/x", "/tour/x", False),
        ("cat /tour/x ../a", "/tour/x", False),
        ("cat /mnt/tour/x ../tour/x", "/tour/x", True),
        ("cat ../workspace/a", "/workspace/a", False),
        ("cat tour/x", "/tour/x", False),
        ("echo {1..3} a..b ...; cat tour/x", "/tour/x", False),
    ],
)
def test_what_climbed(script: str, path: str, is_climbed: bool) -> None:
    one = Denial(f"read {path}", "no grant covers it", f"read:{path}", f"--read {path}")
    assert climbed({"script": script, "limit": 3}, [one]) == ((one,) if is_climbed else ())


@pytest.mark.parametrize(
    ("reason", "flag", "last"),
    [
        ("no grant covers it", "--fetch URL", "to allow it, add: --fetch URL"),
        (
            "the run has read confidential data (secret:/workspace/.env): fetch:URL public",
            None,
            "to send it all the same, send before that is read, or leave that out",
        ),
    ],
)
def test_what_a_label_keeps_in_is_not_let_out_by_advice(
    reason: str, flag: str | None, last: str
) -> None:
    err = io.StringIO()
    denied = [Denial("fetch GET URL", reason, "fetch:URL", flag)]
    show_denials(denied, Screen(io.StringIO(), err, {}))
    assert err.getvalue().splitlines() == [f"denied: fetch GET URL: {reason}", last]
