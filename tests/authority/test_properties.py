"""Properties of authority over generated grants, chains and standings, and small universes."""

from itertools import pairwise, product

from hypothesis import given, settings
from hypothesis import strategies as st

from capbox.authority.access import (
    Access,
    EnvAccess,
    InvokeAccess,
    ModelAccess,
    ReadAccess,
    ToolAccess,
    WriteAccess,
)
from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.caveats import (
    Ask,
    Bytes,
    Caveat,
    Except,
    ExpiresAfter,
    ExpiresAt,
    Later,
    Public,
    Rate,
    Untainted,
    Uses,
)
from capbox.authority.decision import Allowed, AuthorityId, GrantId, Standing
from capbox.authority.exclusions import Globs
from capbox.authority.grant import (
    Action,
    EnvSelector,
    Grant,
    LaterSelector,
    ModelSelector,
    NameSelector,
    PathSelector,
    SecretSelector,
    StoreSelector,
)
from capbox.authority.holding import Holding, lend
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GrantPath, hostile_character, joined
from capbox.authority.policy import NeverRule
from capbox.authority.values.arguments import (
    Among,
    Anything,
    Arg,
    Argument,
    AtMost,
    Given,
    Grounded,
    Prefix,
)
from capbox.authority.values.kinds import KINDS, Value, canonical
from capbox.authority.web.places import FetchSelector, Origin, parse_fetch, parse_origin

# --- print and parse ---------------------------------------------------------------------------

clean = st.text(min_size=1).filter(lambda t: hostile_character(t) is None)
segment = clean.filter(lambda t: "/" not in t and t not in (".", "..", "*", "**"))
tricky = st.sampled_from(["a uses=9", 'q"', '"', "\\", " ", "a=b", "x expires=1s", "é", "\u00a0"])
any_path = st.lists(segment | tricky, max_size=4).map(lambda s: GrantPath("/" + "/".join(s)))
variable = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
name = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,9}", fullmatch=True)
model_name = clean.filter(lambda t: "*" not in t)
glob = st.from_regex(r"(\*\*/|/)?[a-z*? \"]{1,4}(/[a-z]{1,3})?", fullmatch=True).filter(
    lambda g: "**" not in g.removeprefix("**/")
)
host = st.from_regex(r"https?://([a-z]{1,5}\.){0,2}[a-z]{1,5}(:[1-9][0-9]{1,3})?", fullmatch=True)
canonical_host = host.filter(lambda h: not h.endswith((":80", ":443")))

expiry = st.builds(ExpiresAfter, st.integers(0, 10**6)) | st.builds(
    ExpiresAt, st.integers(0, 10**13)
)
uses = st.builds(Uses, st.integers(0, 10**6))
leaves_out = st.builds(Except, st.lists(glob, min_size=1, max_size=3).map(tuple))
asks = st.sampled_from(["first", "each"]).map(lambda v: Later("ask", v))
public = st.just(Public())
rates = st.integers(0, 99).map(lambda n: Later("rate", f"{n}/min"))
untainted = st.just(Untainted())
one_of = st.lists(clean, max_size=3).map(Among.of)
amounts = (
    st.decimals(0, 10**6, places=5)
    .map(lambda amount: canonical("amount", f"{amount:f}"))
    .map(lambda amount: amount.text)
)
tests = st.one_of(
    one_of,
    st.builds(Prefix, clean),
    st.builds(AtMost, amounts),
    st.sampled_from([Grounded(), Anything(), Among(("any",)), Among(("in(",)), Among(("max(1)",))]),
)
arguments = tests.map(lambda test: Arg("to", test))
sizes = st.integers(0, 99).map(lambda n: Later("bytes", f"{n}kB"))


@st.composite
def caveats(draw: st.DrawFn, *kinds: st.SearchStrategy[Caveat]) -> tuple[Caveat, ...]:
    return tuple(draw(kind) for kind in kinds if draw(st.booleans()))


def of(
    action: Action,
    selector: st.SearchStrategy[object],
    *after: st.SearchStrategy[Caveat],
    first: tuple[st.SearchStrategy[Caveat], ...] = (),
) -> st.SearchStrategy[Grant]:
    order = caveats(expiry, uses, *first, *after)
    return st.builds(Grant, st.just(action), selector, order)


web_asks = st.builds(Ask, st.booleans())
web_sizes = st.builds(Bytes, st.integers(0, 10**12))
web_rates = st.builds(Rate, st.integers(0, 10_000), st.sampled_from([1, 60, 3_600, 86_400]))


def fetched(text: str) -> FetchSelector:
    selector = parse_fetch(text)
    assert isinstance(selector, FetchSelector), selector
    return selector


def origin(text: str) -> Origin:
    found = parse_origin(text.replace("http:", "https:"))
    assert isinstance(found, Origin), found
    return found


store_name = st.from_regex("[a-z][a-z0-9_-]{0,63}", fullmatch=True)
tail = (asks, public, rates, untainted)
called = (asks, public, web_rates, untainted)
grants = st.one_of(
    of("read", st.builds(PathSelector, any_path), *tail, first=(leaves_out,)),
    of("write", st.builds(PathSelector, any_path), asks, sizes, public, first=(leaves_out,)),
    of("env", st.builds(EnvSelector, variable, st.none() | clean), *tail),
    of("tool", st.builds(NameSelector, name), arguments, *called),
    of("model", st.builds(ModelSelector, model_name | model_name.map(lambda m: m + "/*")), *tail),
    of("fetch", canonical_host.map(fetched), web_asks, web_sizes, public, web_rates),
    of("fetch", canonical_host.map(lambda h: fetched(f"GET,HEAD {h}/v1/*")), public),
    of("secret", st.builds(SecretSelector, variable, canonical_host.map(origin)), public),
    of("spawn", st.integers(0, 999).map(lambda n: LaterSelector(str(n))), *tail),
    of("invoke", st.builds(NameSelector, name), arguments, *called),
    of("store", st.builds(StoreSelector, store_name), *tail),
    of("exec", name.map(LaterSelector), *tail),
)


@given(grants)
def test_a_printed_grant_reads_back_as_itself(grant: Grant) -> None:
    assert parse_grant(str(grant)) == grant


# --- attenuation and standing, on a small universe ----------------------------------------------

NAMES = ("a", "b", ".env", ".git", "hooks", "b2")
PATHS = tuple(
    GrantPath("/".join([root, *parts]))
    for root in ("/workspace", "/h")
    for depth in range(3)
    for parts in product(NAMES, repeat=depth)
)
VALUES = ("/a", "/a/b", "/ab", "https://h/", "https://h/a", "https://h/a?b", "5", "50", "a@h")
CALLS = tuple(
    by("a", (Argument("to", kind, tuple(Given(t, grounded) for t in texts)), left_out))
    for by in (ToolAccess, InvokeAccess)
    for kind in KINDS
    for texts in ((), *((v,) for v in VALUES), ("5", "50"))
    if all(canonical(kind, text) == Value(kind, text) for text in texts)
    for grounded in (False, True)
    for left_out in (Argument("cc", kind), Argument("cc", kind, (Given("5"),)))
)
ACCESSES: tuple[Access, ...] = (
    *CALLS,
    *map(ReadAccess, PATHS),
    *map(WriteAccess, PATHS),
    *map(EnvAccess, ("A", "B")),
    *map(ToolAccess, ("a", "b")),
    *map(InvokeAccess, ("a", "b")),
    *map(ModelAccess, ("a", "a/b", "a/b/c", "b")),
)
MOMENTS = (0.0, 1.0, 2.0)

small_path = st.sampled_from(PATHS).map(PathSelector)
small_caveats = caveats(
    st.builds(ExpiresAt, st.sampled_from([1000, 2000])),
    st.builds(Uses, st.integers(0, 2)),
)
small_globs = st.sampled_from(["a", "b", "/a", "a/b", "**/a/b", "a/**", "?", "b*", "**", ".git"])
small_except = st.builds(Except, st.lists(small_globs, min_size=1, max_size=2).map(tuple))
small_tests = st.one_of(
    st.lists(st.sampled_from(VALUES), max_size=2).map(Among.of),
    st.builds(Prefix, st.sampled_from([*VALUES, "https:/", "https://h", "/", "h"])),
    st.builds(AtMost, st.sampled_from(["5", "49", "50"])),
    st.sampled_from([Grounded(), Anything()]),
)
small_conditions = st.dictionaries(
    st.sampled_from(["to", "to", "cc", "no"]), small_tests, max_size=2
)
small_conditions = small_conditions.map(lambda found: tuple(Arg(*one) for one in found.items()))
small = st.one_of(
    st.builds(
        lambda action, path, some, out: Grant(action, path, (*some, *out)),
        st.sampled_from(["read", "write"]),
        small_path,
        small_caveats,
        caveats(small_except),
    ),
    st.builds(
        Grant,
        st.just("env"),
        st.builds(EnvSelector, st.sampled_from("AB"), st.sampled_from([None, "1"])),
        small_caveats,
    ),
    st.builds(
        lambda action, name, some, conditions: Grant(
            action, NameSelector(name), (*some, *conditions)
        ),
        st.sampled_from(["tool", "invoke"]),
        st.sampled_from("aab"),
        small_caveats,
        small_conditions,
    ),
    st.builds(
        Grant,
        st.just("model"),
        st.sampled_from(["*", "a/*", "a/b", "a/b/*", "a"]).map(ModelSelector),
        small_caveats,
    ),
)
rules = st.builds(NeverRule, st.sampled_from(["read", "write"]), st.sampled_from(PATHS))


def mint(chosen: list[Grant], never: list[NeverRule]) -> Authority:
    kept = [g for g in chosen if not any(rule.forbids_grant(g) for rule in never)]
    minted = Authority.root(
        kept,
        limits=Limits(),
        budget=Budget(),
        never=tuple(never),
        id=AuthorityId("root"),
        now=0.0,
    )
    assert isinstance(minted, Authority)
    return minted


def child_of(parent: Authority, chosen: list[Grant], name: str) -> Authority:
    """Keep of the chosen grants those that the parent can give."""
    kept = [
        grant
        for grant in chosen
        if isinstance(parent.attenuate([grant], id=AuthorityId("try"), now=0.0), Authority)
    ]
    child = parent.attenuate(kept, id=AuthorityId(name), now=0.0)
    assert isinstance(child, Authority)
    return child


@st.composite
def derived(draw: st.DrawFn, parent: Authority) -> Grant:
    """Draw a grant near one of the parent's: often within it, often just beyond."""
    grant = draw(st.sampled_from(parent.grants)).grant
    if draw(st.integers(0, 9)) == 9:
        return draw(small)
    if grant.path is None:
        others = tuple(c for c in grant.caveats if not isinstance(c, Arg))
        tool = grant.action == "tool" and draw(st.booleans())
        return Grant("tool", grant.selector, (*others, *draw(small_conditions))) if tool else grant
    inner = "/".join(draw(st.lists(st.sampled_from(NAMES), max_size=2)))
    residual = Globs(grant.exceptions).residual(inner) or frozenset()
    kept = tuple(sorted(residual)) if draw(st.integers(0, 4)) < 4 else grant.exceptions
    out = (*kept, *draw(st.lists(small_globs, max_size=1)))[draw(st.integers(0, 9)) == 9 :]
    others = tuple(c for c in grant.caveats if not isinstance(c, Except))
    return Grant(
        draw(st.sampled_from([grant.action, "read"])),
        PathSelector(GrantPath(joined(grant.path, inner))),
        (*(others if draw(st.integers(0, 4)) < 4 else ()), *([Except(out)] if out else [])),
    )


@st.composite
def chains(draw: st.DrawFn) -> tuple[Authority, Authority, Authority]:
    held = draw(st.lists(small, min_size=1, max_size=3))
    top = mint(held, draw(st.lists(rules, max_size=2)))
    middle = child_of(top, draw_children(draw, top), "middle")
    return top, middle, child_of(middle, draw_children(draw, middle), "leaf")


def draw_children(draw: st.DrawFn, parent: Authority) -> list[Grant]:
    return draw(st.lists(derived(parent), min_size=2, max_size=4)) if parent.grants else []


@st.composite
def standings(draw: st.DrawFn) -> Standing:
    ids = ("root", "middle", "leaf")
    revoked = draw(st.sampled_from([(), (), (), *([i] for i in ids)]))
    counted = st.sampled_from([GrantId(f"{i}#{n}") for i in ids for n in range(3)])
    return Standing(
        draw(st.sampled_from(MOMENTS)),
        frozenset(map(AuthorityId, revoked)),
        draw(st.dictionaries(counted, st.integers(0, 2), max_size=2)),
    )


def permitted(authority: Authority, standing: Standing) -> set[Access]:
    return {a for a in ACCESSES if isinstance(authority.decide(a, standing), Allowed)}


@settings(max_examples=150, deadline=None)
@given(chains(), standings())
def test_what_a_child_permits_every_ancestor_permits(
    chain: tuple[Authority, Authority, Authority], standing: Standing
) -> None:
    top, middle, leaf = (permitted(authority, standing) for authority in chain)
    assert leaf <= middle <= top


@settings(max_examples=60, deadline=None)
@given(chains(), standings(), st.sampled_from(["root", "middle", "leaf"]))
def test_what_is_revoked_never_permits_again(
    chain: tuple[Authority, Authority, Authority], standing: Standing, name: str
) -> None:
    gone = Standing(standing.now, frozenset({AuthorityId(name)}), standing.uses)
    for authority in chain:
        if AuthorityId(name) in authority.lineage:
            assert permitted(authority, gone) == set()
            assert Holding((authority,)).file_rights(gone) == ()


@settings(max_examples=60, deadline=None)
@given(chains(), standings())
def test_what_is_expired_never_permits_again(
    chain: tuple[Authority, Authority, Authority], standing: Standing
) -> None:
    for authority in chain:
        for access in permitted(authority, standing):
            decision = authority.decide(access, standing)
            assert isinstance(decision, Allowed)
            grant = next(m for m in authority.grants if m.id == decision.grant)
            assert grant.expires_ms is None or standing.now * 1000 < grant.expires_ms
    later = [permitted(chain[0], Standing(now, standing.revoked, standing.uses)) for now in MOMENTS]
    assert all(after <= before for before, after in pairwise(later))


@settings(max_examples=100, deadline=None)
@given(st.lists(small, max_size=3), st.lists(rules, max_size=2), standings())
def test_the_rights_given_to_the_sandbox_say_what_the_decision_says(
    chosen: list[Grant], never: list[NeverRule], standing: Standing
) -> None:
    holding = Holding((mint(chosen, never),))
    rights = holding.file_rights(standing)
    for path in PATHS:
        for access in (ReadAccess(path), WriteAccess(path)):
            enforced = any(
                below(path, r.path) and r.refusal(access) is None
                for r in rights
                if r.write or isinstance(access, ReadAccess)
            )
            assert enforced is isinstance(holding.decide(access, standing), Allowed), access


@settings(max_examples=100, deadline=None)
@given(st.lists(small, max_size=3), st.data(), st.booleans())
def test_a_narrowed_right_is_the_intersection(
    chosen: list[Grant], data: st.DataObject, write: bool
) -> None:
    for right in Holding((mint(chosen, []),)).file_rights(Standing(0.0)):
        related = [p for p in PATHS if below(p, right.path) or below(right.path, p)]
        requested = data.draw(st.sampled_from(related) | st.sampled_from(PATHS))
        common = right.narrowed(requested, write=write)
        for path in PATHS:
            for access in (ReadAccess(path), WriteAccess(path)):
                asked = (write or isinstance(access, ReadAccess)) and below(path, requested)
                held = (right.write or isinstance(access, ReadAccess)) and below(path, right.path)
                both = asked and held and right.refusal(access) is None
                given_ = (
                    common is not None
                    and below(path, common.path)
                    and (common.write or isinstance(access, ReadAccess))
                    and common.refusal(access) is None
                )
                assert given_ is both, (right.path, requested, access)


def below(path: str, root: str) -> bool:
    return path == root or path.startswith(root + "/")


@settings(max_examples=100, deadline=None)
@given(st.lists(small, min_size=1, max_size=3), standings(), st.data())
def test_a_lease_is_lent_where_the_ceiling_permits_and_permits_nothing_beyond(
    chosen: list[Grant], standing: Standing, data: st.DataObject
) -> None:
    ceiling = mint(chosen, [])
    held = permitted(ceiling, Standing(0.0))
    access = data.draw(st.sampled_from([a for a in ACCESSES if a in held] or ACCESSES))
    lease = lend(ceiling, access, seconds=1, id=AuthorityId("leaf"), now=0.0)
    # Whether one address is a grounded value, or a text below a prefix, the text does not say.
    by_kind = any(
        not isinstance(condition.test, Among | Anything)
        for minted in ceiling.candidates(access)
        for condition in minted.grant.conditions
    )
    assert isinstance(lease, Authority) or access not in held or by_kind
    if isinstance(lease, Authority):
        assert permitted(lease, standing) <= permitted(ceiling, standing)
