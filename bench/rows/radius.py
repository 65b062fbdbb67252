"""What `capbox blast-radius` takes on a large workspace, as a whole process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.clock import Act, in_turns, yardstick
from bench.row import Rows, timed

_FILES = 10_000


async def blast_radius(place: Path, environ: Mapping[str, str], rounds: int, scale: float) -> Rows:
    """Measure it on a folder of small files, every tenth of which is hidden."""
    workspace = place / "radius"
    _fill(workspace, max(100, int(_FILES * scale)))
    start = "import sys; from capbox.app import main; sys.exit(main())"
    grants = ["--write", ".", "--grant", "fetch:https://*.example.com"]

    async def run(_number: int) -> None:
        subprocess.run(  # noqa: ASYNC221 - nothing runs beside it
            [sys.executable, "-c", start, "blast-radius", *grants, "--json"],
            cwd=workspace,
            env=dict(environ),
            check=True,
            stdout=subprocess.DEVNULL,
        )

    acts: dict[str, Act] = {"bash": yardstick, "blast_radius": run}
    taken = await in_turns(acts, rounds, 0)
    what = f"`capbox blast-radius` over {_FILES:,} files, the whole process"
    return {"blast_radius": timed(taken, "blast_radius", what)}


def _fill(workspace: Path, files: int) -> None:
    for number in range(files):
        folder = workspace / f"part{number // 100}" / f"{number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        ending = "pem" if number % 10 == 0 else "md"
        (folder / f"{number}.{ending}").write_text("x\n", encoding="utf-8")
