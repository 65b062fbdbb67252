"""`capbox prompt` shows what a run with these flags is told, to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.hearing import HearingModel, hearing
from tests.surfaces.cli.conftest import Capbox

from capbox.engine.home import Home
from capbox.surfaces.cli.entry import Entry

NOTES = "Run make test."


@pytest.fixture
def ear() -> HearingModel:
    """A model that keeps what it is told, under the name of a specification."""
    return hearing()


@pytest.fixture
def entry(entry: Entry, ear: HearingModel) -> Entry:
    """The runtime with that model behind every specification."""

    def opened(spec: str, _base_url: str | None) -> HearingModel:
        ear.script = replace(ear.script, name=spec)
        return ear

    return replace(entry, open_model=opened)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--read", "."),
        ("--write", ".", "--style", "concise", "--max-turns", "3"),
        ("--preset", "read-only"),
        ("--preset", "search-only", "--grant", "tool:bash"),
        ("--read", ".", "--tool", "read", "--tool", "grep"),
        ("--read", "a.txt", "--fetch", "https://example.com/*"),
        ("--read", ".", "--skill", "deploy"),
        ("--read", ".", "--skill", "own"),
        ("--read", ".", "--skill", "data-analysis"),
    ],
    ids=" ".join,
)
def test_it_is_the_prompt_of_a_run_with_these_flags(
    flags: tuple[str, ...], capbox: Capbox, ear: HearingModel, workspace: Path, home: Home
) -> None:
    (workspace / "AGENTS.md").write_text(NOTES)
    home.config.mkdir(mode=0o700, parents=True)
    for place, name in ((workspace, "deploy"), (home.config, "own")):
        (place / "skills" / name).mkdir(parents=True)
        front = f"---\nname: {name}\ndescription: d\nallowed-tools: Read Bash\n---\nTo $0.\n"
        (place / "skills" / name / "SKILL.md").write_text(front)
    common = ("--workspace", workspace, "--model", "scripted:x")
    ran = capbox("run", "prod", *common, *flags, "--json")
    shown = capbox("prompt", "prod", *common, *flags, "--json")
    assert (ran.code, shown.code) == (0, 0), ran.out + shown.out
    assert json.loads(shown.out)["text"] == ear.system
    assert capbox("prompt", "prod", *common, *flags).out == ear.system


def test_it_says_how_long_it_is_and_where_each_part_comes_from(
    capbox: Capbox, workspace: Path
) -> None:
    (workspace / "AGENTS.md").write_text(NOTES)
    done = capbox("prompt", "--workspace", workspace, "--read", ".", "--json")
    shown = json.loads(done.out)
    assert shown["characters"] == len(shown["text"]) and shown["bytes"] == len(
        shown["text"].encode()
    )
    assert "\n\n".join(part["text"] for part in shown["parts"]) + "\n" == shown["text"]
    (notes,) = [part for part in shown["parts"] if part["title"] == "AGENTS.md"]
    assert (notes["origin"], notes["untrusted"]) == ("/workspace/AGENTS.md", True)
    told = capbox("prompt", "--workspace", workspace, "--read", ".").err
    assert "AGENTS.md: /workspace/AGENTS.md, untrusted\n" in told


def test_what_is_left_out_is_told_with_the_reason(capbox: Capbox, workspace: Path) -> None:
    (workspace / "AGENTS.md").symlink_to("/etc/passwd")
    told = capbox("prompt", "--workspace", workspace, "--read", ".").err
    assert "/workspace/AGENTS.md is not in the prompt: it is a link that leads out" in told
    (workspace / "AGENTS.md").unlink()
    (workspace / "AGENTS.md").write_text(NOTES)
    told = capbox("prompt", "--workspace", workspace).err
    assert "is not in the prompt: the run may not read it (no grant covers it)" in told


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--style", "nosuch"), "there are: default, concise, explanatory, learning"),
        (("--skill", "nosuch"), "there are: code-review, data-analysis"),
        (("--skill", "../x"), "there is no such skill"),
        (("--tool", "nosuch"), "there is no such tool; there are: "),
    ],
)
def test_a_name_that_there_is_not_lists_those_that_there_are(
    flags: tuple[str, ...], told: str, capbox: Capbox, workspace: Path
) -> None:
    for command in (("prompt",), ("run", "Go.", "--model", "scripted:x")):
        done = capbox(*command, "--workspace", workspace, *flags)
        assert done.code == 2 and told in done.err


def test_a_run_without_a_task_needs_a_skill(capbox: Capbox, workspace: Path) -> None:
    done = capbox("run", "--model", "scripted:x", "--workspace", workspace)
    assert done.code == 2 and "Missing argument 'TASK'" in done.err
    done = capbox("run", "--skill", "web-page", "--model", "scripted:x", "--workspace", workspace)
    assert done.code == 0, done.err
