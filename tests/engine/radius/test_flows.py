"""Every pair of ends that one run holds is a flow; a caveat cuts it, and none is made up."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.engine.radius.conftest import parsed

from capbox.authority.budget import Budget
from capbox.authority.caveats import Later
from capbox.authority.grant import Grant
from capbox.authority.paths import HostPath
from capbox.engine.radius.bounds import bounds
from capbox.engine.radius.cuts import cutting, flag_of, narrowed, possible, told
from capbox.engine.radius.ends import amount, is_credential
from capbox.engine.radius.flows import Flow
from capbox.engine.radius.radius import radius
from capbox.engine.radius.subject import Subject

READ, ENV = "read:/workspace", "read:/workspace/.env"
WEB, MAIL = "fetch:https://api.example.com", "tool:send_email"
MakeSubject = Callable[..., Subject]


def flows(subject: Subject) -> list[Flow]:
    """Return the flows of what a subject holds."""
    return list(radius(subject).flows)


@pytest.mark.parametrize(
    ("grants", "leaving", "steered"),
    [
        ((READ,), [], []),
        ((WEB,), [], []),
        ((READ, ENV), [], []),
        ((ENV, WEB), [("high", ".env", WEB, ())], []),
        ((READ, WEB), [("medium", "this folder", WEB, ())], []),
        (("env:TOKEN", WEB), [("high", "TOKEN", WEB, ())], []),
        (("env:LANG=C", WEB), [("low", "LANG", WEB, ())], []),
        ((ENV, WEB + " ask=each"), [("high", ".env", WEB + " ask=each", ("ask=each",))], []),
        ((ENV, WEB + " ask=first"), [("high", ".env", WEB + " ask=first", ())], []),
        (("write:/workspace/src", ENV), [("low", ".env", "src", ())], []),
        ((ENV, MAIL), [("high", ".env", MAIL, ())], [("medium", MAIL)]),
        ((ENV, "invoke:read"), [("high", ".env", "invoke:read", ())], [("medium", "invoke:read")]),
        ((READ, "write:/workspace/.git/hooks"), [], [("high", ".git/hooks")]),
        (
            ("read:/workspace/.ssh", "write:/workspace/.git/hooks"),
            [("medium", ".ssh", ".git/hooks", ())],
            [("high", ".git/hooks")],
        ),
    ],
    ids=str,
)
def test_what_flows_where(
    grants: tuple[str, ...],
    leaving: list[tuple[str, str, str, tuple[str, ...]]],
    steered: list[tuple[str, str]],
    subject: MakeSubject,
) -> None:
    found = flows(subject(*grants))
    assert [
        (f.level, f.source.name, f.sink.name, f.cut_by) for f in found if not f.steers
    ] == leaving
    assert [(f.level, f.sink.name) for f in found if f.steers] == steered


UNTAINTED = WEB + " untainted"


@pytest.mark.parametrize(
    ("trusted", "cut"),
    [
        ((), ("untainted",)),
        (("",), ()),
        (("/.env", "/src"), ()),
        (("/private",), ("untainted",)),
        (("/../elsewhere",), ("untainted",)),
    ],
)
def test_what_only_the_operator_writes_taints_nothing(
    trusted: tuple[str, ...], cut: tuple[str, ...], subject: MakeSubject
) -> None:
    """A file below a trusted path is read, and `untainted` lets the request go all the same."""
    here = subject(ENV, "read:/workspace/src", UNTAINTED)
    places = tuple(HostPath(os.path.normpath(here.layout.workspace + name)) for name in trusted)
    found = flows(replace(here, trusted=places))
    assert [f.cut_by for f in found if f.source.name == ".env"] == [cut]
    assert [f.cut_by for f in found if f.source.name == "src"] == [cut]
    assert [c.caveat for f in found for c in f.cuts if c.caveat == "untainted"] == []


def test_a_folder_with_a_trusted_part_is_not_held_back(subject: MakeSubject) -> None:
    here = subject(READ, UNTAINTED)
    inner = replace(here, trusted=(HostPath(here.layout.workspace + "/src"),))
    assert [f.cut_by for f in flows(inner)] == [()]
    assert [f.cut_by for f in flows(here)] == [("untainted",)]


def test_trusted_files_hold_no_words_of_strangers(subject: MakeSubject) -> None:
    here = subject(READ, "write:/workspace/.git/hooks")
    assert any(f.steers for f in flows(here))
    mine = replace(here, trusted=(here.layout.workspace,))
    assert not any(f.steers for f in flows(mine))


def test_a_shipped_tool_is_no_function(subject: MakeSubject) -> None:
    assert flows(subject(ENV, "tool:read")) == []
    assert len(flows(subject(ENV, "tool:read", shipped="bash"))) == 2


def test_words_of_strangers_steer_what_acts_with_a_secret(subject: MakeSubject) -> None:
    secret = "secret:TOKEN@https://api.example.com"
    for grant, steers in ((WEB, True), ('fetch:"GET https://api.example.com"', False)):
        found = [f.level for f in flows(subject(grant, secret)) if f.steers]
        assert found == (["medium"] if steers else []), grant
    elsewhere = "fetch:https://other.example.com"
    assert not any(f.steers for f in flows(subject(elsewhere, secret)))


def test_the_worst_comes_first_and_what_is_cut_last(subject: MakeSubject) -> None:
    wild = "fetch:https://*.example.com"
    found = flows(subject(READ, ENV, WEB, wild, "fetch:https://asks.example.com ask=each"))
    assert [(f.level, f.source.name, bool(f.cut_by)) for f in found] == [
        ("high", ".env", False),
        ("high", ".env", False),
        ("medium", "this folder", False),
        ("medium", "this folder", False),
        ("high", ".env", True),
        ("medium", "this folder", True),
    ]
    assert found[0].sink.name == wild, "a host of anybody's is worse than one that is known"


def test_what_is_advised_is_narrower_and_can_be_given(subject: MakeSubject) -> None:
    held = subject(READ, ENV, "fetch:https://*.example.com uses=3")
    (worst, *_) = flows(held)
    assert worst.cuts[-1].why == "leave out --read .env"
    labels = {"public", "untainted"}
    cuts = [cut for cut in worst.cuts if cut.caveat not in labels]
    assert [cut.grant for cut in cuts] == [
        "fetch:https://*.example.com uses=3 ask=each",
        "fetch:https://api.example.com uses=3",
        None,
    ]
    for cut in worst.cuts:
        if cut.grant is not None and cut.caveat not in labels:
            narrower = parsed(cut.grant)
            assert parsed("fetch:https://*.example.com uses=3").covers(narrower)
            assert cut.flag == flag_of(narrower)
    again = subject(ENV, str(cuts[0].grant))
    assert flows(again)[0].cut_by == ("ask=each",)


@pytest.mark.parametrize(
    ("text", "labels", "cut_by"),
    [
        ("fetch:https://a.example.com public", {"secret"}, ("public",)),
        ("fetch:https://a.example.com public", {"untrusted"}, ()),
        ("fetch:https://a.example.com untainted", {"untrusted"}, ("untainted",)),
        ("fetch:https://a.example.com untainted", {"secret"}, ()),
        ("fetch:https://a.example.com ask=each public", {"secret"}, ("ask=each", "public")),
        ("fetch:https://a.example.com ask=first", {"secret"}, ()),
        ("fetch:https://a.example.com uses=1 expires=1h", {"secret", "untrusted"}, ()),
    ],
)
def test_a_caveat_holds_back_what_it_says(
    text: str, labels: set[str], cut_by: tuple[str, ...]
) -> None:
    assert cutting(parsed(text), frozenset(labels)) == cut_by  # type: ignore[arg-type]


def test_a_caveat_is_proposed_once_it_can_be_minted() -> None:
    """`public` and `untainted` are of the grammar; until they are enforced nobody is told so."""

    def today(grant: Grant) -> bool:
        return not any(isinstance(c, Later) for c in grant.caveats)

    def later(_: Grant) -> bool:
        return True

    grant, labels = parsed(WEB), frozenset({"secret", "untrusted"})
    known = {"public", "untainted", "ask=each"}
    unsupported = {c for c in known if isinstance(parsed(f"{WEB} {c}").caveats[0], Later)}
    assert {c.caveat for c in possible(grant, labels, today)} == known - unsupported  # type: ignore[arg-type]
    assert {c.caveat for c in possible(grant, labels, later)} == known  # type: ignore[arg-type]
    assert "public" not in {c.caveat for c in possible(grant, frozenset(), later)}


def test_a_caveat_takes_the_place_of_another_of_its_key() -> None:
    grant = narrowed(parsed(WEB + " ask=first uses=2"), "ask=each", lambda _: True)
    assert str(grant) == WEB + " uses=2 ask=each"
    assert narrowed(parsed("tool:x"), "expires=nonsense", lambda _: True) is None


@pytest.mark.parametrize(
    ("grant", "labels", "secret"),
    [
        ("env:TOKEN", {"secret"}, True),
        ("env:LANG=C", set(), False),
        ("env:TOKEN=abc", set(), True),
        (ENV, {"secret", "untrusted"}, True),
        (READ, {"untrusted"}, False),
    ],
)
def test_how_grave_a_source_is_and_what_the_gate_knows_of_it(
    grant: str, labels: set[str], secret: bool, subject: MakeSubject
) -> None:
    (source,) = radius(subject(grant)).known
    assert (source.labels, source.secret) == (labels, secret)


def test_a_variables_value_is_in_no_report() -> None:
    assert told(parsed("env:TOKEN=hunter2")) == "env:TOKEN (value given)"
    assert told(parsed("env:TOKEN")) == "env:TOKEN"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((n, True) for n in ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "API_KEY")),
        *((n, True) for n in ("OPENAI_API_KEY", "GH_PAT", "DATABASE_URL", "SESSION_COOKIE")),
        *((n, False) for n in ("LANG", "HOME", "KEYBOARD", "PATH", "EDITOR", "MONKEY")),
    ],
)
def test_which_names_are_those_of_credentials(name: str, secret: bool) -> None:
    assert is_credential(name) is secret


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1.0 kB"), (2_500_000, "2.5 MB")],
)
def test_bytes_in_words(size: int, words: str) -> None:
    assert amount(size) == words


@pytest.mark.parametrize(
    ("grants", "a_call", "the_run"),
    [
        (("tool:pay",), 0, 0),
        (("invoke:pay",), 100, 100 * Budget().tool_calls),
        (("invoke:pay uses=3", "invoke:send uses=4"), 100, 7),
    ],
)
def test_how_often_scripts_may_call_functions(
    grants: tuple[str, ...], a_call: int, the_run: int, subject: MakeSubject
) -> None:
    found = bounds(subject(*grants))
    assert found is not None
    assert (found.call.invocations, found.run.invocations) == (a_call, the_run)
