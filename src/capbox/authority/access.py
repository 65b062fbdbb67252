"""One concrete effect that a guest, or the model, tries; and how a person would grant it.

Closed union of values. Guarantees: `missing` parses to a grant that covers the access, and
`flag_for` is safe to paste into a shell. Does not: decide.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from capbox.authority.paths import WORKSPACE, GrantPath, Layout, below, quoted, under
from capbox.authority.values.arguments import Argument
from capbox.authority.web.places import FetchAccess


def _parts(name: str) -> Iterator[str]:
    """Return a, a/b and a/b/c of a/b/c."""
    return accumulate(name.split("/"), "{}/{}".format)


@dataclass(frozen=True, slots=True)
class _OnPath:
    path: GrantPath
    action = ""

    def __str__(self) -> str:
        return f"{self.action} {self.path}"

    @property
    def missing(self) -> str:
        """Return the grant that would allow this."""
        return f"{self.action}:{quoted(self.path)}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the index keys of the grants that may cover this: see `Grant.keys`."""
        return tuple(dict.fromkeys([f"{self.action} {root or '/'}" for root in _parts(self.path)]))


@dataclass(frozen=True, slots=True)
class _OnName:
    name: str
    action = ""

    def __str__(self) -> str:
        return f"{self.action} {self.name}"

    @property
    def missing(self) -> str:
        """Return the grant that would allow this."""
        return f"{self.action}:{quoted(self.name)}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the index keys of the grants that may cover this: see `Grant.keys`."""
        return (f"{self.action} {self.name}",)


class ReadAccess(_OnPath):
    """Open, list or look at a file or directory."""

    __slots__ = ()
    action = "read"


class WriteAccess(_OnPath):
    """Create, change, rename or delete a file or directory."""

    __slots__ = ()
    action = "write"


class EnvAccess(_OnName):
    """See one environment variable."""

    __slots__ = ()
    action = "env"


@dataclass(frozen=True, slots=True)
class ToolAccess(_OnName):
    """Call one tool, as the model does; `arguments` are all that it declares, given or not."""

    arguments: tuple[Argument, ...] = ()
    action = "tool"

    def __str__(self) -> str:
        return f"{self.action} {self.called}"

    @property
    def called(self) -> str:
        """Return name and values, whoever calls: to a person both ways are the same effect."""
        given = ", ".join(str(argument) for argument in self.arguments if argument.values)
        return f"{self.name}({given})" if self.arguments else self.name

    @property
    def missing(self) -> str:
        """Return the grant that would allow this: these values, and no other argument."""
        given = [a for a in self.arguments if a.values] or self.arguments
        bound = "".join(f" {argument.exactly}" for argument in given)
        return f"{self.action}:{quoted(self.name)}{bound}"


class InvokeAccess(ToolAccess):
    """Call one function of the embedding program, as a guest does."""

    __slots__ = ()
    action = "invoke"


class ModelAccess(_OnName):
    """Ask one model."""

    __slots__ = ()
    action = "model"

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the index keys of the grants that may cover this: see `Grant.keys`."""
        patterns = ["*", self.name, *(f"{above}/*" for above in _parts(self.name))]
        return tuple([f"model {pattern}" for pattern in dict.fromkeys(patterns)])


FileAccess = ReadAccess | WriteAccess
Access = ReadAccess | WriteAccess | FetchAccess | EnvAccess | ToolAccess | ModelAccess


def flag_for(access: Access, layout: Layout) -> str:
    """Return the command-line flag that grants `access`, quoted for a POSIX shell.

    Workspace paths are given relative to the workspace, as the flags read them.
    """
    if isinstance(access, ReadAccess | WriteAccess):
        target = _short(access.path, layout)
    elif isinstance(access, FetchAccess):
        target = access.selector
    elif isinstance(access, EnvAccess):
        target = access.name
    else:  # `--tool` narrows, and `--model` is whom to ask
        return f"--grant {shlex.quote(access.missing)}"
    return f"--{access.action} {shlex.quote(target)}"


def _short(path: GrantPath, layout: Layout) -> str:
    canonical = layout.canonical(path)
    if not under(canonical, WORKSPACE):
        return canonical
    # A file named `-rf` would be read as a flag of its own.
    short = below(canonical, WORKSPACE) or "."
    return f"./{short}" if short.startswith("-") else short
