"""The function `skill` as a tool of a run: what a model is told of it, what the run then knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox import app
from capbox.engine.instructions.gathering import gather, skill_at
from capbox.engine.local import LocalEngine
from capbox.engine.settings import Settings, SettingsError, Wording
from capbox.engine.skills.using import SkillError
from capbox.gate.approver import DenyApprover
from capbox.tools.functions.function import Function, function_of


async def test_it_can_be_a_tool_and_labels_the_run_that_calls_it(
    engine: LocalEngine, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "skills" / "deploy").mkdir(parents=True)
    file = work / "skills" / "deploy" / "SKILL.md"
    file.write_text("---\nname: deploy\ndescription: Deploys.\n---\nTo $0.\n")
    layout, mint = app.granting(engine.home, Settings(workspace=work, grants=("read:/workspace",)))
    opened = engine.open_run(
        mint(()), layout, ceiling=None, approver=DenyApprover(), environment={}
    )
    try:
        function = function_of(skill_at(engine, opened.seat), effect="read", sinks={}, timeout=5)
        assert isinstance(function, Function)
        assert function.manifest.name == "skill"
        schema = function.manifest.schema.document
        assert schema["required"] == ["name"]
        assert opened.seat.context.sources == frozenset()
        call = function.call
        assert "To prod." in await call("deploy", "prod", "")  # type: ignore[misc]
        told = {str(source) for source in opened.seat.context.sources}
        assert told == {"workspace:/workspace/skills/deploy/SKILL.md"}
    finally:
        opened.close("ended")


async def test_a_skill_that_arguments_make_too_long_is_refused_by_its_name(
    engine: LocalEngine, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (work / "skills" / "many").mkdir(parents=True)
    text = "---\nname: many\ndescription: Many.\n---\n" + "$0" * 30_000
    (work / "skills" / "many" / "SKILL.md").write_text(text)
    wording = Wording(skill="many", arguments="x" * 7_999)
    settings = Settings(workspace=work, grants=("read:/workspace",), wording=wording)
    layout, mint = app.granting(engine.home, settings)
    opened = engine.open_run(
        mint(()), layout, ceiling=None, approver=DenyApprover(), environment={}
    )
    try:
        assert "$0" in await skill_at(engine, opened.seat)("many", "", "")
        with pytest.raises(SkillError, match="the skill many with these arguments is longer"):
            await skill_at(engine, opened.seat)("many", "x" * 7_999, "")
        # The same by the person's own word: `run --skill`, `prompt --skill`.
        with pytest.raises(SettingsError, match="many with these arguments is longer"):
            gather(engine.home, settings).of_run(engine, opened.seat)
    finally:
        opened.close("ended")
