"""docs/python.md is true: its examples are executed, its table is asked of the tool."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.docs.page import blocks, code, rows, steps, text_of
from tests.furnished import furnished
from tests.servers.http import HttpServer
from tests.servers.replies import reply
from tests.tools.strangers import missing

from capbox.box import Box
from capbox.engine.local import LocalEngine

PAGE = text_of("python.md")
ITEMS = b'{"items":["milk","bread"]}\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with a file and a program."""
    (folder := tmp_path / "workspace").mkdir()
    (folder / "hello.py").write_text('print("hello")\n')
    (folder / "notes.txt").write_text("buy milk\n")
    return folder


def test_its_examples_print_what_it_shows(place: Path, tmp_path: Path, cache: Path) -> None:
    assert executed("console", place, tmp_path, cache) == 5


@pytest.mark.slow
def test_its_package_is_added_from_the_real_registry(
    place: Path, tmp_path: Path, cache: Path
) -> None:
    got = subprocess.run(
        [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "tabulate==0.10.0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if got.returncode:
        missing(f"PyPI cannot be reached: {got.stderr.strip()[-200:]}")
    assert executed("console packages", place, tmp_path, cache) == 4


def executed(kind: str, place: Path, tmp_path: Path, cache: Path) -> int:
    """Run the commands of the blocks of a kind; return how many there were."""
    home = furnished(tmp_path / "home", cache)
    programs = str(Path(sys.executable).parent)
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
        "PATH": f"{programs}:{os.environ['PATH']}",
        "CAPBOX_HOME": str(home),
        "LC_ALL": "C.UTF-8",
    }
    ran = 0
    for block in blocks(PAGE):
        if block.kind != kind:
            continue
        for command, shown in steps(block.text):
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=place,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.stdout.rstrip("\n").split("\n") == (shown or [""]), (command, done.stderr)
            ran += 1
    return ran


async def test_its_program_fetches(
    place: Path, engine: LocalEngine, http_server: Callable[..., HttpServer]
) -> None:
    server = http_server({"/v1/items": reply(ITEMS)})
    [program] = [block.text for block in blocks(PAGE) if block.kind == "python"]
    here = server.url("")
    async with Box(workspace=place, grants=(f"fetch:{here}",), engine=engine) as box:
        result = await box.call("python", code=program.replace("http://localhost:8000", here))
    assert result.content == "200 ['milk', 'bread']\ndenied\n"


async def test_what_it_says_is_missing_fails_with_words_on_what_to_do(
    place: Path, engine: LocalEngine
) -> None:
    async with Box(workspace=place, grants=("read:/workspace",), engine=engine) as box:
        for missing, _ in rows(PAGE, "missing", "instead"):
            result = await box.call("python", code=code(missing)[0])
            assert "exit code 1" in result.content, missing
            assert "here" in result.content or "sandbox" in result.content, result.content


async def test_its_table_of_arguments_is_the_manifests(engine: LocalEngine) -> None:
    named = [code(row[0])[0] for row in rows(PAGE, "argument", "what it is")]
    properties = engine.tools["python"].manifest.schema.document["properties"]
    assert isinstance(properties, dict)
    assert sorted(named) == sorted(properties)
