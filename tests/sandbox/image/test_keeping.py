"""An interpreter with files in it: the same bytes each time, and nothing compiled by others."""

from __future__ import annotations

import os
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
async def test_names_and_bytes_alone_decide_what_is_packed(tmp_path: Path) -> None:
    """Not the folder, the times, the modes, the order of making, or what was kept."""
    kept = tmp_path / "kept"
    first, second = planted(tmp_path / "app", TOOL), tmp_path / "copy"
    for name in ("b.txt", "a.txt"):
        (first / name).write_text(name)
    second.mkdir()
    for name in ("a.txt", "capbox_tool.py", "b.txt"):
        (second / name).write_bytes((first / name).read_bytes())
        (second / name).chmod(0o600)
        os.utime(second / name, (1_000_000_000, 1_100_000_000))
    await packed(BASE, {"/app": first}, tmp_path / "one.wasm", kept)
    await packed(BASE, {"/app": second}, tmp_path / "two.wasm", kept)
    await packed(BASE, {"/app": first}, tmp_path / "three.wasm")
    (second / "b.txt").write_text("B.txt")
    await packed(BASE, {"/app": second}, tmp_path / "four.wasm", kept)
    made = [tmp_path.joinpath(f"{n}.wasm").read_bytes() for n in ("one", "two", "three", "four")]
    assert made[0] == made[1] == made[2] != made[3]
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
