"""A SKILL.md is read as the open format says; what is not one is left out with the reason."""

from __future__ import annotations

import pytest

from capbox.engine.skills.skill import Skill, Unusable, is_name, skill_of

WHOLE = """---
name: deploy-site
description: Deploys the site. Use it when the person says "publish".
license: Apache-2.0
compatibility: Needs make.
allowed-tools: Read, Bash(git log:*) Write
argument-hint: "[target] [branch]"
arguments: target branch
metadata:
  author: me
  version: "1.0"
unknown: kept out
---

# Deploy
To $target.
"""


def test_every_field_of_the_format_is_read() -> None:
    assert skill_of(WHOLE, "user", "/home/me/skills/deploy-site") == Skill(
        name="deploy-site",
        description='Deploys the site. Use it when the person says "publish".',
        body="# Deploy\nTo $target.",
        kind="user",
        folder="/home/me/skills/deploy-site",
        license="Apache-2.0",
        compatibility="Needs make.",
        argument_hint="[target] [branch]",
        arguments=("target", "branch"),
        allowed_tools=("Read", "Bash(git log:*)", "Write"),
        metadata={"author": "me", "version": "1.0"},
    )


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("description: d", "name '' is not"),
        ("name: ../etc\ndescription: d", "name '../etc' is not"),
        ("name: Review\ndescription: d", "name 'Review' is not"),
        ("name: a--b\ndescription: d", "name 'a--b' is not"),
        ("name: other\ndescription: d", "is not the name of its folder, 'review'"),
        ("name: review", "description has from 1 to 1024"),
        (f"name: review\ndescription: {'d' * 1_025}", "description has from 1 to 1024"),
        ("name: [review]\ndescription: d", "name is a text"),
        ("name: review\ndescription: d\nmetadata: x", "metadata is a list"),
        ("name: review\ndescription: d\narguments: 'a-b $c'", "arguments: '$c' is no name"),
        ("name: review\ndescription: d\nallowed-tools:\n  a: b", "allowed-tools is a list"),
    ],
)
def test_what_the_format_does_not_allow_is_left_out(front: str, reason: str) -> None:
    found = skill_of(f"---\n{front}\n---\n", "user", "/s/review")
    assert isinstance(found, Unusable) and reason in found.reason
    assert found.path == "/s/review/SKILL.md"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("a", True), ("a-1", True), ("", False), ("-a", False), ("a/b", False), ("a" * 65, False),
     ("é", False), ("..", False), ("a\n", False)],
)  # fmt: skip
def test_a_name_is_never_a_path(name: str, allowed: bool) -> None:
    assert is_name(name) is allowed
