"""A holding is a list: one authority alone must allow; leases end; nothing is merged."""

from collections.abc import Callable

import pytest

from capbox.authority.access import (
    Access,
    EnvAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
)
from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import Allowed, AuthorityId, Denied, GrantId, Standing
from capbox.authority.exclusions import HIDDEN, PROTECTED
from capbox.authority.holding import FileRight, Holding, lend
from capbox.authority.paths import GrantPath

Root = Callable[..., Authority]
NOW = Standing(now=0.0)
LEASE = AuthorityId("lease")


def read(path: str) -> ReadAccess:
    return ReadAccess(GrantPath(path))


def write(path: str) -> WriteAccess:
    return WriteAccess(GrantPath(path))


def named(authority: Authority, name: str) -> Authority:
    child = authority.attenuate([m.grant for m in authority.grants], id=AuthorityId(name), now=0.0)
    assert isinstance(child, Authority)
    return child


def test_an_empty_holding_denies_everything() -> None:
    access = read("/workspace")
    assert Holding().decide(access, NOW) == Denied(access, "no grant covers it", access.missing)
    assert Holding().file_rights(NOW) == ()


def test_one_authority_in_the_list_suffices_and_none_is_merged(root: Root) -> None:
    one, two = named(root("read:/a"), "one"), named(root("read:/b"), "two")
    holding = Holding((one, two))
    for path, owner in [("/a", "one"), ("/b", "two")]:
        decision = holding.decide(read(path), NOW)
        assert isinstance(decision, Allowed)
        assert decision.authority == owner
    assert isinstance(holding.decide(read("/c"), NOW), Denied)
    gone = Standing(0.0, frozenset({AuthorityId("two")}))
    assert isinstance(holding.decide(read("/a"), gone), Allowed)
    assert isinstance(holding.decide(read("/b"), gone), Denied)


def test_the_most_telling_refusal_is_the_one_told(root: Root) -> None:
    holding = Holding((root("read:/b"), root("read:/workspace")))
    decision = holding.decide(read("/workspace/.env"), NOW)
    assert isinstance(decision, Denied)
    assert decision.reason.startswith("excluded: .env")


def test_a_never_rule_of_one_authority_holds_for_the_others(root: Root) -> None:
    holding = Holding((root(never=("read ~/x",)), root("read:/home/u", "read:/home/u/x")))
    decision = holding.decide(read("/home/u/x"), NOW)
    assert isinstance(decision, Denied)
    assert decision.missing is None
    assert [r.path for r in holding.file_rights(NOW)] == ["/home/u"]
    assert holding.file_rights(NOW)[0].refusal(read("/home/u/x")) is not None


def test_a_file_right_is_what_the_sandbox_enforces(root: Root) -> None:
    authority = root(
        "write:/home/u/p expires=10s except=*.log,a/b",
        "tool:bash",
        never=("read ~/p/secret", "write ~/p/fixed", "read ~/q"),
    )
    assert Holding((authority,)).file_rights(NOW) == (
        FileRight(
            path=GrantPath("/home/u/p"),
            write=True,
            hidden=(*HIDDEN, "/home/u/p/**/*.log", "/home/u/p/a/b", "/home/u/p/secret"),
            protected=(*PROTECTED, "/home/u/p/fixed"),
            grant=GrantId("root#0"),
            anchor="home/u/p",
        ),
    )
    assert Holding((authority,)).file_rights(Standing(10.0)) == ()


@pytest.mark.parametrize(
    ("path", "is_write", "expected"),
    [
        ("/", True, ("/workspace", True, "")),
        ("/workspace", False, ("/workspace", False, "")),
        ("/workspace/src", True, ("/workspace/src", True, "src")),
        ("/workspace/src", False, ("/workspace/src", False, "src")),
        ("/workspace/XX", True, ("/workspace/XX", True, "XX")),
        ("/workspace/.git", True, ("/workspace/.git", False, ".git")),
        ("/workspace/.git/hooks", True, ("/workspace/.git/hooks", False, ".git/hooks")),
        ("/workspace/.env", False, None),
        ("/workspace/a/.env/b", True, None),
        ("/workspace2", True, None),
        ("/home", True, None),
    ],
)
def test_a_right_is_cut_to_what_a_tool_requests(
    root: Root, path: str, is_write: bool, expected: tuple[str, bool, str] | None
) -> None:
    (right,) = Holding((root("write:/workspace"),)).file_rights(NOW)
    common = right.narrowed(GrantPath(path), write=is_write)
    assert (common and (common.path, common.write, common.anchor)) == expected


@pytest.mark.parametrize("path", ["/", "/workspace", "/workspace/src"])
def test_a_right_to_read_is_never_cut_to_one_to_write(root: Root, path: str) -> None:
    (right,) = Holding((root("read:/workspace"),)).file_rights(NOW)
    common = right.narrowed(GrantPath(path), write=True)
    assert common is not None
    assert not common.write


def test_a_narrowed_right_refuses_what_the_whole_one_refuses(root: Root) -> None:
    (right,) = Holding((root("write:/workspace except=src/b"),)).file_rights(NOW)
    common = right.narrowed(GrantPath("/workspace/src"), write=True)
    assert common is not None
    for tail in ("a", "b", "b/c", ".env", ".git/hooks", ".git", "c/b"):
        access = write(f"/workspace/src/{tail}")
        assert (common.refusal(access) is None) is (right.refusal(access) is None)


def test_the_first_grant_to_end_is_one_that_is_used_and_still_live(root: Root) -> None:
    holding = Holding((root("read:/b expires=9s", "read:/a expires=5s", "read:/c"),))
    every = {minted.id for minted in holding.live(NOW)}
    (second, first, endless) = holding.live(NOW)
    assert holding.first_to_end(NOW, every) == first
    assert holding.first_to_end(NOW, {second.id, endless.id}) == second
    assert holding.first_to_end(NOW, {endless.id}) is None
    assert holding.first_to_end(Standing(5.0), every) == second
    assert holding.first_to_end(Standing(9.0), every) is None
    assert holding.describe(Standing(9.0)) == ("read:/c",)


@pytest.mark.parametrize(
    ("ceiling", "lent", "refused"),
    [
        ("write:/workspace", read("/workspace/a"), read("/elsewhere")),
        ("read:/workspace", read("/workspace/a"), write("/workspace/a")),
        ("read:/workspace", read("/workspace/a"), read("/workspace/.env")),
        ("read:/workspace/.env", read("/workspace/.env"), read("/workspace/.env2")),
        ("read:/a except=b/c,*.pem uses=2", read("/a/b"), read("/a/b/c")),
        ("tool:bash", ToolAccess("bash"), ToolAccess("-rf")),
        ("model:a/*", ModelAccess("a/b"), ModelAccess("b")),
        ("env:A", EnvAccess("A"), EnvAccess("B")),
        ("env:A=1", EnvAccess("A"), EnvAccess("B")),
    ],
)
def test_a_lease_never_exceeds_the_ceiling(
    root: Root, ceiling: str, lent: Access, refused: Access
) -> None:
    held = root(ceiling)
    lease = lend(held, lent, seconds=5, id=LEASE, now=0.0)
    assert isinstance(lease, Authority)
    assert isinstance(lease.decide(lent, Standing(4.9)), Allowed)
    assert isinstance(lease.decide(lent, Standing(5.0)), Denied)
    assert isinstance(lend(held, refused, seconds=5, id=LEASE, now=0.0), AuthorityError)


def test_a_lease_carries_the_caveats_of_the_ceiling(root: Root) -> None:
    held = root("read:/a except=b/c,*.pem expires=60s uses=2")
    lease = lend(held, read("/a/b"), seconds=None, id=LEASE, now=0.0)
    assert isinstance(lease, Authority)
    assert [str(m.grant) for m in lease.grants] == [
        "read:/a/b expires=1970-01-01T00:01:00Z uses=2 except=**/*.pem,/c"
    ]
    assert isinstance(lease.decide(read("/a/b/d"), NOW), Allowed)
    assert isinstance(lease.decide(read("/a/b/c"), NOW), Denied)
    assert isinstance(lease.decide(read("/a/b/x/y.pem"), NOW), Denied)


@pytest.mark.parametrize(
    ("number", "standing", "upheld"),
    [
        (0, Standing(9.999), True),
        (0, Standing(10.0), False),
        (0, Standing(0.0, frozenset({AuthorityId("leaf")})), False),
        (0, Standing(0.0, frozenset({AuthorityId("root")})), False),
        (0, Standing(0.0, frozenset({GrantId("leaf#0")})), False),
        (0, Standing(0.0, frozenset({GrantId("root#0")})), False),
        (0, Standing(0.0, frozenset({GrantId("leaf#1"), AuthorityId("other")})), True),
        (1, Standing(1e12), True),
        (1, Standing(1e12, uses={GrantId("root#1"): 1}), True),
    ],
)
def test_a_grant_that_is_drawn_on_stands_until_it_ends_or_is_revoked(
    root: Root, number: int, standing: Standing, upheld: bool
) -> None:
    held = named(root("read:/a expires=10s", "read:/b uses=1"), "leaf")
    other = named(root("read:/a expires=10s"), "other")
    assert Holding((other, held)).upholds(held.grants[number], standing) is upheld
    assert not Holding((other,)).upholds(held.grants[number], standing)


@pytest.mark.parametrize(
    ("text", "lapses", "labelled"),
    [
        ("read:/a", False, False),
        ("read:/a expires=1s", True, False),
        ("read:/a uses=1", True, False),
        ("fetch:https://a.example untainted", False, True),
        ("fetch:https://a.example public", False, True),
    ],
)
def test_one_authority_in_the_list_makes_it_lapse_or_labelled(
    root: Root, text: str, lapses: bool, labelled: bool
) -> None:
    for texts in [(text,), (text, "read:/b"), ("read:/b", text)]:
        for holding in [Holding((root(*texts),)), Holding(tuple(map(root, texts)))]:
            assert (holding.lapses, holding.labelled) == (lapses, labelled)


A_EXPIRES = "expires=1970-01-01T00:00"


@pytest.mark.parametrize(
    ("ceiling", "text", "seconds", "lent"),
    [
        ("read:/a", "read:/a/b", None, "read:/a/b"),
        ("read:/a", "read:/a/b", 5, f"read:/a/b {A_EXPIRES}:06Z"),
        ("read:/a expires=20s", "read:/a", 5, f"read:/a {A_EXPIRES}:06Z"),
        ("read:/a expires=20s", "read:/a", 50, f"read:/a {A_EXPIRES}:20Z"),
        ("read:/a expires=20s", "read:/a expires=10s", None, f"read:/a {A_EXPIRES}:11Z"),
        ("read:/a", "read:/a expires=10s", 50, f"read:/a {A_EXPIRES}:11Z"),
        (
            "read:/a",
            f"read:/a {A_EXPIRES}:30Z",
            50,
            f"read:/a {A_EXPIRES}:30Z",
        ),
        ("read:/a uses=5", "read:/a uses=2", None, "read:/a uses=2"),
        ("read:/a uses=5", "read:/a uses=9", None, "read:/a uses=5"),
        ("read:/a", "read:/a uses=9", None, "read:/a uses=9"),
        ("read:/a except=b", "read:/a except=*.key", None, "read:/a except=**/b,*.key"),
        ("read:/a except=b/c", "read:/a/b", None, "read:/a/b except=/c"),
        ("read:/a except=b", "read:/a/b", None, None),
        ("read:/a except=b", "read:/a/b/c", None, None),
        ("read:/a", "read:/b", None, None),
        ("read:/a except=b", "tool:bash", None, None),
        ("read:/a", "no grant at all", None, None),
        (
            "fetch:https://a.example rate=9/min bytes=9MB",
            "fetch:https://a.example rate=8/min",
            None,
            "fetch:https://a.example rate=8/min bytes=9MB",
        ),
        ("fetch:https://a.example rate=9/min", "fetch:https://a.example rate=10/min", None, None),
        (
            "fetch:https://a.example untainted",
            "fetch:https://a.example",
            None,
            "fetch:https://a.example untainted",
        ),
        ("tool:send arg.to=in(a,b)", "tool:send arg.to=a", None, "tool:send arg.to=a"),
        ("tool:send arg.to=in(a,b)", "tool:send", None, "tool:send arg.to=in(a,b)"),
        ("tool:send arg.to=in(a,b)", "tool:send arg.to=in(c)", None, None),
    ],
)
def test_a_lease_for_later_is_what_is_asked_under_the_caveats_of_both(
    root: Root, ceiling: str, text: str, seconds: int | None, lent: str | None
) -> None:
    held = root("env:A", ceiling)
    lease = lend(held, None, text, seconds=seconds, id=LEASE, now=1.0)
    if lent is None:
        assert isinstance(lease, AuthorityError)
    else:
        assert isinstance(lease, Authority), lease
        assert [set(str(m.grant).split()) for m in lease.grants] == [set(lent.split())]


@pytest.mark.parametrize(
    "ceiling",
    [
        ("read:/workspace/.env", "read:/workspace"),
        ("read:/workspace", "read:/workspace/.env"),
        ("read:/workspace/.env", "read:/workspace/.env uses=1"),
    ],
)
def test_one_grant_of_the_ceiling_that_can_be_lent_suffices(
    root: Root, ceiling: tuple[str, ...]
) -> None:
    lease = lend(root(*ceiling), read("/workspace/.env"), id=LEASE, now=0.0)
    assert isinstance(lease, Authority)
    assert [str(m.grant) for m in lease.grants] == ["read:/workspace/.env"]


def test_a_lease_is_for_the_access_too_where_there_is_one(root: Root) -> None:
    held = root("read:/workspace", "read:/workspace/.env", "env:A=1")
    for access, text, lent in [
        (read("/workspace/a"), "read:/workspace", "read:/workspace"),
        (read("/elsewhere"), "read:/workspace", None),
        (read("/workspace/.env"), None, "read:/workspace/.env"),
        (EnvAccess("A"), None, "env:A=1"),
        (None, None, None),
    ]:
        lease = lend(held, access, text, id=LEASE, now=0.0)
        assert isinstance(lease, Authority) is (lent is not None), (access, lease)
        if isinstance(lease, Authority):
            assert [str(m.grant) for m in lease.grants] == [lent]
