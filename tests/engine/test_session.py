"""Direct calls in a session: what a person may lend, what revocation ends, what interrupts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from capbox.engine.session import Session
from capbox.gate.approver import Answer, For, ForRun, No, Once, Stop
from capbox.journal.verify import Closed
from capbox.messages import ToolResult

OpenSession = Callable[..., Session]
LOOP = ": > /tmp/started; while :; do :; done"


async def until_started(scratches: Path) -> None:
    """Return when the script of a call has begun; an endless wait fails the test."""
    with anyio.fail_after(30):
        while not has_started(scratches):
            await anyio.lowlevel.checkpoint()


def has_started(scratches: Path) -> bool:
    """Say whether the script of a call has left its mark."""
    return any(scratches.glob("*/started"))


def code(result: ToolResult) -> str | None:
    """The error's code, or None."""
    return None if result.error is None else result.error.code


# --- leases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "codes", "asked"),
    [
        ((Once(), Once()), (None, None, None), 2),
        ((Once(), No()), (None, "denied", None), 2),
        ((ForRun(),), (None, None, None), 1),
        ((For(3600),), (None, None, None), 1),
        ((No(),), ("denied", "denied", None), 1),
        ((Stop(),), ("stopped_by_person", "stopped_by_person", "stopped_by_person"), 1),
    ],
)
async def test_an_answer_lends_as_much_as_it_says(
    open_session: OpenSession,
    approver: type,
    answers: tuple[Answer, ...],
    codes: tuple[str | None, ...],
    asked: int,
) -> None:
    """The same file twice, then one that is granted anyway."""
    person = approver(*answers)
    async with open_session("read:/workspace/b.txt", approver=person) as session:
        results = [
            await session.call("read", {"path": "a.txt"}),
            await session.call("read", {"path": "a.txt", "offset": 1}),
            await session.call("read", {"path": "b.txt"}),
        ]
    assert (tuple(map(code, results)), len(person.questions)) == (codes, asked)


async def test_a_question_names_the_canonical_effect_and_the_grant(
    open_session: OpenSession, approver: type, workspace: Path
) -> None:
    person = approver(No())
    async with open_session(approver=person) as session:
        await session.call("read", {"path": "./x/../a.txt"})
    (question,) = person.questions
    assert question.grant == "read:/workspace/a.txt"
    assert question.effect.endswith(
        f"wants to read /workspace/a.txt, which is {workspace / 'a.txt'}"
    )


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside/o.txt", ".env", "/nowhere"])
async def test_nobody_is_asked_for_what_no_answer_may_lend(
    open_session: OpenSession, approver: type, path: str
) -> None:
    person = approver()
    async with open_session(approver=person) as session:
        result = await session.call("read", {"path": path})
    assert (code(result), person.questions) == ("denied", [])


async def test_a_lease_is_for_the_path_that_was_shown_and_no_other(
    open_session: OpenSession, approver: type
) -> None:
    person = approver(ForRun(), No())
    async with open_session(approver=person) as session:
        shown = await session.call("read", {"path": "a.txt"})
        other = await session.call("read", {"path": "b.txt"})
    assert (code(shown), code(other)) == (None, "denied")


async def test_without_an_approver_nothing_is_lent(open_session: OpenSession) -> None:
    async with open_session() as session:
        assert code(await session.call("read", {"path": "a.txt"})) == "denied"


# --- revocation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
async def test_revoking_stops_the_running_call_and_denies_the_next(
    open_session: OpenSession, records: object, cache: Path, named: bool
) -> None:
    results: list[ToolResult] = []

    async def loop(session: Session) -> None:
        results.append(await session.call("bash", {"script": LOOP}))

    async with open_session("read:/workspace") as session:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(loop, session)
                await until_started(cache / "scratch")
                (authority,) = session.authorities
                session.revoke(authority if named else None)
            results.append(await session.call("read", {"path": "a.txt"}))
    assert list(map(code, results)) == ["revoked", "denied"]
    assert "revoked" in results[1].denied[0].reason
    decisions = [e for e in records.entries(results[0].journal) if e["kind"] == "decision"]
    assert [(d["what"], d["subject"]) for d in decisions] == [
        ("revocation", authority),
        ("denial", "tool read"),
    ]


async def test_one_revoked_session_leaves_the_others_of_its_engine_alone(
    open_session: OpenSession,
) -> None:
    async with open_session("read:/workspace") as ended, open_session("read:/workspace") as other:
        await ended.call("read", {"path": "a.txt"})
        ended.revoke()
        results = [await one.call("read", {"path": "b.txt"}) for one in (ended, other)]
    assert list(map(code, results)) == ["denied", None]


async def test_a_revoked_session_mints_nothing_that_counts(open_session: OpenSession) -> None:
    async with open_session("read:/workspace") as session:
        session.revoke()
        result = await session.call("read", {"path": "a.txt"})
    assert code(result) == "denied"


async def test_revoking_everything_ends_what_was_lent(
    open_session: OpenSession, approver: type
) -> None:
    person = approver(ForRun())
    async with open_session(approver=person) as session:
        lent = await session.call("read", {"path": "a.txt"})
        session.revoke()
        after = await session.call("read", {"path": "a.txt"})
    assert (code(lent), code(after), len(person.questions)) == (None, "denied", 1)


# --- interruption and the record ------------------------------------------------------------------


async def test_a_cancelled_call_is_stopped_recorded_and_the_session_goes_on(
    open_session: OpenSession, cache: Path, records: object
) -> None:
    async with open_session("read:/workspace") as session:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(session.call, "bash", {"script": LOOP})
                await until_started(cache / "scratch")
                tasks.cancel_scope.cancel()
        after = await session.call("read", {"path": "a.txt"})
    assert after.ok
    ends = [e["detail"] for e in records.entries(after.journal) if e["kind"] == "outcome"]
    assert ends == ["interrupted", ""]
    assert records.verdicts() == (Closed(after.journal, 6),)


async def test_the_record_says_what_was_held_done_and_refused(
    open_session: OpenSession, records: object
) -> None:
    async with open_session("read:/workspace/a.txt") as session:
        done = await session.call("read", {"path": "a.txt"})
        refused = await session.call("read", {"path": "b.txt"})
    assert done.journal == refused.journal
    entries = records.entries(done.journal)
    assert [e["kind"] for e in entries] == ["opened", "intent", "outcome", "decision", "closed"]
    assert "read:/workspace/a.txt" in entries[0]["authority"]
    assert (entries[3]["what"], entries[3]["subject"]) == ("denial", "read /workspace/b.txt")


async def test_a_journal_that_cannot_be_written_means_no_effect(
    open_session: OpenSession, home: object, workspace: Path
) -> None:
    async with open_session("write:/workspace") as session:
        heads = home.state / "journal" / "heads"
        heads.rename(heads.with_name("away"))
        result = await session.call("write", {"path": "new.txt", "content": "x"})
    assert (code(result), (workspace / "new.txt").exists()) == ("sandbox_failed", False)
