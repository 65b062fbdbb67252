"""Presets with their aliases: text that parses, and nothing that is not there."""

import pytest

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.engine.presets import Preset, PresetError, preset


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", ()),
        ("default", ()),
        ("read-only", ("read:/workspace",)),
        ("plan", ("read:/workspace",)),
        ("edit", ("write:/workspace",)),
        ("acceptEdits", ("write:/workspace",)),
    ],
)
def test_a_preset_and_its_old_name_give_the_same_grants(
    name: str, expected: tuple[str, ...]
) -> None:
    found = preset(name)
    assert isinstance(found, Preset)
    assert found.grants == expected
    assert all(isinstance(parse_grant(text), Grant) for text in found.grants)


@pytest.mark.parametrize("name", ["search-only", "full", "auto", "bypassPermissions"])
def test_a_preset_of_later_is_not_supported_yet(name: str) -> None:
    assert preset(name) == PresetError(name, f"preset {name} is not supported yet")


def test_an_unknown_preset_is_refused() -> None:
    assert isinstance(preset("everything"), PresetError)
