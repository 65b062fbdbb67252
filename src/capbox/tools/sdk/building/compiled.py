"""Languages that compile to WebAssembly by themselves: C, Zig, Go, Rust.

Guarantees: the module that was there stays until the new one is whole. Does not: run what it made.
C, Zig and Go run nothing of the source while they compile; cargo runs build scripts.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import assert_never

from capbox.tools.sdk.building.toolchain import Workshop, cargo, go, run, zig
from capbox.tools.sdk.describing import checked
from capbox.tools.sdk.project import BuildError, Project, manifest_text, put

RUST_TARGETS = ("wasm32-wasip1", "wasm32-wasi")  # the second is its name before Rust 1.78


def compile_module(project: Project, workshop: Workshop) -> None:
    """Compile the source of `project` to its module. Raises BuildError."""
    checked(manifest_text(project.folder), project)
    if project.language in ("zig", "go"):
        _refuse_links(project.folder)
    made = workshop.scratch(project.folder).absolute() / project.module
    match project.language:
        case "c" | "zig":
            _zig(project, workshop, made)
        case "go":
            flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w"]
            command = [*go(workshop), "build", *flags, "-o", str(made), "."]
            workshop.say(f"compiling {project.folder} with Go; the first time also its libraries")
            _run(
                command,
                project,
                workshop,
                GOOS="wasip1",
                GOARCH="wasm",
                GOWORK="off",
                GOTOOLCHAIN="local",
            )
        case "rust":
            _rust(project, workshop, made)
        case "python" | "javascript":
            raise BuildError(str(project.source), "is packed, not compiled")
        case _:
            assert_never(project.language)
    put(made, project.built)


def _refuse_links(folder: Path) -> None:
    """Refuse a folder that holds a link, of what embeds files of its folder only."""
    # Attack: `@embedFile` of a link to a private file of whoever builds.
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *files)):
            if path.is_symlink():
                raise BuildError(str(path), "is a link; only files are built")


def _zig(project: Project, workshop: Workshop, made: Path) -> None:
    source = str(project.source.absolute())
    compiler = zig(workshop)
    workshop.say(f"compiling {project.source} with Zig; the first time also its libraries")
    if project.language == "c":
        command = [*compiler, "cc", "-target", "wasm32-wasi", "-Os", "-s", "-Wall", source]
        command += ["-o", str(made)]
    else:
        command = [*compiler, "build-exe", source, "-target", "wasm32-wasi", "-O", "ReleaseSmall"]
        command += ["-fstrip", f"-femit-bin={made}"]
    _run(command, project, workshop, ZIG_LOCAL_CACHE_DIR=str(made.parent / "zig"))


def _rust(project: Project, workshop: Workshop, made: Path) -> None:
    place = made.parent / "target"
    program, target = cargo(workshop, RUST_TARGETS)
    workshop.say(f"compiling {project.folder} with cargo, which gets the crates that it names")
    flags = ["--release", "--target", target, "--target-dir", str(place)]
    _run([program, "build", "--quiet", *flags], project, workshop)
    found = [path for path in (place / target / "release").glob("*.wasm")]
    if len(found) != 1:
        raise BuildError(str(project.folder / "Cargo.toml"), "names no one program to build")
    shutil.copyfile(found[0], made)


def _run(command: list[str], project: Project, workshop: Workshop, **more: str) -> None:
    where = str(project.source)
    run(command, workshop, where=where, folder=project.folder, **more)
