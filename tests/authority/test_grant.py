"""Which accesses a grant selects, and which grants it covers."""

from collections.abc import Callable

import pytest

from capbox.authority.access import (
    Access,
    EnvAccess,
    InvokeAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
)
from capbox.authority.caveats import Ask, Bytes, ExpiresAfter, Rate, Uses
from capbox.authority.grant import Grant
from capbox.authority.paths import GrantPath
from capbox.authority.web.places import FetchAccess, Origin

Texts = Callable[..., list[Grant]]


def read(path: str) -> Access:
    return ReadAccess(GrantPath(path))


def write(path: str) -> Access:
    return WriteAccess(GrantPath(path))


@pytest.mark.parametrize(
    ("text", "allowed", "denied"),
    [
        ("read:/a/b", read("/a/b"), read("/a/b2")),
        ("read:/a/b", read("/a/b/c"), write("/a/b/c")),
        ("read:/", read("/etc"), write("/etc")),
        ("write:/a/b", write("/a/b/c"), write("/a")),
        ("write:/a/b", read("/a/b"), read("/a/b2")),
        ('read:"/a uses=9"', read("/a uses=9"), read("/a")),
        ("env:HOME", EnvAccess("HOME"), EnvAccess("HOME2")),
        ("env:HOME=x", EnvAccess("HOME"), ToolAccess("HOME")),
        ("tool:bash", ToolAccess("bash"), ToolAccess("bash2")),
        ("tool:bash", ToolAccess("bash"), InvokeAccess("bash")),
        ("invoke:mail", InvokeAccess("mail"), ToolAccess("mail")),
        ("invoke:mail", InvokeAccess("mail"), InvokeAccess("mail2")),
        ("store:bash", None, ToolAccess("bash")),
        ("model:a/b", ModelAccess("a/b"), ModelAccess("a/b2")),
        ("model:a/*", ModelAccess("a/b"), ModelAccess("ab/c")),
        ("model:a/*", ModelAccess("a/b/c"), ModelAccess("a")),
        ("model:*", ModelAccess("a/b"), ToolAccess("a")),
    ],
)
def test_a_grant_selects_what_it_names_and_nothing_beside_it(
    grants: Texts, text: str, allowed: Access | None, denied: Access
) -> None:
    (grant,) = grants(text)
    assert allowed is None or grant.selects(allowed)
    assert not grant.selects(denied)


KINDS: dict[str, Access | None] = {
    "read:/a": read("/a"),
    "fetch:https://a.example": FetchAccess("GET", Origin("https", "a.example", 443), "/"),
    "secret:a@https://a.example": None,
    "env:a": EnvAccess("a"),
    "tool:a": ToolAccess("a"),
    "invoke:a": InvokeAccess("a"),
    "model:a": ModelAccess("a"),
    "spawn:1": None,
    "store:a": None,
    "exec:a": None,
}


@pytest.mark.parametrize("text", KINDS)
def test_a_grant_is_of_one_kind_and_has_nothing_to_do_with_the_others(
    grants: Texts, text: str
) -> None:
    (grant,) = grants(text)
    accesses = [access for access in KINDS.values() if access is not None]
    assert [a for a in accesses if grant.selects(a)] == [a for a in accesses if a == KINDS[text]]
    assert [str(other) for other in grants(*KINDS) if grant.covers(other)] == [text]


def test_what_is_asked_and_counted_is_what_the_caveats_say(grants: Texts) -> None:
    bare, bound, ends = grants(
        "fetch:https://a.example",
        "fetch:https://a.example uses=2 ask=each bytes=1B rate=3/s",
        "fetch:https://a.example expires=1s",
    )
    assert (bare.asks, bare.uses, bare.counted, bare.expires) == (None, None, (), None)
    assert (bound.asks, bound.uses, bound.expires) == (Ask(each=True), 2, None)
    assert bound.counted == (Uses(2), Bytes(1), Rate(3, 1))
    assert (ends.asks, ends.uses, ends.expires) == (None, None, ExpiresAfter(1))
    labelled = grants("fetch:https://a.example untainted", "tool:a public uses=1")
    assert [g.labelled for g in (bare, bound, ends, *labelled)] == [False] * 3 + [True] * 2


@pytest.mark.parametrize(
    ("caveats", "header"),
    [
        ("", ("Authorization", "Bearer s3")),
        ("header=authorization", ("authorization", "Bearer s3")),
        ("header=X-Key", ("X-Key", "s3")),
        ('format="Key {}!"', ("Authorization", "Key s3!")),
        ("header=X-Key format=k:{}", ("X-Key", "k:s3")),
    ],
)
def test_a_secret_is_sent_as_its_grant_says(
    grants: Texts, caveats: str, header: tuple[str, str]
) -> None:
    (grant,) = grants(f"secret:K@https://a.example {caveats}")
    assert grant.header_for("s3") == header


@pytest.mark.parametrize(
    ("parent", "within", "beyond"),
    [
        ("write:/a", "read:/a", "read:/a2"),
        ("read:/a", "read:/a/b", "write:/a/b"),
        ("read:/a/b", "read:/a/b", "read:/a"),
        ("env:A", "env:A", "env:A=evil"),
        ("env:A=1", "env:A=1", "env:A"),
        ("tool:a", "tool:a", "tool:b"),
        ("model:a/*", "model:a/b", "model:b/a"),
        ("model:a/*", "model:a/b/*", "model:*"),
        ("model:a/b", "model:a/b", "model:a/*"),
        ("read:/a uses=2", "read:/a uses=2", "read:/a uses=3"),
        ("read:/a uses=2", "read:/a uses=0", "read:/a"),
        (
            "read:/a expires=2030-01-01T00:00:00Z",
            "read:/a expires=2029-12-31T23:59:59Z",
            "read:/a expires=2030-01-01T00:00:00.001Z",
        ),
        ("read:/a expires=2030-01-01T00:00:00Z", "read:/a expires=1970-01-01T00:00:00Z", "read:/a"),
        (
            "read:/a expires=2030-01-01T00:00:00Z",
            "read:/a expires=1970-01-01T00:00:00Z uses=1",
            "read:/a expires=1s",
        ),
        ("read:/a except=*.pem", "read:/a/b except=*.pem", "read:/a/b"),
        ("read:/a except=*.pem", "read:/a except=*.pem,x", "read:/a except=*.PE?"),
        ("read:/a except=b/c", "read:/a/b except=/c", "read:/a/b except=/d"),
        ("read:/a except=b/c", "read:/a/x", "read:/a/b"),
        ("read:/a except=b/c", "read:/a/x", "read:/a/b/c"),
        ("read:/a except=b/**", "read:/a/x", "read:/a/b"),
        ("read:/a except=b/**", "read:/a/b except=/**", "read:/a/b/c"),
        ("read:/a except=x", "read:/a except=X", "read:/a except=/x"),
    ],
)
def test_a_grant_covers_what_is_at_least_as_narrow(
    grants: Texts, parent: str, within: str, beyond: str
) -> None:
    held, narrow, wide = grants(parent, within, beyond)
    assert (held.covers(narrow), held.covers(wide)) == (True, False)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("read:/a uses=1 expires=1s except=x", None),
        ("env:A", None),
        ("tool:a", None),
        ("model:a", None),
        ("fetch:https://a.example ask=first bytes=1MB rate=1/s net=private", None),
        ("secret:K@https://a.example header=X-Key", None),
        ("invoke:f arg.x=1 uses=1 rate=1/s expires=1s untainted public", None),
        ("invoke:f ask=each", "ask on invoke:"),
        ("spawn:1", "spawn:"),
        ("store:s bytes=1MB uses=1 expires=1s", None),
        ("store:s rate=1/s", "rate on store:"),
        ("exec:git", "exec:"),
        ("read:/a ask=each", "ask on read:"),
        ("write:/a bytes=1", "bytes on write:"),
        ("tool:a arg.x=1", None),
        ("tool:a rate=2/min untainted public", None),
        ("fetch:https://a.example untainted public", None),
        ("read:/a public", "public on read:"),
        ("write:/a untainted", "untainted on write:"),
        ("read:/a rate=1/s", "rate on read:"),
    ],
)
def test_a_grant_says_what_of_it_is_not_enforced_yet(
    grants: Texts, text: str, missing: str | None
) -> None:
    assert grants(text)[0].unsupported() == missing
