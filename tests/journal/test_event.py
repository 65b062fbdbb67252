"""Events encode to one text, and run ids are safe names that sort."""

import json

import pytest

from capbox.journal.event import CallEnded, Decided, RunClosed, encode, is_run_id, run_id
from capbox.messages import Denial, Effect, Spent


def test_an_event_encodes_to_canonical_json_that_names_its_kind() -> None:
    assert (
        encode(RunClosed("finished", 2.5)) == '{"ended":2.5,"kind":"closed","outcome":"finished"}'
    )


def test_effects_denials_and_spent_are_objects_in_the_encoding() -> None:
    event = CallEnded(
        intent=1,
        end="ok",
        detail="",
        effects=(Effect("read", "/workspace/a", "/home/u/a", 3),),
        effects_whole=True,
        denied=(Denial("read /etc", "no grant", "read:/etc", "--read /etc"),),
        spent=Spent(wall_ms=4),
        content="00",
        clock="",
    )
    content = json.loads(encode(event))
    assert content["effects"] == [
        {"action": "read", "path": "/workspace/a", "host_path": "/home/u/a", "bytes": 3}
    ]
    assert content["denied"][0]["missing"] == "read:/etc"
    assert content["spent"]["wall_ms"] == 4


def test_text_that_is_not_unicode_still_encodes() -> None:
    assert "\\ud800" in encode(Decided("denial", "\ud800", "denied"))


def test_infinity_and_nan_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        encode(RunClosed("finished", float("nan")))


def test_run_ids_sort_by_start() -> None:
    earlier, later = run_id(1_800_000_000, b"\xff" * 10), run_id(1_800_000_001, b"\x00" * 10)
    assert (earlier, later) == (
        "20270115-080000-7777777777777777",
        "20270115-080001-aaaaaaaaaaaaaaaa",
    )
    assert earlier < later


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("20261121-101530-abcdefgh2345abcd", True),
        ("a", True),
        ("", False),
        ("..", False),
        ("../x", False),
        ("a/b", False),
        ("A", False),
        ("a\n", False),
        ("-a", False),
        ("a" * 65, False),
    ],
)
def test_a_run_id_is_never_a_path(text: str, allowed: bool) -> None:
    assert is_run_id(text) is allowed
