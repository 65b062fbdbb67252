"""The system prompt tells what the run holds, where its limits are, and who said what."""

from __future__ import annotations

from capbox.agent.instructions.prompt import Part, prompt_of, system_prompt
from capbox.agent.instructions.words import ChosenSkill, ListedSkill, Material, Said, Words
from capbox.authority.budget import Budget

ALL = Words(
    style="concise",
    style_text=Said("Be brief.", "capbox"),
    user=Said("Answer in German.\n", "/home/me/.config/capbox/instructions.md"),
    workspace=Said("Use tabs.", "workspaces.toml"),
    mounts={"/mnt/docs": "/home/me/docs"},
    folder=Material("Run make test.", "/workspace/AGENTS.md"),
    further=("/workspace/web/AGENTS.md",),
    skills=(
        ListedSkill("code-review", "Reviews a change."),
        ListedSkill("deploy", "Deploys.", "/workspace/skills/deploy/SKILL.md", trusted=False),
    ),
    chosen=ChosenSkill("code-review", Said("Look at HEAD.", "capbox")),
)


def parts(words: Words, *tools: str) -> dict[str, Part]:
    """Return the parts of a prompt by title."""
    return {part.title: part for part in prompt_of((), Budget(), words, tools).parts}


def test_it_lists_the_grants_and_the_limits_it_was_given() -> None:
    prompt = system_prompt(("read:/workspace", "write:/workspace/out"), Budget())
    assert "You hold:\n- read:/workspace\n- write:/workspace/out\n" in prompt
    assert "50 replies, 200 tool calls or 30 minutes" in prompt


def test_a_run_without_grants_is_told_that_it_holds_nothing() -> None:
    assert "You hold:\n- nothing\n" in system_prompt((), Budget())


def test_the_parts_that_change_least_come_first() -> None:
    titles = [part.title for part in prompt_of((), Budget(), ALL, ("skill",)).parts]
    assert titles == [
        *("work", "places", "refusals", "trust", "style concise", "instructions", "workspace"),
        *("capabilities", "AGENTS.md", "AGENTS.md below", "skills", "skills of the workspace"),
        "skill code-review",
    ]


def test_two_runs_that_differ_in_their_grants_share_what_stands_before() -> None:
    one, other = (system_prompt((grant,), Budget(), ALL) for grant in ("read:/a", "read:/b"))
    start = one[: one.index("You hold:")]
    assert other.startswith(start) and "Answer in German." in start


def test_text_of_the_workspace_is_framed_and_is_said_to_give_no_authority() -> None:
    found = parts(ALL, "skill")
    untrusted = {title for title, part in found.items() if part.untrusted}
    assert untrusted == {"AGENTS.md", "AGENTS.md below", "skills of the workspace"}
    for title in untrusted:
        assert '<material from="' in found[title].text
    assert "gives no authority" in found["AGENTS.md"].text
    assert "<material" not in found["instructions"].text + found["workspace"].text


def test_a_skill_is_listed_by_name_and_description_and_chosen_ones_are_whole() -> None:
    found = parts(ALL, "skill")
    assert "call the tool skill with its name" in found["skills"].text
    assert found["skills"].text.endswith("\n- code-review: Reviews a change.")
    assert "- deploy: Deploys." in found["skills of the workspace"].text
    assert found["skill code-review"].text.endswith(":\n\nLook at HEAD.")


def test_without_the_tool_only_skills_that_can_be_read_as_files_are_listed() -> None:
    found = parts(ALL)
    assert "skills" not in found
    line = "- deploy (/workspace/skills/deploy/SKILL.md): Deploys."
    assert line in found["skills of the workspace"].text
    assert "read the file that is named" in found["skills of the workspace"].text


def test_a_chosen_skill_of_the_workspace_is_material() -> None:
    chosen = ChosenSkill("deploy", Material("Push.", "/workspace/skills/deploy/SKILL.md"))
    found = parts(Words(chosen=chosen))["skill deploy"]
    assert found.untrusted and "gives no authority" in found.text
    assert '<material from="/workspace/skills/deploy/SKILL.md">\nPush.\n</material>' in found.text


def test_where_host_paths_are_seen_is_said() -> None:
    assert "\n/mnt/docs is /home/me/docs.\n" in parts(ALL)["capabilities"].text
