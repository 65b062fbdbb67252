"""Files of a stranger's folder are opened without waiting, and only if they are files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.tools.folder import load_folder
from capbox.tools.inspection.inspecting import InspectionError, inspect, inspect_folder
from capbox.tools.registry import RegistryError, load_module
from capbox.tools.regular import read_regular

MANIFEST = """name = "t"
version = "0.1.0"
description = "d"
license = "MIT"
abi = "json"
module = "t.wasm"
access = "none"
[input_schema]
type = "object"
"""


def fifo(path: Path) -> None:
    """Make a FIFO."""
    os.mkfifo(path)


def folder(path: Path) -> None:
    """Make a folder."""
    path.mkdir()


@pytest.mark.parametrize(("size", "reason"), [(9, None), (10, "too long: it has at most 9 bytes")])
def test_a_file_is_read_up_to_its_bound(tmp_path: Path, size: int, reason: str | None) -> None:
    path = tmp_path / "a"
    path.write_text("x" * size)
    if reason is None:
        assert read_regular(path, 9) == "x" * size
    else:
        with pytest.raises(ValueError, match=reason):
            read_regular(path, 9)


@pytest.mark.parametrize("make", [fifo, folder])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "tool.toml").write_text(MANIFEST)
    make(tmp_path / "t.wasm")
    reason, wasm = "is no regular file", str(tmp_path / "t.wasm")
    assert load_module(tmp_path / "t.wasm", shipped=False) == RegistryError(wasm, reason)
    assert load_folder(tmp_path) == RegistryError(wasm, reason)
    assert inspect(tmp_path / "t.wasm") == InspectionError(wasm, reason)
    (tmp_path / "tool.toml").unlink()
    make(tmp_path / "tool.toml")
    manifest = str(tmp_path / "tool.toml")
    assert load_folder(tmp_path) == RegistryError(manifest, reason)
    assert inspect_folder(tmp_path) == InspectionError(manifest, reason)
