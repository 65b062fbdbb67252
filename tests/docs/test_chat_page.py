"""docs/chat.md: its screens are those of real chats, its commands are all there are."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.docs.page import agrees, blocks, rows, steps, text_of
from tests.furnished import furnished
from tests.screens.tmux import is_there

from capbox.surfaces.cli.talk.slash import help_lines

ROOT = Path(__file__).resolve().parents[2]
PAGE = text_of("chat.md")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """The generator, loaded from its file."""
    spec = importlib.util.spec_from_file_location("chat_page", ROOT / "docs" / "generate_chat.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_page_is_what_the_generator_prints(generator: ModuleType) -> None:
    if not is_there():
        assert "CAPBOX_TESTS_WHOLE" not in os.environ, "tmux is missing"
        pytest.skip("tmux is missing")
    assert generator.page() == PAGE, "run: make docs"


def test_its_screens_have_the_sizes_that_it_names() -> None:
    from rich.cells import cell_len

    shown = [block.text.splitlines() for block in blocks(PAGE) if block.kind == "text"]
    assert len(shown) == 4
    for screen, columns, most in zip(shown, (80, 80, 200, 80), (24, 24, 50, 24), strict=True):
        assert max(map(cell_len, screen)) <= columns
        assert len(screen) <= most


def test_it_has_every_command() -> None:
    assert rows(PAGE, "", "") == [[f"`{typed}`", what] for typed, what in help_lines()]


@pytest.mark.slow
def test_its_pipe_works_as_shown(tmp_path: Path, cache: Path) -> None:
    replies = [{"text": "Three things are to be done.\n"}, {"text": "The importer comes first.\n"}]
    workspace = tmp_path / "notes"
    workspace.mkdir()
    (workspace / "script.json").write_text(json.dumps(replies))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {
        "PATH": path,
        "LC_ALL": "C.UTF-8",
        "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
    }
    console = next(block.text for block in blocks(PAGE) if block.kind == "console")
    for command, shown in steps(console):
        done = subprocess.run(
            ["bash", "-c", command], cwd=workspace, env=env, capture_output=True, text=True
        )
        assert agrees(shown, done.stdout)
