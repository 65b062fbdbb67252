"""A call ends with the grant that it lives on, and says so; what ended otherwise says what."""

import pytest
from tests.gate.conftest import NOW, authority

from capbox.authority.authority import Minted
from capbox.authority.limits import Limits
from capbox.gate.rights.ending import told, until
from capbox.sandbox.spec import Finished, Outcome, Stopped, stopped

End = Finished | Stopped
LIMITS = Limits(wall_seconds=30)


def minted(grant: str | None) -> Minted | None:
    return None if grant is None else authority(grant).grants[0]


@pytest.mark.parametrize(
    ("grant", "after", "seconds"),
    [
        (None, 0, 30),
        ("tool:read", 0, 30),
        ("tool:read expires=60s", 0, 30),
        ("tool:read expires=60s", 31, 29),
        ("tool:read expires=10s", 0, 10),
        ("tool:read expires=10s", 10, 0),
        ("tool:read expires=10s", 11, 0),
    ],
)
def test_a_call_is_over_when_its_grant_expires(
    grant: str | None, after: int, seconds: float
) -> None:
    assert until(minted(grant), LIMITS, NOW + after) == Limits(wall_seconds=seconds)


AT = "tool:read expires=2027-01-15T08:00:10Z"


@pytest.mark.parametrize(
    ("end", "grant", "seconds", "said"),
    [
        (stopped("time"), AT, 10, Stopped("time", f"stopped: {AT} has expired")),
        (stopped("time"), AT, 30, stopped("time")),
        (stopped("time"), None, 10, stopped("time")),
        (stopped("fuel"), AT, 10, stopped("fuel")),
        (Finished(b""), AT, 10, Finished(b"")),
    ],
)
def test_who_was_cut_short_by_a_grant_is_told_so(
    end: End, grant: str | None, seconds: float, said: End
) -> None:
    found = told(Outcome(end), minted(grant), Limits(wall_seconds=seconds), LIMITS)
    assert found == Outcome(said)
