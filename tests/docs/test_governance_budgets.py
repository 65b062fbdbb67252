"""docs/governance-budgets.md is true: its examples are executed, its table is asked of the code."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.docs.test_governance_control import environ, run  # noqa: F401 (a fixture)

from capbox.authority.budget import Budget
from capbox.gate.seat import REPEATS_REFUSED, REPEATS_WARNED

PAGE = text_of("governance-budgets.md")


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(
    tmp_path: Path,
    environ: Mapping[str, str],  # noqa: F811
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "a.txt").write_text("a\n")
    config = Path(environ["CAPBOX_HOME"]) / "config"
    found, tried = blocks(PAGE), 0
    for number, block in enumerate(found):
        match block.kind:
            case "toml config.toml":
                config.mkdir(mode=0o700, parents=True, exist_ok=True)
                (config / "config.toml").write_text(block.text)
            case "console":
                for command, shown in steps(block.text):
                    printed = run(work, environ, "bash", "-c", command)
                    printed = re.sub(r"day \d{4}-\d\d-\d\d", "day ...", printed)
                    assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
                    tried += 1
            case "python":
                printed = run(work, environ, sys.executable, "-c", block.text)
                assert agrees(found[number + 1].text.splitlines(), printed), printed
                tried += 1
            case _:
                continue
    assert tried == 8


def test_the_keys_and_their_defaults_are_those_of_the_code() -> None:
    listed = {code(key)[0]: float(code(default)[0]) for key, _, default in
              rows(PAGE, "key", "bounds", "default of a run")}  # fmt: skip
    assert listed == Budget().bounds()


def test_identical_calls_are_warned_of_and_refused_when_it_says() -> None:
    assert (REPEATS_WARNED, REPEATS_REFUSED) == (3, 6)
