"""Languages that compile to WebAssembly by themselves: C, Zig, Go, Rust.

Guarantees: the module that was there stays until the new one is whole; a compiler, and what cargo
starts, is behind `walls`. Does not: run what it made. C, Zig and Go run nothing of the source while
they compile; cargo runs build scripts.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import assert_never

from capbox.toml import read_toml
from capbox.tools.sdk.building.toolchain import Workshop, cargo, go, run, zig
from capbox.tools.sdk.building.walls import Walls
from capbox.tools.sdk.describing import checked
from capbox.tools.sdk.project import BuildError, Project, manifest_text, put

_GO_OWN = (
    *("GOROOT", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE"),
    *("GONOPROXY", "GOPATH", "GOINSECURE"),
)
RUST_TARGETS = ("wasm32-wasip1", "wasm32-wasi")  # the second is its name before Rust 1.78


def compile_module(project: Project, workshop: Workshop) -> None:
    """Compile the source of `project` to its module. Raises BuildError."""
    checked(manifest_text(project.folder), project)
    if project.language in ("zig", "go"):
        _refuse_links(project.folder)
    made = workshop.scratch(project.folder).absolute() / project.module
    walls = Walls(project, workshop, made.parent)
    match project.language:
        case "c" | "zig":
            _zig(walls, made)
        case "go":
            _go(walls, made)
        case "rust":
            _rust(walls, made)
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


def _zig(walls: Walls, made: Path) -> None:
    source, environ = str(walls.project.source.absolute()), walls.workshop.environ
    compiler = zig(walls.workshop)
    place = walls.project.source
    walls.workshop.say(f"compiling {place} with Zig; the first time also its libraries")
    if walls.project.language == "c":
        command = [*compiler, "cc", "-target", "wasm32-wasi", "-Os", "-s", "-Wall", source]
        command += ["-o", str(made)]
    else:
        command = [*compiler, "build-exe", source, "-target", "wasm32-wasi", "-O", "ReleaseSmall"]
        command += ["-fstrip", f"-femit-bin={made}"]
    walls.warn()
    kept = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", made.parent), ".cache")
    own = Path(compiler[0]).resolve().parent
    cache, local = Path(kept, "zig").absolute(), made.parent / "zig"
    walls.run(
        command,
        reads=[own, own.parent / "lib" / "zig"],
        writes=[cache],
        more={"ZIG_LOCAL_CACHE_DIR": str(local), "ZIG_GLOBAL_CACHE_DIR": str(cache)},
    )


def _go(walls: Walls, made: Path) -> None:
    program = go(walls.workshop)
    place = walls.project.folder
    walls.workshop.say(f"compiling {place} with Go; the first time also its libraries")
    # As the person's own configuration has it, which cannot be read behind the walls.
    words = ["env", "-json", *_GO_OWN]
    told = run([*program, *words], walls.workshop, where="go", GOTOOLCHAIN="local")
    own = {name: value for name, value in json.loads(told).items() if value}
    flags = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w"]
    walls.warn()
    walls.run(
        [*program, "build", *flags, "-o", str(made), "."],
        reads=[Path(own.pop("GOROOT"))],
        writes=[Path(own[name]) for name in ("GOCACHE", "GOMODCACHE") if name in own],
        tcp=True,
        more=own | {"GOOS": "wasip1", "GOARCH": "wasm", "GOWORK": "off", "GOTOOLCHAIN": "local"},
    )


def _rust(walls: Walls, made: Path) -> None:
    place, home = made.parent / "target", made.parent / "cargo"
    program, target = cargo(walls.workshop, RUST_TARGETS)
    folder = walls.project.folder
    walls.workshop.say(f"compiling {folder} with cargo, which gets the crates that it names")
    compiler = walls.workshop.which("rustc") or "rustc"
    sysroot = Path(run([compiler, "--print", "sysroot"], walls.workshop, where="rustc").strip())
    own = {"CARGO_HOME": str(home), "RUSTC_WRAPPER": ""}
    for name in ("cargo", "rustc"):
        # Those of rustup stand for these, and look for them in the person's home.
        if (inside := sysroot / "bin" / name).is_file():
            own[name.upper()] = str(inside)
    program = own.pop("CARGO", program)
    sources, reads = _sources(walls.workshop)
    reads = [sysroot, Path(program).resolve().parent, *reads]
    walls.warn()
    fetch = [program, "fetch", "--quiet", "--target", target, *sources]
    walls.run(fetch, reads=reads, writes=[walls.project.folder, home], tcp=True, more=own)
    flags = ["--release", "--offline", "--target", target, "--target-dir", str(place), *sources]
    walls.run([program, "build", "--quiet", *flags], reads=reads, writes=[home], more=own)
    found = [path for path in (place / target / "release").glob("*.wasm")]
    if len(found) != 1:
        where = str(walls.project.folder / "Cargo.toml")
        raise BuildError(where, "names no one program to build")
    shutil.copyfile(found[0], made)


def _sources(workshop: Workshop) -> tuple[list[str], list[Path]]:
    """Return words for cargo that say where the person gets crates, and what those read."""
    environ = workshop.environ
    home = Path(environ.get("CARGO_HOME") or Path(environ.get("HOME", "/"), ".cargo"))
    try:
        sources = read_toml((home / "config.toml").read_text("utf-8")).get("source", {})
    except (OSError, ValueError):
        return [], []
    words, reads = [], []
    for name, about in sources.items() if isinstance(sources, dict) else ():
        for key, value in about.items() if isinstance(about, dict) else ():
            words += ["--config", f"source.{json.dumps(name)}.{key}={json.dumps(value)}"]
            if key in ("directory", "local-registry"):
                reads.append((home.parent / str(value)).absolute())
    return words, reads
