"""docs/workspaces.md is true: its examples are executed, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, steps, text_of
from tests.docs.test_governance_control import environ, run  # noqa: F401 (a fixture)

PAGE = text_of("workspaces.md")


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(
    environ: Mapping[str, str],  # noqa: F811
) -> None:
    site = Path(environ["HOME"]) / "site"
    (site / "docs").mkdir(parents=True)
    tried = 0
    for block in blocks(PAGE):
        for command, shown in steps(block.text) if block.kind == "console" else ():
            printed = run(site, environ, "bash", "-c", command)
            printed = printed.replace(environ["HOME"], "/home/me")
            assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
            tried += 1
    assert tried == 8
