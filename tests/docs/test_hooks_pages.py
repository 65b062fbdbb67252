"""The pages on hooks and on tools of the loop are true: examples run, tables fit the code."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.docs.page import Block, agrees, blocks, code, rows, text_of
from tests.furnished import furnished

from capbox.authority.limits import Limits
from capbox.engine.hooks.configured import hooks_of
from capbox.engine.hooks.hook import DECIDING, EVENTS
from capbox.engine.hooks.verdict import Verdict, parse_verdict
from capbox.engine.operator import read_operator
from capbox.engine.telemetry.file import LogPlace
from capbox.tools.loop.notes import ITEMS_MAX
from capbox.tools.loop.offer import NAMES

HOOKS, LOOP = text_of("hooks.md"), text_of("tools-of-the-loop.md")


def example(page: str) -> tuple[Block, Block]:
    """Return the one program of a page, and what it is said to print."""
    found = blocks(page)
    (place,) = (n for n, block in enumerate(found) if block.kind == "python")
    return found[place], found[place + 1]


@pytest.mark.parametrize("page", [HOOKS, LOOP], ids=["hooks", "loop"])
def test_an_example_prints_what_the_page_shows(page: str, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "work").mkdir()
    program, shown = example(page)
    done = subprocess.run(
        [sys.executable, "-c", program.text],
        cwd=tmp_path / "work",
        env={
            "PATH": os.environ["PATH"],
            "CAPBOX_HOME": str(furnished(tmp_path / "home", cache)),
            "LC_ALL": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert agrees(shown.text.splitlines(), done.stdout), done.stdout


def test_every_event_and_answer_of_the_page_is_one() -> None:
    listed = rows(HOOKS, "event", "when", "may answer", "if it fails")
    assert sorted(code(row[0])[0] for row in listed) == sorted(EVENTS)
    assert {code(row[0])[0] for row in listed if "refused" in row[3]} == set(DECIDING)
    known = {event: code(answers) for (event,), answers in ((code(r[0]), r[2]) for r in listed)}
    for (answer, *_), _ in ((code(row[0]), row) for row in rows(HOOKS, "answer", "what follows")):
        taken = {e for e in EVENTS if isinstance(parse_verdict(e, answer, Limits()), Verdict)}
        assert taken == {e for e in EVENTS if any(f'"{key}"' in answer for key in known[e])}


def test_the_configuration_of_the_page_is_one() -> None:
    (toml,) = (block.text for block in blocks(HOOKS) if block.kind == "toml")
    (hook,) = hooks_of(tomllib.loads(toml)["hooks"], Path("config.toml"))
    assert (hook.event, hook.matcher, hook.timeout) == ("PreToolUse", "bash", 5.0)


def test_the_configuration_of_log_and_spans_is_one(tmp_path: Path) -> None:
    (toml,) = (block.text for block in blocks(text_of("observability.md")) if block.kind == "toml")
    (tmp_path / "config.toml").write_text(toml)
    operator = read_operator(tmp_path / "config.toml")
    assert operator.log == LogPlace(Path("/home/me/capbox.log"))
    assert operator.otel is not None and not operator.otel.content


def test_every_tool_of_the_loop_is_listed() -> None:
    assert tuple(code(row[0])[0] for row in rows(LOOP, "tool", "what it does")) == NAMES
    assert f"at most {ITEMS_MAX} items" in LOOP
