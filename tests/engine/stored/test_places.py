"""What a tool keeps: it lasts, it is bounded, and nobody else sees it. Real tools, real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.conftest import OpenSession, Records

from capbox.authority.paths import HostPath
from capbox.engine.home import Home
from capbox.engine.settings import SettingsError
from capbox.engine.stored.places import OWNER, Places
from capbox.messages import ToolResult

NOTES = "store:notes"


async def bash(open_session: OpenSession, workspace: Path, script: str, *grants: str) -> ToolResult:
    """Run a script in a session of its own."""
    async with open_session(*grants, workspace=workspace) as session:
        return await session.call("bash", {"script": script})


def named(pattern: str, folder: Path) -> list[Path]:
    """Find files below a folder."""
    return list(folder.rglob(pattern))


async def test_what_a_tool_keeps_is_there_in_the_next_run(
    open_session: OpenSession, workspace: Path, home: Home
) -> None:
    wrote = await bash(open_session, workspace, "echo 7 > /store/notes/n; ls /store", NOTES)
    assert wrote.content == "notes\n"
    assert {(e.action, e.path) for e in wrote.effects} >= {("create", "/store/notes/n")}
    read = await bash(open_session, workspace, "cat /store/notes/n", NOTES)
    assert (read.content, read.denied) == ("7\n", ())
    assert (named("n", workspace), len(named("n", home.stores))) == ([], 1)


@pytest.mark.parametrize(
    ("grants", "others"),
    [((), "none"), (("store:other",), "another name")],
    ids=["no grant", "another name"],
)
async def test_without_its_grant_there_is_no_store(
    open_session: OpenSession, workspace: Path, grants: tuple[str, ...], others: str
) -> None:
    await bash(open_session, workspace, "echo 7 > /store/notes/n", NOTES)
    read = await bash(open_session, workspace, "cat /store/notes/n; ls -d /store/*", *grants)
    assert "7" not in read.content, others
    assert "/store/notes/n" not in {e.path for e in read.effects}


@pytest.mark.parametrize(
    ("script", "grants", "told"),
    [
        ("echo 7 > /store/notes/n", (), ("write /store/notes/n", f"no grant of {NOTES}", NOTES)),
        (
            "echo 7 > /store/notes/n",
            ("store:other",),
            ("write /store/notes/n", f"no grant of {NOTES}", NOTES),
        ),
        ("echo 7 > /store/notes/n", (NOTES,), None),
    ],
    ids=["no grant", "another name", "granted"],
)
async def test_a_store_that_was_not_granted_is_asked_for_by_its_name(
    open_session: OpenSession,
    workspace: Path,
    script: str,
    grants: tuple[str, ...],
    told: tuple[str, str, str] | None,
) -> None:
    done = await bash(open_session, workspace, script, *grants)
    found = [(d.access, d.reason, d.missing, d.flag) for d in done.denied]
    assert found == ([] if told is None else [(*told, f"--grant {NOTES}")])


async def test_what_a_held_store_refuses_is_not_asked_for_again(
    open_session: OpenSession, workspace: Path
) -> None:
    await bash(open_session, workspace, "echo 7 > /store/notes/n", NOTES)
    async with open_session(NOTES) as session:
        found = await session.call("python", {"code": "open('/store/notes/../other/n')"})
        assert [d.flag for d in found.denied] == ["--grant store:other"]
        done = await session.call("glob", {"pattern": "/store/notes/*"})
    assert "--grant store:notes" not in {d.flag for d in done.denied}


async def test_a_store_is_one_tools_and_one_workspaces(
    open_session: OpenSession, workspace: Path, tmp_path: Path
) -> None:
    await bash(open_session, workspace, "echo 7 > /store/notes/n", NOTES)
    async with open_session(NOTES) as session:
        code = "import os; os.listdir('/store/notes')"
        other_tool = await session.call("python", {"code": code})
    assert other_tool.content == "=> []\n"
    elsewhere = await bash(open_session, tmp_path / "outside", "ls /store/notes", NOTES)
    assert elsewhere.content == ""


async def test_a_tool_that_asks_for_no_store_gets_none(
    open_session: OpenSession, workspace: Path
) -> None:
    await bash(open_session, workspace, "echo 7 > /store/notes/n", NOTES)
    async with open_session(NOTES) as session:
        found = await session.call("glob", {"pattern": "/store/**"})
    assert "notes" not in found.content


async def test_a_store_holds_no_more_than_its_bound_and_says_so(
    open_session: OpenSession, workspace: Path
) -> None:
    script = "head -c {} /dev/zero > /store/notes/{}; echo $?"
    bounded = f"{NOTES} bytes=100kB"
    first = await bash(open_session, workspace, script.format(60_000, "a"), bounded)
    assert first.content == "0\n"
    second = await bash(open_session, workspace, script.format(60_000, "b"), bounded)
    assert "No space left" in second.content or "no space" in second.content.lower()
    freed = await bash(
        open_session, workspace, f"rm /store/notes/*; {script.format(1, 'c')}", bounded
    )
    assert freed.ok  # what was deleted counts from the next call on
    third = await bash(open_session, workspace, script.format(60_000, "d"), bounded)
    assert third.content == "0\n"


async def test_empty_files_without_end_fill_a_store_too(
    open_session: OpenSession, workspace: Path, home: Home
) -> None:
    script = "i=0; while [ $i -lt 100 ]; do : > /store/notes/f$i || break; i=$((i+1)); done"
    done = await bash(open_session, workspace, script, f"{NOTES} bytes=100kB")
    assert done.ok and 0 < len(named("f*", home.stores)) < 30


@pytest.mark.attack
@pytest.mark.parametrize(
    "script",
    [
        "i=0; while [ $i -lt 100 ]; do : > /store/notes/f{0}-$i || break; i=$((i+1)); done",
        "truncate -s +30000 /store/notes/f",
    ],
    ids=["empty files", "a gap"],
)
async def test_what_takes_no_disk_does_not_grow_from_call_to_call(
    open_session: OpenSession, workspace: Path, home: Home, script: str
) -> None:
    """A call is charged for names and gaps, and the next one still finds them there."""
    for number in range(5):
        await bash(open_session, workspace, script.format(number), f"{NOTES} bytes=100kB")
    found = [one.stat() for one in named("*", home.stores) if one.is_file() and one.name != OWNER]
    assert 0 < len(found) < 26 and sum(one.st_size for one in found) <= 100_000
    assert sum(one.st_blocks for one in found) == 0, "the disk has room"


async def test_an_expired_store_is_gone(open_session: OpenSession, workspace: Path) -> None:
    gone = await bash(
        open_session, workspace, "ls /store/notes", f"{NOTES} expires=2000-01-01T00:00:00Z"
    )
    assert not gone.ok or "exit code" in gone.content


async def test_the_intent_on_record_names_the_store(
    open_session: OpenSession, workspace: Path, records: Records
) -> None:
    done = await bash(open_session, workspace, "true", NOTES)
    intents = [e for e in records.entries(done.journal or "") if "rights" in e]
    assert [e["rights"] for e in intents] == [["store /store/notes"]]


@pytest.mark.parametrize("text", ["store:../x", "store:/etc", "store:A", "store:a/b"])
async def test_a_name_that_could_lead_anywhere_is_refused(
    open_session: OpenSession, workspace: Path, text: str
) -> None:
    with pytest.raises(SettingsError, match="small letters"):
        open_session(text)


def test_places_differ_by_digest_workspace_and_name(tmp_path: Path) -> None:
    root = tmp_path / "stores"
    here, there = (Places(root, HostPath(f"/{name}")) for name in ("a", "b"))
    found = {here.place("1", "x"), here.place("2", "x"), here.place("1", "y")}
    found.add(there.place("1", "x"))
    assert len(found) == 4 and here.place("1", "x") in found
    for one in (here, there):
        one.close()
    assert all(Path(one).is_dir() and one.startswith(f"{root}/") for one in found)
    assert {p.stat().st_mode & 0o777 for p in root.rglob("*") if p.name != OWNER} == {0o700}
