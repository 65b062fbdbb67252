"""Files and folders that somebody else changes while they are read and written."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from capbox.messages import ToolResult

LINES = 20_000
ROUNDS = 15


def line(number: int) -> bytes:
    return b"%06d of a file that changes\n" % number


WHOLE = b"".join(map(line, range(LINES)))


@contextmanager
def changing(change: Callable[[], None]) -> Iterator[None]:
    """Change something again and again, in a thread, while the body runs."""
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            change()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def shrinks_and_grows(path: Path) -> Callable[[], None]:
    """Return what cuts a file short, makes it long, replaces it and removes it."""

    def change() -> None:
        path.write_bytes(WHOLE)
        with path.open("r+b") as file:
            file.truncate(len(line(0)) * 3)
        with path.open("ab") as file:
            file.write(b"".join(map(line, range(3, LINES))))
        beside = path.with_name("beside")
        beside.write_bytes(WHOLE)
        beside.replace(path)
        path.unlink()

    return change


def honest(result: ToolResult) -> bool:
    """Say whether this is an answer or an error of a file that changes, and no accident."""
    known = {None, "not_found", "changed", "no_match", "not_unique"}
    code = None if result.error is None else result.error.code
    text = result.content + ("" if result.error is None else result.error.message)
    return code in known and "internal error" not in text and "panic" not in text


async def test_a_file_that_changes_is_read_as_it_was_or_said_to_be_gone(
    make_box: object, workspace: Path
) -> None:
    path = workspace / "f.txt"
    path.write_bytes(WHOLE)
    shown = {f"{n + 1:6d}\t{line(n).decode().rstrip()}" for n in range(LINES)}
    with changing(shrinks_and_grows(path)):
        async with make_box() as box:  # type: ignore[operator]
            for number in range(ROUNDS):
                read = await box.call("read", path="f.txt", limit=1_000 + number)
                assert honest(read), read
                rows = [r for r in read.content.split("\n") if "\t" in r]
                # The last line may have been cut in the middle by whoever changes the file.
                assert set(rows[:-1]) <= shown
                hits = await box.call("grep", pattern=f"^0{number:03}", path="f.txt")
                assert honest(hits), hits
                found = await box.call(
                    "bash", script="cat f.txt | wc -c; tail -n 1 f.txt; md5sum f.txt"
                )
                assert honest(found), found


async def test_an_edit_of_a_file_that_changes_is_whole_or_not_at_all(
    make_box: object, workspace: Path
) -> None:
    """Two writers replace the file; what is there in the end is the last word of one of them."""
    path, beside = workspace / "f.txt", workspace / "beside"
    path.write_bytes(WHOLE)

    def replace() -> None:
        beside.write_bytes(WHOLE)
        beside.replace(path)

    with changing(replace):
        async with make_box() as box:  # type: ignore[operator]
            for number in range(ROUNDS):
                old = line(number).decode().strip()
                edited = await box.call("edit", path="f.txt", old=old, new=f"edited {number}")
                assert honest(edited), edited
                wrote = await box.call("write", path="g.txt", content=f"{number}\n")
                assert wrote.ok
    lines = path.read_bytes().splitlines(keepends=True)
    assert len(lines) == LINES
    assert sum(one.startswith(b"edited") for one in lines) <= 1
    assert set(os.listdir(workspace)) - {"beside"} == {"f.txt", "g.txt"}


async def test_a_folder_that_comes_and_goes_is_walked_without_an_accident(
    make_box: object, workspace: Path
) -> None:
    def change() -> None:
        folder = workspace / "d" / "e"
        folder.mkdir(parents=True)
        for number in range(20):
            (folder / f"{number}.txt").write_text("needle\n")
        (workspace / "d").rename(workspace / "m")
        for path in sorted((workspace / "m").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (workspace / "m").rmdir()

    (workspace / "stays.txt").write_text("needle\n")
    with changing(change):
        async with make_box(grants=["read:/workspace"]) as box:  # type: ignore[operator]
            for number in range(ROUNDS):
                globbed = await box.call("glob", pattern="**/*.txt")
                grepped = await box.call("grep", pattern="needle", context=number)
                walked = await box.call("bash", script="find . -name '*.txt'; ls -R; cat stays.txt")
                for result in (globbed, grepped, walked):
                    assert result.ok and honest(result), result
                    assert "stays.txt" in result.content
