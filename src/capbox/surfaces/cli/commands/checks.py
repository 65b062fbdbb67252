"""What `capbox doctor` looks at: the kernel's offers, capbox's own files, and what is installed.

Guarantees: looking changes nothing. Does not: try a call (see `doctor`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capbox.engine.home import Home
from capbox.messages import Json

_ALONE = "the WASM wall stands alone here"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `needed`: without it nothing runs; `wall`: it confines."""

    name: str
    state: Literal["up", "down", "warn"]
    why: str
    means: str = ""
    needed: bool = False
    wall: bool = False

    @property
    def stops(self) -> bool:
        """Say whether capbox cannot run because of this."""
        return self.needed and self.state == "down"

    def to_json(self) -> dict[str, Json]:
        """Return the object that `doctor --json` prints."""
        return {"name": self.name, "state": self.state, "why": self.why, "means": self.means}


def examine(home: Home, guests: Path) -> Iterator[Check]:
    """Yield every check, walls first."""
    yield from _walls()
    yield _version("python", platform.python_version(), Path(os.__file__).parent)
    yield from _tools(guests)
    yield _cache(home)
    for name, directory in (
        ("config", home.config),
        ("state", home.state),
        ("cache", home.cache),
    ):
        yield _directory(f"{name} folder", directory)
    yield _key(home.state / "journal.key")
    yield from _providers()


def _walls() -> Iterator[Check]:
    from capbox.sandbox.lockdown import landlock
    from capbox.sandbox.lockdown.walls import probe

    walls = probe()
    try:
        version = importlib.metadata.version("wasmtime")
        yield Check("wasm", "up", f"wasmtime {version} with capbox's own WASI host", wall=True)
    except importlib.metadata.PackageNotFoundError:
        yield Check("wasm", "down", "wasmtime is not installed", "nothing runs", True, wall=True)
    if walls.landlock:
        yield Check("landlock", "up", f"ABI {landlock.abi()}: {_scope(landlock.abi())}", wall=True)
    else:
        means = f"{_ALONE} for files: a bug in wasmtime would reach all that this user reaches"
        yield Check("landlock", "down", _no_landlock(), means, wall=True)
    yield _offered(
        "seccomp",
        walls.seccomp,
        "workers keep only the system calls they need: no sockets, no programs",
        f"{_ALONE} for the network and for starting programs",
        wall=True,
    )
    yield _offered(
        "openat2",
        walls.openat2,
        "paths are resolved by the kernel, beneath the granted directory",
        "paths are walked one component at a time instead: as strict, and slower",
    )
    yield _offered(
        "memfd",
        walls.memfd,
        "effects are listed in memory that survives a killed worker",
        "effects are listed in a file in the cache folder instead",
    )
    yield _offered(
        "pidfd", hasattr(os, "pidfd_open"), "processes are named by descriptor", "not used here"
    )
    proc = Path("/proc/self/status").exists()
    yield _offered(
        "/proc", proc, "mounted", "scratch of killed processes is swept later, features are guessed"
    )


def _offered(name: str, there: bool, does: str, means: str, *, wall: bool = False) -> Check:
    if there:
        return Check(name, "up", does, wall=wall)
    return Check(name, "down", f"this kernel ({platform.release()}) refuses it", means, wall=wall)


def _scope(abi: int) -> str:
    covers = ["files", *(["TCP"] if abi >= 4 else []), *(["signals"] if abi >= 6 else [])]
    return f"workers reach only granted {covers[0]}" + (
        f", and no {' or '.join(covers[1:])}" if covers[1:] else ""
    )


def _no_landlock() -> str:
    try:
        enabled = Path("/sys/kernel/security/lsm").read_text(encoding="utf-8").split(",")
    except OSError:
        enabled = []
    if enabled and "landlock" not in enabled:
        return f"this kernel ({platform.release()}) was started without it (lsm= has no landlock)"
    return (
        f"this kernel ({platform.release()}) has none (5.13 or newer has), or a container bars it"
    )


def _version(name: str, version: str, where: Path) -> Check:
    return Check(name, "up", f"{version} in {where}")


def _tools(guests: Path) -> Iterator[Check]:
    from capbox.tools.registry import load

    registry = load(guests, shipped=True)
    if registry.errors:
        first = registry.errors[0]
        build = "no tool can run; in a clone, `make setup` builds them"
        yield Check("toolbox", "down", f"{first.where}: {first.message}", build, needed=True)
        return
    names = ", ".join(sorted(registry.tools))
    # The export of a pre-initialised module; a plain build has `_start` alone.
    quick = b"capbox_call" in (guests / "toolbox.wasm").read_bytes()
    if quick:
        yield Check("toolbox", "up", f"built, pre-initialised: {names}")
    else:
        means = "each call starts some milliseconds later; a build with npm at hand has it"
        yield Check("toolbox", "warn", f"built, not pre-initialised by wizer: {names}", means)
    yield Check("build tools", "up", "Go, npm and wizer are not needed to run")


def _cache(home: Home) -> Check:
    directory = home.cache / "compiled"
    count = len(list(directory.glob("*.cwasm"))) if directory.is_dir() else 0
    if count:
        return Check("compile cache", "up", f"{count} compiled in {directory}")
    means = "the first call compiles the tools, some seconds once; `capbox cache build` does it now"
    return Check("compile cache", "warn", "empty", means)


def _directory(name: str, directory: Path) -> Check:
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return Check(name, "up", f"{directory} will be made when it is needed")
    except OSError as error:
        return Check(name, "down", f"{directory}: {error.strerror}", "nothing runs", needed=True)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        why = f"{directory} is not a directory of this user"
        return Check(name, "down", why, "nothing runs: move it away", needed=True)
    if stat.S_IMODE(found.st_mode) & 0o077:
        why = f"{directory} is open to other users"
        return Check(name, "down", why, f"nothing runs: chmod 700 {directory}", needed=True)
    return Check(name, "up", f"{directory}, private")


def _key(path: Path) -> Check:
    from capbox.journal.errors import JournalError
    from capbox.journal.head import Signer

    if not os.path.lexists(path):
        if not any((path.parent / "journal" / "heads").glob("[!.]*.json")):
            return Check("journal key", "up", "will be made with the first run")
        means = "no run can be recorded, so none starts: put it back, or move the journal away"
        return Check(
            "journal key", "down", f"{path} is missing beside old runs", means, needed=True
        )
    try:
        Signer.load(path)
    except JournalError as error:
        means = "no run can be recorded, so none starts"
        return Check("journal key", "down", str(error), means, needed=True)
    return Check("journal key", "up", f"{path}, private")


def _providers() -> Iterator[Check]:
    for provider in ("anthropic", "openai"):
        if importlib.util.find_spec(provider) is not None:
            version = importlib.metadata.version(provider)
            yield Check(f"{provider} SDK", "up", f"{version}")
        else:
            yield Check(f"{provider} SDK", "warn", "not installed", f"no {provider}/... models")
