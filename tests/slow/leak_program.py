"""Makes eleven thousand calls; prints what all its processes hold at two points, as JSON.

The argument is the directory for capbox's own and for the workspace.
"""

import json
import os
import sys
from pathlib import Path

import anyio

from capbox import app
from capbox.engine.home import Home
from capbox.engine.settings import Settings

# Caches are full after 1,400 calls (measured: +0.8 MB from the thousandth on).
POINTS = (2_000, 11_000)
LOOKS = 20


def held() -> dict[str, list[int]]:
    """Return resident bytes and open descriptors of this process and of each one below it."""
    tree = [os.getpid()]
    for pid in tree:
        for task in Path(f"/proc/{pid}/task").iterdir():
            tree += [int(child) for child in (task / "children").read_text().split()]
    names = ("parent", "zygote", *(f"worker {n}" for n in range(len(tree) - 2)))
    return {
        name: [resident(pid), len(list(Path(f"/proc/{pid}/fd").iterdir()))]
        for name, pid in zip(names, tree, strict=True)
    }


async def held_at_rest() -> dict[str, list[int]]:
    """Return the most that is held while nothing is asked.

    A worker starts its next guest by itself, some time after it has answered: +2.4 MB (measured).
    """
    looks = []
    for _ in range(LOOKS):
        await anyio.sleep(0.02)
        looks.append(held())
    return {name: [max(look[name][n] for look in looks) for n in (0, 1)] for name in looks[0]}


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


async def main(root: Path) -> None:
    (root / "work").mkdir()
    (root / "work" / "a.txt").write_text("x" * 1_000)
    own = root / "own"
    home = Home(own / "config", own / "state", own / "cache")
    settings = Settings(workspace=root / "work", writes=(".",))
    seen = []
    async with (
        app.local_engine(home=home, spares=False) as engine,
        app.session(engine, settings) as session,
    ):
        for number in range(1, POINTS[-1] + 1):
            # Not the same call again and again: that is refused.
            result = await session.call("read", {"path": "a.txt", "limit": number})
            assert result.ok, result
            if number in POINTS:
                seen.append(await held_at_rest())
    print(json.dumps(seen))


anyio.run(main, Path(sys.argv[1]))
