"""Names that are long, odd, or no text at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from capbox.messages import ToolResult

LONGEST = "n" * 251 + ".txt"
NAMES = [
    LONGEST,
    "-rf",
    " blank ",
    "tab\there",
    "new\nline",
    "e\u0301",
    "\u00e9",
    "\U0001f600",
    "*",
    "a'b\"c$(x)",
]


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


@pytest.mark.parametrize("name", NAMES)
async def test_every_name_that_is_text_is_found_read_and_kept(
    make_box: object, workspace: Path, name: str
) -> None:
    (workspace / name).write_text("needle\n")
    async with make_box() as box:  # type: ignore[operator]
        globbed = await box.call("glob", pattern="**/*")
        grepped = await box.call("grep", pattern="needle")
        shell = await box.call("bash", script='for f in *; do cat -- "$f"; cp -- "$f" copy; done')
    shown = name.replace("\t", "\\t").replace("\n", "\\n")  # a line for each
    assert (globbed.content, grepped.content) == (shown, f"{shown}:1:needle")
    assert shell.content == "needle\n"
    assert (workspace / "copy").read_text() == (workspace / name).read_text() == "needle\n"


async def test_a_name_that_is_no_text_is_told_of_where_its_folder_is_listed(
    make_box: object, workspace: Path
) -> None:
    folder = workspace / "folder"
    folder.mkdir()
    (workspace / os.fsdecode(b"folder/caf\xe9")).write_text("content")
    async with make_box() as box:  # type: ignore[operator]
        for tool, arguments in (
            ("tree", {"path": "folder"}),
            ("glob", {"pattern": "folder/*"}),
            ("bash", {"script": "rm -r folder || ls folder"}),
        ):
            result = await box.call(tool, **arguments)
            assert [(d.access, d.reason, d.flag) for d in result.denied] == [
                (
                    "read /workspace/folder/caf?",
                    "its name is not UTF-8, so no tool can see it",
                    None,
                )
            ], tool
    assert os.listdir(os.fsencode(folder)) == [b"caf\xe9"]


@pytest.mark.parametrize("tool", ["read", "write", "edit"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (LONGEST, None),
        ("n" * 256, "name is too long"),
        ("n" * 3_000, "name is too long"),
        ("new\nline", "control or bidi"),
        ("nul\0", "control or bidi"),
        ("caf\udce9", "control or bidi"),
    ],
)
async def test_a_path_is_taken_or_refused_with_its_reason(
    make_box: object, workspace: Path, tool: str, path: str, reason: str | None
) -> None:
    (workspace / LONGEST).write_text("old\n")
    more = {"read": {}, "write": {"content": "new\n"}, "edit": {"old": "old", "new": "new"}}[tool]
    async with make_box() as box:  # type: ignore[operator]
        result = await box.call(tool, path=path, **more)
    assert code(result) == (None if reason is None else "invalid_arguments")
    if result.error is not None:
        assert reason in result.error.message
        assert os.listdir(workspace) == [LONGEST]
    elif tool != "read":
        assert (workspace / LONGEST).read_text() == "new\n"


async def test_names_that_are_no_text_are_left_alone(make_box: object, workspace: Path) -> None:
    """A guest has no way to name them, so it neither sees nor loses them."""
    odd = os.fsencode(workspace) + b"/caf\xe9"
    os.mkdir(odd)
    os.close(os.open(odd + b"/in.txt", os.O_CREAT))
    (workspace / "plain.txt").write_text("needle\n")
    async with make_box() as box:  # type: ignore[operator]
        globbed = await box.call("glob", pattern="**/*")
        grepped = await box.call("grep", pattern="needle")
        shell = await box.call("bash", script="ls; rm -rf ./*; touch $'caf\\xe9x'; echo rc=$?")
    assert (globbed.content, grepped.content) == ("plain.txt", "plain.txt:1:needle")
    assert shell.content.startswith("plain.txt\n") and shell.content.endswith("rc=1\n")
    assert os.listdir(os.fsencode(workspace)) == [b"caf\xe9"]
    assert os.listdir(odd) == [b"in.txt"]
