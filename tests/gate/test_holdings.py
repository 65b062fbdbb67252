"""Counters are reserved before a call and settled after it; what is revoked stays so."""

from dataclasses import replace

from tests.gate.conftest import Desk, authority

from capbox.authority.authority import Minted
from capbox.authority.caveats import Bytes, Counted, Rate, Uses
from capbox.authority.decision import AuthorityId, GrantId
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GuestPath, HostPath
from capbox.gate.holdings import Holdings, Tally
from capbox.journal.counting import Used, used_of
from capbox.sandbox.spec import Outcome, Touched
from capbox.tools.scripted import reply

A, B, C, D = map(GrantId, "abcd")
READS, FETCHES = "read:/workspace", "fetch:https://a.example"


def bounded(text: str, *counters: tuple[GrantId, Counted]) -> Minted:
    """A grant A of this text, with these counters."""
    grant = parse_grant(text)
    assert isinstance(grant, Grant)
    return Minted(A, grant, (A,), counters)


def minted(name: GrantId, *counters: tuple[GrantId, int]) -> Minted:
    return replace(bounded(READS, *((g, Uses(n)) for g, n in counters)), id=name)


def test_a_reservation_counts_until_it_is_settled() -> None:
    holdings = Holdings()
    live = (minted(A, (A, 1)), minted(B, (B, 2), (C, 3)), minted(C), minted(D, (D, 1)))
    reservation = holdings.reserve(live, {A}, {B})
    assert dict(holdings.standing(0).uses) == {A: 1, B: 1, C: 1}
    assert holdings.settle(reservation, {B, D}) == {A, B}
    assert {k: v for k, v in holdings.standing(0).uses.items() if v} == {A: 1, B: 1}


def test_a_shared_counter_is_charged_once_a_call() -> None:
    holdings = Holdings()
    holdings.reserve((minted(A, (C, 9)), minted(B, (C, 9))), {A}, {B})
    assert dict(holdings.standing(0).uses) == {C: 1}


def test_a_call_that_never_started_gives_everything_back() -> None:
    holdings = Holdings()
    holdings.cancel(holdings.reserve((minted(A, (A, 1)), minted(B, (B, 1))), {A}, {B}))
    assert not any(holdings.standing(0).uses.values())


def test_a_snapshot_does_not_change() -> None:
    holdings = Holdings()
    before = holdings.standing(1.0)
    holdings.revoke(AuthorityId("x"))
    holdings.reserve((minted(A, (A, 1)),), {A}, set())
    assert (before.revoked, dict(before.uses)) == (frozenset(), {})
    holdings.revoke(B)
    assert holdings.standing(2.0).revoked == {AuthorityId("x"), B}


def test_a_clock_that_is_set_back_brings_nothing_back() -> None:
    holdings = Holdings()
    seen = [holdings.standing(now).now for now in (0.5, 5.0, 9.0, 7.0, 9.5)]
    assert seen == [0.5, 5.0, 9.0, 9.0, 9.5]


def test_a_rate_counts_the_calls_that_surely_use_it() -> None:
    holdings, rate = Holdings(), Rate(2, 60)
    one = bounded("tool:bash rate=2/min", (A, rate))
    seen = []
    for now in (0.0, 1.0, 59.0, 60.5, 61.5):
        seen.append(holdings.standing(now).reached(A, rate))
        if not seen[-1]:
            holdings.reserve((one,), {A}, {A})
    assert seen == [False, False, True, False, False]
    holdings.reserve((one,), set(), {A})
    assert holdings.standing(200.0).times == {A: (60.5, 61.5)}
    assert holdings.standing(200.0).uses == {}


def test_requests_are_counted_where_they_are_made_and_for_the_record_of_their_call() -> None:
    holdings, tally = Holdings(), Tally()
    bytes_of_both = ((B, Bytes(5)), (A, Bytes(50)))
    one = bounded(FETCHES, (A, Uses(9)), *bytes_of_both, (A, Rate(2, 60)))
    holdings.reserve((one,), {A}, set())
    assert holdings.standing(0.0).uses == {}  # a call of a tool is none of its requests
    for now, of_the_call in ((1.0, tally), (3.0, tally), (2.0, None)):
        holdings.standing(now)
        holdings.draw(one, now, of_the_call)
    assert (holdings.standing(0.0).uses, tally.uses) == ({A: 3}, {A: 2})
    assert holdings.standing(3.0).times == {A: (3.0, 3.0)}
    assert [holdings.spend(one, count, tally) for count in (2, 3, 1)] == [True, True, False]
    assert not holdings.spend(one, 1)
    assert holdings.standing(3.0).bytes == {A: 7, B: 7}
    assert tally.listed({B, C}) == ((A, 2, 6), (B, 1, 6), (C, 1, 0))


def test_what_is_used_of_an_authority_is_told_and_goes_on_elsewhere() -> None:
    holdings, elsewhere = Holdings(), Holdings()
    held = authority(f"{READS} uses=9", f"{FETCHES} uses=3 bytes=100 rate=9/min", READS)
    reads, fetches, bare = held.grants
    assert holdings.used([held]) == {}
    holdings.reserve(held.grants, {reads.id, bare.id}, set())
    holdings.draw(fetches, 5.0)
    holdings.spend(fetches, 7)
    holdings.reserve([minted(D, (D, 1))], {D}, set())  # of another authority
    used = {reads.id: Used(1, 0), fetches.id: Used(1, 7, (5.0,))}
    assert holdings.used([held]) == used
    for name, one in used.items():
        elsewhere.resume(name, one)
    assert elsewhere.used([held]) == used


def test_what_another_process_counted_is_added_to() -> None:
    holdings, rate = Holdings(), Rate(1_500, 60)
    one = bounded(FETCHES, (A, rate))
    for used in (Used(2, 3), Used(4, 5, (0.0, 0.5))):
        holdings.resume(A, used)
    standing = holdings.standing(1.0)
    assert (standing.uses, standing.bytes, standing.times) == ({A: 6}, {A: 8}, {A: (0.0, 0.5)})
    for _ in range(1_497):
        holdings.draw(one, 1.0)
    assert not holdings.standing(1.0).reached(A, rate)
    holdings.draw(one, 1.0)
    assert holdings.standing(1.0).reached(A, rate)
    assert not holdings.standing(60.0).reached(A, rate)
    holdings.draw(one, 60.0)
    assert len(holdings.standing(60.0).times[A]) == 1_500


async def test_a_counter_goes_on_where_a_killed_process_stopped(desk: Desk) -> None:
    seat = desk.seat("write:/workspace uses=4", "tool:bash uses=9", tools=())
    assert (await desk.call(seat, "bash")).ok
    touched = Touched("write", GuestPath("/workspace/a"), HostPath(f"{desk.workspace}/a"))
    desk.answer = lambda job: answered(Outcome(reply("done"), (touched,)))
    assert (await desk.call(seat, "bash")).ok
    live = desk.holdings.standing(0).uses
    used = used_of([{}, *desk.recorded()])
    assert {grant: one.uses for grant, one in used.items()} == {g: n for g, n in live.items() if n}
    assert {grant: one.uses for grant, one in used.items()} == {"root#0": 1, "root#1": 2}
    # The next call is cut off after its intent: nobody knows what it did, so it counts.
    entries = [{}, *desk.recorded(), {"kind": "intent", "draws": ["root#0", "root#1"]}]
    again = Holdings()
    for grant, one in used_of(entries).items():
        again.resume(grant, one)
    assert dict(again.standing(0).uses) == {"root#0": 2, "root#1": 3}


async def answered(outcome: Outcome) -> Outcome:
    return outcome
