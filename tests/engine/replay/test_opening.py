"""What a run held is on its tape as it was, whoever could be asked: read back, it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.conftest import OpenSession, ScriptedApprover
from tests.engine.replay.conftest import Replay

from capbox.authority.parse import GrantError, parse_grant
from capbox.engine.replay.opening import described, grant_of, parse_opening
from capbox.gate.approver import No, Once
from capbox.gate.seat import Seat

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
        read = parse_opening(described(seat, (), {}))
    assert read.authority.grants == tuple(minted.grant for minted in seat.authority.grants)
    assert read.ceiling is not None
    assert read.ceiling.grants == tuple(minted.grant for minted in seat.ceiling.grants)
    assert (await replay(run)).identical


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
