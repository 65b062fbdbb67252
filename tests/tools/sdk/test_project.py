"""A tool's folder from its template on: what is made, what is read, what is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.tools.sdk.making import workshop

from capbox.tools.folder import load_folder
from capbox.tools.inspection.inspecting import Inspection, InspectionError, inspect, inspect_folder
from capbox.tools.registry import RegistryError
from capbox.tools.sdk.building.compiled import compile_module
from capbox.tools.sdk.cases import cases_of
from capbox.tools.sdk.project import (
    LANGUAGES,
    BuildError,
    Language,
    Project,
    manifest_text,
    put,
    read_project,
)
from capbox.tools.sdk.starting import identifier_of, start

SOURCES = {
    "python": "my-tool.py",
    "javascript": "my-tool.js",
    "c": "my-tool.c",
    "zig": "my-tool.zig",
    "go": "main.go",
    "rust": "src/main.rs",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_folder_is_a_project_with_cases(language: Language, tmp_path: Path) -> None:
    folder = tmp_path / "here" / "my-tool"
    made = start(folder, "my-tool", language)
    assert set(made) == {path for path in folder.rglob("*") if path.is_file()}
    project = read_project(folder)
    assert isinstance(project, Project)
    assert (project.language, project.source) == (language, folder / SOURCES[language])
    assert project.built == folder / "my-tool.wasm"
    assert project.function == ("my_tool" if language == "python" else "")
    assert len(cases_of(manifest_text(folder), "tool.toml")) == 3
    texts = [path.read_text() for path in made]
    assert not any("@NAME@" in text or "@IDENTIFIER@" in text for text in texts)
    assert (folder / ".gitignore").read_text() == "*.wasm\n.*.wasm.sources\n"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    start(tmp_path / "empty", "empty", "c")
    for name in ("empty", "file"):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(BuildError, match="is there already, and nothing is written over"):
            start(tmp_path / name, "tool", "c")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "A", "../x", "a b", "-a", "a" * 65, "é"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="is no name of a tool"):
        start(tmp_path / "new", name, "python")
    assert not (tmp_path / "new").exists()


def test_a_tools_name_becomes_one_of_a_function() -> None:
    assert [identifier_of(n) for n in ("a-b", "import", "x1")] == ["a_b", "import_", "x1"]
    names = ("delete", "import", "undefined2", "new")
    assert [identifier_of(n) for n in names] == ["delete", "import_", "undefined2", "new"]
    found = [identifier_of(n, "javascript") for n in names]
    assert found == ["delete_", "import_", "undefined2", "new_"]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("tool.toml", None, None, "tool.toml: is not there: this is not the folder of a tool"),
        ("tool.toml", "t.wasm", "../t.wasm", "module: a file name that ends in .wasm is expected"),
        ("tool.toml", "t.wasm", "t.so", "module: a file name that ends in .wasm is expected"),
        ("tool.toml", '"t.wasm"', "3", "module: a text is expected"),
        ("tool.toml", "name = ", "name ", "tool.toml: "),
        ("tool.toml", 'name = "t"', "#" * 300_000, "is too long: it has at most 262,144 bytes"),
        ("build.toml", None, None, "build.toml: is not there: it says how the module is made"),
        (
            "build.toml",
            '"python"',
            '"perl"',
            "language: one of python, javascript, c, zig, go, rust is",
        ),
        ("build.toml", "language = ", "language ", "build.toml: "),
        ("build.toml", "dependencies", "depends", "unknown key depends"),
        ("build.toml", '"t.py"', '"../t.py"', "is outside of the tool's folder"),
        ("build.toml", '"t.py"', '"/etc/passwd"', "is outside of the tool's folder"),
        ("build.toml", '"t.py"', '"u.py"', "u.py: is not there"),
        ("build.toml", '"t.py"', "3", "source: a text is expected"),
        ("build.toml", 'function = "t"', 'function = ""', "function: a text is expected"),
        ("build.toml", "[]", "3", "dependencies: a list is expected"),
        ("build.toml", "[]", "[3]", "dependencies: a list is expected"),
        ("build.toml", "[]", '["--index-url=http://x"]', "is no requirement"),
        ("build.toml", "[]", '["a\\nb"]', "is no requirement"),
        ("build.toml", "[]", '["a @ https://a.example/a.tar.gz"]', "is no requirement"),
        ("build.toml", "[]", '["git+https://a.example/a"]', "is no requirement"),
        ("build.toml", "[]", '["./a"]', "is no requirement"),
        ("build.toml", "[]", '["a-1.0.tar.gz"]', "is no requirement"),
        ("build.toml", "[]", '["a-1.0-py3-none-any.whl"]', "is no requirement"),
        ("build.toml", "[]", '["a", "A-1.0.ZIP"]', "is no requirement"),
        ("build.toml", "[]", '["a>=1 --no-binary=a"]', "is no requirement"),
    ],
)
def test_a_project_that_cannot_be_read_says_where_and_why(
    file: str, old: str | None, new: str | None, message: str, tmp_path: Path
) -> None:
    start(tmp_path / "t", "t", "python")
    path = tmp_path / "t" / file
    if old is None or new is None:
        path.unlink()
    else:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    with pytest.raises(BuildError) as refused:
        read_project(tmp_path / "t")
    assert message in str(refused.value)


def test_a_manifest_is_whole_where_no_build_writes_a_part_of_it(tmp_path: Path) -> None:
    languages: tuple[Language, ...] = ("c", "python", "javascript")
    for language in languages:
        start(tmp_path / language, "t", language)
        path = tmp_path / language / "tool.toml"
        path.write_text(path.read_text().replace("description", "describes", 1))
    projects = {language: read_project(tmp_path / language) for language in languages}
    assert {project.module for project in projects.values()} == {"t.wasm"}
    with pytest.raises(BuildError, match="unknown key describes"):
        compile_module(projects["c"], workshop())


@pytest.mark.parametrize("name", ["tool.toml", "build.toml"])
def test_a_link_in_the_place_of_a_file_is_refused(name: str, tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "c")
    (tmp_path / "t" / name).rename(tmp_path / "elsewhere")
    (tmp_path / "t" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BuildError, match="is a link"):
        read_project(tmp_path / "t")


def test_what_is_built_replaces_a_link_and_is_not_written_through_it(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "made").write_text("made")
    (tmp_path / "t.wasm").symlink_to(tmp_path / "mine")
    put(tmp_path / "made", tmp_path / "t.wasm")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "t.wasm").read_text() == "made"
    with pytest.raises(BuildError, match="No such file"):
        put(tmp_path / "none", tmp_path / "t.wasm")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "mine", "t.wasm"]


@pytest.mark.parametrize("name", ["tool.toml", "build.toml"])
def test_a_pipe_is_no_file_of_a_project(name: str, tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "c")
    (tmp_path / "t" / name).unlink()
    os.mkfifo(tmp_path / "t" / name)
    with pytest.raises(BuildError, match=f"{name}: "):
        read_project(tmp_path / "t")


def test_requirements_are_names_with_extras_and_versions(tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "python")
    path = tmp_path / "t" / "build.toml"
    asked = ("tabulate", "a.b_c-d", "rich[jupyter, x]>=13,<15", "a ~= 1.0, != 1.1", "a==1.0.*")
    path.write_text(path.read_text().replace("[]", json.dumps(asked)))
    assert read_project(tmp_path / "t").dependencies == asked


def test_dependencies_are_of_python_alone(tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "c")
    with (tmp_path / "t" / "build.toml").open("a") as file:
        file.write('dependencies = ["x"]\n')
    with pytest.raises(BuildError, match="unknown key dependencies"):
        read_project(tmp_path / "t")


def test_what_is_no_module_is_not_inspected(tmp_path: Path) -> None:
    start(tmp_path / "t", "t", "c")
    module, why = (
        str(tmp_path / "t" / "t.wasm"),
        f"is not built yet: capbox tool build {tmp_path}/t",
    )
    assert inspect_folder(tmp_path / "t") == InspectionError(module, why)
    assert load_folder(tmp_path / "t") == RegistryError(module, why)
    (tmp_path / "t" / "build.toml").unlink()  # one that nobody makes here
    why = "No such file or directory"
    assert inspect_folder(tmp_path / "t") == InspectionError(module, why)
    assert load_folder(tmp_path / "t") == RegistryError(module, why)
    (tmp_path / "t" / "t.wasm").write_bytes(b"\x7fELF")
    assert isinstance(inspect_folder(tmp_path / "t"), InspectionError)
    assert isinstance(inspect_folder(tmp_path), InspectionError)
    assert isinstance(inspect(tmp_path), InspectionError)
    (tmp_path / "t" / "t.wasm").write_bytes(b"\0asm\x0d\0\1\0")
    found = inspect(tmp_path / "t" / "t.wasm")
    assert isinstance(found, Inspection) and found.core is None
