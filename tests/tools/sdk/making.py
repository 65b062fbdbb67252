"""Builds the SDK's templates as tests need them: with the compilers of this machine, or not at all.

`CAPBOX_TESTS_WHOLE=1` makes a missing compiler a failure, as it is where everything is tested.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from capbox.tools.sdk.building.compiled import RUST_TARGETS, compile_module
from capbox.tools.sdk.building.toolchain import Workshop, cargo
from capbox.tools.sdk.project import BuildError, Language, Project, read_project
from capbox.tools.sdk.starting import start

LANGUAGES_TO_TRY: tuple[Language, ...] = ("c", "zig", "go", "rust")
# The tag of a wheel for the Python that runs the tests, and not for the one inside.
HERE = f"cp{sys.version_info.major}{sys.version_info.minor}-none-any"
_PROGRAMS = {"c": "zig", "zig": "zig", "go": "go", "rust": "cargo"}
_DEBIAN_CRATES = Path("/usr/share/cargo/registry")


def workshop(**changed: object) -> Workshop:
    """A workshop in which nothing is got."""
    place = Path(tempfile.gettempdir()) / f"capbox-test-building-{os.getpid()}"
    given: dict[str, object] = {
        "environ": dict(os.environ),
        "place": place,
        "say": lambda line: None,
        "agrees": lambda question: False,
    }
    return Workshop(**{**given, **changed})  # type: ignore[arg-type]


def built(language: Language, folder: Path) -> Project:
    """Return the template of a language, built; skip where its compiler is missing."""
    need(language)
    start(folder, "hello", language)
    project = read_project(folder)
    compile_module(project, workshop_for(language))
    return project


def workshop_for(language: Language) -> Workshop:
    """A workshop with the compiler of a language; Debian's Rust has its crates beside it."""
    if language != "rust" or not _DEBIAN_CRATES.is_dir():
        return workshop()
    home = workshop().place / "cargo"
    home.mkdir(parents=True, exist_ok=True)
    crates = f'[source.debian]\ndirectory = "{_DEBIAN_CRATES}"\n'
    (home / "config.toml").write_text(f'[source.crates-io]\nreplace-with = "debian"\n{crates}')
    return workshop(environ={**os.environ, "PATH": "/usr/bin:/bin", "CARGO_HOME": str(home)})


def need(language: Language) -> None:
    """Skip the test where the compiler of a language is missing."""
    program = _PROGRAMS[language]
    there = shutil.which(program) is not None
    if program == "zig":
        there = there or importlib.util.find_spec("ziglang") is not None
    if language == "rust" and there:
        try:
            cargo(workshop_for(language), RUST_TARGETS)
        except BuildError:
            there = False
    if not there and os.environ.get("CAPBOX_TESTS_WHOLE") != "1":
        pytest.skip(f"there is no {program} here that builds for WASI: docs/writing-tools.md")


def wheel(
    folder: Path,
    name: str = "greetings",
    files: Mapping[str, str] | None = None,
    version: str = "1.0",
    tag: str = "py3-none-any",
    needs: str = "",
) -> Path:
    """Make a wheel of these files, which perhaps needs another one."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in (files or {f"{name}/__init__.py": "HELLO = 'hi'\n"}).items():
            archive.writestr(file, text)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        about += f"Requires-Dist: {needs}\n" if needs else ""
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(
            f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path
