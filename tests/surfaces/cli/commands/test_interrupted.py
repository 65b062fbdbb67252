"""What an interrupted call did is read back from the journal, as far as it can be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.servers.http import HttpServer
from tests.servers.replies import reply

from capbox.engine.home import Home
from capbox.messages import ToolFailure, ToolResult
from capbox.surfaces.cli.commands.interrupted import interrupted

NOTHING = ToolResult(
    ok=False,
    content="",
    error=ToolFailure("interrupted", "before the call began; nothing was done"),
)


def test_all_that_is_on_record_is_in_the_result(
    capbox: Callable, workspace: Path, home: Home
) -> None:
    words = ["call", "bash", "script=echo hi > w; cat /etc/passwd", "--write", "."]
    done = capbox(*words, "--workspace", workspace, "--json").json
    result = interrupted(home.state / "journal", done["journal"])
    assert result.error is not None
    assert result.error.message.endswith(f": capbox audit show {done['journal']}")
    found = json.loads(json.dumps(result.to_json()))
    for key in ("effects", "denied", "spent", "journal"):
        assert found[key] == done[key]
    assert done["denied"] and done["effects"]


def test_a_request_is_told_with_all_that_is_on_record(
    capbox: Callable, workspace: Path, home: Home, http_server: Callable[..., HttpServer]
) -> None:
    url = http_server({"/": reply(b"hello")}).url("/")
    done = capbox("call", "fetch", f"url={url}", "--fetch", url, "--json").json
    found = json.loads(json.dumps(interrupted(home.state / "journal", done["journal"]).to_json()))
    assert found["effects"] == done["effects"]
    assert done["effects"][0]["request"]["status"] == 200


def test_a_call_without_a_run_did_nothing_and_one_without_a_record_names_its_run(
    tmp_path: Path,
) -> None:
    assert interrupted(tmp_path, None) == NOTHING
    unread = interrupted(tmp_path, "run-1")
    said = ToolFailure("interrupted", "what it did is on record: capbox audit show run-1")
    assert unread == replace(NOTHING, error=said, journal="run-1")
