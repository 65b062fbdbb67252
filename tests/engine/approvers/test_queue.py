"""Questions in a queue: whoever answers first, for the effect that was shown, decides."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.paths import GrantPath
from capbox.engine.approvers.answers import FORMS, read_answer
from capbox.engine.approvers.queue import QUESTIONS_MAX, Question, QueueApprover, fingerprint
from capbox.engine.control.requests import Requests
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.gate.approver import (
    Always,
    Answer,
    Approver,
    AskRequest,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
    ask_request,
)
from capbox.messages import ToolResult

OpenSession = Callable[..., Session]
A = ReadAccess(GrantPath("/workspace/a"))


def request(access: Access = A, run: str = "r", arguments: str = "{}") -> AskRequest:
    return ask_request(
        access, run=run, tool="read", tool_digest="ab" * 32, host="/h/a", arguments=arguments
    )


class Says:
    """Answers at once."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def ask(self, request: AskRequest) -> Answer:
        return self._answer


class Ponders:
    """Never answers."""

    async def ask(self, request: AskRequest) -> Answer:
        await anyio.sleep_forever()
        raise AssertionError


async def answered(
    queue: QueueApprover, act: Callable[[Question], None], asked: AskRequest | None = None
) -> Answer:
    """Ask, and have `act` look at the question as a program does."""
    found: list[Answer] = []

    async def ask() -> None:
        found.append(await queue.ask(asked or request()))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            async for question in queue:
                act(question)
                break
    return found[0]


@pytest.mark.parametrize("answer", [Once(), ForUses(3), For(60), ForRun(), Always(), No(), Stop()])
@pytest.mark.parametrize("beside", [None, Ponders()])
async def test_the_answer_of_whoever_reads_the_queue_counts(
    answer: Answer, beside: Approver | None
) -> None:
    queue = QueueApprover(None if beside else 60, beside=beside)
    problems: list[str | None] = []
    given = await answered(
        queue, lambda q: problems.append(queue.answer(q.id, q.fingerprint, answer))
    )
    assert (given, problems, queue.pending()) == (answer, [None], ())


async def test_an_answer_is_for_the_effect_that_was_shown_and_for_no_other() -> None:
    queue, problems = QueueApprover(60), list[str | None]()

    def act(question: Question) -> None:
        other = fingerprint(request(WriteAccess(GrantPath("/workspace/a"))))
        problems.extend(
            (
                queue.answer(question.id, other, Once()),
                queue.answer(question.id, question.fingerprint[:12], Once()),
                queue.answer(question.id, "", Once()),
                queue.answer("another", question.fingerprint, Once()),
                queue.answer(question.id, question.fingerprint, No()),
                queue.answer(question.id, question.fingerprint, Once()),
            )
        )

    assert await answered(queue, act) == No()
    other = "the answer was given for another effect than the question is about"
    late = "the question does not wait for an answer any more"
    assert problems == [other, other, other, late, None, late]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (request(), request(WriteAccess(GrantPath("/workspace/a")))),
        (request(), request(run="another")),
        (request(), request(arguments='{"path": "a"}')),
    ],
)
def test_whatever_is_shown_is_in_the_fingerprint(one: AskRequest, other: AskRequest) -> None:
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


@pytest.mark.parametrize(
    ("seconds", "beside", "expected"),
    [
        (None, Says(Once()), Once()),
        (None, Says(No()), No()),
        (None, Says(No("nobody", by="nobody")), No("nobody", by="nobody")),
        (60, Says(Once()), Once()),
        (60, Says(No()), No()),
        (0.01, Says(No("nobody", by="nobody")), No("nobody answered within 0.01 s", by="nobody")),
        (0.01, Ponders(), No("nobody answered within 0.01 s", by="nobody")),
        (0.01, None, No("nobody answered within 0.01 s", by="nobody")),
    ],
)
async def test_who_is_asked_beside_decides_if_he_answers_first(
    seconds: float | None, beside: Approver | None, expected: Answer
) -> None:
    with anyio.fail_after(20):
        assert await QueueApprover(seconds, beside=beside).ask(request()) == expected


async def test_the_first_of_many_answers_wins() -> None:
    queue, taken = QueueApprover(60), list[str | None]()

    def act(question: Question) -> None:
        for number in range(1, 101):
            taken.append(queue.answer(question.id, question.fingerprint, ForUses(number)))

    assert await answered(queue, act) == ForUses(1)
    assert taken.count(None) == 1


async def test_questions_are_bounded_and_those_of_a_revoked_run_end() -> None:
    queue, answers = QueueApprover(60), list[Answer]()

    async def ask(run: str) -> None:
        answers.append(await queue.ask(request(run=run)))

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for number in range(QUESTIONS_MAX):
                tasks.start_soon(ask, f"run-{number % 2}")
            await anyio.wait_all_tasks_blocked()
            assert len(queue.pending()) == QUESTIONS_MAX
            full = await queue.ask(request())
            queue.withdraw("run-0")
            await anyio.wait_all_tasks_blocked()
            assert {q.request.run for q in queue.pending()} == {"run-1"}
            queue.withdraw("run-1")
    assert full == No(f"{QUESTIONS_MAX} questions wait already", by="nobody")
    assert set(answers) == {No("the run was revoked", by="nobody")}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("once", Once()),
        ("uses=3", ForUses(3)),
        ("for=10m", For(600)),
        ("for=45s", For(45)),
        ("for=24h", For(86_400)),
        ("run", ForRun()),
        ("always", Always()),
        ("no", No()),
        ("stop", Stop()),
    ],
)
def test_an_answer_is_read(text: str, answer: Answer) -> None:
    assert read_answer(text) == answer


@pytest.mark.parametrize(
    "text",
    [
        *("", "y", "yes", "Once", "once ", "uses", "uses=0", "uses=1001", "uses=3m", "uses=-1"),
        *(
            "for=",
            "for=0",
            "for=0s",
            "for=45",
            "for=25h",
            "for=1d",
            "for=1.5m",
            "rule",
            "uses=\u0663",
            "once\n",
        ),
    ],
)
def test_what_is_no_answer_is_refused(text: str) -> None:
    assert isinstance(read_answer(text), str)


def test_every_form_that_is_named_is_one() -> None:
    for form in FORMS.split(", "):
        assert not isinstance(read_answer(form.replace("N", "2")), str)


# --- over the control socket --------------------------------------------------------------------


async def test_a_question_is_answered_over_the_socket(
    open_session: OpenSession, engine: LocalEngine, workspace: object
) -> None:
    queue, results = QueueApprover(60), list[ToolResult]()
    requests = Requests(engine.register)

    async def read(session: Session) -> None:
        results.append(await session.call("read", {"path": "a.txt"}))

    async with open_session(approver=queue) as session:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, session)
                while not (listed := requests.answer({"do": "questions"})["questions"]):
                    await anyio.lowlevel.checkpoint()
                (one,) = listed
                assert one["grant"] == "read:/workspace/a.txt"
                assert requests.answer({"do": "runs"})["runs"][0]["pending"] == 1
                answer = {"do": "answer", "question": one["question"], "effect": one["effect"]}
                refused = [
                    requests.answer({**answer, "answer": "yes"}),
                    requests.answer({**answer, "answer": "once", "effect": "0" * 64}),
                    requests.answer({**answer, "answer": "once", "question": "x"}),
                    requests.answer({**answer}),
                ]
                assert all("error" in reply for reply in refused)
                assert requests.answer({**answer, "answer": "once"}) == {
                    "answered": one["question"]
                }
    assert [result.ok for result in results] == [True]


async def test_revoking_a_run_ends_its_question_and_a_late_yes_lends_nothing(
    open_session: OpenSession, engine: LocalEngine
) -> None:
    queue, results = QueueApprover(60), list[ToolResult]()

    async def read(session: Session) -> None:
        results.append(await session.call("read", {"path": "a.txt"}))

    async with open_session(approver=queue) as session:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, session)
                async for question in queue:
                    engine.register.revoke_run(str(session.calls_run), "by the test")
                    late = queue.answer(question.id, question.fingerprint, ForRun())
                    break
    assert late is not None
    assert [result.denied[0].reason for result in results] == [
        "no grant covers it; the run was revoked"
    ]
