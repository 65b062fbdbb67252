"""What a guest may call, and with what: each allow beside its deny, recorded, counted, labelled."""

from __future__ import annotations

import anyio
import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.invocation.conftest import LIST, Program, asks

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.values.draws import Draw
from capbox.gate.approver import ForRun, No, Once, Stop
from capbox.gate.budget.purse import Account, Purse
from capbox.messages import JsonObject, ToolCall
from capbox.sandbox.spec import Touched

pytestmark = pytest.mark.anyio
ALICE, EVIL = ["alice@example.com"], ["mallory@evil.test"]
TO_ALICE = "arg.to=alice@example.com"
SENT = "sent to alice@example.com"


@pytest.mark.parametrize(
    ("grant", "name", "arguments", "expected"),
    [
        ("invoke:send", "send", {"to": EVIL}, "sent to mallory@evil.test"),
        ("invoke:send", "boom", {}, "denied"),
        ("invoke:boom", "send", {"to": ALICE}, "denied"),
        ("invoke:boom", "boom", {}, "function_failed"),
        ("tool:send", "send", {"to": ALICE}, "denied"),
        ("env:HOME", "send", {"to": ALICE}, "denied"),
        (f"invoke:send {TO_ALICE}", "send", {"to": ALICE}, SENT),
        (f"invoke:send {TO_ALICE}", "send", {"to": EVIL}, "denied"),
        (f"invoke:send {TO_ALICE}", "send", {"to": ALICE + EVIL}, "denied"),
        (f"invoke:send {TO_ALICE}", "send", {"to": ALICE, "cc": EVIL[0]}, "denied"),
        (f"invoke:send {TO_ALICE}", "send", {"to": ["alice@EXAMPLE.com"]}, SENT),
        (f"invoke:send {TO_ALICE}", "send", {"to": ["Alice <a@b.example>"]}, "invalid_arguments"),
        ("invoke:send arg.to=grounded", "send", {"to": ALICE}, "denied"),
        ("invoke:send", "send", {"to": ALICE, "bcc": EVIL[0]}, "invalid_arguments"),
        ("invoke:send", "send", {}, "invalid_arguments"),
        ("invoke:read", "read", {}, "unknown_tool"),
        ("invoke:none", "none", {}, "unknown_tool"),
    ],
)  # fmt: skip
async def test_a_guest_calls_what_was_granted_and_nothing_else(
    program: Program, grant: str, name: str, arguments: JsonObject, expected: str
) -> None:
    result = await program.run(program.seat(grant), asks(name, arguments))
    assert (program.worker.said, result.ok) == ([expected], True)
    assert bool(program.sent) is expected.startswith("sent")
    assert bool(result.denied) is (expected == "denied")


@pytest.mark.parametrize(
    ("requested", "expected"),
    [
        (("invoke:*",), "sent"),
        (("invoke:send",), "sent"),
        (("invoke:boom",), "denied"),
        ((), "denied"),
    ],
)
async def test_a_tool_reaches_the_functions_that_its_manifest_requests(
    program: Program, requested: tuple[str, ...], expected: str
) -> None:
    program.requests(*requested)
    await program.run(program.seat("invoke:send"), asks("send", {"to": ALICE}), LIST)
    assert program.worker.said[0].startswith(expected)
    listed = [one["name"] for one in program.worker.answers[1]["functions"]]
    assert listed == (["send"] if expected == "sent" else [])


async def test_of_a_name_that_is_not_requested_so_much_is_shown(program: Program) -> None:
    program.requests("invoke:send")
    result = await program.run(program.seat("invoke:send"), asks("n" * 64), asks("o" * 65))
    shown = ["invoke " + "n" * 64, "invoke " + "o" * 64]
    assert [denial.access for denial in result.denied] == shown
    reason = "the tool bash does not request it"
    assert [denial.reason for denial in result.denied] == [reason] * 2
    assert program.worker.why.startswith(f"refused: {shown[1]}: {reason}. This run holds: ")


async def test_what_a_function_says_is_told_as_it_is_and_no_longer(program: Program) -> None:
    def greet() -> str:
        """Greet."""
        return "h\u00e9llo"

    program.add(greet, {})
    await program.run(program.seat("invoke:greet", "invoke:boom"), asks("greet"), asks("boom"))
    assert program.worker.why == "ValueError: no luck"
    assert program.worker.contents[:1] == ['{"content": "h\u00e9llo", "truncated": false}'.encode()]


async def test_an_invocation_takes_no_time_beside_that_of_its_call(program: Program) -> None:
    seat = program.seat("invoke:send")
    account = Account({"seconds": 5, "calls": 2})  # less than a call of `bash` may take
    seat.purse = Purse((account,))
    result = await program.run(seat, asks("send", {"to": ALICE}), asks("send", {"to": ALICE}))
    assert program.worker.ends == ["sent", "limit"]  # it is a call, all the same
    assert result.ok and account.used_of(Draw("calls")) == 2
    assert account.used_of(Draw("seconds")) < 5


async def test_what_is_no_invocation_is_of_the_network(program: Program) -> None:
    answers: list[object] = []

    async def close() -> None:
        answers.append(await program.worker.serve({"http": ["close", 1]}, b""))

    await program.run(program.seat(), close)
    assert answers == [({"http": [0, 0]}, b"")]


async def test_a_grant_for_guests_is_none_for_the_model(program: Program) -> None:
    seat = program.seat("invoke:send")
    refused = await program.desk.gate.call(ToolCall("c2", "send", {"to": ALICE}), seat)
    assert refused.error is not None and refused.error.code == "denied"
    assert refused.denied[0].missing == "tool:send arg.to=alice@example.com"
    assert program.sent == []


DEEP = '{"to": ' + "[" * 70 + "]" * 70 + "}"


@pytest.mark.parametrize(
    ("frame", "expected", "why"),
    [
        (asks("send", {"to": ALICE}, http=["request", ""]), "invalid", "no such operation"),
        (asks("send", {"to": ALICE}, extra=1), "invalid", "no such operation"),
        (asks(["send"], {"to": ALICE}), "invalid", "no such operation"),
        (asks(None, {"to": ALICE}), "invalid", "no such operation"),
        (({"invoke": ["call", "send", {}]}, b"{}"), "invalid", "no such operation"),
        (({"invoke": "send"}, b"{}"), "invalid", "no such operation"),
        (({"invoke": {}}, b"{}"), "invalid", "no such operation"),
        (({"invoke": ["list"]}, b"{}"), "invalid", "no such operation"),
        (({"invoke": ["list"], "extra": 1}, b""), "invalid", "no such operation"),
        (asks("send", '{"to": ["alice@example.com"], "to": ["mallory@evil.test"]}'),
         "invalid_arguments", 'the key "to" is given twice'),
        (asks("send", '{"to": ["alice@example.com"], "\\u0074o": ["mallory@evil.test"]}'),
         "invalid_arguments", 'the key "to" is given twice'),
        (asks("send", '{"to": NaN}'), "invalid_arguments", "NaN is not JSON"),
        (asks("send", '{"to": 1e999}'), "invalid_arguments", "1e999"),
        (asks("send", DEEP), "invalid_arguments", "nested deeper than 64"),
        (asks("send", "[" * 900_000), "invalid_arguments", "nested deeper than 64"),
        (asks("send", b'{"to": ["\xff"]}'), "invalid_arguments", "can't decode byte 0xff"),
        (asks("send", '{"text": "\\ud800"}'), "invalid_arguments", "half of a surrogate pair"),
        (asks("send", b"{" + b" " * (1 << 20) + b"}"), "invalid_arguments", "longer than 1048576"),
        (asks("send", b""), "invalid_arguments", "Expecting value"),
        (asks("send", []), "invalid_arguments", "{...} is expected"),
        (asks("send", "null"), "invalid_arguments", "{...} is expected"),
        (asks("boom", "[]"), "invalid_arguments", "{...} is expected"),
        (asks("boom", b"{" + b" " * ((1 << 20) - 2) + b"}"), "function_failed", "ValueError"),
        (asks("boom", b"{" + b" " * ((1 << 20) - 1) + b"}"), "invalid_arguments", "longer than"),
        (asks("send", '{"to": null}'), "invalid_arguments", ""),
        (asks("send", {"to": {"address": "alice@example.com"}}), "invalid_arguments", ""),
        (asks("\x1b[2J" * 500, {}), "unknown_tool", "\\u001b[2J"),
        (asks("\ud800", {}), "unknown_tool", "there is no tool"),
        (asks("", {}), "unknown_tool", "there is no tool"),
    ],
)  # fmt: skip
async def test_a_frame_has_one_reading_or_is_refused(
    program: Program, frame: tuple[JsonObject, bytes], expected: str, why: str
) -> None:
    seat = program.seat("invoke:send", "invoke:boom")
    await program.run(seat, frame, asks("send", {"to": ALICE}))
    assert program.worker.said == [expected, SENT]
    assert why in program.worker.answers[0]["error"]["message"]
    assert program.sent == [(ALICE, "", None)]


async def test_it_is_on_record_before_it_begins_and_after_within_its_call(program: Program) -> None:
    seat = program.seat("invoke:send", "invoke:boom")
    result = await program.run(seat, asks("send", {"to": ["Alice@example.com"]}), asks("boom"))
    assert program.kinds() == [
        "bash begins",
        "guest: send begins",
        "2 ends ok",
        "guest: boom begins",
        "4 ends function_failed",
        "1 ends ok",
    ]
    entries = program.desk.recorded()
    assert (entries[1]["within"], entries[1]["arguments"]) == (1, {"to": ["Alice@example.com"]})
    assert (entries[1]["call"], entries[3]["call"]) == ("c1/1", "c1/2")
    assert [(e.action, e.path) for e in result.effects] == [
        ("call", "send(to=Alice@example.com)"),
        ("call", "boom()"),
    ]
    assert program.worker.why == "ValueError: no luck"


async def test_long_arguments_are_on_record_by_their_digest(program: Program) -> None:
    long = {"to": ALICE, "text": "x" * 1_000_000}
    await program.run(program.seat("invoke:send"), *[asks("send", long)] * 3)
    entries = program.desk.recorded()
    assert len(program.sent) == 3 and sum(len(str(entry)) for entry in entries) < 10_000
    assert entries[1]["arguments"]["to"] == ALICE
    assert "1000012 characters, SHA-256 " in entries[1]["arguments"][""]


async def test_what_the_budget_of_calls_does_not_leave_is_refused_as_a_bound(
    program: Program,
) -> None:
    seat = program.seat("invoke:send")
    seat.purse = Purse((Account({"calls": 2}),))
    await program.run(seat, *[asks("send", {"to": ALICE})] * 2)
    assert program.worker.said == [SENT, "limit"]
    assert "calls: 2 of 2 used; only a person can raise it" in program.worker.why


async def test_refusals_are_on_record_and_told_with_the_flag(program: Program) -> None:
    result = await program.run(program.seat(), asks("send", {"to": ALICE}), asks("nobody"))
    assert program.kinds() == [
        "bash begins",
        "denial invoke send(to=alice@example.com)",
        "denial invoke nobody",
        "1 ends ok",
    ]
    (denial,) = result.denied
    assert denial.flag == "--grant 'invoke:send arg.to=alice@example.com'"
    assert program.worker.answers[0]["error"]["missing"] == denial.missing


# --- what flows -----------------------------------------------------------------------------------


async def test_what_a_function_says_labels_the_call_and_the_run(program: Program) -> None:
    seat = program.seat("invoke:boom", "invoke:send untainted")
    steps = (asks("send", {"to": ALICE}), asks("send", {"to": ALICE}), asks("boom"))
    result = await program.run(seat, *steps)
    assert program.worker.said == [SENT, "denied", "function_failed"]
    assert "untrusted data (function:send)" in program.worker.answers[1]["error"]["message"]
    assert result.sources == ("function:boom", "function:send")
    await program.run(seat, asks("send", {"to": ALICE}))
    assert program.worker.said == ["denied"]


@pytest.mark.parametrize(
    ("caveat", "name", "expected"),
    [
        ("public", ".env", "denied"),
        ("public", "notes.txt", SENT),
        ("untainted", "notes.txt", "denied"),
        ("untainted", None, SENT),
    ],
)
async def test_what_the_call_has_read_so_far_decides(
    program: Program, caveat: str, name: str | None, expected: str
) -> None:
    if name is not None:
        host = HostPath(str(program.desk.workspace / name))
        program.worker.touched.append(Touched("read", GuestPath(f"/workspace/{name}"), host))
    await program.run(program.seat(f"invoke:send {caveat}"), asks("send", {"to": ALICE}))
    assert program.worker.said == [expected]


async def test_a_secret_that_was_sent_does_not_come_back(program: Program) -> None:
    def leak() -> str:
        """Leak."""
        return "it is what-the-key-is"

    program.add(leak, {})
    seat = program.seat("invoke:leak")
    seat.keep_secret("KEY", "what-the-key-is")
    await program.run(seat, asks("leak"))
    assert program.worker.said == ["it is [secret:KEY]"]


# --- what is counted ------------------------------------------------------------------------------


async def test_uses_are_counted_over_calls_also_side_by_side(program: Program) -> None:
    seat = program.seat("invoke:send uses=3")
    await program.run(seat, *[asks("send", {"to": ALICE})] * 2, asks("send", {"to": "x"}))
    assert program.worker.said == [SENT] * 2 + ["invalid_arguments"]
    program.worker.steps, program.worker.answers = [asks("send", {"to": ALICE})], []
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            call = ToolCall(f"c{number}", "bash", {"text": str(number)})
            tasks.start_soon(program.desk.gate.call, call, seat)
    assert sorted(program.worker.said) == ["denied"] * 19 + [SENT]
    assert len(program.sent) == 3


async def test_a_rate_is_kept_and_frees_itself(program: Program) -> None:
    seat, desk = program.seat("invoke:send rate=2/min"), program.desk

    def later() -> None:
        desk.now += 61

    send = asks("send", {"to": ALICE})
    await program.run(seat, send, send, send, later, send)
    assert program.worker.ends == ["sent", "sent", "denied", "sent"]


async def test_an_expired_grant_counts_no_more(program: Program) -> None:
    seat, desk = program.seat("invoke:send expires=1m"), program.desk

    def later() -> None:
        desk.now += 61

    await program.run(seat, asks("send", {"to": ALICE}), later, asks("send", {"to": ALICE}), LIST)
    assert program.worker.said[:2] == [SENT, "denied"]
    assert program.worker.answers[2] == {"functions": []}


async def test_a_call_makes_so_many_invocations_and_no_more(program: Program) -> None:
    seat = program.seat("invoke:send")
    frames = [asks("send", {"to": ALICE}), LIST, *[asks("send", {"to": ALICE})] * 5]
    result = await program.run(seat, *frames, limits=Limits(requests=3))
    assert len(program.sent) == 2
    assert program.worker.said[2:] == [SENT, *["limit"] * 4]
    assert program.kinds().count("denial invoke") == 1  # a guest may try without end
    assert [denial.access for denial in result.denied] == ["invoke"]
    # One too many is on record as well.
    await program.run(seat, LIST, LIST, limits=Limits(requests=1))
    assert (program.worker.said, program.kinds().count("denial invoke")) == (["None", "limit"], 2)


async def test_what_a_function_says_is_cut_and_the_guest_is_told(program: Program) -> None:
    await program.run(program.seat("invoke:long"), asks("long"), limits=Limits(output_bytes=100))
    assert program.worker.answers == [{"content": "ab" * 50, "truncated": True}]


async def test_a_script_may_ask_the_same_thing_often(program: Program) -> None:
    await program.run(program.seat("invoke:send"), *[asks("send", {"to": ALICE})] * 20)
    assert program.worker.said == [SENT] * 20


async def test_a_script_may_ask_what_the_model_asked_too_often(program: Program) -> None:
    seat = program.seat("tool:send", "invoke:send")
    same = ToolCall("c2", "send", {"to": ALICE})
    ends = [(await program.desk.gate.call(same, seat)).error for _ in range(6)]
    assert [end and end.code for end in ends] == [None] * 5 + ["repeated"]
    await program.run(seat, asks("send", {"to": ALICE}))
    assert program.worker.said == [SENT]


# --- who is asked ---------------------------------------------------------------------------------


async def test_what_is_missing_is_asked_for_while_the_guest_waits(program: Program) -> None:
    approver = ScriptedApprover(Once(), ForRun())
    seat = program.seat(ceiling=["invoke:send"], approver=approver)
    send = asks("send", {"to": ["Alice@EXAMPLE.com"]})
    await program.run(seat, send, send, send, asks("boom"))
    assert program.worker.ends == ["sent", "sent", "sent", "denied"]
    assert program.worker.pauses == 3
    first, _ = approver.questions
    assert first.effect.endswith("wants to invoke send(to=Alice@example.com)")
    assert first.grant == "invoke:send arg.to=Alice@example.com"
    assert first.details == ("asked for by what bash runs",)
    assert "ceiling does not allow it" in program.worker.why


@pytest.mark.parametrize("first", ["model", "guest"])
async def test_who_was_refused_one_way_is_not_asked_the_other(program: Program, first: str) -> None:
    approver = ScriptedApprover(No())
    seat = program.seat(ceiling=["invoke:send", "tool:send"], approver=approver)
    direct = ToolCall("c2", "send", {"to": ALICE})
    if first == "model":
        assert not (await program.desk.gate.call(direct, seat)).ok
    await program.run(seat, asks("send", {"to": ALICE}))
    assert program.worker.said == ["denied"]
    assert not (await program.desk.gate.call(direct, seat)).ok
    assert (len(approver.questions), program.sent) == (1, [])


async def test_a_person_who_stops_the_run_stops_it_at_once(program: Program) -> None:
    seat = program.seat("invoke:boom", ceiling=["invoke:send"], approver=ScriptedApprover(Stop()))
    await program.run(seat, asks("send", {"to": ALICE}), asks("boom"))
    assert program.worker.said == ["stopped_by_person"] * 2
    assert program.sent == []


async def test_without_an_approver_it_is_refused_at_once(program: Program) -> None:
    await program.run(program.seat(ceiling=["invoke:send"]), asks("send", {"to": ALICE}))
    assert program.worker.said == ["denied"] and "nobody is there" in program.worker.why


# --- what ends it ---------------------------------------------------------------------------------


async def test_nothing_is_called_after_a_revocation(program: Program) -> None:
    seat = program.seat("invoke:send")

    def revoke() -> None:
        program.desk.holdings.revoke(seat.authority.grants[-1].id)

    await program.run(seat, asks("send", {"to": ALICE}), revoke, asks("send", {"to": ALICE}), LIST)
    assert program.worker.said[:2] == [SENT, "denied"]
    assert "revoked" in program.worker.answers[1]["error"]["message"]
    assert program.worker.answers[2] == {"functions": []}


async def test_a_revocation_ends_a_function_that_waits_and_its_guest(program: Program) -> None:
    seat, found = program.seat("invoke:wait"), []

    async def call() -> None:
        found.append(await program.run(seat, asks("wait"), asks("wait")))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await program.waiting.wait()
            program.desk.gate.revoke(seat.authority.id)
    (result,) = found
    assert result.error is not None and result.error.code == "revoked"
    kinds = ["bash begins", "guest: wait begins", "2 ends revoked", "1 ends revoked"]
    assert program.kinds() == kinds
    assert [(e.action, e.path) for e in result.effects] == [("call", "wait()")]
    assert result.sources == ("function:wait",)


async def test_a_cancelled_call_has_its_invocation_on_record(program: Program) -> None:
    seat = program.seat("invoke:wait")
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(program.run, seat, asks("wait"))
            await program.waiting.wait()
            tasks.cancel_scope.cancel()
    kinds = ["bash begins", "guest: wait begins", "2 ends interrupted", "1 ends interrupted"]
    assert program.kinds() == kinds


async def test_a_function_ends_at_its_own_timeout_and_the_guest_goes_on(program: Program) -> None:
    program.add(program.functions["wait"].call, {}, timeout=0.05)
    seat = program.seat("invoke:wait", "invoke:send")
    with anyio.fail_after(10):
        await program.run(seat, asks("wait"), asks("send", {"to": ALICE}))
    assert program.worker.said == ["time", SENT]


async def test_another_runs_functions_are_not_there(program: Program) -> None:
    other = program.desk.seat("invoke:send", run="run-2")
    await program.run(other, asks("send", {"to": ALICE}), LIST)
    assert program.worker.said[0] == "unknown_tool"
    assert "there are: none" in program.worker.answers[0]["error"]["message"]
    assert program.worker.answers[1] == {"functions": []}


async def test_the_list_says_what_may_be_called_and_how(program: Program) -> None:
    seat = program.seat(f"invoke:send {TO_ALICE} uses=2", "invoke:send arg.cc=any", "tool:boom")
    await program.run(seat, LIST)
    (one,) = program.worker.answers[0]["functions"]
    assert one == {
        "name": "send",
        "description": "Send a mail.",
        "input_schema": program.functions["send"].manifest.schema.document,
        "grants": [f"invoke:send uses=2 {TO_ALICE}", "invoke:send arg.cc=any"],
    }
