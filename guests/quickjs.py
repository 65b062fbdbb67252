"""Build the tool javascript: QuickJS-NG and the guest around it, in C, compiled by zig.

Guarantees: sources and compiler are those whose SHA-256 `javascript/sources.toml` has, the same
inputs give the same bytes, nothing is done when nothing changed, and what is missing is named. Both
come from PyPI: the compiler is the `ziglang` that this Python can import, else the one that uv
fetches; the sources are fetched with pip. With wizer the engine is initialised at build time,
without it at each start.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import touching
from toolchain import (
    HERE,
    SCRATCH,
    Missing,
    Say,
    alone,
    marker_of,
    replace,
    run,
    snapshot,
)

FOLDER = HERE / "javascript"
MANIFESTS = FOLDER / "manifests"
SCRIPTS = ("quickjs.py", "segments.py", "toolchain.py", "touching.py", "package-lock.json")
REHEARSED = ("1;", "console.log(1)")
ENGINE = ("quickjs.c", "libregexp.c", "libunicode.c", "dtoa.c")
STACK_BYTES = 1 << 20
FLAGS = (
    *("-target", "wasm32-wasi", "-std=gnu23", "-O2", "-g0", "-DNDEBUG", "-D_GNU_SOURCE"),
    # Undefined behaviour ends no guest: the host holds it, and zig's checks would double its size.
    *("-fno-sanitize=undefined", "-Wno-unused-parameter", "-Wno-pragma-once-outside-header"),
)
# Clocks of our own (native/clock.c): those of the C library would put the time into the snapshot.
CLOCKS = ("-Dgettimeofday=guest_gettimeofday", "-Dclock_gettime=guest_clock_gettime")


def build_javascript(out: Path, wizer: Path | None, *, force: bool, say: Say) -> None:
    """Build into `out` unless what is there came from the same sources and tools."""
    stamp, marker = fingerprint(wizer), marker_of(out, "-javascript")
    wanted = [out / "javascript.wasm", *(out / "javascript" / m.name for m in manifests())]
    current = marker.is_file() and marker.read_text() == stamp
    if not force and current and all(file.is_file() for file in wanted):
        say("javascript is up to date")
        return
    with alone(), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        module = compile_guest(Path(folder), wizer, say)
        (out / "javascript").mkdir(parents=True, exist_ok=True)
        replace(module, out / "javascript.wasm")
    for manifest in manifests():
        replace(manifest, out / "javascript" / manifest.name)
    marker.write_text(stamp)
    say(
        f"wrote {out / 'javascript.wasm'} ({(out / 'javascript.wasm').stat().st_size / 1e6:.1f} MB)"
    )


def manifests() -> list[Path]:
    """The manifest of each tool."""
    return sorted(MANIFESTS.glob("*.toml"))


def fingerprint(wizer: Path | None) -> str:
    """A hash over all sources; the versions of the tools are in one of them."""
    digest = hashlib.sha256(f"{wizer is not None}\n".encode())
    for path in [*sorted(FOLDER.rglob("*")), *(HERE / name for name in SCRIPTS)]:
        if path.is_file():
            digest.update(f"{path.relative_to(HERE)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def compile_guest(folder: Path, wizer: Path | None, say: Say) -> Path:
    """Compile in `folder`, and pre-initialise if there is a wizer."""
    zig = find_zig(say)
    engine(folder, say)
    shutil.copytree(FOLDER / "native", folder / "native")
    embed_prelude(folder)
    say(f"compiling javascript with zig {pinned()['zig']['version']}")
    raw, done = folder / "raw.wasm", folder / "javascript.wasm"
    kind = ["-mexec-model=reactor", "-DREACTOR"] if wizer else ["-mexec-model=command"]
    sources = [f"engine/{name}" for name in ENGINE]
    sources += sorted(f"native/{path.name}" for path in (folder / "native").glob("*.c"))
    command = [str(zig), "cc", *FLAGS, *CLOCKS, *kind, "-Iengine", "-Iprelude"]
    command += ["-s", f"-Wl,-z,stack-size={STACK_BYTES}"]
    caches = {
        "ZIG_LOCAL_CACHE_DIR": str(SCRATCH / "zig"),
        "ZIG_GLOBAL_CACHE_DIR": os.environ.get("ZIG_GLOBAL_CACHE_DIR", str(SCRATCH / "zig")),
    }
    run([*command, *sources, "-o", str(raw)], caches, folder=folder)
    if wizer is None:
        return raw
    say("pre-initialising javascript with wizer")
    root = SCRATCH / "root"
    root.mkdir(exist_ok=True)
    snapshot(wizer, "preinit", raw, done, root=root)
    touching.touch(done, "javascript", REHEARSED)
    return done


def engine(folder: Path, say: Say) -> None:
    """Put QuickJS-NG's sources, patched, into `folder`/engine."""
    with tarfile.open(archive(say)) as packed:
        inside = pinned()["quickjs"]["folder"]
        wanted = [m for m in packed.getmembers() if m.isfile() and m.name.startswith(inside + "/")]
        (folder / "engine").mkdir()
        for member in wanted:
            text = packed.extractfile(member)
            if text is not None:
                (folder / "engine" / Path(member.name).name).write_bytes(text.read())
    for patch in tomllib.loads((FOLDER / "patches.toml").read_text())["patch"]:
        path = folder / "engine" / patch["file"]
        before = path.read_text()
        if before.count(patch["old"]) != 1:
            raise Missing(
                f"javascript/patches.toml: {patch['file']}: the text of a patch occurs "
                f"{before.count(patch['old'])} times, not once ({patch['why']})"
            )
        path.write_text(before.replace(patch["old"], patch["new"]))


def embed_prelude(folder: Path) -> None:
    """Write prelude/prelude.h, which embeds each module with its name."""
    (folder / "prelude").mkdir()
    texts, rows = "", ""
    for path in sorted((FOLDER / "prelude").glob("*.js")):
        shutil.copyfile(path, folder / "prelude" / path.name)
        texts += f'static const char {path.stem}_js[] = {{\n#embed "{path.name}"\n, 0}};\n'
        rows += f'    {{"capbox:{path.stem}", {path.stem}_js, sizeof {path.stem}_js - 1}},\n'
    texts += (
        "static const struct {\n    const char *name, *text;\n    size_t size;\n} PRELUDE[] = {\n"
    )
    (folder / "prelude" / "prelude.h").write_text(f"{texts}{rows}}};\n")


@cache
def pinned() -> dict[str, dict[str, Any]]:
    """What sources.toml has."""
    return tomllib.loads((FOLDER / "sources.toml").read_text())


def archive(say: Say) -> Path:
    """QuickJS-NG's sources as they were published, fetched once and checked each time."""
    pin, kept = pinned()["quickjs"], SCRATCH / "sources" / pinned()["quickjs"]["file"]
    if kept.is_file() and sha256(kept) == pin["sha256"]:
        return kept
    say(f"fetching {pin['package']} {pin['version']} from PyPI")
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text(f"{pin['package']}=={pin['version']} --hash=sha256:{pin['sha256']}\n")
        options = ["--no-deps", "--no-binary", ":all:", "--require-hashes", "--dest", folder]
        command = [*python_with("pip"), "-m", "pip", "download", "--quiet", *options]
        done = subprocess.run(
            [*command, "-r", str(wanted)], cwd=folder, capture_output=True, text=True, check=False
        )
        found = Path(folder, pin["file"])
        if not found.is_file() or sha256(found) != pin["sha256"]:
            raise Missing(
                f"the sources of {pin['package']} {pin['version']} (SHA-256 {pin['sha256']}) could "
                f"not be fetched from PyPI; put {pin['file']} into {kept.parent}, or see why:\n"
                f"{done.stderr.strip()}"
            )
        replace(found, kept)
    return kept


def find_zig(say: Say) -> Path:
    """The pinned compiler: of the `ziglang` that is installed, else of the one that uv fetches."""
    pin = pinned()["zig"]
    version, key = pin["version"], f"{sys.platform}-{platform.machine()}"
    expected = pin["sha256"].get(key)
    if expected is None:
        raise Missing(
            f"the compiler of javascript, {pin['package']} {version}, has no SHA-256 for {key} in "
            "javascript/sources.toml: check the package for it, and add that of its program zig"
        )
    seen = []
    for look in (installed_zig, lambda: fetched_zig(version, say)):
        zig = look()
        if zig is not None and sha256(zig) == expected:
            return zig
        seen += [f"{zig} is another one"] if zig else []
    reason = "; ".join(seen) or "neither this Python nor uv has it"
    raise Missing(
        f"{pin['package']} {version} is missing ({reason}): `pip install ziglang=={version}`"
    )


def installed_zig() -> Path | None:
    """The program of the package ziglang, if this Python has it."""
    found = importlib.util.find_spec("ziglang")
    folders = [] if found is None else found.submodule_search_locations or []
    return next((Path(at, "zig") for at in folders if Path(at, "zig").is_file()), None)


def fetched_zig(version: str, say: Say) -> Path | None:
    """The program of the package as uv has it, or fetches it."""
    uv = find_uv()
    if uv is None:
        return None
    where = "import ziglang; print(ziglang.__path__[0])"
    command = [uv, "run", "--quiet", "--no-project", "--with", f"ziglang=={version}"]
    for offline in (["--offline"], []):
        # Beyond this folder, whose pyproject.toml has settings of uv's for other packages.
        done = subprocess.run(
            [*command, *offline, "python", "-c", where],
            cwd=tempfile.gettempdir(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 and Path(done.stdout.strip(), "zig").is_file():
            return Path(done.stdout.strip(), "zig")
        if offline:
            say(f"taking ziglang {version} from PyPI for this build")
    return None


def find_uv() -> str | None:
    """Where uv is: beside this Python, or on PATH."""
    return shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")


def python_with(module: str) -> list[str]:
    """A command that runs a Python that has `module`: this one, or one of uv's."""
    uv = find_uv()
    if importlib.util.find_spec(module) is None and uv is not None:
        return [uv, "run", "--quiet", "--no-project", "--with", module, "python"]
    return [sys.executable]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
