"""Dependencies of a Python tool: wheels of pure Python from PyPI, pinned by digest in `build.lock`.

Guarantees: nothing of a package runs while it is got (wheels only, and pip may start no program);
once locked, the same bytes or none; native code, and names that lead out of the folder, are refused
by name. Does not: decide which wheels go together; `resolving` does.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable
from hashlib import file_digest, sha256
from itertools import count
from pathlib import Path, PurePosixPath

from capbox.tools.sdk.building.toolchain import INTERPRETER, Workshop, run
from capbox.tools.sdk.project import BuildError, Project, put
from capbox.tools.sdk.python.resolving import Resolving, resolved

LOCK = "build.lock"
PYTHON = "3.12"
_BYTES_MAX, _FILES_MAX = 200 << 20, 20_000
_NATIVE = (".so", ".pyd", ".dylib", ".dll", ".a", ".wasm")
_PURE = ("--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none")
_PIN = re.compile(r"[A-Za-z0-9._]+==[A-Za-z0-9.+!_]+ --hash=sha256:[0-9a-f]{64}")
_VERSIONS, _VERSIONS_SHOWN = re.compile(r"\(from versions: ([^)]*)\)"), 5
_QUIET = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir")


def bring(project: Project, workshop: Workshop) -> Path:
    """Return a folder with what the project depends on; lock it if it is not. Raises BuildError."""
    scratch = workshop.scratch(project.folder)
    packages, stamp = scratch / "packages", scratch / "packages.txt"
    lock = project.folder / LOCK
    head = _head(project.dependencies)
    locked = lock.read_text(encoding="utf-8") if lock.is_file() else ""
    if locked.startswith(head):
        _refuse_options(locked, lock)
    if locked.startswith(head) and stamp.is_file() and stamp.read_text() == locked:
        return packages
    shutil.rmtree(packages, ignore_errors=True)
    packages.mkdir(parents=True)
    if not project.dependencies:
        lock.unlink(missing_ok=True)
        return packages
    wheels = _download(project, workshop, lock if locked.startswith(head) else None)
    for wheel in wheels:
        unpack(wheel, packages)
    locked = head + "".join(_pin(wheel) for wheel in wheels)
    stamp.write_text(locked, encoding="utf-8")
    put(stamp, lock)
    return packages


def _refuse_options(locked: str, lock: Path) -> None:
    for number, line in enumerate(locked.splitlines()[1:], 2):
        # Attack: a lock of a stranger's with a line for pip, as one that lets it run a setup.py.
        if _PIN.fullmatch(line) is None:
            fix = "delete the file, and the build makes it anew"
            raise BuildError(f"{lock}:{number}", "is no pinned package", fix)


def _head(dependencies: Iterable[str]) -> str:
    asked = "\n".join(sorted(dependencies))
    digest = sha256(asked.encode()).hexdigest()[:16]
    return f"# By capbox tool build, for dependencies {digest}; delete it to get newer ones.\n"


def _download(project: Project, workshop: Workshop, lock: Path | None) -> list[Path]:
    folder = workshop.scratch(project.folder) / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    asked = project.dependencies
    workshop.say(f"getting {', '.join(asked)} from PyPI" + (", as locked" if lock else ""))
    if lock is not None:
        words = ["--require-hashes", "-r", str(lock.absolute())]
        return _fetched(words, folder, workshop, _where(project))
    return resolved(asked, resolving(folder, workshop, _where(project)))


def resolving(folder: Path, workshop: Workshop, where: str) -> Resolving:
    """Return how wheels of pure Python are got into folders below `folder`; `where` is who asks."""
    rounds = count()

    def get(requirements: list[str]) -> list[Path]:
        return _fetched(requirements, folder / str(next(rounds)), workshop, where)

    def needs(asked: str) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        (file := folder.absolute() / "needs.json").write_text(asked, encoding="utf-8")
        return run([*_with_pip("needs", workshop), str(file)], workshop, where=where)

    return Resolving(get, needs, where)


def _fetched(words: Iterable[str], folder: Path, workshop: Workshop, where: str) -> list[Path]:
    """Get wheels into `folder`, and nothing that they need. Raises BuildError."""
    command = [*_with_pip("alone", workshop), "download", "--no-deps", *_QUIET, *_PURE]
    command += [f"--python-version={PYTHON}", "--dest", str(folder.absolute())]
    try:
        run([*command, *words], workshop, where=where)
    except BuildError as error:
        raise _explained(error, where, workshop) from error
    return sorted(folder.iterdir())


def _with_pip(program: str, workshop: Workshop) -> list[str]:
    """Return how a program beside this one is started, which uses the modules of pip."""
    command = [*INTERPRETER, "-m", f"capbox.tools.sdk.python.{program}"]
    if importlib.util.find_spec("pip") is not None:
        return [*command, ""]
    for name in ("pip3", "pip"):
        found = workshop.which(name)
        said = run([found, "--version"], workshop, where=found) if found else ""
        if place := re.search(r" from (/.+)/pip \(", said):
            return [*command, place[1]]
    raise BuildError("pip", "is not on this machine", f"{INTERPRETER[0]} -m ensurepip brings it")


def _explained(error: BuildError, where: str, workshop: Workshop) -> BuildError:
    """Say of pip's "no matching distribution" what is behind it."""
    _, found, rest = error.reason.partition("No matching distribution found for ")
    if not found:
        return error
    asked = rest.split()[0].strip("'\"")
    versions = _VERSIONS.search(error.reason)
    if versions is not None and versions[1] != "none":
        newest = ", ".join(versions[1].split(", ")[-_VERSIONS_SHOWN:])
        reason = f"there is no {asked} of pure Python {PYTHON}; the newest are: {newest}"
        return BuildError(where, reason, "name one of these, or no version for the newest")
    name = re.split(r"[^A-Za-z0-9._-]", asked)[0]
    if not _is_there(name, workshop):
        reason = f"there is no {name}, neither for the sandbox nor for this machine"
        return BuildError(where, reason, "look at how it is spelt: https://pypi.org/search")
    reason = f"{asked} has no wheel of pure Python {PYTHON}: it needs native code, or to be built"
    fix = "the sandbox runs no native code; look for a package in pure Python, or leave it out"
    return BuildError(where, reason, fix)


def _is_there(name: str, workshop: Workshop) -> bool:
    """Say whether a package can be got for this machine at all; pip only lists it then."""
    try:
        run(
            [*_with_pip("alone", workshop), "index", *_QUIET, "versions", name],
            workshop,
            where=name,
        )
    except BuildError as error:
        # A network that fails, or a pip without `index`, says nothing of the name.
        return "No matching distribution" not in error.reason or "Retrying" in error.reason
    return True


def _where(project: Project) -> str:
    return f"{project.folder / 'build.toml'}: dependencies"


def _pin(wheel: Path) -> str:
    name, version, *_ = wheel.name.split("-")
    return f"{name}=={version} --hash=sha256:{digest_of(wheel)}\n"


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with file.open("rb") as opened:
        return file_digest(opened, sha256).hexdigest()


def unpack(wheel: Path, target: Path) -> None:
    """Unpack a wheel into the folder `target`. Raises BuildError."""
    name = wheel.name
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            # Attack: a bomb of zeros, or a million names.
            if sum(e.file_size for e in entries) > _BYTES_MAX or len(entries) > _FILES_MAX:
                raise BuildError(name, f"its wheel holds more than {_BYTES_MAX >> 20} MB")
            places: set[PurePosixPath] = set()
            for entry in entries:
                place = _place(entry.filename, name)
                # Attack: a second text of a file whose first one was looked at.
                if place in places:
                    raise BuildError(name, f"its wheel holds {place} twice")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise BuildError(name, f"its wheel holds a link: {entry.filename!r}")
                if place is not None:
                    places.add(place)
                    (target / place).parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(entry) as source, (target / place).open("wb") as into:
                        shutil.copyfileobj(source, into)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise BuildError(name, f"its wheel cannot be unpacked: {error}") from error


def _place(path: str, name: str) -> PurePosixPath | None:
    """Return where a file of a wheel goes; None for scripts and the like."""
    parts = PurePosixPath(path).parts
    # Attack: a wheel is a zip of a stranger's; a name in it can lead anywhere.
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise BuildError(name, f"its wheel names a file {path!r} outside of itself")
    if path.endswith(_NATIVE):
        fix = "the sandbox runs no native code; look for a package in pure Python, or leave it out"
        raise BuildError(name, f"its wheel holds native code: {path}", fix)
    if not parts[0].endswith(".data"):
        return PurePosixPath(*parts)
    return PurePosixPath(*parts[2:]) if parts[1:2] in (("purelib",), ("platlib",)) else None
