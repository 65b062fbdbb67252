"""Minting in a line, for tests: grants as text, time and ids as arguments."""

from collections.abc import Callable

import pytest

from capbox.authority.authority import Authority
from capbox.authority.budget import Budget
from capbox.authority.decision import AuthorityId
from capbox.authority.grant import Grant
from capbox.authority.limits import Limits
from capbox.authority.parse import parse_grant
from capbox.authority.paths import HostPath
from capbox.authority.policy import NeverRule, parse_never

Root = Callable[..., Authority]
Texts = Callable[..., list[Grant]]


def _grants(*texts: str) -> list[Grant]:
    found = [parse_grant(text) for text in texts]
    assert all(isinstance(grant, Grant) for grant in found), found
    return [grant for grant in found if isinstance(grant, Grant)]


def _root(*texts: str, never: tuple[str, ...] = (), now: float = 0.0) -> Authority:
    rules = [parse_never(text, HostPath("/home/u")) for text in never]
    authority = Authority.root(
        _grants(*texts),
        limits=Limits(),
        budget=Budget(),
        never=tuple(rule for rule in rules if isinstance(rule, NeverRule)),
        id=AuthorityId("root"),
        now=now,
    )
    assert isinstance(authority, Authority), authority
    return authority


@pytest.fixture(scope="session")
def grants() -> Texts:
    """Read grants from text."""
    return _grants


@pytest.fixture(scope="session")
def root() -> Root:
    """Mint a root authority named "root" from grant texts at second `now`."""
    return _root
