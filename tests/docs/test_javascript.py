"""docs/javascript.md is true: its examples are executed, and what it lists exists."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.furnished import furnished

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.gate.manifest import Manifest, parse_manifest

PAGE = text_of("javascript.md")
MANIFEST = Path(__file__).parents[2] / "guests" / "javascript" / "manifests" / "javascript.toml"


def test_what_the_page_shows_is_what_is_printed(tmp_path: Path, cache: Path) -> None:
    (place := tmp_path / "place").mkdir()
    (place / "notes.txt").write_text("one\ntwo\n")
    home = furnished(tmp_path / "home", cache)
    for block in blocks(PAGE):
        for command, shown in steps(block.text):
            printed = run(command, place, {"CAPBOX_HOME": str(home)})
            assert agrees(shown, printed), f"{command}\n{printed}"


def run(command: str, place: Path, more: Mapping[str, str]) -> str:
    """Return what a command of the page prints on standard output."""
    start = "import sys; from capbox.app import main; sys.exit(main())"
    arguments = [sys.executable, "-c", start, *shlex.split(command)[1:]]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **more}
    done = subprocess.run(arguments, cwd=place, env=environment, capture_output=True, text=True)
    return done.stdout or done.stderr


async def test_what_the_page_lists_exists_and_nothing_is_left_out(
    engine: LocalEngine, tmp_path: Path
) -> None:
    listed = {
        row[0]: code(row[1]) for row in rows(PAGE, "there is", "as in Node, as far as it goes")
    }
    modules, names = listed["modules"], listed["globals"]
    manifest = parse_manifest(MANIFEST.read_text(), "javascript.toml")
    assert isinstance(manifest, Manifest)
    arguments = {row[0].strip("`") for row in rows(PAGE, "argument", "what")}
    assert arguments == set(manifest.schema.document["properties"])
    script = (
        f"const modules = {modules}; modules.forEach((name) => require(name));"
        f"const gone = {names}.filter((name) => globalThis[name] === undefined);"
        "const more = require('module').builtinModules.filter((name) => !modules.includes(name));"
        "JSON.stringify([gone, more])"
    )
    (tmp_path / "w").mkdir()
    async with Box(workspace=tmp_path / "w", engine=engine) as box:
        result = await box.call("javascript", code=script)
    more = ["assert/strict", "console", "path/posix", "process", "util/types"]
    assert result.content.strip() == str([[], more]).replace("'", '"').replace(" ", "")
