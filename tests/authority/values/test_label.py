"""What sources forbid: every refusal beside what is still allowed."""

import pytest

from capbox.authority.access import Access, ToolAccess
from capbox.authority.authority import Authority, AuthorityError
from capbox.authority.decision import Allowed, AuthorityId, Denied, Standing
from capbox.authority.values.label import MANY, Source, bounded, told
from capbox.authority.web.places import FetchAccess, Origin, parse_origin

HOST = Origin("https", "a.example", 443)
OTHER = Origin("https", "b.example", 443)
FILE = Source("workspace", "/workspace/a")
MARKED = Source("workspace", "/workspace/specs/a", trusted=True)
WEB = Source("web", "https://a.example")
ENV = Source("secret", "/workspace/.env")
KEY = Source("secret", "KEY@https://a.example", origin=HOST)
FETCH = FetchAccess("GET", HOST, "/x")
ELSEWHERE = FetchAccess("GET", OTHER, "/x")


@pytest.mark.parametrize(
    ("caveat", "sources", "access", "reason"),
    [
        ("", (FILE, WEB, ENV), FETCH, None),
        ("untainted", (), FETCH, None),
        ("untainted", (MARKED,), FETCH, None),
        ("untainted", (ENV,), FETCH, None),
        ("untainted", (FILE,), FETCH, "untrusted data (workspace:/workspace/a)"),
        ("untainted", (MARKED, WEB), FETCH, "untrusted data (web:https://a.example)"),
        ("public", (FILE, WEB), FETCH, None),
        ("public", (ENV,), FETCH, "confidential data (secret:/workspace/.env)"),
        ("public", (KEY,), FETCH, None),
        ("public", (KEY,), ELSEWHERE, "confidential data (secret:KEY@https://a.example)"),
        ("public", (KEY, ENV), FETCH, "confidential data (secret:/workspace/.env)"),
        ("public", (KEY,), ToolAccess("bash"), "confidential data"),
        ("public", (ENV,), ToolAccess("bash"), "confidential data"),
        ("public", (FILE,), ToolAccess("bash"), None),
        ("untainted", (FILE,), ToolAccess("bash"), "untrusted data"),
        ("public untainted", (FILE, ENV), FETCH, "confidential data"),
    ],
)
def test_sources_keep_a_grant_from_being_used(
    root, caveat: str, sources: tuple[Source, ...], access: Access, reason: str | None
) -> None:
    texts = ("fetch:https://a.example", "fetch:https://b.example", "tool:bash")
    authority = root(*(f"{text} {caveat}".strip() for text in texts))
    decision = authority.decide(access, Standing(0, sources=frozenset(sources)))
    assert isinstance(decision, Allowed) is (reason is None)
    if isinstance(decision, Denied):
        assert reason is not None and reason in decision.reason


def test_a_grant_without_the_caveat_is_enough_beside_one_that_has_it(root) -> None:
    standing = Standing(0, sources=frozenset({ENV}))
    authority = root("fetch:https://a.example public", "fetch:https://a.example/x")
    assert isinstance(authority.decide(FETCH, standing), Allowed)


@pytest.mark.parametrize(
    ("parent", "child", "allowed"),
    [
        ("tool:a public", "tool:a public", True),
        ("tool:a public", "tool:a public untainted", True),
        ("tool:a", "tool:a public", True),
        ("tool:a public", "tool:a", False),
        ("tool:a public", "tool:a untainted", False),
        ("tool:a public untainted", "tool:a public", False),
    ],
)
def test_a_child_keeps_the_labels_that_its_parent_minds(
    root, grants, parent: str, child: str, allowed: bool
) -> None:
    made = root(parent).attenuate(grants(child), id=AuthorityId("child"), now=0)
    assert isinstance(made, Authority if allowed else AuthorityError)


def test_too_many_sources_are_lumped_together_and_forbid_what_they_did() -> None:
    many = {Source("workspace", f"/workspace/{n}", trusted=n % 2 == 0) for n in range(50)}
    assert bounded(many, 50) == many
    lumped = bounded({*many, KEY, WEB}, 50)
    assert lumped == {
        Source("workspace", MANY),
        Source("workspace", MANY, trusted=True),
        Source("secret", MANY),
        Source("web", MANY),
    }
    assert any(source.confidential_for(HOST) for source in lumped)


def test_sources_are_told_in_order_and_not_all_of_them() -> None:
    assert told((WEB, FILE)) == "web:https://a.example, workspace:/workspace/a"
    assert told((WEB, FILE, ENV)) == f"{ENV}, {WEB}, {FILE}"
    assert told((WEB, FILE, ENV, KEY)).endswith(" and 1 more")
    assert parse_origin("https://a.example") == HOST
