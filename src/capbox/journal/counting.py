"""How much of each counter is used, as the entries of a run tell it. Pure.

Guarantees: what a call may have drawn counts as drawn until its outcome says what it was; bytes of
a call without an outcome are all there were. Does not: judge the record; `verify` does, before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from capbox.authority.decision import GrantId
from capbox.authority.limits import COUNT_MAX
from capbox.messages import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Used:
    """What is used of one grant's counters: tool calls or requests, bytes, times of requests."""

    uses: int = 0
    bytes: int = 0
    times: tuple[float, ...] = ()

    def __add__(self, other: Used) -> Used:
        """Return both together, `other` being the later."""
        total = min(self.bytes + other.bytes, COUNT_MAX)
        return Used(self.uses + other.uses, total, (*self.times, *other.times))


@dataclass(slots=True, eq=False)
class _Call:
    draws: list[str]
    outcome: bool = False
    requests: list[str] = field(default_factory=list)


def used_of(contents: Iterable[JsonObject | None]) -> dict[GrantId, Used]:
    """Return what a run used, from its entries in order, the first being number 0.

    Raises ValueError for an entry that cannot be read: nobody knows what it drew.
    """
    found: dict[GrantId, Used] = {}
    calls: dict[int, _Call] = {}
    for number, content in enumerate(contents):
        if content is None:
            raise ValueError(f"entry {number} is not there any more")
        match content.get("kind"):
            case "intent":
                calls[number] = _Call(list(_texts(content.get("draws"))))
            case "lookup":
                # One that leads nowhere is drawn, too; where it does, the outcome knows.
                _call(calls, content).requests.append(str(content.get("grant")))
            case "request":
                draws, at = list(_texts(content.get("draws"))), content.get("at")
                _call(calls, content).requests.extend(draws)
                times = (float(at),) if isinstance(at, int | float) else ()
                _add(found, ((name, Used(times=times)) for name in draws))
            case "outcome":
                _call(calls, content).outcome = True
                _add(found, _drawn(content.get("drawn", [])))
            case _:
                continue
    for call in calls.values():
        if not call.outcome:
            _add(found, ((name, Used(uses=1)) for name in call.draws))
            _add(found, ((name, Used(1, COUNT_MAX)) for name in call.requests))
    return found


def _call(calls: dict[int, _Call], content: JsonObject) -> _Call:
    intent = content.get("intent")
    if not isinstance(intent, int) or intent not in calls:
        raise ValueError("an entry is of no call")
    return calls[intent]


def _add(found: dict[GrantId, Used], more: Iterable[tuple[str, Used]]) -> None:
    for name, used in more:
        grant = GrantId(name)
        found[grant] = found.get(grant, Used()) + used


def _drawn(value: Json) -> Iterator[tuple[str, Used]]:
    for one in value if isinstance(value, list) else [value]:
        match one:
            case [str(name), int(uses), int(count)]:
                yield name, Used(uses, count)
            case _:
                raise ValueError("an outcome does not say what was drawn")


def _texts(value: Json) -> Iterator[str]:
    yield from (str(one) for one in value) if isinstance(value, list) else ()
