"""A missing grant may be asked for: within the ceiling, a bounded number of times, on record."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import anyio
import anyio.lowlevel
import pytest
from tests.gate.conftest import authority

from capbox.authority.access import Access, InvokeAccess, ReadAccess, ToolAccess
from capbox.authority.authority import Authority
from capbox.authority.decision import Denied, Standing
from capbox.authority.paths import GrantPath, GuestPath
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.kinds import Value
from capbox.authority.web.places import FetchAccess, Origin
from capbox.gate.approver import (
    Always,
    Answer,
    AskRequest,
    ByRule,
    DenyApprover,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
    ask_request,
    neutral,
)
from capbox.gate.asking import ASKS_MAX, confirmed, lease_for
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.manifest import DeclaredSink
from capbox.gate.seat import SEEN_MAX, Seat
from capbox.sandbox.spec import Job, Outcome, Touched
from capbox.tools.scripted import reply

CEILING = ("write:/workspace",)


async def reads(job: Job) -> Outcome:
    """A tool that reads, which is what uses are counted by."""
    await anyio.lowlevel.checkpoint()
    return Outcome(reply("done"), (Touched("read", GuestPath("/workspace/a"), None),))


class Answering:
    """Gives the answers in order, and keeps the questions."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.questions: list[AskRequest] = []

    async def ask(self, request: AskRequest) -> Answer:
        self.questions.append(request)
        await anyio.lowlevel.checkpoint()
        return self.answers.pop(0)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A host directory that is not below the guest's own /tmp, with a file `a`."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        directory = Path(place).resolve()
        (directory / "a").write_text("x")
        yield directory


async def test_once_is_for_this_call_alone(desk) -> None:
    approver = Answering(Once(), Once())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    assert (await desk.call(seat, "read", path="a")).ok
    assert (await desk.call(seat, "read", path="a")).ok
    assert len(approver.questions) == 2
    assert [(m.guest, m.name) for m in desk.runner.jobs[0].mounts] == [("/workspace/a", "a")]
    assert seat.leases == ()


async def test_for_the_run_covers_exactly_what_was_shown(desk) -> None:
    approver = Answering(ForRun(), No())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    for _ in range(3):
        assert (await desk.call(seat, "read", path="a")).ok
    assert not (await desk.call(seat, "read", path="b")).ok
    assert [q.grant for q in approver.questions] == ["read:/workspace/a", "read:/workspace/b"]


async def test_for_a_time_ends_then(desk) -> None:
    approver = Answering(For(60), No())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    assert (await desk.call(seat, "read", path="a")).ok
    desk.now += 59
    assert (await desk.call(seat, "read", path="a", text="again")).ok
    assert desk.runner.jobs[1].limits.wall_seconds == pytest.approx(1.0)
    desk.now += 1
    assert not (await desk.call(seat, "read", path="a")).ok


async def test_n_uses_are_so_many_calls(desk) -> None:
    approver, desk.answer = Answering(ForUses(3), No()), reads
    seat = desk.seat(ceiling=CEILING, approver=approver)
    results = [await desk.call(seat, "read", path="a", text=str(n)) for n in range(5)]
    assert [r.ok for r in results] == [True, True, True, False, False]
    assert len(approver.questions) == 2


@pytest.mark.parametrize("held", [True, False])
async def test_a_hundred_racing_calls_on_three_uses_are_three(desk, held: bool) -> None:
    """Granted, or lent by one answer; the other calls are refused before anything runs."""
    approver = Answering(*([] if held else [ForUses(3), No()]))
    grants = ("read:/workspace uses=3",) if held else ()
    seat = desk.seat(*grants, ceiling=None if held else CEILING, approver=approver)
    desk.answer, results = reads, []

    async def one(number: int) -> None:
        results.append(await desk.call(seat, "read", path="a", text=str(number)))

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(one, number)
    assert sum(r.ok for r in results) == len(desk.runner.jobs) == 3


@pytest.mark.parametrize(
    ("by", "before", "kept"),
    [
        ("rule", SEEN_MAX - 1, SEEN_MAX),
        ("rule", SEEN_MAX, SEEN_MAX),
        ("person", SEEN_MAX, SEEN_MAX + 1),
    ],
)
async def test_what_a_rule_refuses_is_not_kept_without_end(
    desk, by: Literal["rule", "person"], before: int, kept: int
) -> None:
    """A person's no is: it is not asked again. A rule would say the same once more."""
    approver = Answering(No("not that", by=by))
    seat = desk.seat(ceiling=CEILING, approver=approver)
    seat.refused = {f"read /workspace/{n}": "no" for n in range(before)}
    assert not (await desk.call(seat, "read", path="a")).ok
    assert len(seat.refused) == kept


async def test_always_is_for_the_run_and_kept_by_whoever_keeps_it(desk) -> None:
    approver, kept = Answering(Always(), Always()), []
    seat = desk.seat(ceiling=CEILING, approver=approver)
    assert (await desk.call(seat, "read", path="a")).ok
    seat.remember = lambda request, lease: kept.append(request)
    assert (await desk.call(seat, "read", path="b")).ok
    assert (await desk.call(seat, "read", path="b", text="again")).ok
    assert [question.grant for question in kept] == ["read:/workspace/b"]
    said = [(e["what"], e["result"]) for e in desk.recorded() if e["kind"] == "decision"]
    assert said == [
        *(("ask", approver.questions[0].effect), ("answer", "Always"), ("lease", "always")),
        ("denial", "no approval is kept here"),
        *(("ask", approver.questions[1].effect), ("answer", "Always"), ("lease", "always")),
    ]


@pytest.mark.parametrize(
    ("rule", "ok"),
    [
        ("read:/workspace", True),
        ("read:/workspace/a", True),
        ("write:/workspace", True),
        ("read:/workspace uses=1", True),
        ("read:/workspace/b", False),
        ("read:/workspace except=a", False),
        ("read:/etc", False),
        ("read:/workspace uses=0", False),
        ("nonsense", False),
    ],
)
async def test_a_rule_lends_what_it_says_within_the_ceiling(desk, rule: str, ok: bool) -> None:
    seat = desk.seat(ceiling=CEILING, approver=Answering(ByRule(rule)))
    assert (await desk.call(seat, "read", path="a")).ok == ok
    assert (seat.asks, seat.numbered, len(seat.leases)) == (0, 1, int(ok))


async def test_a_rule_keeps_its_caveats(desk) -> None:
    desk.answer = reads
    seat = desk.seat(ceiling=CEILING, approver=Answering(ByRule("read:/workspace uses=2"), No()))
    results = [await desk.call(seat, "read", path=name) for name in "abc"]
    assert [r.ok for r in results] == [True, True, False]
    end = Answering(ByRule("read:/workspace expires=60s except=*.key"), No(), No())
    seat = desk.seat(ceiling=CEILING, approver=end, run="run-2")
    assert (await desk.call(seat, "read", path="a")).ok
    assert not (await desk.call(seat, "read", path="x.key")).ok
    desk.now += 60
    assert not (await desk.call(seat, "read", path="a")).ok


@pytest.mark.parametrize(
    ("rule", "then", "ok"),
    [
        ("tool:read", 0, [True, True, True, True]),
        ("tool:read uses=2", 0, [True, True, False, False]),
        ("tool:read uses=2", 3_600, [True, True, False, False]),
        ("tool:read rate=2/min", 0, [True, True, False, False]),
        ("tool:read rate=2/min", 60, [True, True, True, True]),
        ("tool:read expires=60s", 59, [True, True, True, True]),
        ("tool:read expires=60s", 60, [True, True, False, False]),
    ],
)
async def test_a_rule_does_not_lend_anew_what_was_used_up(
    desk, rule: str, then: float, ok: list[bool]
) -> None:
    """Attack: a script asks once more, and the rule's counters begin at nothing."""
    for run in ("run-1", "run-2"):
        approver = Answering(*[ByRule(rule)] * 4)
        seat = desk.seat(
            "read:/workspace", tools=(), ceiling=["tool:read"], approver=approver, run=run
        )
        results = []
        for number in range(4):
            desk.now += then if number == 2 else 0
            results.append(await desk.call(seat, "read", path="a", text=str(number)))
        assert [r.ok for r in results] == ok
        assert len(seat.leases) == 1
        ended = {r.denied[0].reason for r in results if not r.ok}
        assert all("used up" in reason or "expired" in reason for reason in ended)
        assert all(reason.endswith("; a rule lends once in a run") for reason in ended)


async def test_rules_do_not_use_up_the_questions_to_people(desk) -> None:
    rules = [No("a rule", by="rule") for _ in range(ASKS_MAX + 5)]
    seat = desk.seat(ceiling=CEILING, approver=Answering(*rules, Once()))
    for number in range(ASKS_MAX + 5):
        await desk.call(seat, "read", path=str(number))
    assert (await desk.call(seat, "read", path="last")).ok
    assert seat.asks == 1


async def test_no_is_not_asked_again(desk) -> None:
    approver = Answering(No())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    first = await desk.call(seat, "read", path="a")
    second = await desk.call(seat, "read", path="a", text="please")
    reason = "no grant covers it; refused by the person who was asked"
    assert [r.denied[0].reason for r in (first, second)] == [reason, reason]
    assert desk.runner.jobs == []


async def test_stop_ends_the_run(desk) -> None:
    seat = desk.seat("read:/workspace", ceiling=CEILING, approver=Answering(Stop()))
    first = await desk.call(seat, "write", path="a")
    second = await desk.call(seat, "read", path="a")
    assert [r.error and r.error.code for r in (first, second)] == ["stopped_by_person"] * 2
    assert (desk.runner.jobs, seat.leases) == ([], ())
    assert [r["what"] for r in desk.recorded()] == ["ask", "answer", "denial"]


async def test_questions_are_capped(desk) -> None:
    approver = Answering(*[No() for _ in range(ASKS_MAX)])
    seat = desk.seat(ceiling=CEILING, approver=approver)
    results = [await desk.call(seat, "read", path=str(n)) for n in range(ASKS_MAX + 2)]
    assert len(approver.questions) == ASKS_MAX
    assert results[-1].denied[0].reason == (
        "no grant covers it; 10 questions were asked in this run, and no more will be"
    )


@pytest.mark.parametrize(
    ("ceiling", "tool", "path", "asked"),
    [
        (("read:/workspace",), "read", "a", True),
        (("read:/workspace",), "write", "a", False),
        (("read:/workspace",), "read", "/etc/passwd", False),
        (("read:/workspace/docs",), "read", "a", False),
        (("read:/workspace",), "read", ".env", False),
        (None, "read", "a", False),
        ((), "read", "a", False),
    ],
)
async def test_what_the_ceiling_does_not_hold_is_never_asked_for(
    desk, ceiling: tuple[str, ...] | None, tool: str, path: str, asked: bool
) -> None:
    approver = Answering(Once())
    result = await desk.call(desk.seat(ceiling=ceiling, approver=approver), tool, path=path)
    assert (result.ok, len(approver.questions)) == (asked, int(asked))


async def test_without_anybody_there_the_answer_is_no(desk) -> None:
    result = await desk.call(desk.seat(ceiling=CEILING), "read", path="a")
    assert result.denied[0].reason == "no grant covers it; nobody is there to approve it"
    question = ask_request(
        ReadAccess(GrantPath("/workspace/a")),
        run="r",
        tool="read",
        tool_digest="00",
        host=None,
        arguments="{}",
    )
    assert isinstance(await DenyApprover().ask(question), No)


async def test_a_link_is_never_approved_under_its_own_name(desk) -> None:
    (desk.workspace / "real").mkdir()
    (desk.workspace / "link").symlink_to("real")
    approver = Answering(Once())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    refused = await desk.call(seat, "read", path="link/a")
    assert refused.denied[0].reason == (
        "no grant covers it; a link is on the way there, "
        "and only a path without links can be asked for"
    )
    assert approver.questions == []
    assert (await desk.call(seat, "read", path="real/a")).ok


async def test_a_refusal_does_not_tell_where_a_link_outside_leads(desk) -> None:
    """Else a model that holds nothing could read any link on the machine."""
    outside = desk.workspace.parent / "outside"
    outside.symlink_to("releases/codename")
    seat = desk.seat(ceiling=CEILING, approver=Answering(Once()))
    refused = await desk.call(seat, "read", path=str(outside))
    assert "codename" not in str(refused)


async def test_a_lease_on_a_host_path_is_mounted(desk, outside: Path) -> None:
    seat = desk.seat(ceiling=(f"read:{outside}",), approver=Answering(ForRun()))
    assert (await desk.call(seat, "read", path=f"{outside}/a")).ok
    (job,) = desk.runner.jobs
    assert json.loads(job.request)["arguments"] == {"path": "/mnt/a"}
    assert [(m.guest, m.host, m.name) for m in job.mounts] == [("/mnt/a", str(outside), "a")]


async def test_calls_side_by_side_ask_one_question(desk) -> None:
    approver = Answering(ForRun())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(lambda: desk.call(seat, "read", path="a"))
    assert len(approver.questions) == 1
    assert len(desk.runner.jobs) == 4


async def test_a_lease_outlives_no_revocation_of_the_ceiling(desk) -> None:
    seat = desk.seat(ceiling=CEILING, approver=Answering(ForRun()))
    assert (await desk.call(seat, "read", path="a")).ok
    desk.gate.revoke(seat.ceiling.id)
    assert not (await desk.call(seat, "read", path="a", text="again")).ok


@pytest.mark.parametrize(
    ("answer", "said", "term", "lent", "seconds"),
    [
        (Once(), "Once", "for this call", "read:/workspace/a", None),
        (ForUses(3), "yes, 3 uses", "for the run", "read:/workspace/a uses=3", None),
        (ForRun(), "ForRun", "for the run", "read:/workspace/a", None),
        (
            *(For(90), "yes, for 90 s", "for 90 s"),
            *("read:/workspace/a expires=2027-01-15T08:01:30Z", 90),
        ),
        (Always(), "Always", "always", "read:/workspace/a", None),
        (Always(2), "yes, 2 uses, always", "always", "read:/workspace/a uses=2", None),
        (
            *(ByRule("read:/workspace"), "yes, by the rule read:/workspace"),
            *("for the run", "read:/workspace", None),
        ),
    ],
    ids=str,
)
async def test_what_is_lent_and_for_how_long_is_on_record(
    desk, answer: Answer, said: str, term: str, lent: str, seconds: int | None
) -> None:
    seat, kept = desk.seat(ceiling=CEILING, approver=Answering(answer)), []
    seat.remember = lambda request, lease: kept.append((request.grant, lease))
    assert (await desk.call(seat, "read", path="a")).ok
    answered, lease = desk.recorded()[1:3]
    assert (answered["what"], answered["result"]) == ("answer", said)
    assert (lease["what"], lease["subject"], lease["result"]) == ("lease", lent, term)
    assert lease["expires"] == (None if seconds is None else desk.now + seconds)
    assert kept == ([(lent, "run-1/lease-1#0")] if isinstance(answer, Always) else [])
    assert len(seat.leases) == int(answer != Once())


@pytest.mark.parametrize(
    ("answer", "grounded"), [(Once(), []), (ForRun(), ["b@b.example"]), (Always(), ["b@b.example"])]
)
async def test_values_that_were_approved_for_the_run_are_the_principals_own_from_then_on(
    desk, answer: Answer, grounded: list[str]
) -> None:
    about = replace(desk.tools["read"].manifest, paths=(), sinks=(DeclaredSink("text", "email"),))
    desk.tools["read"] = replace(desk.tools["read"], manifest=about)
    seat = desk.seat(tools=(), ceiling=("tool:read",), approver=Answering(answer))
    seat.grounds = frozenset({Value("email", "a@b.example")})
    assert (await desk.call(seat, "read", text="b@b.example")).ok
    values = {Value("email", text) for text in ("a@b.example", *grounded)}
    assert seat.grounds == values


FETCH = FetchAccess("GET", Origin("https", "a.example", 443), "/v1")


@pytest.mark.parametrize(
    ("caveat", "answers", "refused"),
    [
        ("", [], [False, False]),
        ("ask=first", [Once()], [False, False]),
        ("ask=each", [Once(), Once()], [False, False]),
        ("ask=each", [Once(), No("not now")], [False, True]),
        ("ask=first", [No("not now")], [True, True]),
        ("ask=each", [No("not now")], [True, True]),
    ],
)
async def test_the_use_of_a_grant_is_confirmed_as_often_as_it_says(
    desk, caveat: str, answers: list[Answer], refused: list[bool]
) -> None:
    (minted,) = authority(f"fetch:https://a.example {caveat}".strip()).grants
    approver = Answering(*answers)
    seat = desk.seat(approver=approver)
    question = ask_request(
        *(FETCH,), run="r", tool="read", tool_digest="00", host=None, arguments="{}"
    )
    for no in refused:
        found = await confirmed(minted, FETCH, seat, question, "c1")
        why = f"{minted.grant} asks before it is used; not now"
        assert found == (Denied(FETCH, why, None) if no else None)
    assert [q.grant for q in approver.questions] == [str(minted.grant)] * len(answers)


async def test_questions_are_drawn_from_the_budget_but_not_those_that_a_rule_answers(desk) -> None:
    answers = ByRule("read:/workspace/a"), No("by a rule", by="rule"), Once(), Once()
    seat = desk.seat(ceiling=CEILING, approver=Answering(*answers))
    seat.purse = Purse((Account({"asks": 1}),))
    results = [await desk.call(seat, "read", path=path) for path in "abcd"]
    assert [r.ok for r in results] == [True, False, True, False]
    assert (seat.purse.own(), seat.asks, seat.numbered) == ({"asks": (1, 1)}, 1, 3)
    assert results[3].denied[0].reason.startswith("no grant covers it; the budget of this")
    assert results[1].denied[0].reason == "no grant covers it; by a rule"


async def lease(desk, seat: Seat, access: Access, missing: str | None) -> Authority | Denied:
    """Have an access asked for, as the gate does."""
    question = ask_request(
        *(access,), run="r", tool="read", tool_digest="00", host=None, arguments="{}"
    )
    denied = Denied(access, "no", missing)
    async with seat.asking:
        return await lease_for(denied, seat, question, "c1", lambda: Standing(desk.now))


def sends(kind: type[ToolAccess], to: str) -> ToolAccess:
    """A call that names the principal's own value."""
    return kind("send", (Argument("to", "email", (Given(to, grounded=True),)),))


@pytest.mark.parametrize(
    ("access", "ceiling", "why"),
    [
        (ToolAccess("read"), "tool:write", "the operator's ceiling does not allow it (no grant"),
        (FETCH, "tool:write", "the operator's ceiling does not allow it (no grant"),
        (
            *(replace(FETCH, path="/a%2fb", doubt="%2f"), "fetch:https://a.example"),
            "only a path with one reading can be asked for",
        ),
        (
            *(sends(ToolAccess, "a@b.example"), "tool:send arg.to=grounded"),
            "the operator's ceiling does not hold it, and no answer lends more than that",
        ),
    ],
    ids=str,
)
async def test_why_no_answer_could_grant_it_is_told(
    desk, access: Access, ceiling: str, why: str
) -> None:
    seat = desk.seat(ceiling=(ceiling,), approver=Answering())
    found = await lease(desk, seat, access, access.missing)
    assert isinstance(found, Denied) and found.reason.startswith(f"no; {why}")
    # What no grant would allow is not asked for either.
    seat = desk.seat(ceiling=("tool:read",), approver=Answering(), run="run-2")
    never = await lease(desk, seat, ToolAccess("read"), None)
    assert never == Denied(ToolAccess("read"), "no", None)


@pytest.mark.parametrize(
    ("ceiling", "shown"),
    [
        ("fetch:https://a.example", 'fetch:"GET https://a.example"'),
        ('fetch:"GET https://a.example/v1"', 'fetch:"GET https://a.example/v1"'),
    ],
)
async def test_for_longer_a_whole_origin_is_lent_where_the_ceiling_has_it(
    desk, ceiling: str, shown: str
) -> None:
    approver = Answering(ForRun())
    found = await lease(desk, desk.seat(ceiling=(ceiling,), approver=approver), FETCH, "missing")
    assert isinstance(found, Authority)
    assert [q.grant for q in approver.questions] == [str(m.grant) for m in found.grants] == [shown]


async def test_what_a_tool_was_refused_is_not_asked_for_by_its_script(desk) -> None:
    """Nor the other way round; another value is another question."""
    approver = Answering(No("not him"), Once())
    seat = desk.seat(ceiling=("tool:send", "invoke:send"), approver=approver)
    for kind in (ToolAccess, InvokeAccess):
        access = sends(kind, "a@b.example")
        found = await lease(desk, seat, access, access.missing)
        assert isinstance(found, Denied) and found.reason == "no; not him"
    other = sends(InvokeAccess, "c@d.example")
    assert isinstance(await lease(desk, seat, other, other.missing), Authority)
    assert len(approver.questions) == 2


@pytest.mark.parametrize(
    ("access", "lent"),
    [
        (FETCH, 'fetch:"GET https://a.example/v1" uses=1'),
        (ToolAccess("read"), "tool:read uses=1"),
        (ReadAccess(GrantPath("/workspace/a")), "read:/workspace/a"),
    ],
    ids=str,
)
async def test_once_is_one_use_where_a_call_could_make_many(
    desk, access: Access, lent: str
) -> None:
    """A file is read as often as the call likes, and the call ends."""
    ceiling = ("fetch:https://a.example", "tool:read", "read:/workspace")
    seat = desk.seat(tools=(), ceiling=ceiling, approver=Answering(Once()))
    found = await lease(desk, seat, access, access.missing)
    assert isinstance(found, Authority)
    assert [str(m.grant) for m in found.grants] == [lent]


async def test_what_is_asked_while_the_run_is_revoked_is_lent_no_more(desk) -> None:
    class Late(Answering):
        async def ask(self, request: AskRequest) -> Answer:
            seat.ceiling = None
            return await super().ask(request)

    seat = desk.seat(ceiling=CEILING, approver=Late(Once()))
    result = await desk.call(seat, "read", path="a")
    assert result.denied[0].reason == "the run was revoked while this was asked for"
    assert desk.runner.jobs == []


async def test_question_answer_and_lease_are_on_record(desk) -> None:
    seat = desk.seat(ceiling=CEILING, approver=Answering(ForRun()))
    await desk.call(seat, "read", path="a")
    noted = [(r.get("what"), r.get("subject"), r.get("result")) for r in desk.recorded()[:3]]
    assert noted == [
        (
            "ask",
            "read /workspace/a",
            f"read (sha256 digest-of-re) wants to read /workspace/a, which is {desk.workspace}/a",
        ),
        ("answer", "read /workspace/a", "ForRun"),
        ("lease", "read:/workspace/a", "for the run"),
    ]


async def test_what_is_shown_cannot_be_disguised(desk) -> None:
    approver = Answering(No())
    seat = desk.seat(ceiling=CEILING, approver=approver)
    await desk.call(seat, "write", path="a", text="\u202eevil\x1b[2J" + "x" * 1_000)
    (question,) = approver.questions
    assert question.arguments.isascii() and "\x1b" not in question.arguments
    assert question.arguments.endswith("characters more")
    assert neutral("a\u202eb\x1b\u2028") == "a\\u202eb\\u001b\\u2028"
    assert neutral("Größe 😀 日本") == "Größe 😀 日本"
    assert neutral("\U000e0041\U000e0100\U0001d173") == "\\U000e0041\\U000e0100\\U0001d173"
    unseen = "\u200b\u2060\u00ad\ufeff\ufe0f\u3164\u2800\u00a0"
    assert neutral(unseen) == "".join(f"\\u{ord(c):04x}" for c in unseen)
