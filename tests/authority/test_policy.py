"""Never rules under every name of a path."""

import pytest

from capbox.authority.access import FileAccess, ReadAccess, WriteAccess
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath, HostPath, Layout, PathRefusal
from capbox.authority.policy import (
    NeverRule,
    never_in,
    parse_never,
)

HOME = HostPath("/home/u")


def rule(action: str, path: str) -> NeverRule:
    return NeverRule("read" if action == "read" else "write", GrantPath(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("never: read ~/.ssh", rule("read", "/home/u/.ssh")),
        ("read ~", rule("read", "/home/u")),
        ("write /srv/my data/", rule("write", "/srv/my data")),
        ("never: read /", rule("read", "/")),
        ("read //", rule("read", "/")),
        ("read /srv/XX//", rule("read", "/srv/XX")),
    ],
)
def test_a_never_rule_reads(text: str, expected: NeverRule) -> None:
    assert parse_never(text, HOME) == expected


@pytest.mark.parametrize(
    "text", ["", "read", "exec /bin/sh", "read x", "read ~other/x", "read /a/../b", "read /a\0"]
)
def test_what_is_not_a_never_rule_is_refused(text: str) -> None:
    assert isinstance(parse_never(text, HOME), PathRefusal)


@pytest.mark.parametrize(
    ("action", "access", "forbidden"),
    [
        ("read", ReadAccess(GrantPath("/a/b/c")), True),
        ("read", WriteAccess(GrantPath("/a/b")), True),
        ("read", ReadAccess(GrantPath("/A/B/c")), True),
        ("read", ReadAccess(GrantPath("/a/b2")), False),
        ("read", ReadAccess(GrantPath("/a")), False),
        ("write", WriteAccess(GrantPath("/a/b/c")), True),
        ("write", ReadAccess(GrantPath("/a/b/c")), False),
    ],
)
def test_a_never_rule_forbids_what_is_under_it(
    action: str, access: FileAccess, forbidden: bool
) -> None:
    assert rule(action, "/a/b").forbids(access) is forbidden


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("read:/a/b", True),
        ("write:/a/b/c", True),
        ("read:/a", False),
        ("read:/a/b2", False),
        ("tool:read", False),
    ],
)
def test_a_grant_inside_a_never_rule_is_forbidden(text: str, forbidden: bool) -> None:
    grant = parse_grant(text)
    assert isinstance(grant, Grant)
    assert rule("read", "/a/b").forbids_grant(grant) is forbidden


@pytest.mark.parametrize(
    ("workspace", "path", "expected"),
    [
        ("/home/u/p", "/home/u/.ssh", ["/home/u/.ssh"]),
        ("/home/u/p", "/home/u/p/key", ["/home/u/p/key", "/workspace/key"]),
        ("/home/u/p", "/home/u", ["/home/u", "/workspace"]),
        ("/home/u/p", "/home/u/p", ["/home/u/p", "/workspace"]),
        ("/home/u/p", "/home/u/p2", ["/home/u/p2"]),
        ("/", "/home/u", ["/home/u", "/workspace/home/u"]),
        ("/X", "/X/key", ["/X/key", "/workspace/key"]),
    ],
)
def test_a_never_rule_holds_for_both_names_of_the_workspace(
    workspace: str, path: str, expected: list[str]
) -> None:
    held = never_in([rule("read", path)], Layout(HostPath(workspace)))
    assert [r.path for r in held] == expected
