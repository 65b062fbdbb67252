"""What a policy denies is lent by no answer, whatever folder or host above it that is about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath, Layout
from capbox.engine.approvers.denial import denied_in, without
from capbox.engine.home import Home
from capbox.engine.session import Session
from capbox.gate.approver import Always, ForRun, Once

OpenSession = Callable[..., Session]
POLICY = '[policy]\nallow = ["read:/workspace"]\ndeny = ["read:/workspace/private"]\n'


@pytest.fixture
def private(workspace: Path) -> Path:
    """A folder in the workspace whose text nobody is to see."""
    folder = workspace / "private"
    folder.mkdir()
    (folder / "a").write_text("top-secret-plan")
    return folder


def grants(*texts: str) -> tuple[Grant, ...]:
    parsed = tuple(map(parse_grant, texts))
    assert all(isinstance(grant, Grant) for grant in parsed), parsed
    return tuple(grant for grant in parsed if isinstance(grant, Grant))


@pytest.mark.parametrize(
    ("held", "deny", "left"),
    [
        ("read:/workspace", "read:/workspace/private", ["read:/workspace except=/private"]),
        ("write:/workspace", "read:/workspace/private", ["write:/workspace except=/private"]),
        (
            "write:/workspace except=*.md uses=2",
            "read:/workspace/private",
            ["write:/workspace uses=2 except=*.md,/private"],
        ),
        (
            "write:/workspace",
            "write:/workspace/private",
            ["read:/workspace", "write:/workspace except=/private"],
        ),
        # A counter is not doubled by a second grant for what may still be read.
        (
            "write:/workspace uses=2",
            "write:/workspace/private",
            ["write:/workspace uses=2 except=/private"],
        ),
        ("write:/workspace/out", "write:/workspace", ["read:/workspace/out"]),
        ("write:/workspace/out", "read:/workspace", []),
        ("read:/workspace", "write:/workspace", ["read:/workspace"]),
        ("read:/workspace/a", "read:/workspace/b", ["read:/workspace/a"]),
        ("read:/workspace/private", "read:/workspace/PRIVATE", []),
        ("read:/workspace", "read:/workspace/a*b,c", ["read:/workspace except=/a\\*b?c"]),
        ("tool:bash", "tool:bash", []),
        ("tool:bash", "tool:edit", ["tool:bash"]),
        ("tool:bash", "read:/workspace", ["tool:bash"]),
        ("env:HOME=/x", "env:HOME", []),
        ("env:HOME", "env:PATH", ["env:HOME"]),
        ("model:some/*", "model:some/one", []),
        ("model:other/*", "model:some/*", ["model:other/*"]),
        (
            "fetch:https://*.example.com",
            "fetch:https://admin.example.com",
            ["fetch:https://*.example.com except=https://admin.example.com"],
        ),
        (
            "fetch:https://*.example.com except=https://a.example.com",
            'fetch:"POST,PUT https://b.example.com/x,y"',
            [
                "fetch:https://*.example.com except="
                '"https://a.example.com,POST https://b.example.com/x%2cy,'
                'PUT https://b.example.com/x%2cy"'
            ],
        ),
        ("fetch:https://a.example.com", "fetch:https://b.example.com", None),
        ("fetch:https://a.example.com", "fetch:http://a.example.com", None),
        ("fetch:https://a.example.com:444", "fetch:https://a.example.com", None),
        ('fetch:"GET https://a.example.com/x"', "fetch:https://*.example.com", []),
        (
            "fetch:http://[10.0.0.0/8]",
            "fetch:http://10.0.0.5",
            ["fetch:http://[10.0.0.0/8] except=http://10.0.0.5"],
        ),
    ],
)
def test_what_is_denied_is_taken_out_of_what_may_be_lent(
    held: str, deny: str, left: list[str] | None
) -> None:
    found = without(grants(held), grants(deny))
    assert [str(grant) for grant in found] == ([held] if left is None else left)
    assert grants(*map(str, found)) == found  # a lease is parsed from its text


def test_a_rule_on_a_path_holds_for_every_name_of_it(tmp_path: Path) -> None:
    workspace = tmp_path / "ws"
    (workspace / "real").mkdir(parents=True)
    (workspace / "link").symlink_to("real")
    layout = Layout(HostPath(str(workspace)))

    def named(rule: str) -> set[str]:
        return {str(grant) for grant in denied_in(grants(rule), layout)}

    assert named(f"read:{workspace}/real") >= {"read:/workspace/real"}
    assert named("write:/workspace/link") >= {"write:/workspace/link", "write:/workspace/real"}
    assert named(f"read:{tmp_path}") >= {"read:/workspace", f"read:{tmp_path}"}
    assert named("tool:bash") == {"tool:bash"}


@pytest.mark.parametrize("name", ["{workspace}/private", "/workspace/private", "/workspace/hidden"])
async def test_a_lease_of_the_folder_above_does_not_hold_what_is_denied(
    open_session: OpenSession, tmp_path: Path, workspace: Path, private: Path, name: str
) -> None:
    """The attack: the first question is about the folder above, and its lease opens everything."""
    (workspace / "hidden").symlink_to("private")
    file = tmp_path / "p.toml"
    async with open_session("read:/workspace") as session:  # what a whole lease would show
        found = await session.call("grep", {"pattern": "plan", "path": "."})
        assert "top-secret-plan" in found.content
    file.write_text(POLICY.replace("/workspace/private", name.format(workspace=workspace)))
    async with open_session(policy=file) as session:
        searched = await session.call("grep", {"pattern": "plan", "path": "."})
        other = await session.call("read", {"path": "a.txt"})
        alone = await session.call("read", {"path": "private/a"})
    assert (searched.ok, other.ok, alone.ok) == (True, True, False)
    assert "top-secret-plan" not in searched.content


@pytest.mark.parametrize("preset", ["none", "auto"])
async def test_nobodys_yes_lends_what_is_denied(
    open_session: OpenSession, approver: type, tmp_path: Path, private: Path, preset: str
) -> None:
    """Neither a person, who is asked about the folder above, nor `auto`, nor what was kept."""
    file = tmp_path / "p.toml"
    file.write_text('[policy]\ndeny = ["read:/workspace/private", "tool:grep"]\nunmatched = "ask"')
    ceiling = ("read:/workspace", "tool:grep") if preset == "auto" else ()
    person = approver(ForRun(), Once())
    async with open_session(
        policy=file, approver=person, preset=preset, ceiling=ceiling
    ) as session:
        searched = await session.call("grep", {"pattern": "plan", "path": "."})
    assert searched.ok
    assert "top-secret-plan" not in searched.content


async def test_what_was_approved_for_always_is_not_lent_once_it_is_denied(
    open_session: OpenSession, approver: type, tmp_path: Path, private: Path, home: Home
) -> None:
    async with open_session(approver=approver(Always())) as session:
        assert (await session.call("read", {"path": "private/a"})).ok
    async with open_session(approver=approver()) as session:
        assert (await session.call("read", {"path": "private/a"})).ok
    file = tmp_path / "p.toml"
    file.write_text(POLICY)
    async with open_session(policy=file) as session:
        assert not (await session.call("read", {"path": "private/a"})).ok


async def test_what_is_denied_for_writing_may_be_read(
    open_session: OpenSession, tmp_path: Path, workspace: Path
) -> None:
    (workspace / "fixed").mkdir()
    (workspace / "fixed" / "a").write_text("as it is")
    file = tmp_path / "p.toml"
    file.write_text('[policy]\nallow = ["write:/workspace"]\ndeny = ["write:/workspace/fixed"]\n')
    async with open_session(policy=file) as session:
        read = await session.call("read", {"path": "fixed/a"})
        made = await session.call("write", {"path": "new", "content": "x"})
        wrote = await session.call("write", {"path": "fixed/a", "content": "changed"})
        script = "echo x > fixed/a; echo x > fixed/b; mv fixed else; echo y > other"
        ran = await session.call("bash", {"script": script})
    assert (read.ok, made.ok, wrote.ok) == (True, True, False)
    assert [p.name for p in (workspace / "fixed").iterdir()] == ["a"], ran
    assert (workspace / "fixed" / "a").read_text() == "as it is"
    assert (workspace / "other").read_text() == "y\n"


async def test_a_flag_is_stronger_than_a_policy(
    open_session: OpenSession, tmp_path: Path, private: Path
) -> None:
    file = tmp_path / "p.toml"
    file.write_text(POLICY)
    async with open_session("read:/workspace/private", policy=file) as session:
        await session.call("grep", {"pattern": "plan", "path": "."})
        assert (await session.call("read", {"path": "private/a"})).ok
