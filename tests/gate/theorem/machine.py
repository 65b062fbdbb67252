"""What a principal, a hostile model and bad luck may do in any order, against the ledger.

The theorem: what is done altogether is paid for by what was granted; nothing is done after it was
revoked or has ended; a child is allowed nothing that an ancestor is not; and what was done is on
the disk before it is done, whenever the process dies.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.gate.conftest import grants
from tests.gate.theorem.ledger import Given, Ledger
from tests.gate.theorem.world import SIGNER, Parts, Process, UnderWay

from capbox.authority.access import Access, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import Allowed, AuthorityId, Denied
from capbox.authority.holding import Holding, lend
from capbox.authority.paths import GrantPath
from capbox.gate.approver import Answer, AskRequest, For, ForRun, ForUses, No, Once
from capbox.gate.seat import Seat
from capbox.journal.errors import JournalError
from capbox.journal.event import RunId, RunOpened
from capbox.journal.verify import Closed, OpenPrefix, verify
from capbox.store.journal import read

PATHS = ("/workspace/a", "/workspace/b")
ACCESSES: tuple[Access, ...] = (
    *map(ToolAccess, ("read", "bash")),
    *(kind(GrantPath(path)) for path in PATHS for kind in (ReadAccess, WriteAccess)),
)
CAVEATS = st.sampled_from(["", "", " uses=1", " uses=2", " expires=3s", " expires=6s uses=2"])
TOOLS = st.builds("tool:{}{}".format, st.sampled_from(["bash", "bash", "read"]), CAVEATS)
FILES = st.builds(
    "{}:{}{}".format,
    st.sampled_from(["read", "write"]),
    st.sampled_from(["/workspace", *PATHS]),
    CAVEATS,
)
TEXTS = TOOLS | FILES
# Who may call no tool, or reach no file, does nothing: everybody gets one of each.
SOME = st.builds(lambda *texts: list(dict.fromkeys(texts)), TOOLS, FILES, TEXTS)
CALLS = st.sampled_from(
    [
        (*how, path)
        for how in (("read", "read"), ("bash", "read"), ("bash", "write"))
        for path in PATHS
    ]
)
ENDS = st.sampled_from(["acts", "acts", "dies", None, None])
ANSWERS = st.sampled_from([Once(), ForUses(1), ForUses(2), For(3), ForRun(), No()])
ANY = st.integers(0, 10**6)


class Violation(AssertionError):
    """The theorem does not hold."""


def broken(what: str) -> None:
    raise Violation(what)


class Machine(RuleBasedStateMachine):
    """Subclasses replace `parts` by broken ones."""

    parts = Parts()

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.root = Path(tempfile.mkdtemp(prefix="capbox-theorem-"))
        self.dead: list[Process] = []
        self.numbered = 0
        self.parents: dict[AuthorityId, Authority] = {}
        self.told: dict[str, list[str]] = {}
        self.done: list[tuple[str, str]] = []
        self.process = self.born()

    def born(self) -> Process:
        """Start a process on what the one before has left."""
        self.tools: dict[str, tuple[Given, ...]] = {}
        folder = self.root / str(len(self.dead))
        return Process(folder, self.parts, self.acted)

    def name(self, kind: str) -> str:
        """Return a name that nothing had before."""
        self.numbered += 1
        return f"{kind}-{self.numbered}"

    # --- what is given ---------------------------------------------------------------------

    def note(
        self, name: str, texts: list[str], holder: str, above: tuple[Given, ...] | None = None
    ) -> tuple[Given, ...]:
        """Write down what somebody was told to get: the texts, not what became of them."""
        noted = []
        for number, text in enumerate(texts):
            selector, *caveats = text.split(" ")
            action, target = selector.split(":", 1)
            said = dict(caveat.split("=") for caveat in caveats)
            uses = int(said["uses"]) if "uses" in said else None
            ends = self.process.now + int(said["expires"][:-1]) if "expires" in said else None
            one = Given(f"{name}#{number}", name, action, target, uses, ends, holder)
            if above is not None:
                one.parents = tuple(p for p in above if p.covers(action, target))
                if not one.parents:
                    broken(f"{text} was made from what does not give it")
            noted.append(one)
        self.ledger.given += noted
        self.told[name] = texts
        return tuple(noted)

    @initialize(texts=SOME)
    def begin(self, texts: list[str]) -> None:
        """The operator says what may be lent in this process."""
        self.ceiling = self.process.root(self.name("ceiling"), *texts)
        self.note(self.ceiling.id, texts, "")

    @precondition(lambda self: len(self.alive) < 3)
    @rule(texts=SOME, asks=st.booleans())
    def grant(self, texts: list[str], asks: bool) -> None:
        """A person starts a run; where somebody is asked, it has a ceiling."""
        run = self.name("run")
        authority = self.process.root(self.name("root"), *texts)
        self.process.open(run, authority, self.ceiling if asks else None)
        self.note(authority.id, texts, run)

    @precondition(lambda self: 0 < len(self.alive) < 5)
    @rule(texts=SOME, which=ANY)
    def attenuate(self, texts: list[str], which: int) -> None:
        """A run makes a child: of what it was given itself, and of something else if it can."""
        parent, name = self.seat(which).authority, AuthorityId(self.name("child"))
        texts = [*dict.fromkeys([*self.told[parent.id], *texts])]
        derive, now = self.process.parts.derive, self.process.now
        given = [
            text for text in texts if isinstance(derive(parent, grants(text), name, now), Authority)
        ]
        child = derive(parent, grants(*given), name, now)
        assert isinstance(child, Authority)
        self.parents[child.id] = parent
        run = self.name("run")
        self.process.open(run, child, None)
        above = tuple(g for g in self.ledger.given if g.authority == parent.id)
        for one in self.note(child.id, given, run, above):
            if not any(one.within(parent) for parent in one.parents):
                broken(f"{one.id} is more than what it was made from")

    @precondition(lambda self: any(seat.ceiling for seat in self.alive))
    @rule(text=TEXTS, which=ANY)
    def lend(self, text: str, which: int) -> None:
        """A lease of the ceiling is added to what a run holds."""
        seats = [seat for seat in self.alive if seat.ceiling is not None]
        seat, name = seats[which % len(seats)], AuthorityId(self.name("lease"))
        assert seat.ceiling is not None
        lease = lend(seat.ceiling, None, text, id=name, now=self.process.now)
        if not isinstance(lease, AuthorityError):
            self.note(name, [text], seat.run, self.above(seat))
            self.process.parts.hold(lease, seat, "for the run")

    def above(self, seat: Seat) -> tuple[Given, ...]:
        ceiling = seat.ceiling
        return tuple(
            g for g in self.ledger.given if ceiling is not None and g.authority == ceiling.id
        )

    def asked(self, seat: Seat, call: str, answer: Answer, question: AskRequest) -> None:
        """Write down what a yes lends: what was shown, for as long as was said, and no more."""
        if isinstance(answer, No):
            return
        action, target = question.access.missing.split(":", 1)
        once = isinstance(answer, Once)
        uses = answer.count if isinstance(answer, ForUses) else None
        if once and action == "tool":
            uses = 1
        ends = self.process.now + answer.seconds if isinstance(answer, For) else None
        name = f"{seat.run}/lease-{seat.numbered}"
        one = Given(f"{name}#0", name, action, target, uses, ends, seat.run)
        one.call = call if once else None
        one.parents = tuple(p for p in self.above(seat) if p.covers(action, target))
        self.ledger.given.append(one)
        if not one.parents:
            broken(f"a question about {question.access}, which nobody may lend")

    # --- what is done ----------------------------------------------------------------------

    @property
    def alive(self) -> list[Seat]:
        """Return the seats of runs that hold something that stands."""
        now = self.process.now
        holders = {one.holder for one in self.ledger.given if one.stands(now)}
        return [seat for run, seat in self.process.seats.items() if run in holders]

    def seat(self, which: int) -> Seat:
        """Return a seat, now and then one whose run holds nothing any more."""
        seats = list(self.process.seats.values()) if which % 9 == 0 else self.alive
        return (seats or list(self.process.seats.values()))[which % len(seats or [0])]

    @precondition(lambda self: self.process.seats)
    @rule(calls=st.lists(st.tuples(ANY, CALLS, ANSWERS, ENDS), min_size=1, max_size=4))
    def spend(self, calls: list[tuple[int, tuple[str, str, str], Answer, str | None]]) -> None:
        """Models call tools, and go on with something else while some of them work (None)."""
        for which, (tool, action, path), answer, how in calls:
            seat = self.seat(which)
            self.call(UnderWay(self.name("call"), seat, tool, action, path), answer, how)

    def call(self, call: UnderWay, answer: Answer, how: str | None) -> None:
        self.process.person.answer = answer
        self.process.person.asked = lambda q: self.asked(call.seat, call.id, answer, q)
        owed = self.surely(call)
        self.process.start(call)
        if call.started:
            now = self.process.now
            payers = self.ledger.payers(call.seat.run, "tool", call.tool, now, call.id)
            self.tools[call.id] = payers
            self.ledger.units.append(payers)
            if how is not None:
                self.process.finish(call, how)
        elif owed:
            broken(f"{call.id} was refused, though {[one.id for one in owed]} grant it without end")

    def surely(self, call: UnderWay) -> list[Given]:
        """Return the uncounted grants that must allow this, if they do for all that it names."""
        wanted = [("tool", call.tool)] + [(call.action, call.path)] * (call.tool != "bash")
        found: list[Given] = []
        for action, target in wanted:
            payers = self.ledger.payers(call.seat.run, action, target, self.process.now, None)
            found += [p for p in payers if p.uses is None and not p.parents][:1]
        return found if len(found) == len(wanted) else []

    @precondition(lambda self: self.process.under_way)
    @rule(which=ANY, how=st.sampled_from(["acts", "acts", "acts", "dies", "idles"]))
    def finish(self, which: int, how: str) -> None:
        """A guest does what it is there for, also as its last breath, or nothing."""
        calls = self.process.under_way
        self.process.finish(calls[which % len(calls)], how)

    def acted(self, call: UnderWay) -> None:
        """Something was done: who pays for it, and may its tool still work?"""
        now, run = self.process.now, call.seat.run
        payers = self.ledger.payers(run, call.action, call.path, now, call.id)
        self.ledger.units.append(payers)
        self.done.append((run, call.id))
        if not any(one.stands(now) for one in self.tools[call.id]):
            broken(f"{call.tool} of {run} works on after its grant has ended")

    # --- what ends it ----------------------------------------------------------------------

    @precondition(lambda self: any(one.ends for one in self.ledger.given))
    @rule(seconds=st.integers(1, 4), back=st.integers(0, 9))
    def expire(self, seconds: int, back: int) -> None:
        """Time goes on. Then the clock says an earlier one: what has ended does not begin again."""
        self.process.now += seconds
        self.process.holdings.standing(self.process.now)
        standing = self.process.holdings.standing(self.process.now - back)
        for run, seat in self.process.seats.items():
            for access in ACCESSES:
                self.check(run, seat, access, standing)

    def check(self, run: str, seat: Seat, access: Access, standing: object) -> None:
        decision = seat.held(standing).decide(access)  # type: ignore[arg-type]
        action, target = access.missing.split(":", 1)
        payers = self.ledger.payers(run, action, target, self.process.now, None)
        if isinstance(decision, Allowed) and not payers:
            broken(f"{run} may {access}, and nothing that stands gives that")

    @precondition(lambda self: self.alive)
    @rule(which=ANY, what=st.sampled_from(["grant", "authority", "run"]))
    def revoke(self, which: int, what: str) -> None:
        """Somebody takes back a grant, an authority with all that was made from it, or a run."""
        now, by = self.process.now, "by somebody"
        standing = [g for g in self.ledger.given if g.call is None and g.stands(now)]
        # Often one that something works under right now.
        busy = [g for call in self.process.under_way for g in self.tools[call.id] if g in standing]
        one = (busy * 9 + standing)[which % (len(busy) * 9 + len(standing))]
        if what == "run" and one.holder:
            for other in self.ledger.given:
                other.revoked = other.revoked or other.holder == one.holder
            self.process.within(lambda register: register.revoke_run(one.holder, by))
        else:
            name = AuthorityId(one.id if what == "grant" else one.authority)
            self.ledger.revoke(name)
            self.process.within(lambda register: register.revoke(name, by))
        for call in self.process.under_way:
            if all(given.fallen for given in self.tools[call.id]):
                broken(f"{call.id} works on, and what it worked under was revoked")

    @precondition(lambda self: self.done or self.process.under_way)
    @rule(crashes=st.booleans())
    def begin_again(self, crashes: bool) -> None:
        """The process ends in good order, or in the middle of everything; another one starts."""
        if not crashes:
            self.process.end()
        self.process.copy(self.root / str(len(self.dead) + 1))
        self.over(OpenPrefix if crashes else Closed)

    def over(self, expected: type) -> None:
        """The journal bounds what was done, no run goes on, and nothing is given back."""
        before, now = self.process, self.process.now
        self.dead.append(before)
        self.process = self.born()
        self.process.now = now
        for run in before.seats:
            (verdict,) = verify(self.process.journal.directory, SIGNER, RunId(run))
            if not isinstance(verdict, expected):
                broken(f"the record of {run} is {verdict}")
            records = read(self.process.journal.directory, RunId(run))
            known = [r.content["call"] for r in records if r.content and "seed" in r.content]
            if missing := [c for r, c in self.done if r == run and known.count(c) != 1]:
                broken(f"{missing} acted, and the record of {run} has not one intent of each")
            opened = RunOpened("test", "", AuthorityId("again"), (), (), (), now)
            try:
                self.process.journal.begin(RunId(run), opened)
                broken(f"{run} was begun again, with nothing used")
            except JournalError:
                pass
        self.done.clear()
        for one in self.ledger.given:
            one.revoked = True
        self.begin(["tool:bash uses=2", "write:/workspace expires=6s"])

    # --- what is always so -----------------------------------------------------------------

    @invariant()
    def everything_is_paid_for(self) -> None:
        if not self.ledger.paid():
            broken("more was done than was granted")

    @invariant()
    def nothing_is_allowed_that_nothing_gives(self) -> None:
        standing = self.process.holdings.standing(self.process.now)
        for run, seat in self.process.seats.items():
            for access in ACCESSES:
                self.check(run, seat, access, standing)

    @invariant()
    def a_child_is_covered_by_what_it_was_made_from(self) -> None:
        standing = self.process.holdings.standing(self.process.now)
        for seat in self.process.seats.values():
            parent = self.parents.get(seat.authority.id)
            for access in ACCESSES if parent is not None else ():
                allowed = isinstance(Holding((seat.authority,)).decide(access, standing), Allowed)
                if allowed and isinstance(parent.decide(access, standing), Denied):
                    broken(f"{seat.authority.id} may {access}, and {parent.id} may not")

    def teardown(self) -> None:
        for process in self.dead:
            process.bury()
        self.process.bury()
        shutil.rmtree(self.root, ignore_errors=True)
