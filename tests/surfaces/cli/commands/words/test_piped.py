"""Standard input of `capbox run`: read where somebody put something there, and never believed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.surfaces.cli.commands.words.piped import CHARACTERS_MAX, material_piped
from capbox.surfaces.cli.failures import CommandFailure

START = "import sys; from capbox.app import main; sys.exit(main())"


@pytest.fixture
def run(tmp_path: Path, script: Callable) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run `capbox run` in a folder of its own."""
    (tmp_path / "ws").mkdir()
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "CAPBOX_HOME": str(tmp_path / "home")}
    model = script({"text": "Done."})

    def started(*words: str, **stdin: object) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", START, "run", *words, "--model", model, "--read", "."]
        return subprocess.run(command, cwd=tmp_path / "ws", env=env, capture_output=True, **stdin)

    return started


def read_end(content: bytes | None) -> int:
    """A pipe in which this is written and which is closed; None: open, and nothing comes."""
    ours, theirs = os.pipe()
    if content is not None:
        os.write(theirs, content)
        os.close(theirs)
    return ours


def test_a_pipe_and_a_file_are_read_and_a_device_is_not(tmp_path: Path) -> None:
    said: list[str] = []
    assert material_piped(read_end("grün\n".encode()), None, said.append) == "grün\n"
    with (tmp_path / "a.txt").open("w+") as file, Path("/dev/zero").open("rb") as device:
        file.write("text")
        file.seek(0)
        assert material_piped(file.fileno(), None, said.append) == "text"
        for wanted in (None, True, False):
            assert material_piped(device.fileno(), wanted, said.append) == ""
    assert material_piped(read_end(b"text"), False, said.append) == ""
    assert material_piped(None, True, said.append) == ""
    assert said == []


def test_a_pipe_on_which_nothing_comes_is_left() -> None:
    """Attack, by oneself: ssh leaves a pipe open, and the run waits until somebody kills it."""
    said: list[str] = []
    assert material_piped(read_end(None), None, said.append, wait_seconds=0.01) == ""
    assert said == ["nothing came on standard input in 0.01 s; --stdin waits for it"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"ok" * 9 + b"\x80", b"\xe4"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(CommandFailure, match="not UTF-8"):
        material_piped(read_end(content), None, print)


def test_what_is_too_long_is_cut_and_that_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "a.txt").write_text("ä" * 3 * CHARACTERS_MAX)
    with (tmp_path / "a.txt").open() as file:
        assert len(material_piped(file.fileno(), None, said.append)) > CHARACTERS_MAX
    assert "the first 200,000 characters" in said[0]


@pytest.mark.parametrize(
    ("task", "content", "code", "told"),
    [
        ("-", b"Look around.", 0, b"Done."),
        ("-", b" ", 2, b"standard input is empty"),
        ("-", b"x" * (CHARACTERS_MAX + 1), 2, b"put it into a file"),
        ("look", b"\xff", 2, b"not UTF-8"),
    ],
)
def test_a_dash_reads_the_task_itself(
    run: Callable, task: str, content: bytes, code: int, told: bytes
) -> None:
    done = run(task, input=content)
    assert done.returncode == code and told in done.stdout + done.stderr, done.stderr
