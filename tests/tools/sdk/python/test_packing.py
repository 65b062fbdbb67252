"""From a function to a packed folder and a manifest: what goes in, and what stays when it fails.

What packs and what calls are given here; the real ones are tested with the command line.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.tools.sdk.making import workshop

from capbox.messages import JsonObject
from capbox.tools.folder import load_folder
from capbox.tools.registry import Found
from capbox.tools.sdk.describing import DESCRIBE
from capbox.tools.sdk.project import BuildError, Project, read_project
from capbox.tools.sdk.python.packing import APP, build, lay_out
from capbox.tools.sdk.starting import start

PARTS: JsonObject = {"description": "New.", "input_schema": {"type": "object"}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The template."""
    start(tmp_path / "t", "t", "python")
    return read_project(tmp_path / "t")


def contents(folder: Path) -> set[str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def write(target: Path, content: bytes) -> None:
    """Write a file."""
    target.write_bytes(content)


async def pack(folders: Mapping[str, Path], target: Path) -> None:
    """Write what would be packed, after the head of a module."""
    (folder,) = (folders[guest] for guest in folders if guest == APP)
    write(target, b"\0asm" + "\n".join(sorted(contents(folder))).encode())


async def describe(folder: Path) -> JsonObject:
    """Say what a function would say; the folder has to be one of a tool."""
    found = load_folder(folder)
    assert isinstance(found, Found) and found.manifest.name == DESCRIBE
    assert (found.manifest.requests, found.manifest.access) == ((), "none")
    return PARTS


async def test_what_the_author_wrote_is_packed_and_what_builds_it_is_not(project: Project) -> None:
    (project.folder / "data").mkdir()
    (project.folder / "data" / "x.json").write_text("{}")
    (project.folder / ".env").write_text("KEY=s3")
    (project.folder / ".git").mkdir()
    (project.folder / ".git" / "config").write_text("")
    await build(project, workshop(), pack, describe)
    packed = project.built.read_bytes().removeprefix(b"\0asm").decode().splitlines()
    assert packed == [
        "capbox_tool.py",
        "source/README.md",
        "source/data/x.json",
        "source/t.py",
        "tool.json",
    ]
    assert tomllib.loads((project.folder / "tool.toml").read_text())["description"] == "New."


def test_the_function_is_named_by_its_module(project: Project, tmp_path: Path) -> None:
    packages, app = tmp_path / "packages", tmp_path / "app"
    packages.mkdir()
    lay_out(project, packages, app)
    assert json.loads((app / "tool.json").read_text()) == {"module": "t", "function": "t"}
    build_file = project.folder / "build.toml"
    for name in ("pkg/mod.py", "a-b.py", "t.txt"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("")
        text = build_file.read_text()
        build_file.write_text(text.replace('source = "t.py"', f'source = "{name}"'))
        changed = read_project(project.folder)
        build_file.write_text(text)
        if name == "pkg/mod.py":
            lay_out(changed, packages, app)
            assert json.loads((app / "tool.json").read_text())["module"] == "pkg.mod"
        else:
            with pytest.raises(BuildError, match="is no module of Python"):
                lay_out(changed, packages, app)


async def test_a_pipe_is_not_packed(project: Project) -> None:
    """Attack: whoever builds would wait for a writer."""
    os.mkfifo(project.folder / "notes.txt")
    with pytest.raises(BuildError, match="is a link or no file; only files are packed"):
        await build(project, workshop(), pack, describe)


async def test_a_link_is_not_packed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3")
    (project.folder / "notes.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(BuildError, match="is a link or no file; only files are packed"):
        await build(project, workshop(), pack, describe)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[requests]", "[wishes]", "unknown key wishes"),
        ("</generated>", "", "is not where the build writes it"),
        ("required = []", 'required = ["all"]', "requests.required: 'all'"),
        ("[requests]", '[paths]\nname = "delete"\n[requests]', '"read" or "write" is expected'),
    ],
)
async def test_what_is_wrong_in_the_authors_part_is_found_before_anything_is_packed(
    old: str, new: str, message: str, project: Project
) -> None:
    async def never(folders: Mapping[str, Path], target: Path) -> None:
        raise AssertionError("it was packed")

    path = project.folder / "tool.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(BuildError) as refused:
        await build(project, workshop(), never, describe)
    assert message in str(refused.value)


async def test_a_build_that_fails_leaves_module_and_manifest_as_they_were(
    project: Project,
) -> None:
    async def fails(folder: Path) -> JsonObject:
        raise BuildError("t.py", "argument a has no annotation")

    project.built.write_bytes(b"old")
    before = (project.folder / "tool.toml").read_text()
    with pytest.raises(BuildError, match="has no annotation"):
        await build(project, workshop(), pack, fails)
    assert project.built.read_bytes() == b"old"
    assert (project.folder / "tool.toml").read_text() == before


async def test_a_declared_path_that_the_function_does_not_take_is_refused(
    project: Project,
) -> None:
    path = project.folder / "tool.toml"
    text = path.read_text().replace("[requests]", '[paths]\nfile = "read"\n[requests]', 1)
    path.write_text(text)
    with pytest.raises(BuildError, match=r"paths\.file: input_schema has no such property"):
        await build(project, workshop(), pack, describe)
    assert path.read_text() == text
