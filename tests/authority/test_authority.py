"""Minting, attenuating and deciding: every allow with its deny beside it."""

from collections.abc import Callable
from dataclasses import replace

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
from capbox.authority.budget import Budget
from capbox.authority.decision import Allowed, AuthorityId, Denied, GrantId, Standing
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.paths import GrantPath
from capbox.authority.values.arguments import Argument, Given
from capbox.authority.web.places import FetchAccess, Origin

Texts = Callable[..., list[Grant]]
Root = Callable[..., Authority]
NOW = Standing(now=0.0)
ALLOWED = Allowed(AuthorityId("root"), GrantId("root#0"), (GrantId("root#0"),))


def read(path: str) -> Access:
    return ReadAccess(GrantPath(path))


def write(path: str) -> Access:
    return WriteAccess(GrantPath(path))


@pytest.mark.parametrize(
    ("text", "allowed", "denied", "reason"),
    [
        ("read:/workspace", read("/workspace/a"), write("/workspace/a"), "no grant covers it"),
        ("read:/workspace/a", read("/workspace/a/b"), read("/workspace/ab"), "no grant covers it"),
        ("read:/workspace", read("/workspace/env"), read("/workspace/.env"), "excluded: .env is"),
        (
            "read:/workspace",
            read("/workspace/a"),
            read("/workspace/x/.ENV.b/c"),
            "excluded: x/.ENV.b",
        ),
        ("read:/workspace/.env", read("/workspace/.env"), read("/workspace/.env2"), "no grant"),
        (
            "read:/workspace/.env.d",
            read("/workspace/.env.d/a"),
            read("/workspace/.env.d/.env"),
            "excl",
        ),
        ("read:/home/u", read("/home/u/a"), read("/home/u/.ssh/id_rsa"), "excluded: .ssh is kept"),
        (
            "read:/home/u/.ssh/known_hosts",
            read("/home/u/.ssh/known_hosts"),
            read("/home/u/.ssh"),
            "no",
        ),
        (
            "read:/home/u/.ssh",
            read("/home/u/.ssh/config"),
            read("/home/u/.ssh/id_rsa"),
            "excluded: id_",
        ),
        (
            "write:/workspace",
            read("/workspace/.git/hooks/x"),
            write("/workspace/.git/hooks/x"),
            "excl",
        ),
        (
            "write:/workspace/.git",
            write("/workspace/.git/HEAD"),
            write("/workspace/.git/hooks/x"),
            "excl",
        ),
        (
            "write:/workspace/.git/hooks",
            write("/workspace/.git/hooks/x"),
            write("/workspace/.git"),
            "no",
        ),
        (
            "write:/workspace",
            write("/workspace/a.md"),
            write("/workspace/agents.MD"),
            "excluded: agents.MD",
        ),
        (
            "read:/workspace except=*.log",
            read("/workspace/a"),
            read("/workspace/b/A.LOG"),
            "excluded: the",
        ),
        (
            "read:/workspace/b except=c/d",
            read("/workspace/b/d"),
            read("/workspace/b/c/d/e"),
            "excluded: the",
        ),
        ("env:HOME", EnvAccess("HOME"), EnvAccess("PATH"), "no grant covers it"),
        ("tool:bash", ToolAccess("bash"), ToolAccess("Bash"), "no grant covers it"),
        ("model:a/*", ModelAccess("a/b"), ModelAccess("b/a"), "no grant covers it"),
    ],
)
def test_a_grant_allows_and_its_neighbour_is_denied(
    root: Root, text: str, allowed: Access, denied: Access, reason: str
) -> None:
    authority = root(text)
    assert authority.decide(allowed, NOW) == ALLOWED
    decision = authority.decide(denied, NOW)
    assert isinstance(decision, Denied)
    assert (decision.access, decision.missing) == (denied, denied.missing)
    assert decision.reason.startswith(reason)


def send(*recipients: str) -> Access:
    return ToolAccess("send", (Argument("to", "text", tuple(map(Given, recipients))),))


@pytest.mark.parametrize(
    ("text", "recipients", "allowed"),
    [
        ("tool:send", ("anyone",), True),
        ("tool:send arg.to=in(a,b)", ("a", "b"), True),
        ("tool:send arg.to=in(a,b)", ("a", "c"), False),
        ("tool:send arg.to=in(a,b)", (), False),
    ],
)
def test_a_condition_on_an_argument_refuses(
    root: Root, text: str, recipients: tuple[str, ...], allowed: bool
) -> None:
    decision = root(text).decide(send(*recipients), NOW)
    assert (decision == ALLOWED) is allowed


def fetch(path: str) -> Access:
    return FetchAccess("GET", Origin("https", "a.example", 443), path)


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("fetch:https://a.example", "/x/y", None),
        ("fetch:https://a.example except=https://a.example/x/*", "/y", None),
        ("fetch:https://a.example except=https://a.example/x/*", "/x/y", "excluded: fetch:"),
        ("fetch:https://a.example expires=9s", "/", None),
        ("fetch:https://a.example expires=8s", "/", "expired: fetch:"),
        # What is expired stays so where it also matters what has been read.
        ("fetch:https://a.example expires=9s untainted", "/", None),
        ("fetch:https://a.example expires=8s untainted", "/", "expired: fetch:"),
        ("fetch:https://a.example uses=0 public", "/", "used up"),
    ],
)
def test_a_caveat_of_the_web_refuses(root: Root, text: str, path: str, reason: str | None) -> None:
    decision = root(text).decide(fetch(path), Standing(now=8.0))
    assert (decision == ALLOWED) is (reason is None)
    if isinstance(decision, Denied):
        assert reason is not None
        assert decision.reason.startswith(reason)


@pytest.mark.parametrize(
    "access",
    [read("/workspace"), write("/"), EnvAccess("A"), ToolAccess("bash"), ModelAccess("m")],
)
def test_no_grant_is_no_effect(root: Root, access: Access) -> None:
    assert root().decide(access, NOW) == Denied(access, "no grant covers it", access.missing)


@pytest.mark.parametrize(
    "path",
    [
        "/workspace/../etc/passwd",
        "/workspace//a",
        "/workspace/.",
        "workspace/a",
        "",
        "/workspace/\0",
    ],
)
def test_a_path_that_is_not_canonical_is_denied_by_the_widest_grant(root: Root, path: str) -> None:
    authority = root("write:/", "write:/workspace")
    decision = authority.decide(read(path), NOW)
    assert decision == Denied(read(path), "the path is not canonical", None)


@pytest.mark.parametrize(
    ("standing", "reason"),
    [
        (Standing(now=9.999), None),
        (Standing(now=10.0), "expired"),
        (Standing(now=1e12), "expired"),
        (Standing(now=0.0, uses={GrantId("root#0"): 1}), None),
        (Standing(now=0.0, uses={GrantId("root#0"): 2}), "used up"),
        (Standing(now=0.0, uses={GrantId("other"): 9}), None),
        (Standing(now=0.0, revoked=frozenset({AuthorityId("other")})), None),
        (Standing(now=0.0, revoked=frozenset({AuthorityId("root")})), "revoked"),
    ],
)
def test_a_grant_lasts_as_long_as_its_standing(
    root: Root, standing: Standing, reason: str | None
) -> None:
    decision = root("read:/a expires=10s uses=2").decide(read("/a"), standing)
    assert (decision == ALLOWED) is (reason is None)
    if isinstance(decision, Denied):
        assert reason is not None
        assert decision.reason.startswith(reason)


def test_zero_uses_is_none(root: Root) -> None:
    assert isinstance(root("read:/a uses=0").decide(read("/a"), NOW), Denied)


@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        (read("/home/u/a"), True),
        (read("/home/u/private"), False),
        (read("/home/u/Private/x"), False),
        (write("/home/u/private/x"), False),
        (read("/home/u/private2"), True),
        (read("/home/u/fixed/x"), True),
        (write("/home/u/fixed/x"), False),
    ],
)
def test_a_never_rule_beats_every_grant(root: Root, access: Access, allowed: bool) -> None:
    never = ("read ~/private", "write ~/fixed")
    decision = root("write:/home/u", never=never).decide(access, NOW)
    assert isinstance(decision, Allowed) is allowed
    if isinstance(decision, Denied):
        assert decision.missing is None
        assert decision.reason.startswith(("never rule: read /", "never rule: write /"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("read:/home/u/private", "inside a never rule"),
        ("read:/home/u/PRIVATE/x", "inside a never rule"),
        ("write:/home/u/fixed", "inside a never rule"),
        ("read:/home/u/fixed", None),
        ("read:/home/u", None),
        ("fetch:https://a.example", None),
        ("fetch:https://a.example untainted", None),
        ("write:/a untainted", "untainted on write: is not supported yet"),
        ("spawn:1", "spawn: is not supported yet"),
        ("tool:bash untainted", None),
        ("tool:bash ask=each", "ask on tool: is not supported yet"),
    ],
)
def test_minting_refuses_what_it_could_not_keep(
    grants: Texts, root: Root, text: str, message: str | None
) -> None:
    never = root(never=("read ~/private", "write ~/fixed")).never
    minted = Authority.root(
        grants(text), limits=Limits(), budget=Budget(), never=never, id=AuthorityId("x"), now=0
    )
    assert isinstance(minted, AuthorityError) is (message is not None)
    if isinstance(minted, AuthorityError):
        assert message is not None
        assert message in minted.message
        assert minted.grant == grants(text)[0]


def test_a_relative_expiry_becomes_absolute_when_minted(root: Root) -> None:
    (minted,) = root("read:/a expires=10m", now=1.5).grants
    assert str(minted.grant) == "read:/a expires=1970-01-01T00:10:01.500Z"


@pytest.mark.parametrize(
    ("parent", "within", "beyond"),
    [
        ("write:/workspace", "read:/workspace/a", "read:/elsewhere"),
        ("read:/workspace", "read:/workspace/a", "write:/workspace/a"),
        ("read:/workspace", "read:/workspace/env", "read:/workspace/.env"),
        ("write:/workspace", "read:/workspace/.git/hooks", "write:/workspace/.git/hooks"),
        ("write:/workspace", "write:/workspace/git", "write:/workspace/.git"),
        ("write:/workspace/.git", "write:/workspace/.git/x", "write:/workspace/.git/config"),
        ("write:/workspace/.git/hooks", "write:/workspace/.git/hooks/x", "write:/workspace/.git"),
        ("read:/workspace/.env.d", "read:/workspace/.env.d/a", "read:/workspace/.env.d/.env"),
        ("read:/a expires=10s", "read:/a expires=10s", "read:/a expires=11s"),
        ("read:/a expires=10s", "read:/a expires=0s", "read:/a"),
        ("read:/a uses=2", "read:/a uses=1", "read:/a uses=3"),
        ("read:/a except=b", "read:/a/x except=b", "read:/a/x"),
        ("env:A", "env:A", "env:A=1"),
        ("tool:a", "tool:a", "tool:b"),
        ("model:a/*", "model:a/b", "model:b"),
    ],
)
def test_a_child_is_within_its_parent_or_is_refused(
    grants: Texts, root: Root, parent: str, within: str, beyond: str
) -> None:
    held = root(parent)
    child = held.attenuate(grants(within), id=AuthorityId("child"), now=0)
    assert isinstance(child, Authority)
    assert child.lineage == ("child", "root")
    assert child.grants[0].lineage == ("child#0", "root#0")
    refused = held.attenuate(grants(within, beyond), id=AuthorityId("child"), now=0)
    assert isinstance(refused, AuthorityError)
    assert refused.grant is not None
    assert "is not within what the parent holds" in refused.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("read:/home/u/private", "inside a never rule"),
        ("read:/home/u/a ask=each", "is not supported yet"),
        ("read:/home/u/a", None),
    ],
)
def test_attenuating_refuses_what_minting_refuses(
    grants: Texts, root: Root, text: str, message: str | None
) -> None:
    held = root("read:/home/u", never=("read ~/private",))
    child = held.attenuate(grants(text), id=AuthorityId("child"), now=0)
    assert isinstance(child, AuthorityError) is (message is not None)
    if isinstance(child, AuthorityError):
        assert message is not None
        assert message in child.message


@pytest.mark.parametrize(
    ("name", "rests"),
    [
        (AuthorityId("child"), True),
        (AuthorityId("root"), True),
        (GrantId("child#0"), True),
        (GrantId("root#1"), True),
        (GrantId("root#0"), False),
        (GrantId("child#1"), False),
        (AuthorityId("other"), False),
    ],
)
def test_what_an_authority_rests_on(
    grants: Texts, root: Root, name: AuthorityId | GrantId, rests: bool
) -> None:
    held = root("read:/a", "read:/b")
    child = held.attenuate(grants("read:/b"), id=AuthorityId("child"), now=0)
    assert isinstance(child, Authority)
    assert child.rests_on(name) is rests


def test_an_empty_list_is_nothing(root: Root) -> None:
    child = root("write:/").attenuate([], id=AuthorityId("child"), now=0)
    assert isinstance(child, Authority)
    assert isinstance(child.decide(read("/a"), NOW), Denied)


def test_a_child_has_no_looser_limits_and_no_larger_budget(root: Root) -> None:
    parent = root()
    one = AuthorityId("child")
    tight = replace(Limits(), wall_seconds=1.0)
    child = parent.attenuate([], limits=tight, budget=Budget(turns=1), id=one, now=0)
    assert isinstance(child, Authority)
    assert (child.limits, child.budget) == (tight, Budget(turns=1))
    loose = replace(Limits(), wall_seconds=31.0)
    assert isinstance(parent.attenuate([], limits=loose, id=one, now=0), AuthorityError)
    assert isinstance(parent.attenuate([], budget=Budget(turns=51), id=one, now=0), AuthorityError)


def test_revoking_any_ancestor_ends_every_descendant_and_no_one_else(
    grants: Texts, root: Root
) -> None:
    top = root("read:/a")
    child = top.attenuate(grants("read:/a"), id=AuthorityId("child"), now=0)
    assert isinstance(child, Authority)
    leaf = child.attenuate(grants("read:/a"), id=AuthorityId("leaf"), now=0)
    assert isinstance(leaf, Authority)
    for revoked, expected in [("root", (0, 0, 0)), ("child", (1, 0, 0)), ("leaf", (1, 1, 0))]:
        standing = Standing(0.0, frozenset({AuthorityId(revoked)}))
        decisions = [a.decide(read("/a"), standing) for a in (top, child, leaf)]
        assert tuple(isinstance(d, Allowed) for d in decisions) == tuple(map(bool, expected))
        assert tuple(len(a.live(standing)) for a in (top, child, leaf)) == expected


def test_revoking_a_grant_ends_what_descends_from_it_and_no_other(
    grants: Texts, root: Root
) -> None:
    top = root("read:/a", "read:/b")
    child = top.attenuate(grants("read:/b", "read:/a/x"), id=AuthorityId("child"), now=0)
    assert isinstance(child, Authority)
    for revoked, live in [("root#0", (1, 1)), ("root#1", (1, 1)), ("child#1", (2, 1))]:
        standing = Standing(0.0, frozenset({GrantId(revoked)}))
        assert (len(top.live(standing)), len(child.live(standing))) == live
    standing = Standing(0.0, frozenset({GrantId("root#0")}))
    for authority, path in [(top, "/a/x"), (child, "/a/x")]:
        decision = authority.decide(read(path), standing)
        assert isinstance(decision, Denied)
        assert decision.reason.startswith("revoked: read:/a")
        assert isinstance(authority.decide(read("/b"), standing), Allowed)


def test_a_child_uses_up_its_ancestors_counters(grants: Texts, root: Root) -> None:
    child = root("read:/a uses=2").attenuate(
        grants("read:/a uses=2"), id=AuthorityId("child"), now=0
    )
    assert isinstance(child, Authority)
    allowed = child.decide(read("/a"), Standing(0.0, uses={GrantId("root#0"): 1}))
    assert allowed == Allowed(
        AuthorityId("child"), GrantId("child#0"), (GrantId("child#0"), GrantId("root#0"))
    )
    spent = Standing(0.0, uses={GrantId("root#0"): 2})
    assert isinstance(child.decide(read("/a"), spent), Denied)


def test_a_never_rule_is_inherited(grants: Texts, root: Root) -> None:
    child = root("write:/home/u", never=("read ~/private",)).attenuate(
        grants("read:/home/u"), id=AuthorityId("child"), now=0
    )
    assert isinstance(child, Authority)
    decision = child.decide(read("/home/u/private"), NOW)
    assert isinstance(decision, Denied)
    assert decision.missing is None
