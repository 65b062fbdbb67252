"""What cuts a flow into a sink: the caveats that a grant has, and those that it could have.

The one place that knows which caveat holds back what. Guarantees: a grant is proposed only if it
parses and mints, so nothing is advised that the product would refuse; a caveat that cannot be
minted yet appears by itself once it can. Does not: enforce any of them; the gate does.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from capbox.authority.grant import EnvSelector, Grant
from capbox.authority.parse import GrantError, parse_grant

Label = Literal["secret", "untrusted"]
Mints = Callable[[Grant], bool]

SAYS = {
    "public": "no data of a secret may flow in",
    "untainted": "refused once the run has seen untrusted data",
    "ask": "a person sees each request first",
}
_HOLDS_BACK: dict[str, Label] = {"public": "secret", "untainted": "untrusted"}


@dataclass(frozen=True, slots=True)
class Cut:
    """What would cut a flow: a `caveat` (None: leaving something out), why, and what to type.

    `grant` is the grant to give instead, None where there is nothing to give.
    """

    caveat: str | None
    why: str
    grant: str | None
    flag: str


def cutting(grant: Grant, labels: frozenset[Label]) -> tuple[str, ...]:
    """Return the caveats of `grant` that keep data of these labels from flowing in."""
    found: list[str] = []
    for caveat in grant.caveats:
        label = _HOLDS_BACK.get(caveat.key)
        # `ask=first` is a yes to everything that follows the first request.
        if str(caveat) == "ask=each" or (label is not None and label in labels):
            found.append(str(caveat))
    return tuple(found)


def possible(grant: Grant, labels: frozenset[Label], mints: Mints) -> Iterator[Cut]:
    """Yield the caveats that would cut a flow of these labels into `grant`."""
    for caveat in ("public", "untainted", "ask=each"):
        key = caveat.partition("=")[0]
        if key in _HOLDS_BACK and _HOLDS_BACK[key] not in labels:
            continue
        with_it = narrowed(grant, caveat, mints)
        if with_it is not None:
            yield Cut(caveat, SAYS[key], str(with_it), flag_of(with_it))


def narrowed(grant: Grant, caveat: str, mints: Mints) -> Grant | None:
    """Return `grant` with `caveat` in place of any of the same key; None if that is no grant."""
    key = caveat.partition("=")[0]
    bare = replace(grant, caveats=tuple(c for c in grant.caveats if c.key != key))
    return granted(f"{bare} {caveat}", mints)


def granted(text: str, mints: Mints) -> Grant | None:
    """Return the grant that `text` says; None if it is none, or cannot be minted here."""
    grant = parse_grant(text)
    return None if isinstance(grant, GrantError) or not mints(grant) else grant


def narrower(text: str, grant: Grant, mints: Mints) -> Grant | None:
    """Return the grant that `text` says, if it permits nothing that `grant` does not."""
    found = granted(text, mints)
    return found if found is not None and grant.covers(found) else None


def flag_of(grant: Grant) -> str:
    """Return the flag that gives a grant, quoted for a POSIX shell."""
    return f"--grant {shlex.quote(str(grant))}"


def told(grant: Grant) -> str:
    """Return a grant's text for a report: a variable's value stays out of it."""
    selector = grant.selector
    if isinstance(selector, EnvSelector) and selector.value is not None:
        return str(replace(grant, selector=EnvSelector(selector.name))) + " (value given)"
    return str(grant)
