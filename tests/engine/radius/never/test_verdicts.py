"""A rule is broken by the grant that breaks it, named, and kept by the one beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from capbox.authority.limits import Limits
from capbox.authority.paths import HostPath
from capbox.engine.radius.never.rules import RuleError, parse_rule
from capbox.engine.radius.never.verdicts import Verdict, judged, watches_of
from capbox.engine.radius.radius import Radius, radius
from capbox.engine.radius.subject import Subject

MakeSubject = Callable[..., Subject]
READ, WRITE, ENV = "read:/workspace", "write:/workspace", "read:/workspace/.env"
WILD = "fetch:https://*.example.com"


def by(subject: Subject, text: str, tree: Path) -> str:
    """Return what breaks a rule; "" if nothing does."""
    rule = parse_rule(text.replace("TREE", str(tree)), HostPath(str(tree.parent)))
    assert not isinstance(rule, RuleError), rule
    (verdict,) = judged([rule], radius(subject, watches_of([rule])))
    return verdict.by


@pytest.mark.parametrize(
    ("rule", "breaks", "keeps", "named"),
    [
        ("read **/.env", (READ, ENV), (READ,), ".env"),
        ("read .ssh", ("read:/workspace/.ssh",), (READ,), None),
        ("read **/plan.txt", (READ,), (READ + " except=private",), "private/plan.txt"),
        (
            "read src/deep/**",
            ("read:/workspace/src/deep/er",),
            ("read:/workspace/src/main.py",),
            "src/deep/er/notes.md",
        ),
        ("read /**", (READ,), (), None),
        ("read TREE/src", (READ,), ("read:/workspace/private",), "src/main.py"),
        ("write src/**", (WRITE,), (READ,), "src/main.py"),
        (
            "write src/new/**",
            ("write:/workspace/src",),
            ("write:/workspace/private",),
            "src/new (could be made)",
        ),
        (
            "write **/*.go",
            ("write:/workspace/src",),
            ("write:/workspace/a.txt",),
            "src/x.go (could be made)",
        ),
        ("write **/.env", ("write:/workspace/.env",), (WRITE,), ".env"),
        (
            "write .git/hooks/**",
            ("write:/workspace/.git/hooks",),
            (WRITE,),
            ".git/hooks/pre-commit",
        ),
        ("write ~/bin/**", ("write:TREE/..",), (WRITE,), "TREE/../bin (could be made)"),
        ("write ~/.ssh/**", ("write:TREE/../.ssh",), ("write:TREE/..",), None),
        ("fetch *", (WILD,), (READ,), WILD),
        ("fetch api.example.com", (WILD,), ("fetch:https://example.com",), WILD),
        (
            "fetch *.example.com",
            ("fetch:https://a.b.example.com",),
            ("fetch:https://example.com",),
            "fetch:https://a.b.example.com",
        ),
        ("fetch *.example.com", (WILD,), ("fetch:https://*.example.org",), WILD),
        ("fetch *.a.example.com", ("fetch:https://*.a.example.com",), (WILD,), None),
        ("fetch POST *", (WILD,), ('fetch:"GET,HEAD https://*.example.com"',), WILD),
        (
            "fetch 10.1.2.3",
            ("fetch:http://[10.1.0.0/16]",),
            ("fetch:http://[10.2.0.0/16]", WILD),
            "fetch:http://[10.1.0.0/16]",
        ),
        ("fetch 10.1.2.3", (f"{WILD} net=private",), (f"{WILD} net=10.2.0.0/16",), None),
        (
            "fetch 169.254.169.254",
            (f"{WILD} net=169.254.169.254/32",),
            (f"{WILD} net=private",),
            None,
        ),
        (
            "fetch 10.1.2.3",
            (f"{WILD} net=private except=10.2.0.0/16",),
            (f"{WILD} net=private except=10.0.0.0/8",),
            None,
        ),
        (
            "fetch 127.0.0.1",
            ("fetch:http://localhost:8080",),
            ("fetch:http://[10.1.0.0/16]",),
            "fetch:http://localhost:8080",
        ),
        ("fetch ::1", ("fetch:http://a.localhost",), (WILD,), None),
        ("fetch localhost", ("fetch:http://127.0.0.1",), (WILD,), "fetch:http://127.0.0.1"),
        ("flow secret -> web", (READ, ENV, WILD), (READ, WILD), f".env -> {WILD}"),
        ("flow secret -> web", (ENV, WILD), (ENV, f"{WILD} ask=each"), f".env -> {WILD}"),
        ("flow secret -> web", ("env:TOKEN", WILD), ("env:LANG=C", WILD), f"TOKEN -> {WILD}"),
        ("flow files -> any", (READ, WILD), (ENV, WILD), f"this folder -> {WILD}"),
        ("flow untrusted -> control", (READ, "write:/workspace/.git/hooks"), (WRITE,), None),
        ("flow any -> function", (ENV, "tool:mail"), (ENV, "tool:read"), ".env -> tool:mail"),
        ("flow untrusted -> web", (WILD,), (f"{WILD} untainted",), f"web pages -> {WILD}"),
        ("flow any -> web", (f"{WILD} public",), (f"{WILD} ask=each",), None),
        ("flow untrusted -> workspace", (READ, "write:/workspace/src"), (READ,), None),
        ("flow files -> workspace", (READ, "write:/workspace/src"), (READ,), "this folder -> src"),
        ("flow files -> workspace", (WRITE,), (READ,), "this folder -> this folder"),
        ("flow files -> outside", ("write:TREE/..",), (WRITE,), None),
        ("flow secret -> workspace", (ENV, WRITE), ("write:/workspace/.env",), None),
        ("flow files -> control", (READ, "write:/workspace/.git/hooks"), (WRITE,), None),
        (
            "flow variable -> workspace",
            ("env:LANG=C", "write:/workspace/src"),
            ("env:LANG=C",),
            "LANG -> src",
        ),
        ("flow variable -> control", ("env:LANG=C", "write:/workspace/.git/hooks"), (WRITE,), None),
        ("flow variable -> outside", ("env:LANG=C", "write:TREE/.."), ("env:LANG=C", WRITE), None),
        ("env *TOKEN*", ("env:TOKEN",), ("env:LANG=C",), "env:TOKEN"),
        ("env TOKEN", ("env:TOKEN=hunter2",), (), "env:TOKEN (value given)"),
        ("tool mail*", ("tool:mail_out",), ("tool:read",), "tool:mail_out"),
        ("model anthropic/*", ("model:anthropic/x",), ("model:openai/x",), "model:anthropic/x"),
        (
            "secret A",
            ("secret:A@https://a.example.com",),
            ("secret:B@https://a.example.com",),
            "secret:A@https://a.example.com",
        ),
        ("lint wildcard-host", (WILD,), ("fetch:https://a.example.com",), None),
        ("requests > 100", (WILD,), (f"{WILD} uses=100",), "it may take 20,000 (requests)"),
        ("files > 0", (WRITE,), (READ,), "it may take 100,000 (files)"),
    ],
    ids=str,
)
def test_what_breaks_a_rule_and_what_keeps_it(
    rule: str,
    breaks: tuple[str, ...],
    keeps: tuple[str, ...],
    named: str | None,
    subject: MakeSubject,
    tree: Path,
) -> None:
    def held(grants: tuple[str, ...]) -> Subject:
        return subject(*(g.replace("TREE/..", str(tree.parent)) for g in grants))

    broken = by(held(breaks), rule, tree)
    assert broken
    if named is not None:
        assert broken == named.replace("TREE/..", str(tree.parent))
    assert by(held(keeps), rule, tree) == ""


@pytest.mark.parametrize("rule", ["money > 10", "tokens > 2000000", "seconds > 1800"])
def test_a_bound_itself_is_kept(rule: str, subject: MakeSubject, tree: Path) -> None:
    assert by(subject(READ), rule, tree) == ""
    word, _, most = rule.partition(" > ")
    assert by(subject(READ), f"{word} > {int(most) - 1}", tree).startswith("it may take ")


def test_an_unknown_amount_breaks_every_bound(subject: MakeSubject, tree: Path) -> None:
    unknown = replace(subject(READ), limits=None)
    assert by(unknown, "money > 1000", tree) == "its bounds are not on record"
    lower = replace(subject("fetch:https://a.example.com"), limits=Limits(requests=1))
    assert by(lower, "requests > 200", tree) == ""


def test_what_was_not_looked_at_to_the_end_is_not_kept(subject: MakeSubject) -> None:
    rule = parse_rule("read **/nosuch", None)
    assert not isinstance(rule, RuleError)
    whole = radius(subject(READ), watches_of([rule]))
    assert judged([rule], whole)[0].by == ""
    cut: Radius = replace(whole, reach=replace(whole.reach, whole=False))
    assert judged([rule], cut)[0].by == "not all files could be looked at: there are too many"


def test_each_rule_has_its_own_verdict_in_order(subject: MakeSubject) -> None:
    texts = ["money > 10", "read **/.env", "fetch *", "read **/main.py", "write **"]
    rules = [rule for text in texts if not isinstance(rule := parse_rule(text, None), RuleError)]
    found = radius(subject(READ), watches_of(rules))
    assert judged(rules, found) == (
        Verdict("money > 10", ""),
        Verdict("read **/.env", ""),
        Verdict("fetch *", ""),
        Verdict("read **/main.py", "src/main.py"),
        Verdict("write **", ""),
    )
