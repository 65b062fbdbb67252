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


def test_a_narrowed_right_refuses_what_the_whole_one_refuses(root: Root) -> None:
    (right,) = Holding((root("write:/workspace except=src/b"),)).file_rights(NOW)
    common = right.narrowed(GrantPath("/workspace/src"), write=True)
    assert common is not None
    for tail in ("a", "b", "b/c", ".env", ".git/hooks", ".git", "c/b"):
        access = write(f"/workspace/src/{tail}")
        assert (common.refusal(access) is None) is (right.refusal(access) is None)


def test_the_first_grant_to_end_is_one_that_is_used_and_still_live(root: Root) -> None:
    holding = Holding((root("read:/a expires=5s", "read:/b expires=9s", "read:/c"),))
    every = {minted.id for minted in holding.live(NOW)}
    (first, second, endless) = holding.live(NOW)
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
