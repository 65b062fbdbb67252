"""What a run held is on its tape as it was, whoever could be asked: read back, it is the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.engine.conftest import OpenSession, ScriptedApprover
from tests.engine.replay.conftest import Replay

from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.values.label import Source
from capbox.authority.web.places import Origin
from capbox.engine.replay.opening import described, grant_of, parse_opening
from capbox.gate.approver import No, Once
from capbox.gate.holdings import Holdings
from capbox.gate.seat import Seat
from capbox.journal.counting import Used
from capbox.messages import Json

SOURCES = frozenset(
    {
        Source("workspace", "/workspace/a.txt", trusted=True),
        Source("secret", "KEY", origin=Origin("https", "a.example", 8443)),
    }
)

DENY = """[policy]
allow = ["read:/workspace", "fetch:http://localhost:1"]
deny = ["read:/workspace/private", 'fetch:"POST http://a.example/x/*"', "env:CI"]
"""


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"policy": DENY},
        {"grants": ("write:/workspace", 'fetch:"GET,POST https://*.a.example/x/*?*" uses=3')},
        {"ceiling": ("write:/workspace except=**/.env,*.key", "fetch:https://a.example rate=5/s")},
        {"preset": "edit"},
        {"preset": "auto", "ceiling": ("read:/workspace expires=1h",)},
    ],
)
async def test_all_that_a_run_holds_is_read_back_as_it_was(
    open_session: OpenSession,
    approver: type[ScriptedApprover],
    replay: Replay,
    tmp_path: Path,
    settings: dict[str, object],
) -> None:
    if "policy" in settings:
        file = tmp_path / "policy.toml"
        file.write_text(str(settings["policy"]))
        file.chmod(0o600)
        settings = {**settings, "policy": file}
    grants = settings.pop("grants", ()) if "grants" in settings else ()
    assert isinstance(grants, tuple)
    asked = approver(Once(), No("not that one"))
    async with open_session(*grants, approver=asked, **settings) as session:
        await session.call("read", {"path": "a.txt"})
        run = session.calls_run
        seat = session._seats[0]
        assert isinstance(seat, Seat) and seat.ceiling is not None
        read = parse_opening(described(seat, (), {}, Holdings()))
    assert read.authority.grants == tuple(minted.grant for minted in seat.authority.grants)
    assert read.ceiling is not None
    assert read.ceiling.grants == tuple(minted.grant for minted in seat.ceiling.grants)
    assert (await replay(run)).identical


async def test_what_was_used_and_known_before_the_first_call_is_part_of_it(
    open_session: OpenSession, replay: Replay
) -> None:
    async with open_session("write:/workspace uses=2") as session:
        runs = []
        for number in range(3):
            result = await session.call("write", {"path": f"{number}.txt", "content": "x"})
            assert result.ok is (number < 2)
            runs.append(session.calls_run)
            seat = session._seats[0]
            seat.context.sources |= SOURCES
            await session.undo((), run=None, force=False)
    assert [(await replay(run)).identical for run in runs] == [True] * 3
    holdings, used = Holdings(), Used(2, 10, (1.5, 2.5))
    holdings.resume(seat.authority.grants[0].id, used)
    told = json.loads(json.dumps(described(seat, (), {}, holdings)))
    read = parse_opening(told)
    assert (read.used, read.sources) == ({seat.authority.grants[0].id: used}, SOURCES)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("used", {"a#0": [1, 2]}),
        ("used", {"a#0": "1"}),
        ("used", {"a#0": [1, 2, {}]}),
        ("sources", ["web:https://a.example"]),
        ("sources", [["disk", "a", False, ""]]),
        ("sources", [["web", "a", 0, ""]]),
        ("sources", [["web", "a", False, "no origin"]]),
    ],
)
async def test_what_nobody_could_have_used_or_known_is_not_read(
    open_session: OpenSession, what: str, told: Json
) -> None:
    async with open_session("read:/workspace") as session:
        await session.call("read", {"path": "a.txt"})
        written = described(session._seats[0], (), {}, Holdings())
    assert parse_opening(written)
    with pytest.raises(ValueError):
        parse_opening({**written, what: told})


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("fetch:http://*:1..65535", True),
        ("fetch:https://*:1..65535 except=https://a.example", True),
        ("fetch:http://*", False),  # nobody mints that
        ("fetch:ftp://*:1..65535", False),
        ("read:/workspace fetch:http://*:1..65535", False),
    ],
)
def test_every_host_is_read_from_a_tape_and_from_nobody(text: str, reads: bool) -> None:
    assert isinstance(parse_grant(text), GrantError)
    if not reads:
        with pytest.raises(ValueError):
            grant_of(text)
        return
    assert str(grant_of(text)) == text
