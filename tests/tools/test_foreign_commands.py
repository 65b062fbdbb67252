"""Programs that strangers compiled to preview 1 are tools with a manifest, and nothing more.

PHP is the real php-cgi of an npm package, with the manifest that docs/writing-tools.md shows.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.docs.page import blocks, text_of
from tests.tools.strangers import PHP, QUICKJS, SQLITE

from capbox import app
from capbox.engine.home import Home
from capbox.engine.settings import Settings
from capbox.messages import Json, ToolResult
from capbox.tools.folder import load_folder
from capbox.tools.inspection.inspecting import Inspection, inspect
from capbox.tools.registry import Found

pytestmark = pytest.mark.slow
MANIFEST = [b.text for b in blocks(text_of("writing-tools.md")) if b.kind == "toml"][1]
SCRIPT = """<?php
echo json_encode(array_slice($argv, 1)), "\\n";
echo @file_get_contents("secret.txt") === false ? "no secret" : "secret", "\\n";
echo @file_get_contents("/etc/passwd") === false ? "no passwd" : "passwd", "\\n";
echo @file_put_contents("new.txt", "x") === false ? "not written" : "written", "\\n";
echo getenv("HOME"), "\\n";
"""


@pytest.fixture
def php(tmp_path: Path) -> Found:
    """The tool of the page."""
    folder = tmp_path / "php"
    folder.mkdir()
    (folder / "tool.toml").write_text(MANIFEST)
    shutil.copyfile(PHP.path(), folder / "php-cgi-8.2.0.wasm")
    found = load_folder(folder)
    assert isinstance(found, Found), found
    return found


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with scripts."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("a.php", "-r.php"):
        (folder / name).write_text(SCRIPT)
    (folder / "secret.txt").write_text("s3")
    (folder / "bad.php").write_text("<?php this is no php")
    return folder


async def called(php: Found, home: Home, work: Path, *grants: str, **arguments: Json) -> ToolResult:
    """Call it once."""
    engine = app.local_engine(home=home, spares=False)
    engine.own = (php,)
    settings = Settings(workspace=work, grants=grants)
    async with engine, app.session(engine, settings) as session:
        return await session.call("php", arguments)


async def test_it_runs_with_what_was_granted_and_nothing_else(
    php: Found, home: Home, work: Path
) -> None:
    words = ["-d", "--", "a b", "'; rm -rf /", "\u00e9\n", "-r", "echo 1;"]
    result = await called(
        php, home, work, "read:/workspace/a.php", script="a.php", arguments=list(words)
    )
    assert result.ok, result
    told, *rest = result.content.splitlines()
    assert told == '["-d","--","a b","\'; rm -rf \\/","\\u00e9\\n","-r","echo 1;"]'
    assert rest == ["no secret", "no passwd", "not written", "/tmp"]
    assert result.data is None
    denied = {one.access for one in result.denied}
    assert {"read /workspace/secret.txt", "write /workspace/new.txt"} <= denied


async def test_a_file_whose_name_is_an_option_is_a_file(php: Found, home: Home, work: Path) -> None:
    result = await called(php, home, work, "read:/workspace", script="-r.php", arguments=["x"])
    assert result.ok, result
    assert result.content.splitlines()[:2] == ['["x"]', "secret"]


async def test_without_a_grant_for_its_script_it_does_not_start(
    php: Found, home: Home, work: Path
) -> None:
    result = await called(php, home, work, script="a.php")
    assert result.error is not None and result.error.code == "denied"


async def test_its_failures_and_its_bounds_are_those_of_any_tool(
    php: Found, home: Home, work: Path
) -> None:
    failed = await called(php, home, work, "read:/workspace", script="bad.php")
    assert failed.error is not None and failed.error.code == "tool_crashed"
    assert "exit code 255" in failed.error.message
    missing = await called(php, home, work, "read:/workspace", script="a.php", arguments=["a\0b"])
    assert missing.error is not None and missing.error.code == "invalid_arguments"


def test_what_a_stranger_can_ask_for_is_told() -> None:
    found = inspect(PHP.path())
    assert isinstance(found, Inspection)
    assert found.obstacles == ()
    assert {"files", "sockets", "clock"} <= {power.name for power in found.powers}
    sockets = inspect(QUICKJS.path())
    assert isinstance(sockets, Inspection)
    unknown, mistyped = sockets.obstacles
    assert unknown.startswith("imports what capbox does not give: wasi_snapshot_preview1.sock_open")
    assert mistyped.startswith("imports sock_accept as (i32, i32) -> i32, and it is (i32, ")
    older = inspect(SQLITE.path())
    assert isinstance(older, Inspection)
    assert older.obstacles[0].startswith("is made for WASI preview 0")
