"""A call sees the variables that the run holds and the tool requests, and no others."""

import pytest
from tests.gate.conftest import authority

from capbox.gate.manifest import Request
from capbox.gate.rights.variables import variables

HOST = {"HOME": "/home/u", "TOKEN": "secret", "EMPTY": ""}
EVERY, HOME = Request("env"), Request("env", name="HOME")


@pytest.mark.parametrize(
    ("grants", "requests", "values", "shown", "of_host"),
    [
        (["env:HOME"], (EVERY,), {"HOME": "/home/u"}, [0], ["HOME"]),
        (["env:HOME"], (HOME,), {"HOME": "/home/u"}, [0], ["HOME"]),
        (["env:HOME"], (), {}, [], []),
        (["env:HOME"], (Request("read"),), {}, [], []),
        (["env:TOKEN"], (HOME,), {}, [], []),
        (["env:TOKEN", "env:HOME"], (HOME,), {"HOME": "/home/u"}, [1], ["HOME"]),
        (["env:TOKEN"], (HOME, EVERY), {"TOKEN": "secret"}, [0], ["TOKEN"]),
        (["env:NONE"], (EVERY,), {}, [], []),
        (["env:EMPTY"], (EVERY,), {"EMPTY": ""}, [0], ["EMPTY"]),
        (["env:HOME=/x"], (EVERY,), {"HOME": "/x"}, [0], []),
        (["env:NONE="], (EVERY,), {"NONE": ""}, [0], []),
        # Both are drawn on, and what the first says is what the call sees.
        (["env:HOME=/x", "env:HOME"], (EVERY,), {"HOME": "/x"}, [0, 1], ["HOME"]),
        (["env:HOME", "env:HOME=/x"], (EVERY,), {"HOME": "/home/u"}, [0, 1], ["HOME"]),
        (["tool:read", "read:/workspace"], (EVERY,), {}, [], []),
    ],
)
def test_variables(
    grants: list[str],
    requests: tuple[Request, ...],
    values: dict[str, str],
    shown: list[int],
    of_host: list[str],
) -> None:
    live = authority(*grants).grants
    found = variables(live, requests, HOST)
    assert (found.values, found.of_host) == (values, tuple(of_host))
    assert found.shown == {live[number].id for number in shown}
