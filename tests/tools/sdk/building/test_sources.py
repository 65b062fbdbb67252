"""A module that is older than its sources is told as such, and no other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from capbox.tools.sdk.building.sources import FILES_MAX, keep, outdated, sources
from capbox.tools.sdk.project import Language, Project

ENDINGS: dict[Language, str] = {"python": "py", "javascript": "js", "go": "go", "rust": "rs"}


def project(folder: Path, language: Language = "python") -> Project:
    """A folder that looks as after a build."""
    source = folder / f"main.{ENDINGS[language]}"
    texts = {source.name: "1", "build.toml": "2", "README.md": "3", "tool.toml": "4", "data": "5"}
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "hello.wasm").write_bytes(b"module")
    return Project(folder, "hello.wasm", language, source)


def record(made: Project) -> None:
    """Record what is there as what the module was made from."""
    keep(made, sources(made.folder, made.language), sha256(made.built.read_bytes()).hexdigest())


def said(made: Project) -> str:
    """What is said of the module as it is now."""
    return outdated(made.built, sha256(made.built.read_bytes()).hexdigest())[0]


def write(name: str) -> Callable[[Path], None]:
    """Return what makes a file, or changes it."""

    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text("changed")

    return change


def relink(folder: Path) -> None:
    (folder / "data").unlink()
    (folder / "data").symlink_to(folder / "README.md")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: None, ""),
        (write("main.py"), "main.py was changed"),
        (write("build.toml"), "build.toml was changed"),
        (write("data"), "data was changed"),
        (lambda folder: (folder / "data").unlink(), "data is gone"),
        (relink, "data is gone"),
        (write("more/inside.py"), "more/inside.py is new"),
        (write("output.txt"), ""),
        (write("README.md"), ""),
        (write("tool.toml"), ""),
        (write("hello.wasm"), ""),
        (write(".hidden.py"), ""),
        (write("main.py~"), ""),
        (write("__pycache__/main.py"), ""),
        (write("hello-0.1.0.oci/blobs/main.py"), ""),
    ],
)
def test_a_change_of_a_source_is_told_and_no_other(
    change: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    made = project(tmp_path)
    record(made)
    change(tmp_path)
    assert said(made) == (f"was built from other sources ({reason})" if reason else "")


def test_what_to_do_is_one_command_of_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    folder.mkdir()
    made = project(folder)
    record(made)
    write("main.py")(folder)
    write("data")(folder)
    reason, fix = outdated(made.built, sha256(b"module").hexdigest())
    assert reason == "was built from other sources (data was changed, and 1 more)"
    quoted = str(folder).replace("'", "'\"'\"'")
    assert fix == f"build it again: capbox tool build '{quoted}'"


@pytest.mark.parametrize(
    ("language", "name", "told"),
    [
        ("javascript", "data", False),
        ("javascript", "main.js", True),
        ("python", "data", True),
        ("go", "data", True),
        ("rust", "target/main.rs", False),
        ("go", "target/main.go", True),
    ],
)
def test_what_a_build_of_the_language_does_not_read_is_no_source(
    language: Language, name: str, told: bool, tmp_path: Path
) -> None:
    made = project(tmp_path, language)
    record(made)
    write(name)(tmp_path)
    assert bool(said(made)) is told


def test_what_is_changed_during_a_build_is_not_in_the_module(tmp_path: Path) -> None:
    """But what the build itself writes is."""
    made = project(tmp_path)
    before = sources(tmp_path, "python")
    write("build.lock")(tmp_path)
    write("main.py")(tmp_path)
    keep(made, before, sha256(b"module").hexdigest())
    assert said(made) == "was built from other sources (main.py was changed)"
    record(made)
    write("build.lock")(tmp_path)
    assert said(made) == ""
    (tmp_path / "build.lock").write_text("newer versions")
    assert said(made) == "was built from other sources (build.lock was changed)"


def test_a_folder_with_too_many_files_has_no_record(tmp_path: Path) -> None:
    made = project(tmp_path)
    record(made)
    for number in range(FILES_MAX):
        (tmp_path / f"{number}.txt").touch()
    assert sources(tmp_path, "python") is None
    write("main.py")(tmp_path)
    assert said(made) == ""
    record(made)
    assert not (tmp_path / ".hello.wasm.sources").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"module": 1}',
        '{"module": "DIGEST"}',
        '{"module": "DIGEST", "language": "cobol", "sources": {}}',
        '{"module": "DIGEST", "language": "python", "sources": []}',
    ],
)
def test_a_record_that_is_none_says_nothing(text: str, tmp_path: Path) -> None:
    made = project(tmp_path)
    (tmp_path / ".hello.wasm.sources").write_text(
        text.replace("DIGEST", sha256(b"module").hexdigest())
    )
    assert said(made) == ""


def test_a_strangers_record_leads_nowhere(tmp_path: Path) -> None:
    """Its names are shown as what they are, and none is opened; neither is a FIFO."""
    made = project(tmp_path)
    digest = sha256(b"module").hexdigest()
    kept = {"module": digest, "language": "python", "sources": {"/etc/\x1b[2Jpasswd": "0"}}
    (tmp_path / ".hello.wasm.sources").write_text(json.dumps(kept))
    assert said(made).startswith("was built from other sources (/etc/\\u001b[2Jpasswd is gone")
    (tmp_path / ".hello.wasm.sources").unlink()
    os.mkfifo(tmp_path / ".hello.wasm.sources")
    os.mkfifo(tmp_path / "fifo.py")
    assert said(made) == ""
    assert "fifo.py" not in (sources(tmp_path, "python") or {})
