"""What is taken from a budget, and whether it still fits. Pure: the live numbers are arguments.

Guarantees: what does not fit into a bound is an `Overspent`, also by one unit; a resource without
a bound here is not bounded here. Does not: count, remember or reserve; `capbox.gate.budget` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NewType

from capbox.authority.budget import DISTINCT
from capbox.authority.values.arguments import Argument

Sink = NewType("Sink", str)
# Sums of prices are not exact to the last bit; no price is as small as this.
_SLACK = 1e-9
_PORT = re.compile(r":[0-9]+$")
_PLACES = frozenset({"email", "host", "url", "path", "id", "iban"})


@dataclass(frozen=True, slots=True)
class Draw:
    """So much of one resource; `subject` is which file or sink it concerns."""

    resource: str
    amount: float = 1
    subject: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Return under what it is counted."""
        return self.resource, self.subject


@dataclass(frozen=True, slots=True)
class Overspent:
    """What a bound does not leave; `whose` budget it is, and what a principal may change."""

    resource: str
    allowed: float
    used: float
    wanted: float
    whose: str
    flag: str
    subject: str = ""

    def __str__(self) -> str:
        """Return the sentence for whoever is refused."""
        place = f" for {self.subject}" if self.resource.startswith("sink_") else ""
        needs = "" if self.used >= self.allowed else f", and this needs {shown(self.wanted)} more"
        return (
            f"{self.whose} is used up: {self.resource}: {shown(self.used)} of "
            f"{shown(self.allowed)} used{place}{needs}; only a person can raise it: {self.flag}"
        )


def overspent(
    bounds: Mapping[str, float],
    used: Mapping[tuple[str, str], float],
    draws: Iterable[Draw],
) -> tuple[Draw, float] | None:
    """Return the first draw that does not fit, and what is used of its bound; None if all fit.

    `used` holds an amount for every key of the draws that is known and, for distinct resources,
    how many there are under an empty subject; several draws on one bound are taken together.
    """
    taken: dict[tuple[str, str], float] = {}
    for draw in draws:
        bound = bounds.get(draw.resource)
        distinct = draw.resource in DISTINCT
        if bound is None or (distinct and (draw.key in used or draw.key in taken)):
            continue
        total = (draw.resource, "") if distinct else draw.key
        before = used.get(total, 0) + taken.get(total, 0)
        if before + draw.amount > bound + _SLACK:
            return draw, before
        taken[draw.key] = taken[total] = taken.get(total, 0) + draw.amount
    return None


def sent(sinks: Iterable[Sink], count: int) -> tuple[Draw, ...]:
    """Return the draws for `count` bytes that leave for each of these."""
    places = tuple(dict.fromkeys(sinks))
    receivers = dict.fromkeys(map(_receiver, places))
    each = ((Draw("sink_calls", 1, one), Draw("sink_bytes", count, one)) for one in receivers)
    return (
        Draw("bytes_out", count),
        *(Draw("sinks", 1, sink) for sink in places),
        *(draw for pair in each for draw in pair),
    )


def sinks_of(arguments: Iterable[Argument]) -> tuple[Sink, ...]:
    """Return the different places that the canonical values of these arguments name.

    A URL counts as its origin, as a request does: paths do not make one server many.
    """
    found: dict[Sink, None] = {}
    for argument in arguments:
        for given in argument.values if argument.kind in _PLACES else ():
            web = argument.kind == "url"
            text = "/".join(given.text.split("/")[:3]) if web else given.text
            found[Sink(f"{'web' if web else argument.kind}:{text}")] = None
    return tuple(found)


def _receiver(sink: Sink) -> str:
    """Return who is behind a sink, as strictly as one could count.

    Attack: each spelling of one mailbox, or each port of one server, gets an allowance of its own.
    """
    kind, _, text = sink.partition(":")
    if kind == "email":
        local, _, host = text.lower().rpartition("@")
        return f"email:{local.partition('+')[0]}@{host}"
    if kind == "web":
        return "host:" + _PORT.sub("", text.partition("://")[2]).strip("[]")
    return sink


def shown(amount: float) -> str:
    """Return an amount as people read it: whole, or to four places."""
    return str(int(amount)) if amount == int(amount) else f"{amount:.4f}"
