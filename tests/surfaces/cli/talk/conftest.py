"""Chats in a terminal window of a chosen size."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.screens.tmux import Screen, is_there

from capbox.messages import Json

COMMAND = [sys.executable, "-c", "import sys; from capbox.app import main; sys.exit(main())"]
Chat = Callable[..., Screen]


@pytest.fixture
def chat(environ: Mapping[str, str], workspace: Path, tmp_path: Path) -> Iterator[Chat]:
    """Begin a chat with a model that replies like this; it may read the workspace."""
    if not is_there():
        # `.ci/run` sets it, and takes care that tmux is there.
        assert "CAPBOX_TESTS_WHOLE" not in os.environ, "tmux is missing"
        pytest.skip("tmux is missing")
    open_: list[Screen] = []

    def begin(
        *replies: Json, flags: tuple[str, ...] = ("--read", "."), columns: int = 80, rows: int = 24
    ) -> Screen:
        script = tmp_path / f"chat{len(open_)}.json"
        script.write_text(json.dumps(replies))
        folder = Path(tempfile.mkdtemp(dir="/tmp"))
        arguments = [*COMMAND, "chat", "--model", f"scripted:{script}", *flags]
        env = {**environ, "TERM": "tmux-256color"}
        screen = Screen(folder, arguments, env=env, cwd=workspace, columns=columns, rows=rows)
        open_.append(screen)
        screen.waits_for("/help lists the commands")
        return screen

    yield begin
    for one in open_:
        one.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A chat takes a second or more; `make check` leaves it to `make test`."""
    for item in items:
        if "chat" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
