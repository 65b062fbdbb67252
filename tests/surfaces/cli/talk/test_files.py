"""What the word before the cursor may go on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.settings import Settings
from capbox.surfaces.cli.commands.words.chosen import reader_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.talk.files import SHOWN_MAX, completions

Named = Callable[..., list[str]]


@pytest.fixture
def named(entry: Entry, workspace: Path) -> Named:
    """Return the texts that complete a line, for a session that holds these grants."""
    (workspace / "docs" / "deep").mkdir(parents=True)
    (workspace / "docs" / "b.md").write_text("b")
    (workspace / ".hidden").write_text("h")

    def texts(before: str, *grants: str) -> list[str]:
        settings = Settings(workspace=workspace, grants=grants, environ={})
        return [one.text for one in completions(before, lambda: reader_of(entry, settings))]

    return texts


@pytest.mark.parametrize(
    ("before", "texts"),
    [
        ("@", ["@docs/", "@a.txt", "@b.txt"]),
        ("see @b", ["@b.txt"]),
        ("see @docs/", ["@docs/deep/", "@docs/b.md"]),
        ("@none/", []),
        ("@.", ["@.hidden"]),
        ("@.e", []),  # .env is excluded from a grant on its folder
        ("@../", []),
        ("@/etc/", []),
        ("@docs/../", []),
        ("see @b ", []),
        ("b", []),
        ("a@b", []),
        ("/gran", ["/grants", "/grant "]),
        ("/quit", []),
        ("/grant @", ["@docs/", "@a.txt", "@b.txt"]),
    ],
)
def test_a_word_is_completed(before: str, texts: list[str], named: Named) -> None:
    assert named(before, "read:/workspace") == texts


@pytest.mark.parametrize(
    ("grants", "texts"),
    [
        ((), []),
        (("read:/workspace/a.txt",), ["@a.txt"]),
        (("write:/workspace/docs",), ["@docs/"]),
        (("read:/workspace/a.txt uses=3",), []),  # a look at names must not be a way to spend it
        (("read:/workspace except=b.txt",), ["@docs/", "@a.txt"]),
        (("fetch:https://a.example",), []),
    ],
)
def test_only_what_the_session_may_read_is_named(
    grants: tuple[str, ...], texts: list[str], named: Named
) -> None:
    assert named("@", *grants) == texts


@pytest.mark.attack
def test_a_name_that_hides_or_acts_is_not_named(named: Named, workspace: Path) -> None:
    for name in ("x\x1b[2J", "x\u202ey", "x\u200by", "x\U000e0041", "x y", "x\ny"):
        (workspace / name).write_text("x")
    assert named("@x", "read:/workspace") == []


@pytest.mark.attack
def test_a_link_out_of_the_workspace_is_not_followed(named: Named, workspace: Path) -> None:
    (workspace / "out").symlink_to("/etc")
    assert named("@out/", "read:/workspace") == []
    assert "@out/" not in named("@o", "read:/workspace")


def test_many_files_are_not_all_named(named: Named, workspace: Path) -> None:
    for number in range(SHOWN_MAX + 20):
        (workspace / f"many{number}").write_text("")
    assert len(named("@many", "read:/workspace")) == SHOWN_MAX
