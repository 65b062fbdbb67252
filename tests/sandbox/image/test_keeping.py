"""An interpreter with files in it: the same bytes each time, and nothing compiled by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from capbox import app
from capbox.sandbox.image.packing import packed
from capbox.sandbox.image.sections import PackingError

BASE = app.GUESTS / "cpython.wasm"
TOOL = "def answer(request):\n    return {'ok': True, 'content': 'packed'}\n"


def planted(folder: Path, text: str) -> Path:
    """A folder with the half of a tool that answers."""
    folder.mkdir()
    (folder / "capbox_tool.py").write_text(text)
    return folder


@pytest.mark.slow
async def test_what_is_packed_twice_is_the_same_whatever_was_kept(tmp_path: Path) -> None:
    kept, folders = tmp_path / "kept", {"/app": planted(tmp_path / "app", TOOL)}
    await packed(BASE, folders, tmp_path / "one.wasm", kept)
    await packed(BASE, folders, tmp_path / "two.wasm", kept)
    await packed(BASE, folders, tmp_path / "three.wasm")
    one, two, three = (tmp_path.joinpath(f"{n}.wasm").read_bytes() for n in ("one", "two", "three"))
    assert one == two == three
    assert kept.stat().st_mode & 0o777 == 0o700
    assert any(kept.rglob("modules/**/*"))


async def test_native_code_is_not_taken_from_a_directory_that_is_open_to_others(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    kept.chmod(0o755)
    with pytest.raises(PackingError, match="kept"):
        await packed(BASE, {"/app": planted(tmp_path / "app", TOOL)}, tmp_path / "x.wasm", kept)
    assert not (tmp_path / "x.wasm").exists()
    assert list(kept.iterdir()) == []


@pytest.mark.slow
async def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    folders = {"/app": planted(tmp_path / "app", "raise RuntimeError('no good')\n")}
    with pytest.raises(PackingError, match="RuntimeError: no good"):
        await packed(BASE, folders, tmp_path / "x.wasm", tmp_path / "kept")
    assert not (tmp_path / "x.wasm").exists()


async def test_what_is_no_interpreter_is_refused(tmp_path: Path) -> None:
    folders = {"/app": planted(tmp_path / "app", TOOL)}
    with pytest.raises(PackingError, match=r"no command of wasi-libc|carries no files"):
        await packed(app.GUESTS / "toolbox.wasm", folders, tmp_path / "x.wasm")
