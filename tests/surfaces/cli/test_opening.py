"""The opening question: what is chosen, and what is remembered for which folder."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.engine.settings import Settings
from capbox.surfaces.cli.opening import Choice, FolderKey, Remembered, folder_key, opened
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.terminal import Terminal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace."""
    made = tmp_path / "workspace"
    made.mkdir()
    return made


@pytest.fixture
def remembered(tmp_path: Path) -> Remembered:
    """What is remembered: nothing yet."""
    return Remembered(tmp_path / "folders.json")


async def answered(settings: Settings, remembered: Remembered, typed: str) -> tuple[Settings, str]:
    """Ask with `typed` as everything a person types, and return what was said, too."""
    ask, answer = os.pipe()
    written = io.StringIO()
    os.write(answer, typed.encode())
    os.close(answer)
    try:
        terminal = Terminal(Screen(io.StringIO(), written, {}), ask)
        return await opened(settings, remembered, terminal), written.getvalue()
    finally:
        os.close(ask)


@pytest.mark.parametrize(
    ("typed", "preset", "grants"),
    [
        ("r\n", "none", ("read:/workspace",)),
        ("READ\n", "none", ("read:/workspace",)),
        ("e\n", "edit", ()),
        ("n\n", "none", ()),
        ("\n", "none", ()),
        ("", "none", ()),
        ("what?\nx\ne\n", "edit", ()),
        ("c\nread:/workspace/a\n\n", "none", ("read:/workspace/a",)),
        ("c\nrubbish\nwrite:/workspace/b\nenv:A\n\n", "none", ("write:/workspace/b", "env:A")),
        ("c\n", "none", ()),
    ],
)
async def test_an_answer_becomes_settings_and_is_not_remembered(
    typed: str, preset: str, grants: tuple[str, ...], folder: Path, remembered: Remembered
) -> None:
    plain = Settings(workspace=folder)
    made, said = await answered(plain, remembered, typed)
    assert made == replace(plain, preset=preset, grants=grants)
    assert "this folder: [r]ead [e]dit [c]ustom [n]othing; remember?" in said
    assert not remembered.file.exists()


@pytest.mark.parametrize(
    ("typed", "choice"),
    [
        ("r!\n", Choice("read-only")),
        ("e !\n", Choice("edit")),
        ("n!\n", Choice("none")),
        ("!\n", Choice("none")),
        ("c!\nread:/workspace/a\n\n", Choice("none", ("read:/workspace/a",))),
    ],
)
async def test_an_answer_with_a_mark_is_remembered_and_told_the_next_time(
    typed: str, choice: Choice, folder: Path, remembered: Remembered
) -> None:
    plain = Settings(workspace=folder)
    first, _ = await answered(plain, remembered, typed)
    assert remembered.get(folder_key(folder)) == choice
    assert remembered.file.stat().st_mode & 0o777 == 0o600
    second, said = await answered(plain, remembered, "")
    assert first == second == choice.applied(plain)
    forget = f"capbox grants remove {folder_key(folder).id} forgets it"
    assert said == f"{folder}: {choice} (remembered; {forget})\n"


async def test_another_folder_in_the_same_place_is_asked_about_again(
    folder: Path, remembered: Remembered, tmp_path: Path
) -> None:
    await answered(Settings(workspace=folder), remembered, "e!\n")
    os.rename(folder, tmp_path / "moved")
    shutil.copytree(tmp_path / "moved", folder)
    assert remembered.get(folder_key(folder)) is None
    assert remembered.get(folder_key(tmp_path / "moved")) is None
    assert remembered.get(replace(folder_key(folder), born=1)) is None
    await answered(Settings(workspace=folder), remembered, "r!\n")
    assert remembered.get(folder_key(folder)) == Choice("read-only")


async def test_folders_are_remembered_beside_each_other(
    folder: Path, remembered: Remembered, tmp_path: Path
) -> None:
    assert remembered.put(folder_key(folder), Choice("edit")) is None
    assert remembered.put(folder_key(tmp_path), Choice("read-only")) is None
    assert remembered.put(folder_key(folder), Choice("none")) is None
    assert remembered.get(folder_key(folder)) == Choice("none")
    assert remembered.get(folder_key(tmp_path)) == Choice("read-only")
    assert sorted(os.listdir(tmp_path)) == ["folders.json", "folders.json.lock", "workspace"]


REMEMBER = """
import sys
from pathlib import Path
from capbox.surfaces.cli.opening import Choice, FolderKey, Remembered
remembered, name = Remembered(Path(sys.argv[1])), sys.argv[2]
print(flush=True)
sys.stdin.readline()
for number in range(40):
    assert remembered.put(FolderKey(f"/{name}/{number}", 1, number), Choice("edit")) is None
"""


@pytest.mark.slow
def test_two_processes_that_remember_at_the_same_time_lose_nothing(remembered: Remembered) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", REMEMBER, str(remembered.file), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in ("a", "b")
    ]
    for one in running:
        assert one.stdout is not None
        one.stdout.readline()
    for one in running:
        assert one.stdin is not None
        one.stdin.write(b"go\n")
        one.stdin.flush()
    for one in running:
        one.communicate(timeout=120)
        assert one.returncode == 0
    keys = [FolderKey(f"/{name}/{n}", 1, n) for name in ("a", "b") for n in range(40)]
    assert [key for key in keys if remembered.get(key) != Choice("edit")] == []


ENTRY = '{{"path": "{0}", "device": 1, "inode": 1, "preset": {1}, "grants": {2}}}'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"version": 1, "folders": ' + b"[" * 200_000,
        b'{"version": 2, "folders": []}',
        b'{"version": 1, "folders": 3}',
        b'{"version": 1, "folders": [{}]}',
        b'{"version": 1, "folders": [%s]}' % ENTRY.format("/x", '"full"', "[]").encode(),
        b'{"version": 1, "folders": [%s]}' % ENTRY.format("/x", '["edit"]', "[]").encode(),
        b'{"version": 1, "folders": [%s]}' % ENTRY.format("/x", '"none"', '["rubbish"]').encode(),
    ],
)
async def test_a_file_that_cannot_be_read_is_kept_reported_and_not_used(
    content: bytes, folder: Path, remembered: Remembered
) -> None:
    remembered.file.write_bytes(content)
    made, said = await answered(Settings(workspace=folder), remembered, "e!\n")
    assert made.preset == "edit"
    assert str(remembered.file) in said
    assert "not remembered" in said
    assert remembered.file.read_bytes() == content


async def test_a_file_that_cannot_be_written_is_reported(folder: Path, tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "missing" / "folders.json")
    made, said = await answered(Settings(workspace=folder), remembered, "e!\n")
    assert made.preset == "edit"
    assert "not remembered" in said


async def test_a_workspace_that_is_not_there_is_not_asked_about(
    remembered: Remembered, tmp_path: Path
) -> None:
    plain = Settings(workspace=tmp_path / "nowhere")
    assert await answered(plain, remembered, "e!\n") == (plain, "")
