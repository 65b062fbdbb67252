"""A flag is advised for what a call named, not for what a `..` seemed to name."""

from __future__ import annotations

import pytest

from capbox.messages import Denial
from capbox.surfaces.cli.denials import climbed


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
