"""Attenuation of grants for the web, over generated grants, requests and addresses."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from hypothesis import example, given, settings
from hypothesis import strategies as st

from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.decision import Allowed, AuthorityId, Standing
from capbox.authority.grant import Grant
from capbox.authority.holding import Holding, lend
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.web.places import ANY_HOST, FetchAccess, FetchSelector, Origin, doubt_of

METHODS = ("", "GET ", "GET,POST ")
HOSTS = ("a.test", "b.a.test", "*.a.test", "10.1.2.3", "[10.0.0.0/8]", "[0.0.0.0/0]", "localhost")
PORTS = ("", ":8080", ":80..8080")
PLACES = ("", "/", "/v1", "/v1/*", "/v1/a", "/v1/a/*", "?*", "/v1/*?*", "/v1?a=1")
NETS = ("", "", " net=private", " net=10.0.0.0/8", " net=10.1.0.0/16", " net=0.0.0.0/0")
NARROW = ("", "", " uses=2", " uses=1", " rate=2/min", " bytes=9B", " ask=first", " ask=each")
OUT = ("", "", " except=http://a.test/v1/a", " except=http://a.test/v1/*", " except=10.1.0.0/16")
ADDRESSES = tuple(
    ip_address(text)
    for text in ("8.8.8.8", "10.1.2.3", "10.2.0.1", "127.0.0.1", "::1", "169.254.169.254")
)

PARTS = (METHODS, HOSTS, PORTS, PLACES, OUT, NETS, NARROW)
ACCESSES = tuple(
    FetchAccess(method, Origin("http", host, port), path, query, doubt_of(path))
    for method in ("GET", "PUT")
    for host in ("a.test", "b.a.test", "c.test", "10.1.2.3", "127.0.0.1", "localhost")
    for port in (80, 8080)
    for path, query in (("/", ""), ("/v1", "a=1"), ("/v1/a", ""), ("/v1/..%2fa", ""))
)


def written(parts: tuple[str, ...]) -> str:
    method, host, port, place, *more = parts
    return f'fetch:"{method}http://{host}{port}{place}"{"".join(more)}'


@st.composite
def nearby(draw: st.DrawFn) -> tuple[str, str]:
    """Draw two grants that differ in a part or two."""
    one = tuple(draw(st.sampled_from(choices)) for choices in PARTS)
    other = list(one)
    for place in draw(st.lists(st.integers(0, len(PARTS) - 1), max_size=2)):
        other[place] = draw(st.sampled_from(PARTS[place]))
    return written(one), written(tuple(other))


texts = st.tuples(*map(st.sampled_from, PARTS)).map(written)
accesses = st.sampled_from(ACCESSES)
standings = st.builds(
    lambda uses, size, now: Standing(now, uses={"root#0": uses}, bytes={"root#0": size}),  # type: ignore[dict-item]
    st.integers(0, 3),
    st.integers(0, 10),
    st.sampled_from([0.0, 1.0]),
)


def grant(text: str) -> Grant:
    parsed = parse_grant(text)
    assert isinstance(parsed, Grant), parsed
    return parsed


def mint(*grants: Grant) -> Authority:
    made = Authority.root(grants, limits=Limits(), budget=Budget(), id=AuthorityId("root"), now=0.0)
    assert isinstance(made, Authority)
    return made


def reached(authority: Authority, access: FetchAccess, standing: Standing) -> set[object]:
    """The addresses at which it would be sent, whatever the name resolves to."""
    found = Holding((authority,)).permitting(access, standing)
    return {a for a in ADDRESSES for m in found if m.grant.keeps_from(a) is None}


@given(texts)
def test_a_printed_grant_reads_back(text: str) -> None:
    assert grant(str(grant(text))) == grant(text)


@settings(max_examples=400, deadline=None)
@given(nearby(), standings)
def test_what_a_child_reaches_its_parent_reaches(
    chosen: tuple[str, str], standing: Standing
) -> None:
    parent = mint(grant(chosen[0]))
    child = parent.attenuate([grant(chosen[1])], id=AuthorityId("child"), now=0.0)
    for access in ACCESSES if isinstance(child, Authority) else ():
        assert reached(child, access, standing) <= reached(parent, access, standing)


@given(texts)
def test_every_grant_covers_itself(text: str) -> None:
    assert grant(text).covers(grant(text))


@settings(max_examples=400, deadline=None)
@given(texts, accesses, st.booleans(), st.booleans(), standings)
def test_a_lease_reaches_nothing_beyond_its_ceiling(
    text: str, access: FetchAccess, everywhere: bool, lasting: bool, standing: Standing
) -> None:
    limit = grant(text)
    if everywhere and isinstance(limit.selector, FetchSelector):
        limit = replace(limit, selector=FetchSelector((), "http", ANY_HOST, (80, 80)))
    ceiling = mint(limit)
    wanted = access.lasting if lasting else None
    lease = lend(ceiling, access, wanted, seconds=1, id=AuthorityId("lease"), now=0.0)
    if isinstance(lease, Authority):
        assert reached(lease, access, standing) <= reached(ceiling, access, standing)
        late = Standing(1.0)
        assert not isinstance(lease.decide(access, late), Allowed)


@given(texts, accesses)
@example(
    'fetch:"http://a.test" except=http://a.test/v1/a',
    FetchAccess("GET", Origin("http", "a.test", 80), "/v1/a", "", None),
)
def test_a_request_that_the_ceiling_has_is_lent_exactly(text: str, access: FetchAccess) -> None:
    ceiling = mint(grant(text))
    private = access.origin.host in ("127.0.0.1", "10.1.2.3", "localhost")
    lease = lend(ceiling, access, id=AuthorityId("lease"), now=0.0)
    if not isinstance(ceiling.decide(access, Standing(0.0)), Allowed):
        assert not isinstance(lease, Authority)
    elif access.doubt is None and not private and "uses=0" not in text:
        assert isinstance(lease, Authority)
        beside = replace(access, path=access.path + "x")
        assert isinstance(lease.decide(access, Standing(0.0)), Allowed)
        assert not isinstance(lease.decide(beside, Standing(0.0)), Allowed)
