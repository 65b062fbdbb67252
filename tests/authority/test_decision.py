"""When a counted bound leaves nothing: at its number, not one after; zero is none at all."""

import pytest

from capbox.authority.caveats import Bytes, Counted, Rate, Uses
from capbox.authority.decision import GrantId, Standing

GRANT, OTHER = GrantId("root#0"), GrantId("root#1")
NOW = 1_000.0


def standing(uses: int = 0, sent: int = 0, times: tuple[float, ...] = ()) -> Standing:
    return Standing(NOW, uses={GRANT: uses}, bytes={GRANT: sent}, times={GRANT: times})


@pytest.mark.parametrize(
    ("bound", "state", "reached"),
    [
        (Uses(1), Standing(NOW), False),
        (Uses(2), standing(uses=1), False),
        (Uses(2), standing(uses=2), True),
        (Uses(0), Standing(NOW), True),
        (Uses(1), Standing(NOW, uses={OTHER: 1}), False),
        (Bytes(1), Standing(NOW), False),
        (Bytes(10), standing(sent=9), False),
        (Bytes(10), standing(sent=10), True),
        (Bytes(0), Standing(NOW), True),
        (Bytes(1), Standing(NOW, bytes={OTHER: 1}), False),
        (Rate(1, 60), Standing(NOW), False),
        (Rate(1, 60), standing(times=(NOW - 60,)), False),
        (Rate(1, 60), standing(times=(NOW - 59,)), True),
        (Rate(2, 60), standing(times=(NOW - 59,)), False),
        (Rate(2, 60), standing(times=(NOW - 61, NOW)), False),
        (Rate(2, 60), standing(times=(NOW - 59, NOW)), True),
        (Rate(0, 60), Standing(NOW), True),
        (Rate(0, 60), standing(times=(NOW - 90,)), True),
    ],
)
def test_a_counter_is_reached_at_its_number(bound: Counted, state: Standing, reached: bool) -> None:
    assert state.reached(GRANT, bound) is reached
