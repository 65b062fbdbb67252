"""The function `skill` as a tool of a run: what a model is told of it, what the run then knows."""

from __future__ import annotations

from pathlib import Path

from capbox import app
from capbox.engine.instructions.gathering import skill_at
from capbox.engine.local import LocalEngine
from capbox.engine.settings import Settings
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
