"""Which of the rules of `rules` a blast radius breaks, and by what.

Guarantees: what could not be looked at to the end counts as broken, not as kept; a `write` rule
is also held against names that do not exist yet. Does not: read the rules.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import assert_never

from capbox.authority.access import ReadAccess, WriteAccess
from capbox.authority.authority import FileRight
from capbox.authority.decision import Allowed
from capbox.authority.grant import EnvSelector, Grant, ModelSelector, NameSelector, SecretSelector
from capbox.authority.holding import Holding
from capbox.authority.paths import GrantPath, below, is_canonical, joined, under
from capbox.authority.web.addresses import address_of, is_among
from capbox.authority.web.places import ANY_HOST, FetchSelector, is_loopback
from capbox.engine.radius.bounds import Bounds
from capbox.engine.radius.cuts import told
from capbox.engine.radius.never.rules import (
    ANY,
    FileRule,
    FlowRule,
    HostRule,
    LintRule,
    MostRule,
    NameRule,
    Quantity,
    Rule,
)
from capbox.engine.radius.radius import Radius
from capbox.engine.radius.reach import Watch, shown
from capbox.gate.rights.files import host_path

_HERE = (ip_address("127.0.0.1"), ip_address("::1"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule; `by` is what breaks it, "" if it is kept."""

    rule: str
    by: str


def watches_of(rules: Sequence[Rule]) -> tuple[Watch, ...]:
    """Return what the walk is to look for, in the order of the rules on files."""
    return tuple(rule.watch for rule in rules if isinstance(rule, FileRule))


def judged(rules: Sequence[Rule], found: Radius) -> tuple[Verdict, ...]:
    """Return the verdict on each rule; `found` was worked out with `watches_of` these rules."""
    numbers = iter(range(len(rules)))
    verdicts: list[Verdict] = []
    for rule in rules:
        hit = found.reach.hits.get(next(numbers)) if isinstance(rule, FileRule) else None
        verdicts.append(Verdict(rule.text, next(iter(_breaks(rule, found, hit)), "")))
    return tuple(verdicts)


def _breaks(rule: Rule, found: Radius, hit: str | None) -> Iterator[str]:
    match rule:
        case FileRule(_, watch):
            yield from _of_files(watch, found, hit)
        case HostRule():
            for minted in found.web:
                if _meets(minted.grant, rule):
                    yield str(minted.grant)
        case FlowRule():
            yield from _of_flows(rule, found)
        case NameRule():
            for minted in found.subject.live:
                if _is_named(minted.grant, rule):
                    yield told(minted.grant)
        case MostRule(_, quantity, most):
            yield from _of_quantity(quantity, most, found.bounds)
        case LintRule(_, code):
            for lint in found.lints:
                if lint.code == code:
                    yield f"{lint.grant}: {lint.says}" if lint.grant else lint.says
        case _:
            assert_never(rule)


# --- files -------------------------------------------------------------------------------------


def _of_files(watch: Watch, found: Radius, hit: str | None) -> Iterator[str]:
    if hit is not None:
        yield hit
    holding, standing = Holding(found.subject.held), found.subject.as_of
    for right in found.subject.rights:
        if watch.write and not right.write:
            continue
        for path in _examples(watch, right, found):
            access = WriteAccess(path) if watch.write else ReadAccess(path)
            if isinstance(holding.decide(access, standing), Allowed):
                there = os.path.lexists(host_path(path, found.subject.layout))
                yield shown(path) if there else f"{shown(path)} (could be made)"
    if not found.reach.whole:
        yield "not all files could be looked at: there are too many"


def _examples(watch: Watch, right: FileRight, found: Radius) -> Iterator[GrantPath]:
    """Yield a path under `right` that the globs mean, whether it is there or not.

    For reading only the granted path itself: what is not there cannot be read.
    """
    host = host_path(right.path, found.subject.layout)
    rest = _rest(watch, host, found)
    if rest is None:
        yield right.path
    elif watch.write and Path(host).is_dir():
        for pattern in sorted(rest):
            path = joined(right.path, _example(pattern))
            if is_canonical(path):
                yield GrantPath(path)


def _rest(watch: Watch, host: str, found: Radius) -> frozenset[str] | None:
    """Return the globs as seen from `host`, none where they do not apply; None: it is meant."""
    workspace = found.subject.layout.workspace
    if watch.base != "/" and under(host, workspace):
        return watch.globs.residual(below(host, workspace))
    if watch.base == "workspace":
        return frozenset()
    start = host.rpartition("/")[0] if watch.base == "anywhere" else "/"
    return watch.globs.residual(below(host, start or "/"))


def _example(pattern: str) -> str:
    """Return one name that a glob means: `**` is no component, `*` and `?` are an x."""
    parts = [part for part in pattern.strip("/").split("/") if part != "**"]
    return "/".join(re.sub(r"\\(.)|[*?]", lambda m: m[1] or "x", part) for part in parts)


# --- hosts, flows, names, numbers ----------------------------------------------------------------


def _meets(grant: Grant, rule: HostRule) -> bool:
    selector = grant.selector
    if not isinstance(selector, FetchSelector):
        return False
    if rule.methods and selector.methods and set(rule.methods).isdisjoint(selector.methods):
        return False
    if rule.host == ANY_HOST:
        return True
    address = address_of(rule.host)
    # Whoever answers for a granted name chooses among the addresses of its `net=`.
    wanted = (address,) if address is not None else _HERE if is_loopback(rule.host) else ()
    if any(is_among(one, grant.networks) and grant.keeps_from(one) is None for one in wanted):
        return True
    if address is not None or selector.network is not None:
        return False
    host, wild = selector.host.removeprefix("*."), selector.host.startswith("*.")
    name = rule.host.removeprefix("*.")
    if rule.host == name:
        return host == name if not wild else name.partition(".")[2] == host
    return host.endswith(f".{name}") or (wild and host == name)


def _of_flows(rule: FlowRule, found: Radius) -> Iterator[str]:
    listed = [(flow.source, flow.sink) for flow in found.flows if not flow.cut_by]
    for source, sink in (*listed, *found.unlisted):
        # A variable called as credentials are is a secret too.
        kinds = (source.kind, ANY, *(["secret"] if source.secret else []))
        if rule.source in kinds and rule.sink in (sink.kind, ANY):
            yield f"{source.name} -> {sink.name}"


def _is_named(grant: Grant, rule: NameRule) -> bool:
    if grant.action != rule.action:
        return False
    match grant.selector:
        case EnvSelector(name) | SecretSelector(name) | NameSelector(name) | ModelSelector(name):
            return fnmatchcase(name, rule.glob)
        case _:
            return False


def _of_quantity(quantity: Quantity, most: float, bounds: Bounds | None) -> Iterator[str]:
    if bounds is None:
        yield "its bounds are not on record"
        return
    amounts: dict[Quantity, float] = {
        "money": bounds.usd,
        "tokens": bounds.tokens,
        "seconds": bounds.run.seconds,
        "turns": bounds.turns,
        "calls": bounds.calls,
        "requests": bounds.run.requests,
        "files": bounds.run.files_created,
    }
    if amounts[quantity] > most:
        yield f"it may take {amounts[quantity]:,g} ({quantity})"
