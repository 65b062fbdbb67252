"""Rights become mounts: one a place, each covering right a rule, files told from directories."""

from pathlib import Path

import pytest

from capbox.authority.access import EnvAccess, ReadAccess
from capbox.authority.authority import Authority, FileRight
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId, GrantId, Standing
from capbox.authority.grant import Grant
from capbox.authority.holding import Holding
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath, HostPath, Layout
from capbox.gate.manifest import Request
from capbox.gate.rights.files import cut, host_path, linked_to, mounts
from capbox.sandbox.spec import Mount

EVERYTHING = (Request("read"), Request("write"))


def mounted(
    workspace: Path, grants: list[str], requests: tuple[Request, ...] = EVERYTHING
) -> tuple[Mount, ...]:
    """Mount what a run with these grants would get."""
    parsed = [g for g in map(parse_grant, grants) if isinstance(g, Grant)]
    assert len(parsed) == len(grants)
    held = Authority.root(parsed, limits=Limits(), budget=Budget(), id=AuthorityId("a"), now=0.0)
    assert isinstance(held, Authority)
    layout = Layout.of(HostPath(str(workspace)), [g.path for g in parsed if g.path is not None])
    assert isinstance(layout, Layout)
    rights = Holding((held,)).file_rights(Standing(0.0))
    return mounts(cut(rights, requests, layout).places)


def shape(found: tuple[Mount, ...]) -> list[tuple[str, str | None, list[tuple[bool, str]]]]:
    return [(m.guest, m.name, [(r.write, r.anchor) for r in m.rules]) for m in found]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with a directory, a file, and links to both."""
    place = tmp_path / "w"
    (place / "docs").mkdir(parents=True)
    (place / "docs" / "a").write_text("a")
    (place / "to-docs").symlink_to("docs")
    (place / "to-a").symlink_to("docs/a")
    return place


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([], []),
        (["read:/workspace"], [("/workspace", None, [(False, "")])]),
        (["read:/workspace/docs"], [("/workspace/docs", None, [(False, "docs")])]),
        (["read:/workspace/docs/a"], [("/workspace/docs/a", "a", [(False, "docs/a")])]),
        (["write:/workspace/docs/new"], [("/workspace/docs/new", "new", [(True, "docs/new")])]),
        (["write:/workspace/none/new"], []),
        (["read:/workspace/to-a"], [("/workspace/to-a", "to-a", [(False, "to-a")])]),
        (["read:/workspace/to-docs"], [("/workspace/to-docs", "to-docs", [(False, "to-docs")])]),
        (
            ["read:/workspace", "write:/workspace/docs"],
            [
                ("/workspace", None, [(False, "")]),
                ("/workspace/docs", None, [(False, "docs"), (True, "docs")]),
            ],
        ),
        (
            ["read:/workspace except=docs", "write:/workspace/docs"],
            [("/workspace", None, [(False, "")]), ("/workspace/docs", None, [(True, "docs")])],
        ),
        (
            ["read:/workspace", "write:/workspace"],
            [("/workspace", None, [(False, ""), (True, "")])],
        ),
        (["env:HOME", "tool:read"], []),
    ],
)
def test_grants_become_mounts(
    workspace: Path, grants: list[str], expected: list[tuple[str, str | None, list[object]]]
) -> None:
    assert shape(mounted(workspace, grants)) == expected


@pytest.mark.parametrize(
    ("requests", "writes"),
    [
        ((), None),
        ((Request("env"),), None),
        ((Request("read"),), False),
        ((Request("write"),), True),
        ((Request("read"), Request("write")), True),
        ((Request("write"), Request("read")), True),
    ],
)
def test_a_tool_that_does_not_request_writing_gets_none(
    workspace: Path, requests: tuple[Request, ...], writes: bool | None
) -> None:
    found = mounted(workspace, ["write:/workspace"], requests)
    assert [[r.write for r in m.rules] for m in found] == ([] if writes is None else [[writes]])


def test_a_request_for_writing_gives_no_right_that_only_reads(workspace: Path) -> None:
    assert mounted(workspace, ["read:/workspace"], (Request("write"),)) == ()


def test_a_request_for_one_path_narrows_to_it(workspace: Path) -> None:
    requests = (Request("read", GrantPath("/workspace/docs")),)
    assert shape(mounted(workspace, ["write:/workspace"], requests)) == [
        ("/workspace/docs", None, [(False, "docs")])
    ]
    assert mounted(workspace, ["read:/workspace/docs"], (Request("read", GrantPath("/etc")),)) == ()


def test_a_grant_that_names_an_excluded_file_reaches_it_alone(workspace: Path) -> None:
    (workspace / ".env").write_text("A=1")
    found = mounted(workspace, ["write:/workspace", "read:/workspace/.env"])
    assert shape(found) == [
        ("/workspace", None, [(True, "")]),
        ("/workspace/.env", ".env", [(False, ".env")]),
    ]
    assert ".env*" in found[0].rules[0].hidden


def test_a_host_file_is_mounted_by_its_name(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (found,) = mounted(workspace, [f"read:{tmp_path}/notes.txt"])
    assert (found.guest, found.host, found.name) == ("/mnt/notes.txt", str(tmp_path), "notes.txt")


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/workspace/docs/a", None),
        ("/workspace/none/x", None),
        ("/workspace/to-a", "/workspace/docs/a"),
        ("/workspace/to-docs/a", "/workspace/docs/a"),
        ("/workspace/to-docs/none", "/workspace/docs/none"),
    ],
)
def test_links_on_the_way_are_told(workspace: Path, path: str, leads_to: str | None) -> None:
    layout = Layout(HostPath(str(workspace)))
    assert linked_to(ReadAccess(GrantPath(path)), layout) == leads_to
    assert linked_to(EnvAccess("HOME"), layout) is None


def test_what_no_mount_shows_is_named_as_it_is_and_mounted_nowhere(workspace: Path) -> None:
    layout = Layout(HostPath(str(workspace)))
    assert host_path(GrantPath("/workspace/docs"), layout) == f"{workspace}/docs"
    assert host_path(GrantPath("/elsewhere/x"), layout) == "/elsewhere/x"
    right = FileRight(GrantPath("/elsewhere"), False, (), (), GrantId("g"), "elsewhere")
    assert cut((right,), EVERYTHING, layout).places == ()
    assert cut((right,), EVERYTHING, layout).rights == (right,)


def test_a_file_at_the_root_is_one_name_in_it(workspace: Path) -> None:
    (found,) = mounted(workspace, ["read:/no-such-name-here"])
    assert (found.host, found.name) == ("/", "no-such-name-here")


@pytest.mark.parametrize(
    ("grants", "requests", "expected"),
    [
        # What a request that comes first leaves out, one that comes later still gets.
        (["read:/workspace"], [Request("write"), Request("read")], [("/workspace", [False])]),
        (["read:/workspace"], [Request("env"), Request("read")], [("/workspace", [False])]),
        (["read:/workspace"], [Request("write", GrantPath("/workspace/docs"))], []),
        (
            ["write:/workspace"],
            [Request("write", GrantPath("/workspace/docs"))],
            [("/workspace/docs", [True])],
        ),
        # Its protected files can be read, as by any grant to write.
        (
            ["write:/workspace"],
            [Request("write", GrantPath("/workspace/.git"))],
            [("/workspace/.git", [False])],
        ),
        (["write:/workspace"], [Request("write", GrantPath("/workspace/.env"))], []),
        (
            ["write:/workspace"],
            [Request("read"), Request("write", GrantPath("/workspace/docs"))],
            [("/workspace", [False]), ("/workspace/docs", [False, True])],
        ),
        (
            ["write:/workspace/docs"],
            [Request("write", GrantPath("/workspace"))],
            [("/workspace/docs", [True])],
        ),
        # One grant is no more than one rule, and of two each has its own.
        (["read:/workspace/docs"], [Request("read")] * 2, [("/workspace/docs", [False])]),
        (
            ["write:/workspace", "read:/workspace"],
            [Request("read"), Request("write")],
            [("/workspace", [True, False])],
        ),
    ],
)
def test_a_tool_gets_what_it_requests_of_what_is_held(
    workspace: Path,
    grants: list[str],
    requests: list[Request],
    expected: list[tuple[str, list[bool]]],
) -> None:
    (workspace / ".git").mkdir()
    found = mounted(workspace, grants, tuple(requests))
    assert [(m.guest, [r.write for r in m.rules]) for m in found] == expected
