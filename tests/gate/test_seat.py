"""What the gate remembers of a run: repetitions, what it read, what must not be echoed."""

import tracemalloc
from contextlib import ExitStack

import anyio
import pytest
from tests.gate.conftest import Desk, returning

from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.values.draws import Draw
from capbox.authority.values.label import Source
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.seat import Repeats, call_key
from capbox.messages import ToolCall
from capbox.sandbox.spec import Job, Outcome, Touched
from capbox.tools.scripted import failure, reply

ONE, OTHER = call_key("read", '{"path":"a"}'), call_key("read", '{"path":"b"}')


def test_the_same_result_once_too_often_is_exhausted() -> None:
    repeats, most = Repeats(), 5
    assert not repeats.exhausted(ONE)
    counts = [(repeats.count(ONE, "x", changed=False), repeats.exhausted(ONE)) for _ in range(most)]
    assert counts == [(n, n == most) for n in range(1, most + 1)]
    assert not repeats.exhausted(OTHER)
    assert repeats.count(OTHER, "x", changed=False) == 1
    assert repeats.exhausted(ONE)  # another call in between does not undo it
    assert repeats.count(ONE, "y", changed=False) == 1
    assert not repeats.exhausted(ONE)


def test_a_change_forgets_the_results_of_other_calls_and_not_its_own() -> None:
    repeats = Repeats()
    for number in range(6):
        repeats.count(ONE, "x", changed=False)
        repeats.count(call_key("write", str(number)), "x", changed=True)
    assert not repeats.exhausted(ONE)
    for _ in range(5):
        repeats.count(OTHER, "x", changed=True)
    assert repeats.exhausted(OTHER)


def test_two_calls_that_change_things_in_turns_are_each_a_repetition() -> None:
    repeats, counts = Repeats(), []
    for _ in range(5):
        assert not repeats.exhausted(ONE) and not repeats.exhausted(OTHER)
        counts.append([repeats.count(call, "x", changed=True) for call in (ONE, OTHER)])
    assert counts == [[1, 1], [1, 2], [2, 3], [3, 4], [4, 5]]
    assert (repeats.exhausted(ONE), repeats.exhausted(OTHER)) == (False, True)
    assert repeats.count(ONE, "y", changed=True) == 1  # that is another result
    assert not repeats.exhausted(OTHER)


def test_what_has_no_result_yet_counts_and_only_so_long() -> None:
    repeats, uncounted = Repeats(), Repeats(counting=False)
    with ExitStack() as stack:
        for _ in range(5):
            assert not repeats.exhausted(ONE)
            stack.enter_context(repeats.under_way(ONE))
            stack.enter_context(uncounted.under_way(ONE))
        assert repeats.exhausted(ONE) and not repeats.exhausted(OTHER)
        assert not uncounted.exhausted(ONE)
    assert not repeats.exhausted(ONE)


def test_a_call_that_ended_is_not_kept_in_mind() -> None:
    repeats = Repeats(counting=False)
    tracemalloc.start()
    try:
        for number in range(1_000):
            with repeats.under_way(str(number).encode()):
                pass
        assert tracemalloc.get_traced_memory()[0] < 10_000
    finally:
        tracemalloc.stop()


def test_where_nothing_is_counted_every_call_is_the_first() -> None:
    repeats = Repeats(counting=False)
    counts = [repeats.count(ONE, "x", changed=False) for _ in range(6)]
    assert (counts, repeats.exhausted(ONE)) == ([1] * 6, False)


def test_what_was_read_is_remembered_the_latest_last_and_not_without_end(desk: Desk) -> None:
    seat = desk.seat()
    seat.note_seen(["a", "b"])
    seat.note_seen(["a"])
    assert list(seat.seen) == ["b", "a"]
    seat.note_seen(map(str, range(998)))
    assert (len(seat.seen), next(iter(seat.seen))) == (1_000, "b")
    seat.note_seen(["new"])
    assert (len(seat.seen), next(iter(seat.seen)), "new" in seat.seen) == (1_000, "a", True)


async def test_a_run_that_was_asked_about_nothing_has_no_question_counted(desk: Desk) -> None:
    seat = desk.seat(ceiling=("read:/workspace",))
    assert not (await desk.call(seat, "read", path="a")).ok
    assert (seat.asks, seat.numbered) == (1, 1)


def test_every_secret_that_was_sent_is_taken_out_of_what_follows(desk: Desk) -> None:
    seat, said = desk.seat(), "one-of-two-values two-of-two-values"
    assert seat.redactor.text(said) == said
    seat.keep_secret("A", "one-of-two-values")
    assert seat.redactor.text(said) == "[secret:A] two-of-two-values"
    seat.keep_secret("B", "two-of-two-values")
    assert seat.redactor.text(said) == "[secret:A] [secret:B]"


async def test_identical_results_are_warned_about_and_then_refused(desk) -> None:
    seat = desk.seat("read:/workspace")
    results = [await desk.call(seat, "read", path="a") for _ in range(7)]
    warned = [r.content.partition("\n[this same call")[1] != "" for r in results]
    assert warned == [False, False, True, True, True, False, False]
    codes = [r.error and r.error.code for r in results]
    assert codes == [None] * 5 + ["repeated"] * 2
    assert (await desk.call(seat, "read", path="b")).ok


async def test_the_same_call_side_by_side_is_refused_like_one_after_the_other(desk: Desk) -> None:
    seat, go, codes = desk.seat("read:/workspace"), anyio.Event(), list[str]()

    async def waiting(job: Job) -> Outcome:
        await go.wait()
        return Outcome(reply("done"))

    async def one() -> None:
        result = await desk.call(seat, "read", path="a")
        codes.append("" if result.error is None else result.error.code)
        if len(codes) == 3:  # what is refused does not wait
            go.set()

    desk.answer = waiting
    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(one)
    assert sorted(codes) == [""] * 5 + ["repeated"] * 3


async def test_the_same_arguments_in_another_order_are_the_same_call(desk) -> None:
    seat = desk.seat("read:/workspace")
    for arguments in ({"path": "a", "text": "b"}, {"text": "b", "path": "a"}) * 3:
        result = await desk.call(seat, "read", **arguments)
    assert result.error is not None and result.error.code == "repeated"
    assert result.error.message == (
        "this same call was made 5 times, for one result; do something else"
    )


@pytest.mark.parametrize("action", ["read", "list"])
async def test_looking_at_something_else_changes_nothing(desk, action: str) -> None:
    seat = desk.seat("read:/workspace")
    looked = Touched(action, GuestPath("/workspace/b"), None)
    for number in range(6):
        desk.answer = returning(Outcome(reply("done")))
        result = await desk.call(seat, "read", path="a")
        desk.answer = returning(Outcome(reply("looked"), (looked,)))
        assert (await desk.call(seat, "bash", text=str(number))).ok
    assert result.error is not None and result.error.code == "repeated"
    assert list(seat.seen) == (["/workspace/b"] if action == "read" else [])


async def test_failures_for_other_reasons_are_no_repetition(desk) -> None:
    seat = desk.seat("read:/workspace")
    for number in range(10):
        desk.answer = returning(Outcome(failure("io", str(number % 2))))
        result = await desk.call(seat, "read", path="a")
        assert (result.content, result.error and result.error.code) == ("", "io")


async def test_a_result_that_changes_is_no_repetition(desk) -> None:
    seat = desk.seat("read:/workspace")
    for number in range(10):
        desk.answer = returning(Outcome(reply(str(number % 2))))
        assert (await desk.call(seat, "read", path="a")).content == str(number % 2)


async def test_a_change_makes_an_old_question_new(desk) -> None:
    seat = desk.seat("write:/workspace")
    wrote = Touched("write", GuestPath("/workspace/a"), HostPath("/w/a"), 3)
    for number in range(8):
        desk.answer = returning(Outcome(reply("done")))
        assert (await desk.call(seat, "read", path="a")).content == "done"
        desk.answer = returning(Outcome(reply("wrote"), (wrote,)))
        assert (await desk.call(seat, "write", path="a", text=str(number))).ok


def test_no_two_calls_of_a_run_have_one_id_nor_one_that_an_invocation_could_have(
    desk: Desk,
) -> None:
    seat = desk.seat("read:/workspace")
    given = ["c", "c", "c", "c+1", "d/1", "d_1"]
    named = [seat.named(ToolCall(name, "read", {})).id for name in given]
    assert named[0] == "c"
    assert len(set(named)) == len(given)
    assert not any("/" in name for name in named)


def test_a_run_that_follows_another_knows_what_that_knew_and_spends_of_the_same(
    desk: Desk,
) -> None:
    before, after = desk.seat(), desk.seat(run="run-2")
    before.purse = Purse((Account({"calls": 5}),))
    read, told = Source("workspace", "/workspace/a"), Source("web", "https://a.example")
    before.context.sources, after.context.sources = frozenset({read}), frozenset({told})
    after.follow(before)
    assert after.context.sources == {read, told}
    assert after.purse.spend(Draw("calls", 2)) is None
    assert before.purse.left("calls") == 3
    before.purse.spend(Draw("calls", 2))
    assert after.purse.left("calls") == 1
