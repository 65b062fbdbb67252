"""What a life holds, in the harness's own words: it must not ask the code that it judges.

Guarantees: `permits` is computed from the few shapes of grants that lives use, without anything of
`capbox.authority`; None means that a grant ends just now, and both answers are right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

EARLY_SECONDS = 0.2  # an authority is minted within this after the first call starts
LATE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Right:
    """One file grant; paths are relative to the workspace, "" is all of it."""

    write: bool
    path: str
    without: str = ""
    seconds: float | None = None

    def covers(self, path: str) -> bool:
        """Say whether `path` lies in it."""
        inside = not self.path or path == self.path or path.startswith(f"{self.path}/")
        below = path[len(self.path) :].lstrip("/") if inside else ""
        left_out = bool(self.without) and (
            below == self.without or below.startswith(f"{self.without}/")
        )
        return inside and not left_out and not path.rpartition("/")[2].startswith(".env")

    def __str__(self) -> str:
        """Return the grant as capbox reads it."""
        place = f"/workspace/{self.path}".rstrip("/")
        caveats = f" except={self.without}" if self.without else ""
        if self.seconds is not None:
            caveats += f" expires={int(self.seconds)}s"
        return f"{'write' if self.write else 'read'}:{place}{caveats}"


@dataclass(slots=True)
class Rights:
    """All that one life holds."""

    rights: tuple[Right, ...]
    started: float | None = None
    revoked: bool = False
    over: bool = False  # what lasts only a while has ended
    grants: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Write the grants down."""
        self.grants = tuple(map(str, self.rights))

    def permits(self, path: str, *, write: bool = False) -> bool:
        """Say whether a path may be read, or written, while every grant lasts."""
        if self.revoked:
            return False
        left = (r for r in self.rights if r.seconds is None or not self.over)
        return any(r.covers(path) for r in left if r.write or not write)

    def lasting(self, begun: float, ended: float) -> bool | None:
        """Say whether grants lasted while a call ran (monotonic seconds); None: nobody can tell."""
        seconds = [r.seconds for r in self.rights if r.seconds is not None]
        if not seconds or self.started is None:
            return True
        end = self.started + min(seconds)
        if ended < end - EARLY_SECONDS:
            return True
        return False if begun > end + LATE_SECONDS else None

    def visible(self, areas: tuple[str, ...], own: str) -> set[str]:
        """Return whose lines may appear in an answer."""
        places = {"common": "common/c0.txt", "secret": "secret/x.txt"}
        places |= {area: f"{area}/w0.txt" for area in areas}
        return {owner for owner, path in places.items() if self.permits(path)} | {own}


def drawn(rng: random.Random, area: str) -> Rights:
    """Return what a life gets."""
    whole = Right(True, area)
    shapes: tuple[tuple[Right, ...], ...] = (
        (whole,),
        (whole,),
        (whole, Right(False, "common")),
        (Right(False, area),),
        (Right(True, area, "d"),),
        (Right(False, "", "secret"), whole),
        (Right(True, f"{area}/w0.txt"), Right(False, "common")),
        (Right(True, f"{area}/w0.txt"), Right(False, area)),
        (Right(False, ""),),
        (),
        (Right(True, area, "", float(rng.randint(1, 3))),),
    )
    return Rights(rng.choice(shapes))
