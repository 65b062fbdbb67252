"""Requests are compared by what they cover; an update is wider if anything is not covered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.tools.packages.making import manifest

from capbox.gate.manifest import Manifest, Request, parse_manifest, parse_request
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.requests import (
    chosen,
    covers,
    difference,
    kept,
    text,
    texts,
    within,
)


def request(written: str) -> Request:
    """Read one request."""
    return parse_request(written, "a test")


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        ("read:*", "read:/workspace", True),
        ("read:/workspace", "read:*", False),
        ("read:/workspace", "read:/workspace/docs", True),
        ("read:/workspace/docs", "read:/workspace/docs2", False),
        ("read:/workspace", "write:/workspace", False),
        # What may only be read, a tool gets by a request to read alone.
        ("write:*", "read:*", False),
        ("write:/workspace", "read:/workspace/a", False),
        ("fetch:*", "fetch:https://a.example", True),
        ("fetch:https://a.example", "fetch:*", False),
        ("fetch:https://a.example", "fetch:https://b.example", False),
        ("fetch:https://a.example", 'fetch:"GET https://a.example/v1/*"', True),
        ('fetch:"GET https://a.example/v1/*"', "fetch:https://a.example", False),
        ('fetch:"GET https://a.example/v1/*"', 'fetch:"POST https://a.example/v1/x"', False),
        ("fetch:https://*.a.example", "fetch:https://b.a.example", True),
        ("env:*", "env:HOME", True),
        ("env:HOME", "env:PATH", False),
        ("secret:*", "secret:K@https://a.example", True),
        ("secret:K@https://a.example", "secret:K@https://b.example", False),
        ("invoke:*", "invoke:mail", True),
        ("invoke:mail", "invoke:pay", False),
        ("env:*", "read:*", False),
    ],
)
def test_a_request_covers_another(wide: str, narrow: str, covered: bool) -> None:
    assert covers(request(wide), request(narrow)) == covered
    assert covers(request(wide), request(wide)) and covers(request(narrow), request(narrow))


WRITTEN = some.sampled_from(
    [
        *("read:*", "read:/workspace", "read:/workspace/a", "read:/workspace/a/b", "read:/etc"),
        *("write:*", "write:/workspace", "write:/workspace/a"),
        *("fetch:*", "fetch:https://a.example", 'fetch:"GET https://a.example/v1/*"'),
        *("fetch:https://*.a.example", "fetch:https://b.a.example", 'read:"/workspace/a b"'),
        *("env:*", "env:HOME", "env:PATH", "invoke:*", "invoke:mail", "secret:*"),
        *("secret:K@https://a.example", "secret:K@https://b.example"),
    ]
)
ONE = WRITTEN.map(request)
MANY = some.lists(ONE, max_size=6).map(tuple)


@given(ONE)
def test_a_request_is_written_as_it_is_read(one: Request) -> None:
    assert request(text(one)) == one


@given(ONE, ONE, ONE)
def test_covering_is_transitive(one: Request, two: Request, three: Request) -> None:
    if covers(one, two) and covers(two, three):
        assert covers(one, three)


@given(MANY, MANY)
def test_an_update_that_is_not_wider_requests_nothing_new(
    before: tuple[Request, ...], after: tuple[Request, ...]
) -> None:
    found = difference(before, after)
    assert found.wider == any(not within(one, before) for one in after)
    shown = {*found.added, *(new for _, new in found.widened)}
    assert shown == {one for one in after if not within(one, before)}


@given(MANY, MANY)
def test_what_stays_accepted_is_within_both(
    accepted: tuple[Request, ...], requests: tuple[Request, ...]
) -> None:
    for one in kept(accepted, requests):
        assert within(one, accepted) and within(one, requests)
    assert set(kept(requests, requests)) == set(requests)


def test_an_update_says_what_became_wider_and_what_narrower() -> None:
    before = tuple(map(request, ("read:/workspace/docs", "env:*", "write:/workspace")))
    after = tuple(map(request, ("read:/workspace", "env:HOME", "fetch:*")))
    found = difference(before, after)
    assert [(text(a), text(b)) for a, b in found.widened] == [
        ("read:/workspace/docs", "read:/workspace")
    ]
    assert [(text(a), text(b)) for a, b in found.narrowed] == [("env:*", "env:HOME")]
    assert (texts(found.added), texts(found.removed)) == (["fetch:*"], ["write:/workspace"])


def of(*required: str) -> Manifest:
    """Return a manifest with these requests."""
    parsed = parse_manifest(manifest(required=required), "tool.toml")
    assert isinstance(parsed, Manifest), parsed
    return parsed


def test_a_person_accepts_a_part_of_what_is_requested() -> None:
    asked = of("read:*", "fetch:https://a.example")
    assert texts(chosen(asked, ["read:{workspace}/docs"], "x")) == ["read:/workspace/docs"]
    assert chosen(asked, ["nothing"], "x") == ()
    for more in ("write:/workspace", "fetch:*", "env:HOME"):
        with pytest.raises(PackageError, match="it does not request"):
            chosen(asked, [more], "x")
    with pytest.raises(PackageError, match="--only"):
        chosen(asked, ["what:is this"], "x")
