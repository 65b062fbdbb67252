"""`capbox skill` lists and shows what a run here could use, in a home directory too."""

from __future__ import annotations

from pathlib import Path

from tests.surfaces.cli.conftest import Capbox

from capbox.engine.home import Home


def put(folder: Path, name: str, text: str) -> None:
    """Write a skill."""
    (folder / name).mkdir(parents=True)
    (folder / name / "SKILL.md").write_text(text)


def test_skills_are_listed_with_what_hides_them_and_what_is_wrong(
    capbox: Capbox, workspace: Path
) -> None:
    put(workspace / "skills", "web-page", "---\nname: web-page\ndescription: Ours.\n---\nDo.\n")
    put(workspace / "skills", "odd", "no front matter")
    done = capbox("skill", "list", "--workspace", workspace)
    assert done.code == 0 and "Ours." in done.out
    assert "capbox:web-page is hidden by /workspace/skills/web-page/SKILL.md" in done.err
    assert "/workspace/skills/odd/SKILL.md is no skill that can be used" in done.err
    listed = capbox("skill", "list", "--workspace", workspace, "--json").json
    assert isinstance(listed, dict)
    assert [one["path"] for one in listed["unusable"]] == ["/workspace/skills/odd/SKILL.md"]


def test_one_is_shown_by_name_or_by_place_and_name(capbox: Capbox, workspace: Path) -> None:
    put(workspace / "skills", "web-page", "---\nname: web-page\ndescription: Ours.\n---\nDo.\n")
    assert "Ours." in capbox("skill", "show", "web-page", "--workspace", workspace).out
    shown = capbox("skill", "show", "capbox:web-page", "--workspace", workspace, "--json").json
    assert isinstance(shown, dict) and shown["from"] == "capbox" and not shown["untrusted"]
    done = capbox("skill", "show", "nosuch", "--workspace", workspace)
    assert done.code == 2 and "there are: code-review" in done.err


def test_where_no_workspace_can_be_the_other_skills_are_there(capbox: Capbox, home: Home) -> None:
    done = capbox("skill", "list", "--workspace", home.config.parent.parent)
    assert done.code == 0 and "code-review" in done.out
    assert "no skills of this folder: " in done.err
