"""What installing a large tool takes, as a whole process: copied, checked, read, compiled."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.clock import Act, in_turns, yardstick
from bench.row import Rows, timed
from capbox import app

_TIMES = 3
_MANIFEST = """\
name = "large"
version = "0.1.0"
description = "The toolbox under another name, to be measured."
license = "Apache-2.0"
abi = "json"
module = "large.wasm"
access = "none"
[input_schema]
type = "object"
"""


async def installing(place: Path, environ: Mapping[str, str], scale: float) -> Rows:
    """Measure it on the toolbox, each time with nothing compiled."""
    folder = place / "packages" / "large"
    folder.mkdir(parents=True)
    (folder / "tool.toml").write_text(_MANIFEST, encoding="utf-8")
    shutil.copyfile(app.GUESTS / "toolbox.wasm", folder / "large.wasm")
    size = (folder / "large.wasm").stat().st_size / 1e6

    def capbox(home: Path, *arguments: str) -> None:
        start = "import sys; from capbox.app import main; sys.exit(main())"
        subprocess.run(
            [sys.executable, "-c", start, "pkg", *arguments],
            cwd=folder.parent,
            env={**environ, "CAPBOX_HOME": str(home)},
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    capbox(folder.parent / "publisher", "pack", "large", "--namespace", "bench")
    capbox(folder.parent / "publisher", "sign", "large-0.1.0.oci")

    async def run(number: int) -> None:
        capbox(folder.parent / f"home{number}", "install", "large-0.1.0.oci", "--yes")

    acts: dict[str, Act] = {"bash": yardstick, "pkg_install": run}
    taken = await in_turns(acts, _TIMES if scale >= 1 else 1, 0)
    what = f"`capbox pkg install` of a tool of {size:.0f} MB, the whole process"
    return {"pkg_install": timed(taken, "pkg_install", what)}
