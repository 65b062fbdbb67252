"""docs/shell.md is what its generator prints."""

from __future__ import annotations

import subprocess
import sys

from tests.conformance.case import HERE

ROOT = HERE.parents[1]


def test_the_page_is_what_the_generator_prints() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate_shell.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "shell.md").read_text(encoding="utf-8")
    assert done.stdout == page, "run: make docs"
