"""Published incidents: what worked there works on something naive, and not on capbox.

Beside each stands the honest use of the same thing, which works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from tests.attacks.incidents.catalogue import CASES, INCIDENTS
from tests.attacks.incidents.place import Place

from capbox.surfaces.demo.attacks.catalogue import ATTACKS

MakePlace = Callable[[str], Place]
WITH_ATTACKS = [name for name, incident in INCIDENTS.items() if incident.attacks]


def test_each_of_the_31_has_its_three_tests_and_a_cause_of_its_own() -> None:
    assert len(INCIDENTS) == 31
    assert set(CASES) == set(INCIDENTS)
    for made in (
        [one.cause for one in INCIDENTS.values()],
        [one.naive for one in CASES.values()],
        [one.attack for one in CASES.values()],
    ):
        assert len(set(made)) == 31


def test_every_incident_names_attacks_of_the_demo() -> None:
    known = {attack.id for attack in ATTACKS}
    assert {a for one in INCIDENTS.values() for a in one.attacks} - known == set()


@pytest.mark.parametrize("incident", INCIDENTS)
def test_it_works_on_something_naive(incident: str, place: MakePlace) -> None:
    naive = place("naive")
    assert naive.harm == ""
    CASES[incident].naive(naive)
    assert naive.harm != ""


@pytest.mark.parametrize("incident", INCIDENTS)
@pytest.mark.anyio
async def test_it_does_not_work_here(incident: str, place: MakePlace) -> None:
    here = place("here")
    await CASES[incident].attack(here)
    assert here.harm == "", here.output


@pytest.mark.parametrize("incident", INCIDENTS)
@pytest.mark.anyio
async def test_the_honest_use_of_the_same_thing_works(incident: str, place: MakePlace) -> None:
    here = place("here")
    assert await CASES[incident].allowed(here), here.output
    assert here.harm == ""


@pytest.mark.parametrize("incident", WITH_ATTACKS)
def test_with_each_wall_up_and_down_it_is_the_same(
    incident: str,
    user: str,
    walls: str,
    bites: Callable[[str], Mapping[str, str | None]],
    trials: Callable[[str, str], Mapping[str, list[str | None]]],
) -> None:
    for attack in INCIDENTS[incident].attacks:
        assert bites(user)[attack] is not None
        assert trials(user, walls)[attack][1] is None
