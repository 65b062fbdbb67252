"""What a person took back is not lent again by a rule, in that run; a person may lend it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.engine.control.requests import Requests
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.gate.approver import ForRun

OpenSession = Callable[..., Session]
TAKEN = "was taken back, and no rule lends it again"


@pytest.fixture(autouse=True)
def inner(workspace: Path) -> None:
    """A folder with two texts more."""
    (workspace / "in").mkdir()
    (workspace / "in" / "c.txt").write_text("gamma\n")
    (workspace / "in" / "d.txt").write_text("delta\n")


def revoke(engine: LocalEngine, session: Session, grant: str) -> None:
    """Take back the grant with this text, as `capbox revoke` does."""
    requests = Requests(engine.register)
    (listed,) = [
        r for r in requests.answer({"do": "runs"})["runs"] if r["run"] == session.calls_run
    ]
    (name,) = [g["id"] for a in listed["authorities"] for g in a["grants"] if g["grant"] == grant]
    assert "error" not in requests.answer({"do": "revoke", "name": name})


@pytest.mark.parametrize(
    ("rules", "held", "first", "taken", "then", "ok"),
    [
        (["read:W"], (), "a.txt", "read:W", "a.txt", False),
        (["read:W"], (), "a.txt", "read:W", "b.txt", False),
        (["write:W"], (), "a.txt", "write:W", "b.txt", False),
        # another rule names the same, or what is around it
        (["read:W/in", "read:W"], (), "b.txt", "read:W", "in/c.txt", False),
        (["read:W/in", "read:W"], (), "in/c.txt", "read:W/in", "a.txt", False),
        # it was held by a flag
        (["read:W"], ("read:W/in",), "in/c.txt", "read:W/in", "in/d.txt", False),
        (["write:W"], ("read:W/in",), "in/c.txt", "read:W/in", "a.txt", False),
        # nothing in common
        (["read:W/in", "read:W/a.txt"], (), "in/c.txt", "read:W/in", "a.txt", True),
        (["read:W/in"], ("read:W/a.txt",), "a.txt", "read:W/a.txt", "in/c.txt", True),
        (["read:W"], (), "a.txt", "tool:bash", "b.txt", True),
    ],
)
async def test_no_rule_lends_again_what_was_taken_back(
    open_session: OpenSession,
    engine: LocalEngine,
    tmp_path: Path,
    rules: list[str],
    held: tuple[str, ...],
    first: str,
    taken: str,
    then: str,
    ok: bool,
) -> None:
    """Attack: a model goes on to read, and the policy that lent it lends it anew."""
    policy = tmp_path / "p.toml"
    policy.write_text(f"[policy]\nallow={rules}".replace("W", "/workspace"))
    held, taken = ([t.replace("W", "/workspace") for t in texts] for texts in (held, [taken]))
    async with open_session(*held, policy=policy) as session:
        assert (await session.call("read", {"path": first})).ok
        revoke(engine, session, *taken)
        result = await session.call("read", {"path": then})
    assert result.ok == ok
    assert ok or result.denied[0].reason.endswith(f"; {taken[0]} {TAKEN}")


@pytest.mark.parametrize("back", [False, True])
async def test_a_lease_of_the_preset_auto_is_taken_back_too(
    open_session: OpenSession, engine: LocalEngine, back: bool
) -> None:
    async with open_session(preset="auto", ceiling=("read:/workspace",)) as session:
        assert (await session.call("read", {"path": "a.txt"})).ok
        if back:
            revoke(engine, session, "read:/workspace")
        assert (await session.call("read", {"path": "b.txt"})).ok != back


async def test_a_person_who_is_asked_may_lend_it_again(
    open_session: OpenSession, engine: LocalEngine, approver: type
) -> None:
    person = approver(ForRun(), ForRun())
    async with open_session(approver=person) as session:
        assert (await session.call("read", {"path": "a.txt"})).ok
        revoke(engine, session, "read:/workspace/a.txt")
        assert (await session.call("read", {"path": "a.txt"})).ok
    assert len(person.questions) == 2
