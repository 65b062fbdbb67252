"""What an operator says in a line: `never:` rules.

A never rule names a host path, and beats every grant and every approval. Guarantees: seen through
a `Layout`, it holds for every way in which a grant can name that path. Does not: read any file.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from capbox.authority.access import FileAccess, WriteAccess
from capbox.authority.exclusions import folded
from capbox.authority.grant import Grant
from capbox.authority.paths import (
    WORKSPACE,
    GrantPath,
    HostPath,
    Layout,
    PathRefusal,
    is_canonical,
    under,
)


@dataclass(frozen=True, slots=True)
class NeverRule:
    """`read`: neither read nor write under the path. `write`: read, but never write there."""

    action: Literal["read", "write"]
    path: GrantPath

    def __str__(self) -> str:
        return f"never: {self.action} {self.path}"

    def forbids(self, access: FileAccess) -> bool:
        """Say whether no grant may allow `access`; case and spelling of names do not matter."""
        relevant = self.action == "read" or isinstance(access, WriteAccess)
        return relevant and under(folded(access.path), folded(self.path))

    def forbids_grant(self, grant: Grant) -> bool:
        """Say whether a file grant lies inside this rule, so that minting it would be a lie."""
        if grant.path is None or (self.action == "write" and grant.action == "read"):
            return False
        return under(folded(grant.path), folded(self.path))


def parse_never(text: str, home: HostPath) -> NeverRule | PathRefusal:
    """Read `read PATH` or `write PATH` (`never:` before it is allowed); `~` is `home`."""
    action, _, path = text.strip().removeprefix("never:").strip().partition(" ")
    path = path.strip()
    if path == "~" or path.startswith("~/"):
        path = home + path[1:]
    path = path.rstrip("/") or path[:1]
    if action not in ("read", "write"):
        return PathRefusal(text, 'a rule is "read PATH" or "write PATH"')
    if not is_canonical(path):
        return PathRefusal(text, "the path of a rule is absolute, or starts with ~/")
    return NeverRule("read" if action == "read" else "write", GrantPath(path))


def never_in(rules: Iterable[NeverRule], layout: Layout) -> tuple[NeverRule, ...]:
    """Return `rules` (on host paths) as they hold for grant paths of this layout.

    The workspace has two names, its host path and `/workspace`: a rule holds for both.
    """
    held: list[NeverRule] = []
    for rule in rules:
        held.append(rule)
        if under(folded(layout.workspace), folded(rule.path)):
            held.append(NeverRule(rule.action, GrantPath(WORKSPACE)))
        elif under(folded(rule.path), folded(layout.workspace)):
            depth = layout.workspace.rstrip("/").count("/") + 1
            inner = "/".join(rule.path.split("/")[depth:])
            held.append(NeverRule(rule.action, GrantPath(f"{WORKSPACE}/{inner}")))
    return tuple(dict.fromkeys(held))
