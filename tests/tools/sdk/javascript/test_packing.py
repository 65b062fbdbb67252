"""The author's modules inside the engine: what goes in, what stays when a build fails.

What calls the new tool is given here; the real one is tested with the command line.
"""

from __future__ import annotations

import json
import tomllib
import tracemalloc
from pathlib import Path

import pytest
import wasmtime
from tests.tools.sdk.making import workshop

from capbox import app
from capbox.messages import JsonObject
from capbox.sandbox.image.sections import PackingError
from capbox.tools.folder import load_folder
from capbox.tools.registry import Found
from capbox.tools.sdk.describing import DESCRIBE
from capbox.tools.sdk.javascript.behind import placed_behind
from capbox.tools.sdk.javascript.packing import MARK, authored, build, packed
from capbox.tools.sdk.project import BuildError, Project, read_project
from capbox.tools.sdk.starting import start

ENGINE = app.GUESTS / "javascript.wasm"
PAGE = 64 << 10


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The template."""
    start(tmp_path / "t", "t", "javascript")
    return read_project(tmp_path / "t")


async def describe(folder: Path) -> JsonObject:
    """Say that the function is one; the folder has to be that of a tool without any right."""
    found = load_folder(folder)
    assert isinstance(found, Found) and found.manifest.name == DESCRIBE
    assert (found.manifest.requests, found.manifest.access) == ((), "none")
    assert found.manifest.limits.wall_seconds == 10
    return {}


async def fails(folder: Path) -> JsonObject:
    """Say that it is none."""
    raise BuildError("t.js", "t.js:1:1: SyntaxError: no")


async def test_modules_are_packed_and_nothing_else(project: Project) -> None:
    for name in ("lib/a.mjs", "lib/b.cjs", "lib/c.json", ".hidden.js", ".git/x.js", "notes.txt"):
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text(f"// {name} \N{SNOWMAN}")
    (project.folder / "node_modules" / "x").mkdir(parents=True)
    (project.folder / "node_modules" / "x" / "index.js").write_text("")
    found = authored(project)
    assert sorted(found) == ["lib/a.mjs", "lib/b.cjs", "lib/c.json", "t.js"]
    assert found["lib/a.mjs"] == "// lib/a.mjs \N{SNOWMAN}"
    await build(project, workshop(), ENGINE, describe)
    _, _, text = project.built.read_bytes().partition(MARK)
    assert json.loads(text[4:]) == {"main": "t.js", "files": found}
    assert int.from_bytes(text[:4], "little") == len(text) - 4


async def test_the_manifest_gets_what_the_comment_says(project: Project) -> None:
    await build(project, workshop(), ENGINE, describe)
    manifest = tomllib.loads((project.folder / "tool.toml").read_text())
    assert manifest["description"] == "Greet somebody."
    assert manifest["input_schema"]["required"] == ["name"]
    before = (project.folder / "tool.toml").read_bytes(), project.built.read_bytes()
    await build(project, workshop(), ENGINE, describe)
    assert ((project.folder / "tool.toml").read_bytes(), project.built.read_bytes()) == before


async def test_a_schema_by_hand_stays_and_needs_no_comment(project: Project) -> None:
    path = project.folder / "tool.toml"
    lines = [line for line in path.read_text().splitlines(keepends=True) if "generated" not in line]
    path.write_text("".join(lines))
    project.source.write_text("export default () => 1;\n")
    before = path.read_bytes()
    await build(project, workshop(), ENGINE, describe)
    assert path.read_bytes() == before


async def test_a_build_that_fails_leaves_module_and_manifest_as_they_were(
    project: Project,
) -> None:
    project.built.write_bytes(b"old")
    before = (project.folder / "tool.toml").read_bytes()
    with pytest.raises(BuildError, match="SyntaxError"):
        await build(project, workshop(), ENGINE, fails)
    assert project.built.read_bytes() == b"old"
    assert (project.folder / "tool.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.js", b"// \xff", "a.js: is no text in UTF-8: byte 3"),
        ("a.js", None, "a.js: is a link or no file; only files are packed"),
        ("a.js", b" " * (16 << 20), "holds more than 16 MB to pack"),
        ("tool.toml", b'name = "t"\nmodule = "t.wasm"\nwishes = 1\n', "unknown key wishes"),
        ("t.js", b"export default () => 1;", "t.js: no comment /** ... */ stands before"),
        ("build.toml", b'language = "javascript"\nsource = "t.ts"\n', "t.ts: is no module: .js"),
    ],
)
async def test_what_cannot_be_packed_is_named(
    name: str, content: bytes | None, message: str, project: Project
) -> None:
    (project.folder / "t.ts").write_text("")
    if content is None:
        (project.folder / name).symlink_to("/etc/passwd")
    else:
        (project.folder / name).write_bytes(content)
    with pytest.raises(BuildError) as refused:
        await build(read_project(project.folder), workshop(), ENGINE, describe)
    assert message in str(refused.value)
    assert not project.built.exists()


@pytest.mark.attack
def test_a_file_of_holes_is_not_read_whole(project: Project) -> None:
    """Attack: 24 KB on disk, 1.2 GB in memory before its size was looked at."""
    with (project.folder / "big.json").open("wb") as file:
        file.truncate(1_200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BuildError, match="holds more than 16 MB to pack"):
            authored(project)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_an_engine_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"javascript\.wasm: .*No such file"):
        packed(tmp_path / "javascript.wasm", "t.js", {})


@pytest.mark.parametrize("size", [1, 63, 64, 300, PAGE - 1, PAGE, PAGE + 1, 5 * PAGE])
def test_data_lie_where_the_memory_ended(size: int) -> None:
    wat = (
        '(module (memory (export "memory") 3) (data (i32.const 8) "abc") (data (i32.const 90) "d"))'
    )
    content = bytes(n % 251 + 1 for n in range(size))
    module = placed_behind(bytes(wasmtime.wat2wasm(wat)), content)
    store = wasmtime.Store()
    made = wasmtime.Instance(store, wasmtime.Module(store.engine, module), [])
    memory = made.exports(store)["memory"]
    assert isinstance(memory, wasmtime.Memory)
    held = bytes(memory.read(store))
    assert held[: 3 * PAGE] == b"\0" * 8 + b"abc" + b"\0" * 79 + b"d" + b"\0" * (3 * PAGE - 91)
    assert held[3 * PAGE :].rstrip(b"\0") == content
    assert len(held) == (3 + -(-size // PAGE)) * PAGE


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (b"\x7fELF", "it is no WebAssembly module"),
        ('(module (memory 1 2) (data (i32.const 0) "a"))', "it has not one memory that may grow"),
        ("(module)", "it has no memory of its own"),
        ('(module (memory 1) (data "a") (func (data.drop 0)))', "its code names data segments"),
    ],
)
def test_a_module_that_has_no_such_place_is_refused(module: bytes | str, message: str) -> None:
    given = module if isinstance(module, bytes) else bytes(wasmtime.wat2wasm(module))
    with pytest.raises(PackingError, match=message):
        placed_behind(given, b"x")
