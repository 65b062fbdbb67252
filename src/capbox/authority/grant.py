"""One permitted kind of effect on one selector, under caveats; and when one covers another.

Guarantees: `str(grant)` is canonical and `parse.parse_grant` reads it back as the same value;
`covers` never says yes to what it cannot decide. Does not: know the time, or what was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from capbox.authority.access import (
    Access,
    EnvAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
)
from capbox.authority.caveats import Caveat, Except, ExpiresAfter, ExpiresAt, Later, Uses
from capbox.authority.exclusions import compiled
from capbox.authority.paths import GrantPath, below, quoted, under

Action = Literal[
    "read",
    "write",
    "fetch",
    "env",
    "secret",
    "tool",
    "invoke",
    "model",
    "spawn",
    "store",
    "exec",
]
WORKING: frozenset[Action] = frozenset({"read", "write", "env", "tool", "model"})


@dataclass(frozen=True, slots=True)
class PathSelector:
    """A file, or everything under a directory (read, write)."""

    path: GrantPath

    def __str__(self) -> str:
        return quoted(self.path)


@dataclass(frozen=True, slots=True)
class EnvSelector:
    """A variable of the host, or (with a value) one that the grant sets."""

    name: str
    value: str | None = None

    def __str__(self) -> str:
        return quoted(self.name if self.value is None else f"{self.name}={self.value}")


@dataclass(frozen=True, slots=True)
class NameSelector:
    """One tool's name."""

    name: str

    def __str__(self) -> str:
        return quoted(self.name)


@dataclass(frozen=True, slots=True)
class ModelSelector:
    """A model's name; a last segment `*` stands for every name below."""

    pattern: str

    def __str__(self) -> str:
        return quoted(self.pattern)

    def includes(self, name: str) -> bool:
        """Say whether a name (or another pattern) is within this one."""
        if self.pattern == "*" or self.pattern == name:
            return True
        return self.pattern.endswith("/*") and name.startswith(self.pattern[:-1])


@dataclass(frozen=True, slots=True)
class LaterSelector:
    """Canonical text of a selector that no mechanism enforces yet; minting refuses its kind."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text)


Selector = PathSelector | EnvSelector | NameSelector | ModelSelector | LaterSelector


@dataclass(frozen=True, slots=True)
class Grant:
    """One permitted kind of effect. Caveats are unique by key and in canonical order."""

    action: Action
    selector: Selector
    caveats: tuple[Caveat, ...] = ()

    def __str__(self) -> str:
        return " ".join([f"{self.action}:{self.selector}", *map(str, self.caveats)])

    @property
    def path(self) -> GrantPath | None:
        """Return the path of a file grant."""
        return self.selector.path if isinstance(self.selector, PathSelector) else None

    @property
    def expires(self) -> ExpiresAt | ExpiresAfter | None:
        """Return when this grant ends."""
        return next((c for c in self.caveats if isinstance(c, ExpiresAt | ExpiresAfter)), None)

    @property
    def uses(self) -> int | None:
        """Return how many tool calls may exercise this grant; None if that is not bounded."""
        return next((c.count for c in self.caveats if isinstance(c, Uses)), None)

    @property
    def exceptions(self) -> tuple[str, ...]:
        """Return the globs that this grant leaves out, relative to its selector."""
        return next((c.globs for c in self.caveats if isinstance(c, Except)), ())

    def unsupported(self) -> str | None:
        """Return what of this grant no mechanism enforces yet, if anything."""
        if self.action not in WORKING:
            return f"{self.action}:"
        return next((c.key for c in self.caveats if isinstance(c, Later)), None)

    def selects(self, access: Access) -> bool:
        """Say whether action and selector cover `access`, caveats and exclusions aside."""
        match access:
            case ReadAccess(path):
                return self.path is not None and under(path, self.path)
            case WriteAccess(path):
                return self.action == "write" and self.path is not None and under(path, self.path)
            case EnvAccess(name):
                return isinstance(self.selector, EnvSelector) and self.selector.name == name
            case ToolAccess(name):
                return isinstance(self.selector, NameSelector) and self.selector.name == name
            case ModelAccess(name):
                return isinstance(self.selector, ModelSelector) and self.selector.includes(name)
            case _:
                assert_never(access)

    def covers(self, child: Grant) -> bool:
        """Say whether `child` permits nothing that this grant does not; undecidable is no.

        Expiries must be absolute. Mandatory exclusions are judged by `authority.Authority`.
        """
        return self._includes(child) and all(_kept(c, self, child) for c in self.caveats)

    def _includes(self, child: Grant) -> bool:
        if self.path is not None and child.path is not None:
            return (self.action == "write" or child.action == "read") and under(
                child.path, self.path
            )
        if isinstance(self.selector, ModelSelector) and isinstance(child.selector, ModelSelector):
            return self.selector.includes(child.selector.pattern)
        # A variable that the parent sets may not be set anew by the child: equal, or nothing.
        return self.action == child.action and self.selector == child.selector


def _kept(caveat: Caveat, parent: Grant, child: Grant) -> bool:
    match caveat:
        case ExpiresAt(ms):
            return isinstance(child.expires, ExpiresAt) and child.expires.ms <= ms
        case Uses(count):
            return child.uses is not None and child.uses <= count
        case Except(globs):
            if parent.path is None or child.path is None:
                return False
            remaining = compiled(globs).residual(below(child.path, parent.path))
            return remaining is not None and remaining <= compiled(child.exceptions).patterns
        case ExpiresAfter() | Later():
            return False
        case _:
            assert_never(caveat)
