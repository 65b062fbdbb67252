"""The list, the line, the wait and the search of a loop."""

from __future__ import annotations

import anyio
import pytest

from capbox.authority.values.label import Source
from capbox.tools.loop.finding import FOUND_MAX, Finding
from capbox.tools.loop.notes import ITEMS_MAX, Item, Notes, item_of
from capbox.tools.loop.told import Told, Unable, sources_of
from capbox.tools.loop.waiting import Waiting

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("[ ] look", Item("look", "open")),
        ("[>] look", Item("look", "doing")),
        ("[x] look", Item("look", "done")),
        ("[X] look", Item("look", "done")),
        ("look", Item("look", "open")),
        ("[?] look", Item("[?] look", "open")),
    ],
)
def test_an_item_begins_with_its_mark(text: str, item: Item) -> None:
    assert item_of(text) == item


@pytest.mark.parametrize(
    ("items", "kept"),
    [
        ([], True),
        (["[x] a", "b"], True),
        (["a"] * ITEMS_MAX, True),
        (["a"] * (ITEMS_MAX + 1), False),
        ([""], False),
        (["[x]"], False),
        (["a" * 301], False),
    ],
)
async def test_a_list_is_replaced_whole_or_kept(items: list[str], kept: bool) -> None:
    notes = Notes((Item("before"),))
    told = await notes.todo(items)
    assert isinstance(told, Told) == kept
    assert notes.items == (tuple(map(item_of, items)) if kept else (Item("before"),))


@pytest.mark.parametrize(("text", "told"), [("done", True), ("", False), ("x" * 501, False)])
async def test_a_line_is_short(text: str, told: bool) -> None:
    assert isinstance(await Notes().brief(text), Told) == told


@pytest.mark.parametrize(
    ("seconds", "most", "said"),
    [
        (0, 30, "slept 0 s; it is 1970-01-01 00:00:00+00:00"),
        (9, 0.5, "slept 0 s (one call may take 0.5 s, not more); it is 1970-01-01 00:00:00+00:00"),
    ],
)
async def test_a_wait_ends_within_the_limit_of_a_call(
    seconds: float, most: float, said: str
) -> None:
    told = await Waiting(most, lambda: 0.0).sleep(seconds)
    assert told == Told(said)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
async def test_a_wait_is_no_time_that_is_not(seconds: float) -> None:
    assert isinstance(await Waiting(30, lambda: 0.0).sleep(seconds), Unable)


async def test_a_wait_can_be_cancelled() -> None:
    with anyio.move_on_after(0) as scope:
        await Waiting(1e6, lambda: 0.0).sleep(1e5)
    assert scope.cancelled_caught


async def test_what_is_found_is_offered_after_what_was_and_only_once() -> None:
    finding = Finding({"send_mail": "Send a mail.\nTo anyone.", "send_fax": "Send a fax."})
    assert finding.shown(("read", "send_fax", "send_mail")) == ("read",)
    assert await finding.tool_search("a MAIL please") == Told(
        "send_mail: Send a mail.\nsend_fax: Send a fax."
    )
    assert await finding.tool_search("fax") == Told("send_fax: Send a fax.")
    assert finding.shown(("read", "send_fax", "send_mail")) == ("read", "send_mail", "send_fax")


async def test_a_search_is_bounded_and_says_when_nothing_is_there() -> None:
    finding = Finding({f"tool_{number}": "Do a thing." for number in range(50)})
    told = await finding.tool_search("thing")
    assert len(told.text.splitlines()) == FOUND_MAX == len(finding.found)
    none = await finding.tool_search("")
    assert isinstance(none, Unable) and none.text == "none of 50 more tools has these words"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web:https://a.example", {Source("web", "https://a.example")}),
        ("workspace:/workspace/a: b", {Source("workspace", "/workspace/a: b")}),
        ("secret:TOKEN", {Source("secret", "TOKEN")}),
        ("other:x", {Source("workspace", "*"), Source("secret", "*")}),
        ("web:", {Source("workspace", "*"), Source("secret", "*")}),
        ("", {Source("workspace", "*"), Source("secret", "*")}),
    ],
)
def test_labels_that_were_kept_as_text_lose_no_strictness(text: str, found: set[Source]) -> None:
    assert sources_of([text]) == found
    assert sources_of([]) == frozenset()
