"""What runs took: tokens, money and time, from the events that are stored.

Guarantees: every reply is counted once, on the day it came; a run whose session was deleted counts
with what is still known of it. Does not: know prices; a reply whose price was not known counts as
such (`unpriced`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Row, Select, func, select

from capbox.messages import Json, Usage
from capbox.store.schema import events, runs
from capbox.store.statements import Statements

By = Literal["day", "model", "session", "run", "workspace"]
NONE: Final = "(none)"


@dataclass(frozen=True, slots=True)
class Took:
    """What one day, model, session, run or workspace took; `seconds` of runs that ended.

    `usd` is of the replies whose price is known; `unpriced` is how many have none.
    """

    key: str
    runs: int = 0
    replies: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: float = 0.0
    unpriced: int = 0
    seconds: float = 0.0

    def __add__(self, other: Took) -> Took:
        """Return both together, under this key."""
        return Took(
            self.key,
            self.runs + other.runs,
            self.replies + other.replies,
            self.usage + other.usage,
            self.usd + other.usd,
            self.unpriced + other.unpriced,
            self.seconds + other.seconds,
        )

    def to_json(self) -> dict[str, Json]:
        """Return the documented JSON object."""
        usage: Mapping[str, Json] = {name: getattr(self.usage, name) for name in Usage.__slots__}
        numbers: dict[str, Json] = {"key": self.key, "runs": self.runs, "replies": self.replies}
        money: dict[str, Json] = {"usd": round(self.usd, 6), "unpriced": self.unpriced}
        return {**numbers, **usage, **money, "seconds": round(self.seconds, 3)}


async def taken(statements: Statements, by: By, since: float = 0.0) -> tuple[Took, ...]:
    """Return what was taken since then (seconds since 1970), by key, in its order."""
    listed = await statements.read(select(runs))
    keys = {row.id: _key(by, row) for row in listed}
    replies = await statements.read(_replies())
    replied = {row.run for row in replies}
    parts = [_reply(row, keys[row.run](row.at)) for row in replies if row.at >= since]
    for row in listed:
        if row.started_at >= since:
            parts.append(_run(row, keys[row.id](row.started_at), whole=row.id not in replied))
    return _summed(parts)


def _reply(row: Row[tuple[object, ...]], key: str) -> Took:
    usage = Usage(*(int(n or 0) for n in (row.input, row.output, row.read, row.write)))
    if row.usd is None:
        return Took(key, replies=1, usage=usage, unpriced=1)
    return Took(key, replies=1, usage=usage, usd=float(row.usd))


def _run(row: Row[tuple[object, ...]], key: str, *, whole: bool) -> Took:
    """Return that a run took place, and, where its replies are gone, what it took as a `whole`."""
    ended = row.started_at if row.ended_at is None else row.ended_at
    one = Took(key, runs=1, seconds=ended - row.started_at)
    if not whole:
        return one
    cached = row.cache_read_tokens, row.cache_write_tokens
    usage = Usage(row.input_tokens, row.output_tokens, *cached)
    return replace(one, usage=usage, usd=row.usd or 0.0)


def total(parts: Iterable[Took]) -> Took:
    """Return all of it together."""
    found = Took("total")
    for one in parts:
        found += one
    return found


def _summed(parts: Iterable[Took]) -> tuple[Took, ...]:
    found: dict[str, Took] = {}
    for one in parts:
        found[one.key] = found[one.key] + one if one.key in found else one
    return tuple(found[key] for key in sorted(found))


def _key(by: By, run: Row[tuple[object, ...]]) -> Callable[[float], str]:
    if by == "day":
        return lambda at: datetime.fromtimestamp(at).date().isoformat()
    names = {"model": run.model, "session": run.session, "run": run.id, "workspace": run.workspace}
    return lambda _: names[by] or NONE


def _replies() -> Select[tuple[object, ...]]:
    paths = {
        "input": "$.usage.input_tokens",
        "output": "$.usage.output_tokens",
        "read": "$.usage.cache_read_tokens",
        "write": "$.usage.cache_write_tokens",
        "usd": "$.usd",
    }
    columns = [func.json_extract(events.c.json, path).label(name) for name, path in paths.items()]
    reply = func.json_extract(events.c.json, "$.type") == "model_reply"
    return select(events.c.run, events.c.at, *columns).where(reply)
