"""A run's entries become what it held and used; what has another shape counts for nothing."""

from __future__ import annotations

import pytest

from capbox.engine.radius.record import Lent, Recorded, Used, recorded
from capbox.messages import JsonObject

OPENED: JsonObject = {
    "kind": "opened",
    "who": "uid 1",
    "workspace": "/w",
    "authority_id": "a1",
    "authority": ["read:/workspace", "tool:read"],
    "tools": [],
    "versions": [],
    "started": 100.0,
}


def decision(what: str, subject: str, **more: str) -> JsonObject:
    """Return a decision's entry."""
    return {"kind": "decision", "what": what, "subject": subject, "result": "", **more}


def effect(action: str, path: str, **more: JsonObject) -> JsonObject:
    """Return an effect."""
    return {"action": action, "path": path, "host_path": None, "bytes": 1, **more}


def test_a_whole_run() -> None:
    did = [
        *(effect("read", "/workspace/a"), effect("read", "/workspace/a")),
        *(effect("create", "/workspace/b"), effect("write", "/workspace/b")),
        effect("delete", "/workspace/c"),
        effect("fetch", "https://x.example.com/", request={"secrets": ["GH"]}),
    ]
    request = {"kind": "request", "url": "https://x.example.com/a", "body_bytes": 7}
    contents: list[JsonObject] = [
        OPENED,
        {"kind": "intent", "tool": "bash"},
        request,
        {"kind": "outcome", "effects": did},
        decision("lease", "read:/etc/hosts", authority="l1", result="for the run"),
        decision("denial", "read /x"),
        {"kind": "turn", "usage": {"input_tokens": 5, "output_tokens": 2}, "usd": 0.5},
        {"kind": "turn", "usage": {"input_tokens": 1}, "usd": None},
        decision("revocation", "a1"),
        {"kind": "closed", "outcome": "done", "ended": 200.0},
    ]
    assert recorded("r", contents) == Recorded(
        run="r",
        workspace="/w",
        authority="a1",
        grants=("read:/workspace", "tool:read"),
        leases=(Lent("read:/etc/hosts", "l1", "for the run"),),
        revoked=frozenset({"a1"}),
        started=100.0,
        ended=True,
        used=Used(
            calls=(("bash", 1),),
            read_files=1,
            written_files=1,
            deleted_files=1,
            origins=(("https://x.example.com", 1),),
            sent_bytes=7,
            secrets=("GH",),
            refused=1,
            tokens=8,
            usd=0.5,
        ),
    )


def test_a_run_under_way_has_not_ended() -> None:
    found = recorded("r", [OPENED])
    assert found is not None
    assert (found.ended, found.used) == (False, Used())


@pytest.mark.parametrize(
    "contents",
    [[], [{"kind": "closed"}], [{**OPENED, "started": None}], [{**OPENED, "kind": "intent"}]],
)
def test_without_a_header_there_is_no_run(contents: list[JsonObject]) -> None:
    assert recorded("r", contents) is None


def test_entries_of_another_shape_count_for_nothing() -> None:
    odd: list[JsonObject] = [
        {**OPENED, "authority": [1, "read:/workspace", None]},
        {"kind": "outcome", "effects": "none"},
        {"kind": "outcome", "effects": [1, {"action": "read"}, {"action": ["read"]}]},
        {"kind": "turn", "usage": 3, "usd": "much"},
        {"kind": "request", "url": 5, "body_bytes": "x"},
    ]
    found = recorded("r", odd)
    assert found is not None
    assert found.grants == ("read:/workspace",)
    assert (found.used.tokens, found.used.usd, found.used.sent_bytes) == (0, 0.0, 0)
