"""docs/skills.md is true: its examples are executed, its tables asked of the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.docs.page import agrees, blocks, code, rows, steps, text_of
from tests.docs.test_governance_control import environ, run  # noqa: F401 (a fixture)

from capbox.agent.instructions.styles import STYLES
from capbox.engine.instructions.folder import TEXT_BYTES_MAX
from capbox.engine.skills.bundled import BYTES_MAX, FILES_MAX
from capbox.engine.skills.filling import filled
from capbox.engine.skills.shelf import FOLDERS, shelf_of

PAGE = text_of("skills.md")


@pytest.mark.slow
def test_the_examples_print_what_the_page_shows(
    tmp_path: Path,
    environ: Mapping[str, str],  # noqa: F811
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    config = str(Path(environ["CAPBOX_HOME"]) / "config")
    tried = 0
    for block in blocks(PAGE):
        language, _, name = block.kind.partition(" ")
        if language == "md":
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(block.text)
        for command, shown in steps(block.text) if language == "console" else ():
            printed = run(work, environ, "bash", "-c", command)
            printed = printed.replace(config, "/home/me/.config/capbox")
            assert agrees(shown, printed), f"{command!r} printed:\n{printed}"
            tried += 1
    assert tried == 9


def test_the_styles_places_and_skills_are_those_of_the_code(tmp_path: Path) -> None:
    assert [code(row[0])[0] for row in rows(PAGE, "style", "for")] == list(STYLES)
    places = rows(PAGE, "place, the nearest first", "whose text")
    assert tuple(code(places[0][0])) == FOLDERS
    shipped = ", ".join(one.name for one in shelf_of(tmp_path).skills)
    assert places[2][0] == f"in capbox: {shipped}"
    assert f"{TEXT_BYTES_MAX >> 10} KiB" in PAGE and f"{FILES_MAX} files" in PAGE
    assert f"{BYTES_MAX >> 20} MiB" in PAGE


def test_the_places_of_arguments_are_filled_as_the_table_says() -> None:
    listed = [text for row in rows(PAGE, "in the text", "is") for text in code(row[0])]
    filled_in = {text: filled(text, "one two", ("name",), "/d") for text in listed}
    assert filled_in == {
        "$ARGUMENTS": "one two",
        "{{arguments}}": "one two",
        "$0": "one",
        "$ARGUMENTS[0]": "one",
        "$name": "one",
        "{{name}}": "one",
        "${CLAUDE_SKILL_DIR}": "/d\n\nARGUMENTS: one two",
        "\\$": "$\n\nARGUMENTS: one two",
    }
