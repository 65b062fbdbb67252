"""Installed tools stand beside the shipped ones; one that is unusable is named and left out."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.packages.making import Person, manifest, packed, workshop

from capbox.engine.home import Home
from capbox.tools.available import available
from capbox.tools.folder import MANIFEST_BYTES_MAX, is_folder, load_folder
from capbox.tools.packages.installing.install import install as installed
from capbox.tools.packages.installing.plan import Wishes
from capbox.tools.registry import Found, RegistryError

MANIFEST = """
name = "{name}"
version = "1"
description = "for tests"
license = "MIT"
abi = "json"
module = "{name}.wasm"
access = "none"
[input_schema]
type = "object"
"""
EMPTY_WASM = b"\0asm\1\0\0\0"


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """One shipped tool, `read`."""
    (tmp_path / "guests" / "box").mkdir(parents=True)
    (tmp_path / "guests" / "read.wasm").write_bytes(EMPTY_WASM)
    (tmp_path / "guests" / "box" / "read.toml").write_text(MANIFEST.format(name="read"))
    return tmp_path / "guests"


def folder(parent: Path, name: str, *, tool: str | None = None) -> Path:
    """Make the folder of a tool."""
    made = parent / name
    made.mkdir(parents=True)
    (made / f"{tool or name}.wasm").write_bytes(EMPTY_WASM)
    (made / "tool.toml").write_text(MANIFEST.format(name=tool or name))
    return made


def install(home: Home, parent: Path, text: str, namespace: str = "alice") -> None:
    """Install a package of this manifest; what is there has no say."""
    layout, _ = packed(parent, text, namespace=namespace)
    shop = replace(workshop(home), guests=parent / "guests")
    installed(shop, layout.folder, Wishes(), Person())


def test_an_installed_tool_stands_beside_the_shipped_ones(
    guests: Path, tmp_path: Path, home: Home
) -> None:
    install(home, tmp_path, manifest("greet"))
    found = available(guests, home.tools)
    assert (sorted(found.tools), found.errors, found.unusable) == (["greet", "read"], (), ())
    assert found.tools["read"].module.shipped and not found.tools["greet"].module.shipped


def test_an_installed_tool_never_takes_the_name_of_another(
    guests: Path, tmp_path: Path, home: Home
) -> None:
    """Installing refuses it; a tool that capbox brings later on is the one that is used."""
    install(home, tmp_path, manifest("greet"))
    (guests / "box" / "greet.toml").write_text(MANIFEST.format(name="greet"))
    (guests / "greet.wasm").write_bytes(EMPTY_WASM)
    found = available(guests, home.tools)
    assert found.tools["greet"].module.shipped and sorted(found.tools) == ["greet", "read"]
    assert [one.message for one in found.unusable] == ["its tool is named greet, as another one is"]


def test_no_directory_of_installed_tools_is_no_error(guests: Path, tmp_path: Path) -> None:
    assert sorted(available(guests, tmp_path / "none").tools) == ["read"]


def test_a_link_in_a_tools_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wasm"
    secret.write_bytes(EMPTY_WASM)
    made = folder(tmp_path, "greet")
    assert isinstance(load_folder(made), Found)
    (made / "greet.wasm").unlink()
    (made / "greet.wasm").symlink_to(secret)
    error = load_folder(made)
    assert isinstance(error, RegistryError) and "is a link" in error.message
    (made / "tool.toml").rename(tmp_path / "away.toml")
    (made / "tool.toml").symlink_to(tmp_path / "away.toml")
    error = load_folder(made)
    assert isinstance(error, RegistryError) and "is a link" in error.message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "this is not the folder of a tool"),
        (b"\xff", "can't decode"),
        (b"name = 1", "name"),
        (b"#" * (MANIFEST_BYTES_MAX + 1), "at most"),
    ],
    ids=["missing", "not text", "not a manifest", "huge"],
)
def test_what_is_no_manifest_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    if content is not None:
        (tmp_path / "tool.toml").write_bytes(content)
    assert is_folder(tmp_path) == (content is not None)
    error = load_folder(tmp_path)
    assert isinstance(error, RegistryError)
    assert error.where == str(tmp_path / "tool.toml") and reason in error.message
