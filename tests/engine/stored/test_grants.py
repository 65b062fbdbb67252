"""Approvals for always: for this folder and this thing, within the ceiling, and nothing counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from capbox.authority.access import Access, ReadAccess, ToolAccess, WriteAccess
from capbox.authority.paths import GrantPath, HostPath, Layout
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.engine.stored.binding import born
from capbox.engine.stored.grants import StoredGrants
from capbox.gate.approver import Always, AskRequest, No, ask_request
from capbox.messages import ToolResult

OpenSession = Callable[..., Session]


def code(result: ToolResult) -> str | None:
    return None if result.error is None else result.error.code


def stored(home: Home) -> StoredGrants:
    return StoredGrants(home.grants, lambda: 5.0)


def shown(access: Access, grant: str | None = None) -> AskRequest:
    request = ask_request(
        access, run="r-1", tool="read", tool_digest="d1", host=None, arguments="{}"
    )
    return request if grant is None else AskRequest(**{**_fields(request), "grant": grant})


def _fields(request: AskRequest) -> dict[str, object]:
    return {name: getattr(request, name) for name in AskRequest.__slots__}


READ_A = ReadAccess(GrantPath("/workspace/a.txt"))
WRITE_A = WriteAccess(GrantPath("/workspace/a.txt"))


async def test_always_is_asked_once_in_this_folder_and_anew_in_another(
    open_session: OpenSession, approver: type, workspace: Path, home: Home, records: object
) -> None:
    person = approver(Always())
    async with open_session(approver=person) as session:
        first = await session.call("read", {"path": "a.txt"})
        again = await session.call("read", {"path": "a.txt", "offset": 1})
    nobody = approver()
    async with open_session(approver=nobody) as session:
        later = await session.call("read", {"path": "a.txt"})
        run = str(session.calls_run)
    other = workspace.parent / "other"
    shutil.copytree(workspace, other)
    elsewhere = approver(No())
    async with open_session(approver=elsewhere, workspace=other) as session:
        refused = await session.call("read", {"path": "a.txt"})
    assert list(map(code, (first, again, later, refused))) == [None, None, None, "denied"]
    assert [len(p.questions) for p in (person, nobody, elsewhere)] == [1, 0, 1]
    (kept,) = stored(home).all()
    leases = [e for e in records.entries(run) if e.get("what") == "lease"]
    assert [(e["subject"], e["result"], e["authority"]) for e in leases] == [
        ("read:/workspace/a.txt", f"always, as {kept.id}", f"{run}/always-{kept.id}")
    ]


async def test_where_nobody_would_be_asked_it_is_not_lent(
    open_session: OpenSession, approver: type
) -> None:
    """`capbox call` without --ask holds what its flags grant, and nothing else."""
    async with open_session(approver=approver(Always())) as session:
        assert (await session.call("read", {"path": "a.txt"})).ok
    async with open_session() as session:
        assert code(await session.call("read", {"path": "a.txt"})) == "denied"


@pytest.mark.parametrize(
    ("access", "change", "counts"),
    [
        (READ_A, lambda w: None, True),
        (READ_A, lambda w: (w / "a.txt").write_text("changed in place"), True),
        (READ_A, lambda w: replaced(w / "a.txt"), False),
        (READ_A, lambda w: (w / "a.txt").unlink(), False),
        (READ_A, lambda w: linked(w / "a.txt", w / "b.txt"), False),
        (READ_A, lambda w: reused(w / "a.txt"), False),
        (WRITE_A, lambda w: replaced(w / "a.txt"), True),
        (WRITE_A, lambda w: (w / "a.txt").unlink(), True),
        (WRITE_A, lambda w: linked(w / "a.txt", w / "b.txt"), False),
        (READ_A, lambda w: swapped(w), False),
        (WRITE_A, lambda w: swapped(w), False),
        (ReadAccess(GrantPath("/workspace/sub")), lambda w: replaced_folder(w / "sub"), False),
        (ReadAccess(GrantPath("/workspace/sub")), lambda w: None, True),
    ],
)
def test_it_counts_for_what_it_was_given_for(
    workspace: Path, home: Home, access: Access, change: Callable[[Path], object], counts: bool
) -> None:
    (workspace / "sub").mkdir()
    home.prepare()
    layout = Layout(HostPath(str(workspace)))
    assert stored(home).keep(shown(access), layout) is None
    change(workspace)
    (kept,) = stored(home).all()
    assert (kept.problem(layout, {}) is None) == counts


def reborn(part: str, birth: int | None, document: dict[str, object]) -> None:
    document["grants"][0][part]["born"] = birth


def reused(path: Path) -> None:
    """Put another file there, if possible with the inode of the first (ext4 does that at once)."""
    path.unlink()
    path.write_text("another")


def test_an_entry_of_another_birth_does_not_count(workspace: Path, home: Home) -> None:
    """Also where no inode is given twice; one written without a birth is asked about anew."""
    home.prepare()
    layout = Layout(HostPath(str(workspace)))
    here = born(str(workspace))
    for part in ("bound", "workspace"):
        for birth in (1, None):
            assert stored(home).keep(shown(READ_A), layout) is None
            spoilt(home.grants, partial(reborn, part, birth))
            (kept,) = stored(home).all()
            assert (kept.problem(layout, {}) is None) == (here == birth)
    assert stored(home).keep(shown(READ_A), layout) is None
    spoilt(home.grants, lambda d: d["grants"][0]["bound"].pop("born"))
    (kept,) = stored(home).all()
    assert (kept.problem(layout, {}) is None) == (here is None)


def replaced(path: Path) -> None:
    (path.parent / "new").write_text("new")
    (path.parent / "new").replace(path)


def linked(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def swapped(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    shutil.copytree(folder.with_name("away"), folder)


def replaced_folder(folder: Path) -> None:
    folder.rename(folder.with_name("old"))
    folder.mkdir()


def test_a_tool_counts_while_it_is_the_same(workspace: Path, home: Home) -> None:
    home.prepare()
    layout = Layout(HostPath(str(workspace)))
    assert stored(home).keep(shown(ToolAccess("read")), layout) is None
    (kept,) = stored(home).all()
    assert kept.problem(layout, {"read": "d1"}) is None
    assert kept.problem(layout, {"read": "d2"}) == "the tool was changed since"
    assert kept.problem(layout, {}) == "the tool was changed since"


@pytest.mark.parametrize(
    ("grant", "why"),
    [
        ("uses=3", "nobody counts here"),
        ("bytes=1MB", "nobody counts here"),
        ("expires=1h", "a restart would begin anew"),
        ("expires=2099-01-01T00:00:00Z", "a restart would begin anew"),
    ],
)
def test_what_ends_by_itself_or_nobody_counts_is_never_kept(
    workspace: Path, home: Home, grant: str, why: str
) -> None:
    home.prepare()
    layout = Layout(HostPath(str(workspace)))
    kept = shown(READ_A, f"fetch:https://a.example {grant}")
    assert why in str(stored(home).keep(kept, layout))
    assert stored(home).all() == ()


def spoilt(file: Path, change: Callable[[dict[str, object]], object]) -> None:
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


SPOILT: dict[str, Callable[[Path], object]] = {
    "no JSON": lambda f: f.write_text("{"),
    "another version": lambda f: spoilt(f, lambda d: d.update(version=2)),
    "an unknown key": lambda f: spoilt(f, lambda d: d.update(more=1)),
    "an unknown field": lambda f: spoilt(f, lambda d: d["grants"][0].update(more=1)),
    "no grant": lambda f: spoilt(f, lambda d: d["grants"][0].update(grant="read:x y z")),
    "a counted grant": lambda f: spoilt(
        f, lambda d: d["grants"][0].update(grant="read:/workspace/a.txt uses=3")
    ),
    "a file that is not bound": lambda f: spoilt(f, lambda d: d["grants"][0].update(bound=None)),
    "an inode that is a text": lambda f: spoilt(
        f, lambda d: d["grants"][0]["bound"].update(inode="7")
    ),
    "a birth that is a text": lambda f: spoilt(
        f, lambda d: d["grants"][0]["bound"].update(born="7")
    ),
    "others may write it": lambda f: f.chmod(0o666),
    "a link": lambda f: (f.rename(f.with_name("away")), f.symlink_to(f.with_name("away"))),
    "not UTF-8": lambda f: f.write_bytes(b"\xff"),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
async def test_a_file_that_cannot_be_used_is_kept_and_refused(
    open_session: OpenSession,
    approver: type,
    workspace: Path,
    home: Home,
    spoil: Callable[[Path], object],
) -> None:
    async with open_session(approver=approver(Always())) as session:
        await session.call("read", {"path": "a.txt"})
    spoil(home.grants)
    before = home.grants.read_bytes()
    person = approver(Always())
    async with open_session(approver=person) as session:
        result = await session.call("read", {"path": "a.txt"})
    assert (result.ok, len(person.questions)) == (True, 1)
    assert isinstance(stored(home).all(), str)
    assert isinstance(stored(home).remove("x"), str)
    assert home.grants.read_bytes() == before


async def test_never_rules_of_today_beat_an_approval_of_yesterday(
    open_session: OpenSession, approver: type, workspace: Path, home: Home
) -> None:
    async with open_session(approver=approver(Always())) as session:
        await session.call("read", {"path": "a.txt"})
    home.config.mkdir(exist_ok=True)
    (home.config / "config.toml").write_text(f'never = ["read {workspace}/a.txt"]')
    async with open_session(approver=approver()) as session:
        result = await session.call("read", {"path": "a.txt"})
    assert code(result) == "denied"


async def test_a_stored_grant_is_taken_back_like_any_other(
    open_session: OpenSession, approver: type, engine: object, home: Home
) -> None:
    async with open_session(approver=approver(Always())) as session:
        await session.call("read", {"path": "a.txt"})
    (kept,) = stored(home).all()
    person = approver(No())
    async with open_session(approver=person) as session:
        before = await session.call("read", {"path": "a.txt"})
        engine.register.revoke(f"{session.calls_run}/always-{kept.id}", "by the test")
        after = await session.call("read", {"path": "a.txt"})
    assert (code(before), code(after)) == (None, "denied")
    assert stored(home).remove(kept.id) is True
    assert stored(home).remove(kept.id) is False
    assert stored(home).all() == ()
