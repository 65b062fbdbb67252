"""Where one run sits at the gate: what it holds, and what the gate remembers about it.

Guarantees: authority is only ever added as a lease; a run that was stopped stays stopped.
Does not: decide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256

from anyio import Lock

from capbox.authority.access import Access, ReadAccess
from capbox.authority.authority import Authority
from capbox.authority.decision import Decision, Denied, GrantId, Standing
from capbox.authority.holding import Holding
from capbox.authority.paths import WORKSPACE, HostPath, Layout, under
from capbox.authority.values.kinds import Value
from capbox.broker.redact import Redactor
from capbox.gate.approver import Approver, AskRequest, DenyApprover
from capbox.gate.budget.purse import Purse
from capbox.gate.recording import Recording
from capbox.gate.rights.files import Cut
from capbox.gate.rights.labels import Context, Reading
from capbox.gate.rights.stores import Place
from capbox.gate.runner import Tool
from capbox.journal.event import RunId
from capbox.journal.log import RunJournal
from capbox.messages import JsonObject, ToolCall, ToolFailure
from capbox.sandbox.undo.keeper import Keeper

REPEATS_WARNED = 3
REPEATS_REFUSED = 6
SEEN_MAX = 1_000


class Repeats:
    """Counts calls of the same tool with the same arguments that gave the same result."""

    def __init__(self, *, counting: bool = True) -> None:
        """Start with none; without `counting` every call is the first."""
        self._seen: dict[bytes, tuple[str, int]] = {}
        self._under_way: Counter[bytes] = Counter()
        self._changes: set[tuple[bytes, str]] = set()
        self.counting = counting

    def exhausted(self, call: bytes) -> bool:
        """Say whether one more such call would be one too many.

        Attack: a model that asks for all of them at once, before any has a result.
        """
        times = self._seen.get(call, ("", 0))[1] + self._under_way[call]
        return self.counting and times >= REPEATS_REFUSED - 1

    @contextmanager
    def under_way(self, call: bytes) -> Generator[None, None, None]:
        """Count a call that has no result yet, for as long as it has none."""
        self._under_way[call] += 1
        try:
            yield
        finally:
            self._under_way -= Counter((call,))  # which keeps no zeros: nothing grows

    def count(self, call: bytes, result: str, *, changed: bool) -> int:
        """Note a result (its digest); returns how often it came in a row.

        A call that `changed` something makes the results of all other calls worth asking again; not
        so when the same has happened before. Attack: two writing calls in turns, without end.
        """
        if not self.counting:
            return 1
        before, times = self._seen.get(call, ("", 0))
        times = times + 1 if before == result else 1
        if changed and (call, result) not in self._changes:
            self._changes.add((call, result))
            self._seen.clear()
        self._seen[call] = (result, times)
        return times


@dataclass(frozen=True, slots=True)
class Held:
    """What a run holds at one moment, and how its paths lie."""

    holding: Holding
    standing: Standing
    layout: Layout

    def decide(self, access: Access) -> Decision:
        """Decide on one access as of that moment."""
        return self.holding.decide(access, self.standing)

    def first_denied(self, wanted: Iterable[Access]) -> Denied | None:
        """Return the refusal of the first of these accesses that is refused."""
        for access in wanted:
            decision = self.decide(access)
            if isinstance(decision, Denied) and not self._leads_to_held(access):
                return decision
        return None

    def _leads_to_held(self, access: Access) -> bool:
        """Say whether this reads a directory of which a guest sees only the way to what is held."""
        return (
            isinstance(access, ReadAccess)
            and under(access.path, WORKSPACE)
            and any(under(r.path, access.path) for r in self.holding.file_rights(self.standing))
        )


@dataclass(slots=True, eq=False)
class Seat:
    """One run. `environment` is the host's, of which `env:` grants show parts; `scratch` is `/tmp`.

    Without a `ceiling` nothing can be lent, so nothing is asked. `functions` are the tools that
    this run has beside those of the process, `grounds` the values that its principal supplied.
    `asks` counts questions to people, `numbered` all; `remember` keeps an approval for later runs,
    or says why it does not.
    """

    authority: Authority
    layout: Layout
    scratch: HostPath
    journal: RunJournal
    ceiling: Authority | None = None
    approver: Approver = field(default_factory=DenyApprover)
    environment: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, Tool] = field(default_factory=dict)
    grounds: frozenset[Value] = frozenset()
    leases: tuple[Authority, ...] = ()
    stopped: ToolFailure | None = None
    asks: int = 0
    numbered: int = 0
    remember: Callable[[AskRequest, GrantId], str | None] | None = None
    confirmed: set[GrantId] = field(default_factory=set)  # of those that say ask=first
    ruled: set[str] = field(default_factory=set)  # rules that a lease was lent by
    refused: dict[str, str] = field(default_factory=dict)
    states: dict[str, JsonObject] = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    seen: dict[str, None] = field(default_factory=dict)  # paths and URLs that were read
    context: Context = field(default_factory=Context)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)  # those that were sent
    redactor: Redactor = field(default_factory=lambda: Redactor({}))
    cuts: dict[str, Cut] = field(default_factory=dict)  # by tool, each for what was held then
    asking: Lock = field(default_factory=Lock)
    keeper: Keeper | None = None  # of what the run changes
    purse: Purse = field(default_factory=Purse)
    warnings: list[str] = field(default_factory=list)  # of that purse, which nobody was shown yet
    recording: Recording = field(default_factory=Recording)
    called: set[str] = field(default_factory=set)  # the ids of its calls
    stores: Place | None = None  # where tools keep what lasts; None: nowhere

    @property
    def run(self) -> RunId:
        """Return the run's id, which is its journal's."""
        return self.journal.run

    def named(self, call: ToolCall) -> ToolCall:
        """Return a call under an id that nothing else on record has; `ID/1` is an invocation's.

        Attack: a model gives two calls one id, so that nobody can tell which of them did what.
        """
        name = call.id.replace("/", "_")
        while name in self.called:
            name = f"{name}+{len(self.called)}"
        self.called.add(name)
        return replace(call, id=name)

    def follow(self, before: Seat) -> None:
        """Go on with what a run that ended has spent of the same budget, and with what it knew."""
        self.purse.follow(before.purse)
        self.context.sources |= before.context.sources

    def note_seen(self, names: Iterable[str]) -> None:
        """Remember what the run has read, for whoever is asked to let data out."""
        for name in names:
            self.seen.pop(name, None)
            self.seen[name] = None
        while len(self.seen) > SEEN_MAX:
            del self.seen[next(iter(self.seen))]

    def keep_secret(self, name: str, value: str) -> None:
        """Take `value` out of everything that this run gets and says from now on."""
        if self.secrets.get(name) != value:
            self.secrets[name] = value
            self.redactor = Redactor(self.secrets)

    def held(self, standing: Standing, *once: Authority, reading: Reading | None = None) -> Held:
        """Return what the run holds: its own authority, its leases, and those for one call.

        `reading` is of the call that asks, once it is under way.
        """
        # One that was lent for longer is among both: a rate would count its first call twice.
        further = (lease for lease in once if lease not in self.leases)
        holding = Holding((self.authority, *self.leases, *further))
        if holding.labelled:
            standing = replace(standing, sources=self.context.now(reading))
        return Held(holding, standing, self.layout)


def call_key(tool: str, arguments: str) -> bytes:
    """Return what makes two calls the same; `arguments` is their canonical JSON."""
    return sha256(f"{tool}\n{arguments}".encode()).digest()
