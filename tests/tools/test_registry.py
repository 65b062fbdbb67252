"""Tools are found with a digest of module and manifest; what cannot be loaded is named."""

from pathlib import Path

import pytest

from capbox.gate.manifest import ManifestError, parse_manifest
from capbox.sandbox.spec import Job, Outcome
from capbox.tools.registry import RegistryError, load
from capbox.tools.scripted import ScriptedRunner, reply

MANIFEST = """
name = "{name}"
version = "1"
description = "for tests"
license = "MIT"
abi = "json"
module = "{module}"
access = "none"
[input_schema]
type = "object"
"""
EMPTY_WASM = b"\0asm\1\0\0\0"


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """A directory with one module and two tools."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box.wasm").write_bytes(EMPTY_WASM)
    for name in ("one", "two"):
        write(tmp_path, name)
    return tmp_path


def write(guests: Path, name: str, *, file: str = "", module: str = "box.wasm") -> None:
    text = MANIFEST.format(name=name, module=module)
    (guests / "box" / f"{file or name}.toml").write_text(text)


def test_every_tool_is_found_with_its_module(guests: Path) -> None:
    registry = load(guests, shipped=True)
    assert (sorted(registry.tools), registry.errors) == (["one", "two"], ())
    one, two = registry.tools["one"], registry.tools["two"]
    assert one.module == two.module and one.module.shipped
    assert one.digest != two.digest


def test_a_change_of_module_or_manifest_is_another_tool(guests: Path) -> None:
    before = load(guests, shipped=True).tools["one"].digest
    (guests / "box.wasm").write_bytes(EMPTY_WASM + b"\0\2\1x")
    after_module = load(guests, shipped=True).tools["one"].digest
    with (guests / "box" / "one.toml").open("a") as file:
        file.write("# a comment\n")
    after_manifest = load(guests, shipped=True).tools["one"].digest
    assert len({before, after_module, after_manifest}) == 3


def test_what_cannot_be_loaded_is_named_and_the_rest_stays(guests: Path) -> None:
    write(guests, "three", module="none.wasm")
    write(guests, "four", module="text.wasm")
    write(guests, "one", file="zwei")
    (guests / "text.wasm").write_text("hello")
    (guests / "box" / "five.toml").write_text('name = "five"\ncolour = 1')
    (guests / "box" / "six.toml").write_bytes(b"\xff")
    registry = load(guests, shipped=False)
    assert sorted(registry.tools) == ["one", "two"]
    assert {(Path(e.where).name, e.message.split(":")[0]) for e in registry.errors} == {
        ("none.wasm", "No such file or directory"),
        ("text.wasm", "this is not a WebAssembly module"),
        ("zwei.toml", "a second tool named one"),
        ("five.toml", "unknown key colour"),
        ("six.toml", "'utf-8' codec can't decode byte 0xff in position 0"),
    }


def test_a_directory_without_tools_is_said_to_be_one(tmp_path: Path) -> None:
    assert load(tmp_path / "none", shipped=True).errors == (
        RegistryError(str(tmp_path / "none"), "there are no tools here; were they built?"),
    )


def test_the_gate_takes_the_tools_with_one_runner(guests: Path) -> None:
    async def answer(job: Job) -> Outcome:
        return Outcome(reply("done"))

    runner = ScriptedRunner(answer)
    tools = load(guests, shipped=True).with_runner(runner)
    assert {(name, tool.manifest.name) for name, tool in tools.items()} == {
        ("one", "one"),
        ("two", "two"),
    }
    assert all(tool.runner is runner for tool in tools.values())


def test_the_shipped_manifests_all_parse() -> None:
    folder = Path(__file__).parents[2] / "guests" / "toolbox" / "manifests"
    parsed = [parse_manifest(path.read_text(), path.name) for path in folder.glob("*.toml")]
    assert len(parsed) >= 6
    assert [m for m in parsed if isinstance(m, ManifestError)] == []
