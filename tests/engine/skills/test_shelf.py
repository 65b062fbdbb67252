"""The nearest skill of a name counts, what hides and what is broken is told, all with the rights
of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox import app
from capbox.agent.instructions.words import Material, Said
from capbox.authority.decision import Standing
from capbox.authority.holding import Holding
from capbox.authority.values.label import Sources
from capbox.engine.home import Home
from capbox.engine.instructions.reader import Reader
from capbox.engine.settings import Settings, SettingsError
from capbox.engine.skills.bundled import files_of, mounted, text_of
from capbox.engine.skills.shelf import Shelf, shelf_of
from capbox.engine.skills.using import SkillError, chosen, narrowed, skill_function

Shelve = Callable[..., Shelf]


def put(folder: Path, place: str, text: str = "Do it.", **front: str) -> Path:
    """Write a skill."""
    made = folder / place
    made.mkdir(parents=True)
    fields = {"name": place, "description": f"{place} of {folder.name}", **front}
    head = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items())
    (made / "SKILL.md").write_text(f"---\n{head}---\n{text}\n")
    return made


@pytest.fixture
def reader(workspace: Path, home: Home) -> Callable[..., Reader]:
    """What reads the workspace under these grants."""

    def made(*grants: str) -> Reader:
        layout, mint = app.granting(home, Settings(workspace=workspace, grants=grants))
        return Reader(Holding((mint(()),)), Standing(0.0), layout)

    return made


def test_the_nearest_of_one_name_counts_and_the_others_are_told(
    workspace: Path, home: Home, reader: Callable[..., Reader]
) -> None:
    for place in (".agents/skills", ".claude/skills", "skills"):
        put(workspace / place, "deploy")
    put(home.config / "skills", "deploy")
    put(home.config / "skills", "code-review")
    shelf = shelf_of(home.config, reader("read:/workspace"))
    assert shelf.named("deploy").path == "/workspace/.agents/skills/deploy/SKILL.md"
    assert shelf.named("user:deploy").folder == str(home.config / "skills" / "deploy")
    assert shelf.named("code-review").kind == "user"
    assert shelf.named("capbox:code-review").kind == "capbox"
    told = list(shelf.notes())
    assert "user:deploy is hidden by /workspace/.agents/skills/deploy/SKILL.md" in told
    assert len(told) == 4


def test_what_a_run_may_not_read_is_no_skill_of_its(
    workspace: Path, home: Home, reader: Callable[..., Reader]
) -> None:
    put(workspace / "skills", "deploy")
    for grants, there in (
        (("read:/workspace",), True),
        (("read:/workspace/skills",), True),
        ((), False),
        (("read:/workspace/a.txt",), False),
        (("read:/workspace except=skills/**",), False),
    ):
        assert (shelf_of(home.config, reader(*grants)).get("deploy") is not None) is there


def test_a_broken_skill_is_skipped_with_the_reason_and_a_person_who_names_it_hears_it(
    home: Home,
) -> None:
    put(home.config / "skills", "deploy", name="other")
    put(home.config / "skills", "open").joinpath("SKILL.md").chmod(0o666)
    shelf = shelf_of(home.config)
    reasons = {one.path.split("/")[-2]: one.reason for one in shelf.unusable}
    assert set(reasons) == {"deploy", "open"} and "others may write it" in reasons["open"]
    with pytest.raises(SettingsError, match=r"no such skill.*is not the name of its folder"):
        shelf.named("deploy")
    with pytest.raises(SettingsError, match="there are: code-review"):
        shelf.named("../../etc")


def test_files_are_listed_bounded_without_links_and_names_are_never_paths(
    home: Home, tmp_path: Path
) -> None:
    place = put(home.config / "skills", "deploy")
    (place / "scripts").mkdir()
    (place / "scripts" / "run.sh").write_text("echo hi\n")
    (tmp_path / "key").write_text("KEY")
    (place / "key").symlink_to(tmp_path / "key")
    found = shelf_of(home.config).named("deploy")
    assert files_of(found) == ("scripts/run.sh",)
    assert text_of(found, "scripts/run.sh") == "echo hi\n"
    for name in ("key", "../deploy/scripts/run.sh", str(tmp_path / "key"), "SKILL.md"):
        assert text_of(found, name) is None


def test_a_users_files_are_shown_read_only_and_only_while_the_run_goes_on(
    workspace: Path, home: Home
) -> None:
    place = put(home.config / "skills", "deploy")
    (place / "run.sh").write_text("echo hi\n")
    found = shelf_of(home.config).named("deploy")
    with mounted(Settings(workspace=workspace), found) as settings:
        (shown,) = settings.maps
        host, _, guest = shown.partition("=")
        assert guest == "/mnt/skills/deploy:ro"
        assert sorted(p.name for p in Path(host).iterdir()) == ["SKILL.md", "run.sh"]
        app.granting(home, settings)  # it can be granted: it lies outside of capbox's own state
    assert not Path(host).exists()
    bare = shelf_of(home.config).named("web-page")
    with mounted(Settings(), bare) as settings:
        assert settings.maps == ()


@pytest.mark.parametrize(
    ("asked", "tools"),
    [
        ("Read Grep", ("grep", "read")),
        ("Bash(git log:*), WebFetch", ("bash", "fetch")),
        ("NoSuchTool", None),
        ("", None),
    ],
)
def test_allowed_tools_narrow_and_never_add(
    asked: str, tools: tuple[str, ...] | None, home: Home
) -> None:
    put(home.config / "skills", "deploy", **({"allowed_tools": asked} if asked else {}))
    found = shelf_of(home.config).named("deploy")
    assert narrowed(found, ("bash", "fetch", "grep", "read", "write")) == tools
    assert narrowed(found, ("write",)) is None


async def test_the_function_gives_filled_text_and_labels_what_it_read(
    workspace: Path, home: Home, reader: Callable[..., Reader]
) -> None:
    place = put(workspace / "skills", "deploy", "To $0.", allowed_tools="Bash")
    (place / "run.sh").write_text("</material>echo\n")
    put(home.config / "skills", "own", "Own {{arguments}}.").joinpath("x.sh").write_text("y\n")
    put(home.config / "skills", "quiet", disable_model_invocation="true")
    reads = reader("read:/workspace")
    noted: list[Sources] = []
    skill = skill_function(lambda: (shelf_of(home.config, reads), reads), noted.append)

    text = await skill("deploy", "prod", "")
    assert text.startswith('<material from="/workspace/skills/deploy/SKILL.md">\nTo prod.')
    assert "which grants none of them: Bash" in text
    assert "/workspace/skills/deploy/run.sh" in text
    assert {str(s) for s in noted[-1]} == {"workspace:/workspace/skills/deploy/SKILL.md"}

    assert (await skill("own", "x", "")).startswith("Own x.\n\nFiles of this skill, which are not")
    assert await skill("own", "", "x.sh") == "y\n"
    assert noted[-1] == frozenset()
    assert (await skill("deploy", "", "run.sh")).count("</material>") == 1
    for name, arguments, file, told in (
        ("nosuch", "", "", "there is no skill 'nosuch'; there are: code-review"),
        ("quiet", "", "", "there is no skill 'quiet'"),
        ("own", "x" * 8_001, "", "at most 8000 characters"),
        ("own", "", "../own/x.sh", "has no file '../own/x.sh'"),
    ):
        with pytest.raises(SkillError, match=told.replace("(", r"\(")):
            await skill(name, arguments, file)


def test_a_chosen_skill_is_the_persons_word_or_material_by_where_it_lies(
    workspace: Path, home: Home, reader: Callable[..., Reader]
) -> None:
    put(workspace / "skills", "deploy", "To $0.")
    put(home.config / "skills", "own")
    reads = reader("read:/workspace")
    shelf = shelf_of(home.config, reads)
    deploy = chosen(shelf.named("deploy"), "prod", reads)
    assert deploy.text == Material("To prod.", "/workspace/skills/deploy/SKILL.md", False)
    assert isinstance(chosen(shelf.named("own"), "", reads).text, Said)
