"""docs/governance.md is true: the task that it follows is executed, from first line to last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, steps, text_of
from tests.docs.test_governance_control import environ, run

PAGE = text_of("governance.md")
TOTAL = "awk -F, 'NR > 1 {s += $2} END {print s}' data/sales.csv"
SCRIPT = [
    {"tool_calls": [{"name": "bash", "arguments": {"script": TOTAL}}]},
    {
        "tool_calls": [
            {
                "name": "write",
                "arguments": {"path": "report.md", "content": "Report\nTotal: 200\n"},
            }
        ]
    },
    {"tool_calls": [{"name": "read", "arguments": {"path": ".env"}}]},
    {"text": "The total is in report.md."},
]
__all__ = ["environ"]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The folder of the page, with the model's script beside it."""
    folder = tmp_path / "work"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "sales.csv").write_text("month,eur\nmay,120\njune,80\n")
    (folder / "report.md").write_text("Report\n")
    (folder / ".env").write_text("KEY=1\n")
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT))
    return folder


@pytest.mark.slow
def test_the_task_goes_as_the_page_says(work: Path, environ: Mapping[str, str]) -> None:
    for block in blocks(PAGE):
        if block.kind.startswith("toml "):
            (work.parent / block.kind.removeprefix("toml ")).write_text(block.text)
        for command, shown in steps(block.text) if block.kind == "console" else ():
            printed = run(work, environ, "bash", "-c", command)
            printed = printed.replace(str(work), "/home/me/project")
            print(printed)
            assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
