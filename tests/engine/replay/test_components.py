"""What a component did to files: on record, undone, redone and replayed as any guest's effects."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from tests.engine.conftest import OpenSession, Records
from tests.engine.replay.conftest import Replay
from tests.engine.replay.test_replaying import states
from tests.sandbox.component import text
from tests.tools.packages.making import Person, packed, workshop
from tests.undo.hand import tree

from capbox.engine.home import Home
from capbox.tools.packages.installing.install import install
from capbox.tools.packages.installing.plan import Wishes
from capbox.undo.history import find
from capbox.undo.record import recorded_redo

NAMES = tuple(f"workspace/{name}" for name in ("new.txt", "a.txt", "b.txt", "c.txt"))
# It makes one file, deletes one, renames one, and says what the renamed one holds.
CHANGES = f"""(local $made i32)
  (local.set $made (call $open {text.at(0, NAMES)} (i32.const {text.CREATE})
    (i32.const {text.WRITE})))
  (call $write (local.get $made) {text.at(0, NAMES)} (i64.const 0) (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then unreachable))
  (call $unlink-file-at (call $root) {text.at(1, NAMES)} (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then unreachable))
  (call $rename-at (call $root) {text.at(2, NAMES)} (call $root) {text.at(3, NAMES)}
    (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then unreachable))
  (call $read (call $open {text.at(3, NAMES)} (i32.const 0) (i32.const {text.READ}))
    (i64.const 4096) (i64.const 0) (i32.const 64))
  (call $out (i32.load (i32.const 68)) (i32.load (i32.const 72)))"""
MANIFEST = """\
name = "changer"
version = "1.0.0"
description = "Changes three files."
license = "MIT"
module = "changer.wasm"
access = "write"
abi = "text"
argv = []
[input_schema]
type = "object"
[requests]
required = ["write:*"]
"""


@pytest.fixture
def changer(home: Home, tmp_path: Path) -> None:
    """The component is installed as a tool, before a session looks for tools."""
    wasm = bytes(wasmtime.wat2wasm(text.files(CHANGES, *NAMES)))
    layout, _ = packed(tmp_path / "outside", MANIFEST, wasm)
    install(workshop(home), layout.folder, Wishes(), Person())


async def test_changes_of_a_component_are_recorded_undone_and_replayed(
    workspace: Path,
    home: Home,
    changer: None,
    open_session: OpenSession,
    records: Records,
    replay: Replay,
) -> None:
    before = tree(workspace)
    async with open_session("write:/workspace", "tool:changer") as session:
        done = await session.call("changer", {})
        assert (done.content, done.error) == ("beta\n", None)
        run = done.journal
        (outcome,) = (e for e in records.entries(run or "") if e.get("kind") == "outcome")
        effects = outcome["effects"]
        assert isinstance(effects, list)
        assert [(e["action"], e["path"]) for e in effects if isinstance(e, dict)] == [
            ("create", "/workspace/new.txt"),
            ("delete", "/workspace/a.txt"),
            ("rename", "/workspace/b.txt"),
            ("create", "/workspace/c.txt"),
            ("read", "/workspace/c.txt"),
        ]
        after = tree(workspace)
        await session.undo((), run=run, force=False)
        assert tree(workspace) == before
        again = recorded_redo(
            home.state, find(home.state / "undo", run, str(workspace)), force=False
        )
        assert again.left == ()
        assert tree(workspace) == after != before
    report = await replay(run)
    assert (report.identical, states(report)) == (True, [("changer", "identical")])
    assert tree(workspace) == after


async def test_a_component_without_the_grant_changes_nothing(
    workspace: Path, changer: None, open_session: OpenSession, replay: Replay
) -> None:
    before = tree(workspace)
    async with open_session("read:/workspace", "tool:changer") as session:
        denied = await session.call("changer", {})
    assert [d.access for d in denied.denied] == ["write /workspace/new.txt"]
    assert tree(workspace) == before
    report = await replay(denied.journal)
    assert (report.difference, states(report)) == (None, [("changer", "identical")])
