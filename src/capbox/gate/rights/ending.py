"""A call that lives on a grant which expires ends with it, and says so. Pure."""

from __future__ import annotations

from dataclasses import replace

from capbox.authority.authority import Minted
from capbox.authority.limits import Limits
from capbox.sandbox.spec import Outcome, Stopped


def until(ending: Minted | None, limits: Limits, now: float) -> Limits:
    """Return limits by which a call is over when `ending` expires; `now` is seconds since 1970."""
    if ending is None or ending.expires_ms is None:
        return limits
    left = max(ending.expires_ms / 1000 - now, 0.0)
    return replace(limits, wall_seconds=min(limits.wall_seconds, left))


def told(outcome: Outcome, ending: Minted | None, limits: Limits, asked: Limits) -> Outcome:
    """Say of a call that ended with a grant that it did: more time would not have helped."""
    ended = isinstance(outcome.end, Stopped) and outcome.end.bound == "time"
    if not ended or ending is None or limits.wall_seconds >= asked.wall_seconds:
        return outcome
    return replace(outcome, end=Stopped("time", f"stopped: {ending.grant} has expired"))
