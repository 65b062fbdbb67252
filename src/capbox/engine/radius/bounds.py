"""The most that one call and a whole run may take, in numbers; and what lasts after the run.

Guarantees: each number is an upper bound that something enforces: limits per call, times the
calls of the budget, and never more than counted caveats leave. Does not: foresee what is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from capbox.authority.caveats import Bytes, Uses
from capbox.authority.grant import Grant
from capbox.authority.web.places import FetchSelector
from capbox.engine.radius.reach import shown
from capbox.engine.radius.subject import Subject


@dataclass(frozen=True, slots=True)
class Most:
    """Upper bounds of one call, or of a run. `sent_bytes` are bodies of requests.

    `invocations` are calls of functions that scripts make.
    """

    seconds: float
    requests: int
    sent_bytes: int
    files_created: int
    written_bytes: int
    invocations: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of each call, of the run, and what only a run has."""

    call: Most
    run: Most
    calls: int
    turns: int
    tokens: int
    usd: float


def bounds(subject: Subject) -> Bounds | None:
    """Return the bounds; None where they are not on record."""
    limits, budget = subject.limits, subject.budget
    if limits is None or budget is None:
        return None
    web = [m.grant for m in subject.live if isinstance(m.grant.selector, FetchSelector)]
    invoked = [m.grant for m in subject.live if m.grant.action == "invoke"]
    writes = any(right.write for right in subject.rights)
    requests = limits.requests if web else 0
    call = Most(
        limits.wall_seconds,
        requests,
        requests * limits.body_bytes,
        limits.files_created if writes else 0,
        limits.written_bytes if writes else 0,
        limits.requests if invoked else 0,
    )
    calls = budget.tool_calls
    run = _of_run(call, calls, budget.wall_seconds, web)
    invocations = call.invocations * calls
    hosts = {g.selector.host for g in web if isinstance(g.selector, FetchSelector)}
    named = not any("*" in host for host in hosts)
    receivers = min(budget.sinks, len(hosts)) if named else budget.sinks
    run = replace(
        run,
        requests=min(run.requests, receivers * budget.sink_calls),
        sent_bytes=min(run.sent_bytes, budget.bytes_out, receivers * budget.sink_bytes),
        files_created=min(run.files_created, budget.files),
        invocations=min(invocations, _counted(invoked, Uses, invocations)),
    )
    return Bounds(call, run, calls, budget.turns, budget.tokens, budget.usd)


def lasting(subject: Subject) -> tuple[str, ...]:
    """Return in words what is still there when the run has ended."""
    found: list[str] = []
    places = tuple(dict.fromkeys(shown(right.path) for right in subject.rights if right.write))
    if places:
        found.append(f"what it writes in {_listed(places)}")
    kept = tuple(dict.fromkeys(str(m.grant) for m in subject.live if m.grant.action == "store"))
    if kept:
        found.append(f"what tools keep in {_listed(kept)}")
    if any(isinstance(m.grant.selector, FetchSelector) for m in subject.live):
        found.append("what servers do with its requests")
    if subject.functions:
        found.append("what the program's functions do")
    return tuple(found)


def _of_run(call: Most, calls: int, seconds: float, web: Iterable[Grant]) -> Most:
    requests, sent = call.requests * calls, call.sent_bytes * calls
    return Most(
        seconds,
        min(requests, _counted(web, Uses, requests)),
        min(sent, _counted(web, Bytes, sent)),
        call.files_created * calls,
        call.written_bytes * calls,
    )


def _counted(grants: Iterable[Grant], kind: type[Uses] | type[Bytes], otherwise: int) -> int:
    """Return what these caveats leave altogether; `otherwise` where a grant has none of them."""
    total = 0
    for grant in grants:
        counts = [c.count for c in grant.caveats if isinstance(c, kind)]
        if not counts:
            return otherwise
        total += counts[0]
    return total


def _listed(names: tuple[str, ...]) -> str:
    listed = ["this folder" if name == "." else name for name in names[:3]]
    more = len(names) - len(listed)
    return ", ".join(listed) + (f" and {more} more" if more else "")
