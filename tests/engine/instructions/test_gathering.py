"""What a run's prompt holds of the person's words and of the workspace, and what it then knows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.engine.hearing import Opened, hearing, system_of

from capbox import app
from capbox.agent import events
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import Settings, SettingsError, Wording
from capbox.models.script import ScriptedCall, ScriptedReply

NOTES = "Run make test before you end."


def config(home: Home, name: str, text: str) -> None:
    """Write a file of the configuration."""
    file = home.config / name
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o600)


@pytest.mark.parametrize(
    ("grants", "there"),
    [
        (("read:/workspace",), True),
        (("write:/workspace",), True),
        (("read:/workspace/AGENTS.md",), True),
        ((), False),
        (("read:/workspace/a.txt",), False),
        (("read:/workspace except=*.md",), False),
        (("read:/workspace uses=3",), False),
    ],
)
async def test_the_workspaces_notes_are_in_the_prompt_only_if_the_run_may_read_them(
    grants: tuple[str, ...], there: bool, workspace: Path, open_session: Opened
) -> None:
    (workspace / "AGENTS.md").write_text(NOTES)
    system = await system_of(open_session(*grants))
    assert (NOTES in system) is there
    assert ('<material from="/workspace/AGENTS.md">' in system) is there


async def test_claude_md_stands_where_there_is_no_agents_md(
    workspace: Path, open_session: Opened
) -> None:
    (workspace / "CLAUDE.md").write_text("the alias")
    assert "the alias" in await system_of(open_session("read:/workspace"))
    (workspace / "AGENTS.md").write_text(NOTES)
    system = await system_of(open_session("read:/workspace"))
    assert NOTES in system and "the alias" not in system


async def test_notes_below_are_told_by_name_the_nearest_wins(
    workspace: Path, open_session: Opened
) -> None:
    for place in ("web", "web/deep", "secret", "node_modules/x", ".hidden"):
        (workspace / place).mkdir(parents=True)
        (workspace / place / "AGENTS.md").write_text(f"of {place}")
    (workspace / "api").mkdir()
    (workspace / "api" / "CLAUDE.md").write_text("of api")
    (workspace / "linked").symlink_to(workspace / "web")
    system = await system_of(open_session("read:/workspace except=secret/**"))
    listed = [line for line in system.splitlines() if line.startswith("/workspace/")]
    assert listed == [
        "/workspace/api/CLAUDE.md",
        "/workspace/web/AGENTS.md",
        "/workspace/web/deep/AGENTS.md",
    ]
    assert "the nearest one above a file wins" in system
    assert "of web" not in system


SENDING = ("read:/workspace", "fetch:https://a.invalid untainted")
TAINTED = "the run has read untrusted data (workspace:/workspace/AGENTS.md)"


async def test_a_run_whose_prompt_holds_notes_has_read_them_from_the_start(
    workspace: Path, open_session: Opened
) -> None:
    assert "untrusted data" not in await _sent(open_session(*SENDING))
    (workspace / "AGENTS.md").write_text(NOTES)
    assert TAINTED in await _sent(open_session(*SENDING))
    # What it may not read it has not read.
    assert "untrusted data" not in await _sent(open_session(*SENDING[1:]))


async def test_notes_that_the_operator_has_marked_taint_nothing(
    workspace: Path, home: Home
) -> None:
    (workspace / "AGENTS.md").write_text(NOTES)
    config(home, "config.toml", f'trusted = ["{workspace}/AGENTS.md"]\n')
    async with app.local_engine(home=home, spares=False) as engine:
        session = app.session(engine, Settings(workspace=workspace, grants=SENDING))
        assert "untrusted data" not in await _sent(session)


async def _sent(session: Session) -> str:
    """Let a model send a request to a host that there is not; return what the tool said."""
    call = ScriptedCall("fetch", '{"url": "https://a.invalid/"}')
    model = hearing(ScriptedReply(tool_calls=(call,)), ScriptedReply(text="Done."))
    async with session, session.run("Go.", model) as stream:
        found = [event async for event in stream if isinstance(event, events.ToolFinished)]
    (one,) = found
    return str(one.result.error)


async def test_long_notes_are_cut_and_the_model_is_told_where_the_rest_is(
    workspace: Path, open_session: Opened
) -> None:
    (workspace / "AGENTS.md").write_text("x" * 100_000)
    system = await system_of(open_session("read:/workspace"))
    assert "[... /workspace/AGENTS.md goes on; read the file for the rest]" in system
    assert len(system) < 40_000


async def test_notes_that_are_no_text_are_shown_as_what_can_be_read_of_them(
    workspace: Path, open_session: Opened
) -> None:
    (workspace / "AGENTS.md").write_bytes(b"a\xff\x00\x1b[31mb")
    assert "a\ufffd[U+0000][U+001B][31mb" in await system_of(open_session("read:/workspace"))


async def test_a_pipe_in_place_of_the_notes_stops_nothing(
    workspace: Path, open_session: Opened
) -> None:
    os.mkfifo(workspace / "AGENTS.md")
    assert "AGENTS.md" not in await system_of(open_session("read:/workspace"))


async def test_the_persons_own_words_are_theirs_and_stand_before_the_grants(
    home: Home, open_session: Opened
) -> None:
    config(home, "instructions.md", "Answer in German.\n")
    config(home, "styles/pirate.md", "Talk like a pirate.\n")
    wording = Wording(style="pirate", instructions="Tabs here.", origin="workspaces.toml")
    system = await system_of(open_session("read:/workspace", wording=wording))
    places = [
        system.index(text)
        for text in ("pirate.", "Answer in German.", "Tabs here.", "You hold:\n- read:/workspace")
    ]
    assert places == sorted(places)


async def test_the_style_of_the_configuration_holds_where_no_other_is_named(
    home: Home, open_session: Opened
) -> None:
    config(home, "config.toml", 'style = "learning"\n')
    assert "The person wants to learn" in await system_of(open_session())
    system = await system_of(open_session(wording=Wording(style="concise")))
    assert "Be brief" in system and "wants to learn" not in system


@pytest.mark.parametrize("name", ["nosuch", "../config", "/etc/passwd", "", "A"])
async def test_an_unknown_style_lists_what_there_is(
    name: str, home: Home, open_session: Opened
) -> None:
    config(home, "styles/pirate.md", "Talk like a pirate.\n")
    if not name:
        return
    with pytest.raises(SettingsError, match="default, concise, explanatory, learning, pirate"):
        await system_of(open_session(wording=Wording(style=name)))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda file: file.chmod(0o666), "others may write it"),
        (lambda file: file.write_bytes(b"\xff"), "decode"),
        (lambda file: file.write_text("x" * 70_000), "more than 65536 bytes"),
    ],
)
async def test_own_words_that_cannot_be_read_stop_the_run_before_it_begins(
    spoil: object, told: str, home: Home, engine: LocalEngine, open_session: Opened
) -> None:
    config(home, "instructions.md", "Answer in German.\n")
    spoil(home.config / "instructions.md")  # type: ignore[operator]
    with pytest.raises(SettingsError, match=told):
        await system_of(open_session())
    assert not list((home.state / "journal" / "heads").glob("[!.]*.json"))
