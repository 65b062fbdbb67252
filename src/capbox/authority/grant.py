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
from capbox.authority.caveats import (
    Ask,
    Bytes,
    Caveat,
    Counted,
    Except,
    ExceptPlaces,
    ExpiresAfter,
    ExpiresAt,
    Format,
    Header,
    Later,
    Net,
    Public,
    Rate,
    Untainted,
    Uses,
    kept,
)
from capbox.authority.exclusions import compiled
from capbox.authority.paths import GrantPath, below, quoted, under
from capbox.authority.values.arguments import Arg, narrower
from capbox.authority.values.label import Sources, told
from capbox.authority.web.addresses import (
    LOOPBACK,
    Address,
    Network,
    is_among,
    is_public,
    opens_no_more,
    refusal,
)
from capbox.authority.web.places import FetchAccess, FetchSelector, Origin, is_loopback

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
WORKING: frozenset[Action] = frozenset(
    {"read", "write", "fetch", "env", "secret", "tool", "invoke", "model", "store"}
)
HAS_READ = "the run has read"
"""How every refusal by a label begins."""
_LABELLED: frozenset[Action] = frozenset({"fetch", "tool", "invoke"})


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
    """The name of one tool, or of one function (tool, invoke)."""

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
class SecretSelector:
    """A secret of the operator's, and the one origin that gets it."""

    name: str
    origin: Origin

    def __str__(self) -> str:
        return quoted(f"{self.name}@{self.origin}")


@dataclass(frozen=True, slots=True)
class StoreSelector:
    """The name of a private directory that a tool keeps from call to call."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class LaterSelector:
    """Canonical text of a selector that no mechanism enforces yet; minting refuses its kind."""

    text: str

    def __str__(self) -> str:
        return quoted(self.text)


Selector = (
    PathSelector
    | FetchSelector
    | EnvSelector
    | SecretSelector
    | NameSelector
    | ModelSelector
    | StoreSelector
    | LaterSelector
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One permitted kind of effect. Caveats are unique by key and in canonical order."""

    action: Action
    selector: Selector
    caveats: tuple[Caveat, ...] = ()

    def __str__(self) -> str:
        return " ".join([f"{self.action}:{self.selector}", *map(str, self.caveats)])

    @property
    def keys(self) -> tuple[str, ...]:
        """Return what an authority files this grant under, so that no decision looks at them all.

        One of them is among the `keys` of every access that this selects.
        """
        match self.selector:
            case FetchSelector() as selector:
                return (selector.key,)
            case PathSelector(path):
                return (f"read {path}", f"write {path}")
            case EnvSelector(name) | NameSelector(name) | ModelSelector(name):
                return (f"{self.action} {name}",)
            case _:
                return (self.action,)

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
    def conditions(self) -> tuple[Arg, ...]:
        """Return what the arguments of a call have to be."""
        return tuple(c for c in self.caveats if isinstance(c, Arg))

    @property
    def exceptions(self) -> tuple[str, ...]:
        """Return the globs that this grant leaves out, relative to its selector."""
        return next((c.globs for c in self.caveats if isinstance(c, Except)), ())

    @property
    def counted(self) -> tuple[Counted, ...]:
        """Return the bounds that are counted while the grant is used."""
        return tuple(c for c in self.caveats if isinstance(c, Uses | Bytes | Rate))

    @property
    def asks(self) -> Ask | None:
        """Return whether a person confirms its use."""
        return next((c for c in self.caveats if isinstance(c, Ask)), None)

    @property
    def labelled(self) -> bool:
        """Say whether it matters to this grant what has been read."""
        return any(isinstance(c, Untainted | Public) for c in self.caveats)

    def withheld(self, sources: Sources, access: Access) -> str | None:
        """Say why what has been read forbids the use of this grant for `access`, if it does."""
        origin = access.origin if isinstance(access, FetchAccess) else None
        for caveat in self.caveats:
            if isinstance(caveat, Untainted):
                strange = [s for s in sources if s.untrusted]
                if strange:
                    return f"{HAS_READ} untrusted data ({told(strange)})"
            if isinstance(caveat, Public):
                secret = [s for s in sources if s.confidential_for(origin)]
                if secret:
                    return f"{HAS_READ} confidential data ({told(secret)})"
        return None

    @property
    def networks(self) -> tuple[Network, ...]:
        """Return the networks that a fetch grant names: by literal address, `net=` or localhost."""
        named = next((c.networks for c in self.caveats if isinstance(c, Net)), ())
        if not isinstance(self.selector, FetchSelector):
            return named
        literal = () if self.selector.network is None else (self.selector.network,)
        return (*named, *literal, *(LOOPBACK if is_loopback(self.selector.host) else ()))

    @property
    def places_left_out(self) -> ExceptPlaces | None:
        """Return the places that a fetch grant leaves out."""
        return next((c for c in self.caveats if isinstance(c, ExceptPlaces)), None)

    def leaves_out(self, access: FetchAccess) -> bool:
        """Say whether a fetch grant's exceptions name the request."""
        left_out = self.places_left_out
        return left_out is not None and left_out.leaves_out(access)

    def keeps_from(self, address: Address) -> Network | None:
        """Return the network for which this grant's hosts may not be reached at `address`."""
        return self.network_left_out(address) or refusal(address, self.networks)

    def network_left_out(self, address: Address) -> Network | None:
        """Return the network with `address` that this grant leaves out, if one does."""
        left_out = self.places_left_out
        networks = () if left_out is None else left_out.networks
        return next((n for n in networks if is_among(address, (n,))), None)

    def header_for(self, value: str) -> tuple[str, str]:
        """Return name and value of the header that carries the secret `value`."""
        name = next((c.name for c in self.caveats if isinstance(c, Header)), "Authorization")
        text = next((c.text for c in self.caveats if isinstance(c, Format)), None)
        if text is None:
            text = "Bearer {}" if name.lower() == "authorization" else "{}"
        return name, text.replace("{}", value)

    def unsupported(self) -> str | None:
        """Return what of this grant no mechanism enforces yet, if anything."""
        if self.action not in WORKING:
            return f"{self.action}:"
        # On files, labels would have to be judged in the worker, at each of them.
        late = Later if self.action in _LABELLED else (Later, Untainted, Public)
        later = next((c.key for c in self.caveats if isinstance(c, late)), None)
        return None if later is None else f"{later} on {self.action}:"

    def selects(self, access: Access) -> bool:
        """Say whether action and selector cover `access`, caveats and exclusions aside."""
        match access:
            case ReadAccess(path) | WriteAccess(path):
                # Who may write may read.
                may = access.action in ("read", self.action)
                return may and self.path is not None and under(path, self.path)
            case EnvAccess(name):
                return isinstance(self.selector, EnvSelector) and self.selector.name == name
            case ToolAccess(name):
                # Attack: what only guests may call is called by the model, or the other way round.
                named = isinstance(self.selector, NameSelector) and self.selector.name == name
                return named and self.action == access.action
            case FetchAccess():
                return isinstance(self.selector, FetchSelector) and self.selector.selects(access)
            case ModelAccess(name):
                return isinstance(self.selector, ModelSelector) and self.selector.includes(name)
            case _:
                assert_never(access)

    def covers(self, child: Grant) -> bool:
        """Say whether `child` permits nothing that this grant does not; undecidable is no.

        Expiries must be absolute. Mandatory exclusions are judged by `authority.Authority`.
        """
        return (
            self._includes(child)
            and all(_kept(c, self, child) for c in self.caveats)
            and narrower(child.conditions, self.conditions)
            and all(
                is_public(n) or any(opens_no_more(n, o) for o in self.networks)
                for n in child.networks
            )
        )

    def _includes(self, child: Grant) -> bool:
        match self.selector, child.selector:
            case PathSelector(above), PathSelector(path):
                return child.action in ("read", self.action) and under(path, above)
            case FetchSelector() as web, FetchSelector() as narrow:
                return web.includes(narrow)
            case ModelSelector() as model, ModelSelector(pattern):
                return model.includes(pattern)
            case own, other:
                # A variable that the parent sets may not be set anew by the child: equal, or
                # nothing. Another header or format would carry a secret where nobody expects it.
                same = self.header_for("{}") == child.header_for("{}")
                return self.action == child.action and own == other and same


def _kept(caveat: Caveat, parent: Grant, child: Grant) -> bool:
    match caveat, parent.selector, child.selector:
        case Except(globs), PathSelector(above), PathSelector(path):
            remaining = compiled(globs).residual(below(path, above))
            return remaining is not None and remaining <= compiled(child.exceptions).patterns
        case _:
            return kept(caveat, child.caveats)
