"""Each warning is given for what is wide and not for what is narrow; what mends it can be given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.radius.conftest import parsed

from capbox.authority.web.places import FetchSelector
from capbox.engine.radius.hosts import SHARED, shared_by
from capbox.engine.radius.lints import CODES, Lint
from capbox.engine.radius.radius import radius
from capbox.engine.radius.subject import Subject

MakeSubject = Callable[..., Subject]
SOON = "expires=1h"


def found(subject: Subject) -> dict[str, Lint]:
    """Return the warnings by code."""
    return {lint.code: lint for lint in radius(subject).lints}


@pytest.mark.parametrize(
    ("code", "wide", "narrow"),
    [
        (
            "trifecta",
            ("read:/workspace", f"fetch:https://a.example.com {SOON}"),
            ("read:/workspace",),
        ),
        (
            "trifecta",
            ("read:/workspace", f"fetch:https://a.example.com {SOON}"),
            ("read:/workspace", f"fetch:https://a.example.com {SOON} ask=each"),
        ),
        (
            "wildcard-host",
            (f"fetch:https://*.example.com {SOON}",),
            (f"fetch:https://a.example.com {SOON}",),
        ),
        (
            "shared-host",
            (f"fetch:https://github.com {SOON}",),
            (f"fetch:https://github.com/mine/* {SOON}",),
        ),
        (
            "plain-http",
            (f"fetch:http://a.example.com {SOON}",),
            (f"fetch:https://a.example.com {SOON}",),
        ),
        (
            "plain-http",
            (f"fetch:http://[10.1.0.0/16] {SOON}",),
            (f"fetch:http://127.0.0.1:8000 {SOON}",),
        ),
        (
            "plain-http",
            (f"fetch:http://10.1.2.3 {SOON}",),
            (f"fetch:http://localhost:8000 {SOON}",),
        ),
        ("control-file", ("write:/workspace/.git/hooks",), ("write:/workspace",)),
        ("control-file", ("write:/workspace/AGENTS.md",), ("read:/workspace/AGENTS.md",)),
        ("credential-variable", ("env:TOKEN",), ("env:LANG=C",)),
        (
            "idle-secret",
            (f"secret:A@https://a.example.com {SOON}", f"fetch:https://b.example.com {SOON}"),
            (f"secret:A@https://a.example.com {SOON}", f"fetch:https://*.example.com {SOON}"),
        ),
        (
            "no-expiry",
            ("fetch:https://a.example.com",),
            (f"fetch:https://a.example.com {SOON}",),
        ),
        ("no-expiry", ("tool:send",), (f"tool:send {SOON}", "tool:read")),
    ],
)
def test_a_warning_is_for_the_wide_one(
    code: str, wide: tuple[str, ...], narrow: tuple[str, ...], subject: MakeSubject
) -> None:
    warned = found(subject(*wide))
    assert code in warned
    assert code not in found(subject(*narrow))
    if warned[code].mend:
        parsed(warned[code].mend)
        assert warned[code].flag.startswith("--grant ")


def test_the_home_directory_and_programs_are_not_to_be_written(
    subject: MakeSubject, tree: Path
) -> None:
    programs = tree.parent / "bin"
    programs.mkdir()
    assert {"wide-write", "program-path"} <= found(subject(f"write:{tree.parent}")).keys()
    assert "wide-write" in found(subject("write:/"))
    narrow = found(subject(f"write:{programs}"))
    assert "program-path" in narrow and "wide-write" not in narrow
    assert not {"wide-write", "program-path"} & found(subject("write:/workspace")).keys()
    assert not {"wide-write", "program-path"} & found(subject(f"read:{tree.parent}")).keys()


def test_what_mends_a_warning_ends_it(subject: MakeSubject) -> None:
    grant = "fetch:http://*.example.com"
    while warned := [lint for lint in radius(subject(grant)).lints if lint.mend]:
        grant = warned[0].mend
    assert parsed(grant).expires is not None
    assert grant.startswith("fetch:https://api.example.com expires=")


@pytest.mark.parametrize(
    "text",
    [
        "fetch:https://*.example.com:8443",
        'fetch:"GET,POST https://*.example.com/a/*?*" uses=3',
        "fetch:https://github.com",
        "fetch:https://github.com:8443",
        "fetch:https://github.com/*",
        'fetch:"GET https://github.com" bytes=1MB rate=5/min',
        "fetch:https://*.amazonaws.com ask=first",
        "write:/workspace/.git/hooks",
        "write:/",
        "tool:send",
    ],
)
def test_what_is_narrower_permits_nothing_new(text: str, subject: MakeSubject) -> None:
    held = subject("read:/workspace", text)
    wide = next(m.grant for m in held.live if m.grant.action != "read")
    found = radius(held)
    mends = [lint.mend for lint in found.lints if lint.grant == str(wide) and lint.mend]
    mends += [cut.grant for f in found.flows if f.sink.grant == wide for cut in f.cuts if cut.grant]
    assert mends
    for mend in mends:
        assert wide.covers(parsed(mend)), mend


def test_a_credential_becomes_a_secret_where_one_host_is_granted(subject: MakeSubject) -> None:
    one = found(subject("env:TOKEN", "fetch:https://api.example.com:8443"))
    assert one["credential-variable"].mend == "secret:TOKEN@https://api.example.com:8443"
    several = subject("env:TOKEN", "fetch:https://a.example.com", "fetch:https://b.example.com")
    assert found(several)["credential-variable"].mend == ""


def test_several_endless_grants_are_one_warning(subject: MakeSubject) -> None:
    lints = radius(subject("fetch:https://a.example.com", "fetch:https://b.example.com")).lints
    (endless,) = [lint for lint in lints if lint.code == "no-expiry"]
    assert "and 1 more" in endless.says


def test_every_code_is_one_that_a_rule_can_name(subject: MakeSubject) -> None:
    held = subject("read:/workspace", "fetch:http://*.example.com", "env:TOKEN", "tool:send")
    assert found(held).keys() <= set(CODES)
    assert len(set(CODES)) == len(CODES)


@pytest.mark.parametrize(
    ("url", "shared"),
    [
        ("https://github.com", True),
        ("https://github.com/*", True),
        ("https://github.com/mine/repo/*", False),
        ("https://storage.googleapis.com", True),
        ("https://*.amazonaws.com", True),
        ("https://*.eu-west-1.amazonaws.com", True),
        ("https://s3.eu-west-1.amazonaws.com", True),
        ("https://mine.s3.amazonaws.com", False),
        ("https://discord.com/api/webhooks/1/x", False),
        ("https://webhook.site", True),
        ("https://example.com", False),
    ],
)
def test_whose_host_it_is(url: str, shared: bool) -> None:
    selector = parsed(f"fetch:{url}").selector
    assert isinstance(selector, FetchSelector)
    assert (shared_by(selector) is not None) is shared


def test_the_table_of_hosts_is_in_canonical_spelling() -> None:
    for host, whose in SHARED.items():
        parsed(f"fetch:https://{host.replace('*', 'x')}")
        assert host == host.lower() and whose
