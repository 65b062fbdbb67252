"""Sessions: what was said is there message by message, found, forked, and gone when deleted."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.messages import (
    AssistantMessage,
    Message,
    SummaryMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from capbox.store.errors import StoreError
from capbox.store.names import is_session_id, session_id, title_of
from capbox.store.runs import RunStore, StoredRun, open_runs
from capbox.store.search import Search
from capbox.store.sessions import StoredSession

A, B = "a" * 16, "b" * 16
ONE = StoredSession(A, "tidy up", "/w", "m", 1.0, 1.0)
CALL = ToolCall("c1", "read", {"path": "half \ud800"})
SAID: tuple[Message, ...] = (
    UserMessage("tidy the garden"),
    AssistantMessage("I look", (CALL,)),
    ToolMessage("c1", "read", "Die Bücher stehen im Regal.", False, ("workspace:/workspace/a",)),
    SummaryMessage("it went on", 1, ("web:https://a.example",)),
    AssistantMessage("done"),
)


async def filled(store: RunStore) -> None:
    """One session of one run, with all kinds of messages."""
    await store.sessions.begin(ONE)
    await store.begin(StoredRun("r1", 1.0, "tidy up", "/w", "m", session=A))
    for number, message in enumerate(SAID):
        await store.sessions.append(A, "r1", message, at=2.0 + number)


async def test_what_was_said_reads_back_in_another_process_life(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
    async with open_runs(tmp_path / "runs.db") as store:
        assert tuple(m.message for m in await store.sessions.messages(A)) == SAID
        assert await store.sessions.get(A) == replace(ONE, updated=6.0, messages=5)
        assert await store.sessions.runs(A) == ("r1",)


async def test_the_newest_session_is_the_one_last_spoken_in(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        await store.sessions.begin(replace(ONE, id=B, workspace="/other", updated=9.0))
        assert [s.id for s in await store.sessions.newest()] == [B, A]
        await store.sessions.append(A, "r1", SAID[0], at=9.5)
        assert [s.id for s in await store.sessions.newest()] == [A, B]
        await store.sessions.append(B, "r2", SAID[0], at=10.0)
        assert [s.id for s in await store.sessions.newest()] == [B, A]
        assert [s.id for s in await store.sessions.newest(workspace="/w")] == [A]


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("garden", [0]),
        ("GARDEN tidy", [0]),
        ("garden books", []),
        ("bücher", [2]),
        ("read", [1]),
        ("done", [4]),
        ('"garden', [0]),
        ("garden*", [0]),
        ("garden OR done", []),
        ("words:garden", []),
        ("", []),
        ("   ", []),
    ],
)
async def test_a_search_finds_the_messages_that_hold_every_word(
    tmp_path: Path, words: str, places: list[int]
) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        assert [f.seq for f in await store.sessions.search(words)] == places


async def test_a_search_finds_what_was_said_after_the_last_one(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        assert await store.sessions.search("roses") == ()
        await store.sessions.append(A, "r1", UserMessage("and roses"), at=9.0)
        (found,) = await store.sessions.search("roses")
        assert (found.session, found.seq, found.excerpt) == (A, 5, "and roses")


async def test_what_is_found_keeps_its_sources(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        (found,) = await store.sessions.search("Regal")
        assert found.sources == ("workspace:/workspace/a",)


async def test_a_search_keeps_to_the_workspace_that_was_named(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        assert len(await store.sessions.search("garden", workspace="/w")) == 1
        assert await store.sessions.search("garden", workspace="/other") == ()


class WithoutIndex(Search):
    """As where SQLite was built without FTS5."""

    async def slow(self) -> str:
        return "slow"


@pytest.mark.parametrize(("words", "places"), [("GARDEN", [0]), ("bücher", [2]), ("none", [])])
async def test_without_an_index_the_same_is_found_slowly(
    tmp_path: Path, words: str, places: list[int]
) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        search = WithoutIndex(store.sessions.statements)
        assert [f.seq for f in await search.find(words, 5, "/w")] == places
        assert await search.find(words, 5, "/other") == ()


async def test_a_fork_has_its_own_copy_of_what_was_said(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await filled(store)
        await store.sessions.fork(ONE, 2, B, at=20.0)
        await store.sessions.append(B, "r2", UserMessage("otherwise"), at=21.0)
        assert tuple(m.message for m in await store.sessions.messages(A)) == SAID
        forked = tuple(m.message for m in await store.sessions.messages(B))
        assert forked == (*SAID[:2], UserMessage("otherwise"))
        await store.sessions.delete(A)
        assert len(await store.sessions.messages(B)) == 3
        child = await store.sessions.get(B)
        assert child is not None and (child.parent, child.place) == (A, 2)


async def test_a_deleted_session_leaves_no_word_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    async with open_runs(file) as store:
        await filled(store)
        await store.append("r1", {"type": "model_reply", "text": "the garden again"}, at=3.0)
        await store.sessions.search("garden")
        await store.sessions.delete(A)
        assert await store.sessions.search("garden") == ()
        assert await store.sessions.get(A) is None
        run = await store.get("r1")
        assert run is not None and run.task == ""
    assert b"garden" not in file.read_bytes()


@pytest.mark.parametrize("act", ["rename", "tag", "delete", "append"])
async def test_what_names_no_session_is_refused(tmp_path: Path, act: str) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        sessions = store.sessions
        with pytest.raises(StoreError, match=f"there is no session {B}"):
            match act:
                case "rename":
                    await sessions.rename(B, "x")
                case "tag":
                    await sessions.tag(B, ("x",))
                case "delete":
                    await sessions.delete(B)
                case _:
                    await sessions.append(B, "r", SAID[0], at=0.0)


async def test_titles_and_tags_change(tmp_path: Path) -> None:
    async with open_runs(tmp_path / "runs.db") as store:
        await store.sessions.begin(ONE)
        await store.sessions.rename(A, "another\nname")
        await store.sessions.tag(A, ("b", "a", "b"))
        found = await store.sessions.get(A)
        assert found is not None and (found.title, found.tags) == ("another name", ("a", "b"))


async def test_a_message_that_somebody_broke_is_named(tmp_path: Path) -> None:
    file = tmp_path / "runs.db"
    async with open_runs(file) as store:
        await filled(store)
    with sqlite3.connect(file) as database:
        database.execute("UPDATE messages SET json = '{}' WHERE seq = 3")
    async with open_runs(file) as store:
        with pytest.raises(StoreError, match=f"message 3 of session {A} cannot be read"):
            await store.sessions.messages(A)


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        (session_id(b"0123456789"), True),
        (A, True),
        ("", False),
        ("../" + "a" * 13, False),
        ("A" * 16, False),
        ("a" * 17, False),
        ("a" * 15 + "\n", False),
    ],
)
def test_an_id_is_opaque_and_never_a_path(name: str, fits: bool) -> None:
    assert is_session_id(name) is fits


@pytest.mark.parametrize(
    ("task", "title"),
    [
        ("tidy\n  up", "tidy up"),
        ("", "(no title)"),
        ("x" * 100, "x" * 77 + "..."),
        ("\ud800", "\\ud800"),
    ],
)
def test_a_title_is_one_line(task: str, title: str) -> None:
    assert title_of(task) == title
