"""What the rules of one mount say about names, without any file."""

from __future__ import annotations

import pytest

from capbox.authority.exclusions import HIDDEN, PROTECTED
from capbox.sandbox.judge import CHANGE, MOVE, READ, REPLACE, Judge
from capbox.sandbox.spec import Rule

USUAL = Judge((Rule(True, HIDDEN, PROTECTED),))
ALL = {READ, CHANGE, REPLACE, MOVE}

ROWS = [
    ("", ALL),
    ("a.txt", ALL),
    ("sub/a.txt", ALL),
    (".env", set()),
    ("sub/.ENV.local", set()),
    (".ssh/known_hosts", set()),
    (".git", {READ}),
    ("sub/.git", {READ}),
    (".git/index", {READ}),
    (".git/config", {READ}),
    (".git/hooks/pre-commit", {READ}),
    (".config", {READ, CHANGE, REPLACE}),
    ("CLAUDE.md", {READ}),
]


@pytest.mark.parametrize(("name", "allowed"), ROWS)
def test_each_name_allows_exactly_these_kinds(name: str, allowed: set[int]) -> None:
    assert {kind for kind in ALL if USUAL.allows(kind, name, name)} == allowed


def test_both_names_must_be_allowed_by_the_same_rule() -> None:
    judge = Judge((Rule(False, ("a",)), Rule(False, ("b",))))
    assert judge.allows(READ, "a", "a")
    assert judge.allows(READ, "b", "b")
    assert not judge.allows(READ, "a", "b")


def test_a_rule_that_reads_does_not_lend_its_names_to_one_that_writes() -> None:
    judge = Judge((Rule(False), Rule(True, (".env*",), (".git",))))
    assert [judge.allows(kind, ".env", ".env") for kind in (READ, REPLACE)] == [True, False]
    assert [judge.allows(kind, ".git", ".git") for kind in (READ, CHANGE)] == [True, False]
    assert judge.allows(REPLACE, "a", "a")


def test_an_anchor_lifts_what_the_grant_itself_names() -> None:
    lifted = Judge((Rule(False, (".ssh", "*.key"), (), "home/.ssh"),))
    assert lifted.allows(READ, "known_hosts", "known_hosts")
    assert not lifted.allows(READ, "my.key", "my.key")


def test_listings_show_what_can_be_read() -> None:
    names = ["a", ".env", ".git", "x.pem"]
    assert list(USUAL.shown("sub", names)) == [True, False, True, False]
    assert list(Judge((Rule(False),)).shown("sub", names)) == [True] * 4
    assert list(USUAL.shown(".ssh", ["a"])) == [False]


def test_remembering_is_bounded_and_changes_nothing() -> None:
    judge = Judge((Rule(True, (".env",)),))
    for number in range(40_000):
        assert judge.allows(REPLACE, f"d{number}/x", f"d{number}/x")
    assert not judge.allows(READ, "d1/.env", "d1/.env")
    assert judge.states("a/" * 3000 + "b") == judge.states("b")
