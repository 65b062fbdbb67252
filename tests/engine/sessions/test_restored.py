"""What comes back of a session's authority: what the journal says it still holds, and no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capbox.engine.sessions.record import RunOnRecord
from capbox.engine.sessions.restored import Restored, restored
from capbox.journal.counting import Used
from capbox.messages import JsonObject

READ, THRICE = "read:/workspace", "write:/workspace/a.txt uses=3"
LATER = "read:/workspace/b expires=2030-01-01T00:00:00Z"
PAST = "read:/workspace/b expires=2020-01-01T00:00:00Z"
NOW = 1_750_000_000.0


def opened(*grants: str, authority: str = "a1") -> JsonObject:
    """The header of a run."""
    return {"kind": "opened", "authority_id": authority, "authority": list(grants)}


def decision(what: str, subject: str, result: str, authority: str) -> JsonObject:
    """An entry about authority."""
    return {
        **{"kind": "decision", "what": what, "subject": subject},
        **{"result": result, "authority": authority},
    }


def lease(text: str, number: int = 1, term: str = "for the run") -> JsonObject:
    """A lease of run r1."""
    return decision("lease", text, term, f"r1/lease-{number}")


def revocation(name: str) -> JsonObject:
    """The end of an authority."""
    return decision("revocation", name, "by the principal", name)


def drawn(grant: str, uses: int) -> list[JsonObject]:
    """A call that used a grant so often. Its numbers are of a run with this as entries 1 and 2."""
    return [
        {"kind": "intent", "call": "c1", "draws": [grant]},
        {"kind": "outcome", "intent": 1, "drawn": [[grant, uses, 0]], "sources": ["web:*"]},
    ]


def of(*entries: JsonObject, run: str = "r1") -> Restored:
    """What comes back after one run."""
    return restored([RunOnRecord(run, entries)], NOW)


@pytest.mark.parametrize(
    ("entries", "grants"),
    [
        ([opened(READ)], (READ,)),
        ([opened(READ, THRICE)], (READ, THRICE)),
        ([opened(LATER)], (LATER,)),
        ([opened(PAST)], ()),
        ([opened(READ), revocation("a1")], ()),
        ([opened(READ, THRICE), revocation("a1#0")], (THRICE,)),
        ([opened(READ, THRICE), revocation("a1#1")], (READ,)),
        ([opened(READ), revocation("r1/lease-9")], (READ,)),
        ([opened("model:scripted/x")], ()),
        ([opened("tool:read")], ()),
        ([opened('tool:read arg.path="x"')], ('tool:read arg.path="x"',)),
        ([opened("nonsense")], ()),
    ],
)
def test_a_grant_comes_back_unless_it_was_revoked_or_has_expired(
    entries: list[JsonObject], grants: tuple[str, ...]
) -> None:
    assert of(*entries).grants == grants


@pytest.mark.parametrize(
    ("entries", "leases"),
    [
        ([lease(READ)], ((READ, "for the run"),)),
        ([lease(READ, term="for 60 s")], ((READ, "for 60 s"),)),
        ([lease(READ, term="for this call")], ()),
        ([lease(READ, term="always, as g12")], ()),
        ([lease(READ, term="always")], ()),
        ([lease(PAST)], ()),
        ([lease(READ), revocation("r1/lease-1")], ()),
        ([lease(READ), revocation("r1/lease-1#0")], ()),
        ([lease(READ), revocation("a1#0")], ((READ, "for the run"),)),
        ([lease(READ), revocation("the-ceiling")], ()),
        ([lease(READ, 1), lease(READ, 2)], ((READ, "for the run"),)),
    ],
)
def test_a_lease_comes_back_with_its_term_unless_it_was_for_one_call_or_taken_back(
    entries: list[JsonObject], leases: tuple[tuple[str, str], ...]
) -> None:
    assert of(opened(READ), *entries).leases == leases


def test_tools_without_a_condition_come_back_by_name_so_that_no_more_are_offered() -> None:
    assert of(opened("tool:read", READ, "tool:glob")).tools == ("read", "glob")


def test_what_does_not_come_back_is_named_with_the_reason() -> None:
    back = of(opened(READ, PAST), revocation("a1#0"))
    assert back.dropped == ((READ, "it was revoked"), (PAST, "it has expired"))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_uses_are_used_up_over_any_number_of_resumes(uses: list[int]) -> None:
    runs = []
    for number, count in enumerate(uses):
        name = f"a{number}"
        entries = (opened(THRICE, authority=name), *drawn(f"{name}#0", count))
        runs.append(RunOnRecord(f"r{number}", entries))
    used = restored(runs, NOW).used.get(THRICE, Used())
    assert used.uses == sum(uses)


def test_a_call_without_an_end_counts_as_drawn() -> None:
    intent = drawn("a1#0", 1)[0]
    assert of(opened(THRICE), intent).used == {THRICE: Used(uses=1)}


def test_a_grant_that_was_revoked_once_does_not_come_back_by_a_later_resume() -> None:
    first = RunOnRecord("r1", (opened(READ, THRICE), revocation("a1#0")))
    second = RunOnRecord("r2", (opened(THRICE, authority="a2"),))
    assert restored([first, second], NOW).grants == (THRICE,)


def test_what_every_run_has_read_is_known() -> None:
    first = RunOnRecord("r1", (opened(THRICE), *drawn("a1#0", 1)))
    second = RunOnRecord("r2", (opened(THRICE, authority="a2"),))
    assert restored([first, second], NOW).sources == {"web:*"}


def test_a_session_without_a_run_on_record_holds_nothing() -> None:
    assert restored([], NOW) == Restored(tools=())
