"""A box on real files with the real tools: what is granted works, all else is a refusal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from capbox.agent.events import RunFinished
from capbox.agent.outcome import Completed
from capbox.authority.limits import Limits
from capbox.box import Box, SettingsError
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.journal.event import RunId
from capbox.journal.head import Signer
from capbox.journal.verify import Closed, Verdict, verify
from capbox.messages import Denial, ToolResult
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel
from capbox.store.journal import read
from capbox.undo.reverting import CHANGED

MakeBox = Callable[..., Box]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A folder with a text, a secret and a subfolder; beside it one that is not part of it."""
    folder = tmp_path / "workspace"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("alpha\n")
    (folder / "sub" / "b.txt").write_text("beta\n")
    (folder / ".env").write_text("KEY=secret\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("outside\n")
    return folder


@pytest.fixture
def make_box(engine: LocalEngine, workspace: Path) -> MakeBox:
    """Make a box on the workspace that uses the test's engine."""

    def made(*grants: str, **more: object) -> Box:
        return Box(workspace=workspace, grants=grants, engine=engine, **more)

    return made


def verdicts(home: Home) -> tuple[Verdict, ...]:
    """Judge every run in the journal."""
    return verify(home.state / "journal", Signer.load(home.state / "journal.key"))


def missing(result: ToolResult) -> str | None:
    """The grant that a refused call lacks; None for a call that was not refused."""
    return result.denied[0].missing if result.denied else None


# --- grants: each that allows beside what it does not ---------------------------------------------

READ = ("read", {"path": "a.txt"})
READ_SUB = ("read", {"path": "sub/b.txt"})
READ_ENV = ("read", {"path": ".env"})
WRITE = ("write", {"path": "new.txt", "content": "new\n"})
WRITE_SUB = ("write", {"path": "sub/new.txt", "content": "new\n"})

TABLE = [
    ((), READ, "read:/workspace/a.txt"),
    (("read:/workspace",), READ, None),
    (("read:/workspace",), READ_ENV, "read:/workspace/.env"),
    (("read:/workspace", "read:/workspace/.env"), READ_ENV, None),
    (("read:/workspace",), WRITE, "write:/workspace/new.txt"),
    (("write:/workspace",), WRITE, None),
    (("write:/workspace",), READ, None),
    (("read:/workspace/sub",), READ_SUB, None),
    (("read:/workspace/sub",), READ, "read:/workspace/a.txt"),
    (("read:/workspace/a.txt",), READ, None),
    (("read:/workspace/a.txt",), READ_SUB, "read:/workspace/sub/b.txt"),
    (("write:/workspace/new.txt",), WRITE, None),
    (("write:/workspace/new.txt",), WRITE_SUB, "write:/workspace/sub/new.txt"),
    (("read:/workspace except=sub",), READ, None),
    (("read:/workspace except=sub",), READ_SUB, "read:/workspace/sub/b.txt"),
    (("read:/workspace expires=1h",), READ, None),
    (("read:/workspace expires=2020-01-01T00:00:00Z",), READ, "read:/workspace/a.txt"),
]


@pytest.mark.parametrize(("grants", "call", "lacks"), TABLE)
async def test_a_call_does_what_is_granted_and_names_what_is_not(
    make_box: MakeBox, grants: tuple[str, ...], call: tuple[str, dict[str, str]], lacks: str | None
) -> None:
    tool, arguments = call
    async with make_box(*grants) as box:
        result = await box.call(tool, **arguments)
    assert (result.ok, missing(result)) == (lacks is None, lacks), result


async def test_a_refusal_is_a_value_with_reason_grant_and_flag(make_box: MakeBox) -> None:
    async with make_box() as box:
        result = await box.call("read", path="a.txt")
    denial = Denial(
        access="read /workspace/a.txt",
        reason="no grant covers it",
        missing="read:/workspace/a.txt",
        flag="--read a.txt",
    )
    assert (result.ok, result.denied, result.effects) == (False, (denial,), ())
    assert result.error is not None and result.error.code == "denied"


async def test_what_a_call_touched_is_listed_as_guest_and_host_name_it(
    make_box: MakeBox, workspace: Path
) -> None:
    async with make_box("write:/workspace") as box:
        result = await box.call("write", path="new.txt", content="four")
    written = [e for e in result.effects if e.path == "/workspace/new.txt" and e.bytes]
    assert [(e.host_path, e.bytes) for e in written] == [(str(workspace / "new.txt"), 4)]
    assert (workspace / "new.txt").read_text() == "four"


@pytest.mark.parametrize(
    ("preset", "may_read", "may_write"),
    [("none", False, False), ("read-only", True, False), ("edit", True, True)],
)
async def test_a_preset_gives_what_its_name_says(
    make_box: MakeBox, preset: str, may_read: bool, may_write: bool
) -> None:
    async with make_box(preset=preset) as box:
        read = await box.call("read", path="a.txt")
        write = await box.call("write", path="new.txt", content="new")
    assert (read.ok, write.ok) == (may_read, may_write)


@pytest.mark.parametrize(("suffix", "may_write"), [("", False), (":ro", False), (":rw", True)])
async def test_a_map_shows_a_host_folder_where_it_says(
    make_box: MakeBox, tmp_path: Path, suffix: str, may_write: bool
) -> None:
    async with make_box(maps=[f"{tmp_path}/outside=/mnt/there{suffix}"]) as box:
        read = await box.call("read", path="/mnt/there/o.txt")
        by_host_name = await box.call("read", path=f"{tmp_path}/outside/o.txt")
        write = await box.call("write", path="/mnt/there/new.txt", content="new")
        beside = await box.call("read", path="/mnt/elsewhere/o.txt")
    assert (read.ok, by_host_name.ok, write.ok, beside.ok) == (True, True, may_write, False)
    assert (tmp_path / "outside" / "new.txt").exists() is may_write


async def test_an_outside_grant_is_seen_under_its_name(make_box: MakeBox, tmp_path: Path) -> None:
    async with make_box(f"read:{tmp_path}/outside") as box:
        seen = await box.call("read", path="/mnt/outside/o.txt")
        parent = await box.call("read", path=f"{tmp_path}/home")
    assert (seen.ok, "outside" in seen.content, parent.ok) == (True, True, False)


async def test_a_link_that_leads_out_shows_nothing(
    make_box: MakeBox, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "way-out").symlink_to(tmp_path / "outside")
    async with make_box("read:/workspace") as box:
        by_link = await box.call("read", path="way-out/o.txt")
        by_shell = await box.call("bash", script="cat way-out/o.txt")
    assert not by_link.ok
    assert "outside\n" not in by_link.content + by_shell.content
    assert by_shell.data is not None and by_shell.data["exit_code"] != 0


@pytest.mark.parametrize(
    ("grants", "shown"), [((), "[]\n"), (("env:GREETING=hello there",), "[hello there]\n")]
)
async def test_a_variable_is_visible_only_when_granted(
    make_box: MakeBox, grants: tuple[str, ...], shown: str
) -> None:
    quoted = [f'env:"{g.removeprefix("env:")}"' for g in grants]
    async with make_box(*quoted) as box:
        result = await box.call("bash", script='echo "[$GREETING]"')
    assert (result.ok, result.content) == (True, shown)


async def test_a_bound_of_the_box_stops_a_call_and_the_next_one_works(make_box: MakeBox) -> None:
    async with make_box("read:/workspace", limits=Limits(wall_seconds=1.0)) as box:
        endless = await box.call("bash", script="while :; do :; done")
        after = await box.call("read", path="a.txt")
    assert endless.error is not None
    assert (endless.error.code, after.ok) == ("time", True)


# --- what lasts, and for how long -----------------------------------------------------------------


async def test_directory_and_variables_of_bash_last_in_a_box_and_not_beyond(
    make_box: MakeBox,
) -> None:
    async with make_box("read:/workspace") as box:
        await box.call("bash", script="cd sub; export SEEN=yes")
        here = await box.call("bash", script="pwd; echo [$SEEN]; cat b.txt")
    async with make_box("read:/workspace") as box:
        fresh = await box.call("bash", script="pwd; echo [$SEEN]")
    assert here.content == "/workspace/sub\n[yes]\nbeta\n"
    assert fresh.content == "/workspace\n[]\n"


async def test_scratch_is_shared_by_the_calls_of_a_box_and_wiped_with_it(
    make_box: MakeBox, home: Home
) -> None:
    async with make_box() as box, make_box() as other:
        wrote = await box.call("bash", script="echo note > /tmp/f; : > /tmp/-odd")
        seen = await box.call("read", path="/tmp/f")
        unseen = await other.call("read", path="/tmp/f")
        (held, empty) = sorted(home.cache.glob("scratch/*"), key=lambda d: -len(os.listdir(d)))
        assert (sorted(os.listdir(held)), os.listdir(empty)) == (["-odd", "f"], [])
    assert (wrote.ok, seen.ok, unseen.ok) == (True, True, False)
    assert list(home.cache.glob("scratch/*")) == []


async def test_calls_beside_each_other_each_get_their_own_answer(
    make_box: MakeBox, workspace: Path
) -> None:
    results: dict[int, ToolResult] = {}

    async def read(box: Box, number: int) -> None:
        results[number] = await box.call("read", path=f"{number}.txt")

    for number in range(12):
        (workspace / f"{number}.txt").write_text(f"this is {number}.\n")
    async with make_box("read:/workspace") as box, anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(read, box, number)
    assert [f"this is {n}." in results[n].content for n in range(12)] == [True] * 12


async def test_the_journal_of_a_box_is_closed_when_it_is(make_box: MakeBox, home: Home) -> None:
    async with make_box("read:/workspace") as box:
        result = await box.call("read", path="a.txt")
    assert verdicts(home) == (Closed(str(result.journal), 4),)


async def test_closing_a_box_interrupts_its_calls_and_records_what_they_did(
    make_box: MakeBox, workspace: Path, home: Home
) -> None:
    results: list[ToolResult] = []
    begun = workspace / "begun"

    async def call(box: Box) -> None:
        results.append(await box.call("bash", script="echo x > begun; while :; do :; done"))

    async with anyio.create_task_group() as tasks, make_box("write:/workspace") as box:
        tasks.start_soon(call, box)
        while not begun.exists():
            await anyio.lowlevel.checkpoint()
    (result,) = results
    assert result.error is not None and result.error.code == "interrupted"
    run = RunId(str(result.journal))
    ended = [r.content for r in read(home.state / "journal", run) if r.content]
    assert [event["kind"] for event in ended] == ["opened", "intent", "outcome", "closed"]
    assert ended[2]["detail"] == "interrupted"
    assert [e["action"] for e in ended[2]["effects"] if e["path"] == "/workspace/begun"]
    assert verdicts(home) == (Closed(run, 4),)


async def test_a_box_without_a_call_leaves_no_run(make_box: MakeBox, home: Home) -> None:
    async with make_box("read:/workspace"):
        pass
    assert verdicts(home) == ()


async def test_an_exception_in_the_body_comes_out_as_it_is(make_box: MakeBox, home: Home) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with make_box("read:/workspace") as box:
            await box.call("read", path="a.txt")
            raise KeyError("mine")
    assert [type(v) for v in verdicts(home)] == [Closed]


async def test_a_box_that_is_not_open_says_so(make_box: MakeBox) -> None:
    with pytest.raises(RuntimeError, match="the box is not open"):
        await make_box().call("read", path="a.txt")


# --- settings that cannot be granted: an error when the box is opened -----------------------------


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"grants": ["read"]}, "read: at character"),
        ({"grants": ["read:relative"]}, "read:relative"),
        ({"grants": ["read:/workspace/nothing-here"]}, "no such file"),
        ({"grants": ["spawn:1"]}, "not supported yet"),
        ({"preset": "everything"}, "unknown preset"),
        ({"maps": ["nothing"]}, "HOST=/mnt/NAME"),
        ({"workspace": "/nowhere-at-all"}, "not a directory"),
        ({"workspace": ""}, "the path is empty"),
        ({"workspace": "/"}, "capbox's own directory"),
    ],
)
async def test_a_setting_that_cannot_be_granted_stops_the_box_from_opening(
    engine: LocalEngine, workspace: Path, more: dict[str, object], complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        async with Box(**{"workspace": workspace, "engine": engine, **more}):
            raise AssertionError("it opened")


# --- the blocking form, and runs --------------------------------------------------------------


def test_a_script_without_an_event_loop_uses_the_blocking_form(
    workspace: Path, tmp_path: Path, cache: Path
) -> None:
    own = tmp_path / "own"
    if (cache / "compiled").exists():
        shutil.copytree(cache / "compiled", own / "cache" / "compiled")
        (own / "cache").chmod(0o700)
    model = ScriptedModel("scripted", (ScriptedReply(text="done"),))
    with Box.sync(Box(workspace=workspace, grants=["read:/workspace"], home=own)) as box:
        read = box.call("read", path="a.txt")
        refused = box.call("write", path="a.txt", content="")
        events = box.run("a task", model=model)
    assert (read.ok, refused.ok) == (True, False)
    assert isinstance(events[-1], RunFinished) and events[-1].outcome == Completed()
    state = Home(own / "config", own / "state", own / "cache")
    assert [type(v) for v in verdicts(state)] == [Closed, Closed]


async def test_a_run_works_with_what_the_box_holds(make_box: MakeBox, workspace: Path) -> None:
    edit = '{"path": "a.txt", "old": "alpha", "new": "omega"}'
    model = ScriptedModel(
        "scripted",
        (ScriptedReply(tool_calls=(ScriptedCall("edit", edit),)), ScriptedReply(text="done")),
    )
    async with make_box("write:/workspace") as box:
        events = [event async for event in box.run("edit it", model=model)]
    assert isinstance(events[-1], RunFinished) and events[-1].outcome == Completed()
    assert (workspace / "a.txt").read_text() == "omega\n"


@pytest.mark.parametrize("spec", ["", "openai/gpt", "nobody/model", "scripted:missing.json"])
async def test_a_model_that_cannot_be_opened_is_a_settings_error(
    make_box: MakeBox, spec: str
) -> None:
    async with make_box() as box:
        with pytest.raises(SettingsError, match="model"):
            async for _ in box.run("a task", model=spec):
                raise AssertionError("it started")


async def test_a_folder_that_was_moved_away_is_not_followed(
    engine: LocalEngine, tmp_path: Path
) -> None:
    """A worker that waits holds the directory; the grant names the path."""
    granted = tmp_path / "work" / "pub"
    granted.mkdir(parents=True)
    (granted / "a.txt").write_text("old")
    async with Box(
        workspace=tmp_path / "work", grants=["read:/workspace/pub"], engine=engine
    ) as box:
        before = await box.call("bash", script="cat pub/a.txt")
        granted.rename(tmp_path / "private")
        granted.mkdir()
        (granted / "a.txt").write_text("new")
        after = await box.call("bash", script="cat pub/a.txt")
    assert (before.content.strip(), after.content.strip()) == ("old", "new")


@pytest.mark.parametrize("instead", ["nothing", "a link", "a file"])
async def test_a_workspace_that_is_gone_is_named_and_one_put_back_works(
    engine: LocalEngine, tmp_path: Path, home: Home, instead: str
) -> None:
    """Without its folder no grant means anything: "no grant covers it" would be a lie."""
    work, other = tmp_path / "work", tmp_path / "other"
    for folder in (work, other):
        folder.mkdir()
        (folder / "a.txt").write_text(f"in {folder.name}\n")
    async with Box(workspace=work, grants=["write:/workspace"], engine=engine) as box:
        before = await box.call("bash", script="cat a.txt")
        work.rename(tmp_path / "away")
        if instead == "a link":
            work.symlink_to(other)
        elif instead == "a file":
            work.write_text("in a file\n")
        gone = [
            await box.call("read", path="a.txt"),
            await box.call("write", path="a.txt", content="lost"),
            await box.call("bash", script="cat a.txt"),
            await box.call("grep", pattern="in"),
        ]
        if instead != "nothing":
            work.unlink()
        (tmp_path / "away").rename(work)
        after = await box.call("read", path="a.txt")
    assert (before.ok, after.ok) == (True, True)
    for result in gone:
        assert result.error is not None and result.error.code == "not_found"
        assert f"the workspace {work} is no longer a directory" in result.error.message
    assert (other / "a.txt").read_text() == "in other\n"
    run = RunId(str(after.journal))
    noted = [
        r.content["result"]
        for r in read(home.state / "journal", run)
        if r.content and "what" in r.content
    ]
    assert noted == ["not_found"] * len(gone)


async def test_a_cancelled_call_leaves_nothing_beside_the_one_file_it_was_granted(
    engine: LocalEngine, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "f.txt").write_text("x")
    script = "for i in 1 2 3; do echo junk > .capbox-$i-f.txt.tmp; done; sleep 20"
    async with Box(workspace=work, grants=["write:/workspace/f.txt"], engine=engine) as box:
        with anyio.move_on_after(3):
            await box.call("bash", script=script)
    assert sorted(path.name for path in work.iterdir() if path.is_file()) == ["f.txt"]


async def test_the_same_calls_side_by_side_are_a_principals_own_affair(
    make_box: MakeBox, workspace: Path
) -> None:
    (workspace / "a.txt").write_text("here\n")
    results: list[ToolResult] = []

    async def call(box: Box) -> None:
        results.append(await box.call("bash", script="cat a.txt"))

    async with make_box("read:/workspace") as box:
        for _ in range(2):
            async with anyio.create_task_group() as tasks:
                for _ in range(4):
                    tasks.start_soon(call, box)
    assert [result.content for result in results] == ["here\n"] * 8


async def test_a_box_undoes_what_its_calls_changed_and_goes_on(
    tmp_path: Path, engine: LocalEngine
) -> None:
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "a.txt").write_text("one\n")
    async with Box(workspace=tmp_path / "w", grants=["write:/workspace"], engine=engine) as box:
        for name in ("a.txt", "b.txt"):
            assert (await box.call("write", path=name, content="two\n")).ok
        assert [step.action for step in (await box.undo("b.txt")).steps] == ["delete"]
        assert (tmp_path / "w" / "a.txt").read_text() == "two\n"
        done = await box.undo()
        assert (done.left, (tmp_path / "w" / "a.txt").read_text()) == ((), "one\n")
        assert (await box.call("write", path="c.txt", content="three\n")).ok
        (tmp_path / "w" / "c.txt").write_text("mine\n")
        assert [step.reason for step in (await box.undo()).left] == [CHANGED]


@pytest.mark.parametrize(
    ("grant", "budget", "why"),
    [
        ("write:/workspace", {"calls": 2}, "budget_exceeded"),
        ("write:/workspace uses=2", {}, "denied"),
        ("write:/workspace", {}, ""),
    ],
)
async def test_what_was_spent_is_not_given_back_by_an_undo(
    make_box: MakeBox, workspace: Path, grant: str, budget: dict[str, float], why: str
) -> None:
    codes: list[str] = []
    async with make_box(grant, budget=budget) as box:
        for number in range(3):
            result = await box.call("write", path="new.txt", content=f"{number}\n")
            codes.append("" if result.error is None else result.error.code)
            if result.ok:
                assert (await box.undo()).left == ()
                assert not (workspace / "new.txt").exists()
        assert codes == ["", "", why]


async def test_after_an_undo_a_box_knows_what_it_has_read_and_holds_nothing_that_was_revoked(
    make_box: MakeBox,
) -> None:
    box = make_box("write:/workspace", "tool:tell untainted")

    @box.tool(effect="send")
    def tell(text: str) -> str:
        """Tell somebody."""
        return text

    async with box:
        assert (await box.call("tell", text="hi")).ok
        assert (await box.call("read", path="a.txt")).ok
        assert (await box.call("write", path="new.txt", content="x\n")).ok
        (before,) = box.authorities
        await box.undo()
        refused = await box.call("tell", text="hi")
        assert "untainted" in str(refused.denied)
        assert box.authorities == (before,)
        box.revoke(before)
        assert (await box.call("read", path="a.txt")).error is not None


def test_a_closed_box_says_so_also_without_a_loop(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "workspace").mkdir()
    with Box.sync(Box(workspace=tmp_path / "workspace", home=tmp_path / "own")) as box:
        pass
    with pytest.raises(RuntimeError, match="the box is not open"):
        box.call("read", path="a.txt")


@pytest.mark.parametrize("budget", ["calls=1", 5, ["calls"]])
def test_a_budget_that_is_no_table_is_a_wrong_setting(budget: object) -> None:
    with pytest.raises(SettingsError, match="is amounts by key"):
        Box(budget=budget)  # type: ignore[arg-type]
