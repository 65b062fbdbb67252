"""Disks that are full, read-only, or closed to this user: nothing is lost or half-written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

OLD = "precious\n" * 10
LARGE = "x" * 400_000


@pytest.mark.parametrize("tool", ["write", "edit", "sed", "sort"])
async def test_a_full_disk_keeps_the_old_content_whole(
    make_box: object, small_disk: Path, tool: str
) -> None:
    work = small_disk / "work"
    work.mkdir()
    (work / "a.txt").write_text(OLD)
    calls = {
        "write": ("write", {"path": "a.txt", "content": LARGE}),
        "edit": ("edit", {"path": "a.txt", "old": OLD, "new": LARGE}),
        "sed": ("bash", {"script": "sed -i 's/precious/" + "y" * 30_000 + "/' a.txt"}),
        "sort": ("bash", {"script": "cp a.txt b.txt && head -c 400000 /dev/zero >> b.txt"}),
    }
    name, arguments = calls[tool]
    async with make_box(work) as box:  # type: ignore[operator]
        result = await box.call(name, **arguments)
        (work / "b.txt").unlink(missing_ok=True)
        after = await box.call("write", path="a.txt", content="fits\n")
    if name == "bash":
        assert "No space left on device" in result.content
    else:
        assert result.error is not None
        assert (result.error.code, "a.txt" in result.error.message) == ("no_space", True)
    assert after.ok
    assert (os.listdir(work), (work / "a.txt").read_text()) == (["a.txt"], "fits\n")


async def test_on_a_full_disk_the_old_file_is_still_there(
    make_box: object, small_disk: Path
) -> None:
    work = small_disk / "work"
    work.mkdir()
    (work / "a.txt").write_text(OLD)
    async with make_box(work) as box:  # type: ignore[operator]
        await box.call("write", path="a.txt", content=LARGE)
        await box.call("edit", path="a.txt", old=OLD, new=LARGE)
        await box.call("bash", script=f"sed -i s/precious/{'y' * 40_000}/ a.txt")
    assert (os.listdir(work), (work / "a.txt").read_text()) == (["a.txt"], OLD)


WRITES = [
    ("write", {"path": "a.txt", "content": "new"}),
    ("write", {"path": "b.txt", "content": "new"}),
    ("write", {"path": "sub/b.txt", "content": "new"}),
    ("edit", {"path": "a.txt", "old": "precious", "new": "new", "all": True}),
]
SCRIPT = (
    "echo x > a.txt; echo x >> a.txt; rm a.txt; mv a.txt b.txt; mkdir d; cp a.txt b.txt; "
    "sed -i s/p/q/ a.txt; ln -s a.txt l; cat a.txt"
)


async def test_a_read_only_disk_is_read_and_each_write_says_why(
    make_box: object, small_disk: Path, remount: object
) -> None:
    work = small_disk / "work"
    work.mkdir()
    (work / "a.txt").write_text(OLD)
    remount("ro")  # type: ignore[operator]
    async with make_box(work) as box:  # type: ignore[operator]
        read = await box.call("read", path="a.txt")
        results = [await box.call(tool, **arguments) for tool, arguments in WRITES]
        shell = await box.call("bash", script=SCRIPT)
    assert read.ok
    for result in results:
        assert result.error is not None
        assert "read-only" in result.error.message and ".txt" in result.error.message
    assert shell.content.count("Read-only file system\n") == 8
    assert shell.content.endswith(OLD)
    assert os.listdir(work) == ["a.txt"]


@pytest.mark.slow
def test_without_the_permission_to_write_each_write_says_so(ordinary_user: object) -> None:
    """As an ordinary user: root ignores modes."""
    work = ordinary_user.directory("work")  # type: ignore[attr-defined]
    (work / "a.txt").write_text(OLD)
    (work / "secret.txt").write_text("secret\n")
    (work / "secret.txt").chmod(0)
    (work / "a.txt").chmod(0o444)
    work.chmod(0o555)

    def call(tool: str, arguments: dict[str, object]) -> dict[str, object]:
        command = ("call", tool, json.dumps(arguments), "--write", ".", "--json")
        done = ordinary_user.capbox(*command, cwd=work)  # type: ignore[attr-defined]
        result: dict[str, object] = json.loads(done.stdout)
        return result

    for tool, arguments in WRITES:
        error = call(tool, arguments)["error"]
        assert isinstance(error, dict)
        assert (error["code"], ".txt" in error["message"]) == ("permission_denied", True), error
    unread = call("read", {"path": "secret.txt"})["error"]
    assert isinstance(unread, dict)
    assert (unread["code"], "secret.txt" in unread["message"]) == ("permission_denied", True)
    assert call("read", {"path": "a.txt"})["ok"]
    shell = str(call("bash", {"script": SCRIPT})["content"])
    assert shell.count("Permission denied\n") == 8 and shell.endswith(OLD)
    assert sorted(os.listdir(work)) == ["a.txt", "secret.txt"]
