"""Programs of the standard library print in the tool `python` what they print in CPython."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.guests.python.corpus import printed_by_this_machine, programs, themes

from capbox.box import Box
from capbox.engine.local import LocalEngine


@pytest.mark.parametrize("theme", themes())
async def test_programs_print_what_they_print_in_cpython(
    theme: str, engine: LocalEngine, tmp_path: Path
) -> None:
    asked = programs(theme)
    (native := tmp_path / "native").mkdir()
    unknown = [one.code for one in asked if one.prints is None]
    natively = iter(printed_by_this_machine(unknown, native))
    wanted = {one.name: one.prints or next(natively) for one in asked}
    found = {}
    for number, one in enumerate(asked):
        (place := tmp_path / str(number)).mkdir()
        async with Box(workspace=place, grants=("write:/workspace",), engine=engine) as box:
            result = await box.call("python", code=one.code)
        found[one.name] = result.content if result.ok else str(result.error)
    assert found == wanted


def test_there_are_three_hundred_programs_each_with_a_name_of_its_own() -> None:
    names = [(theme, one.name) for theme in themes() for one in programs(theme)]
    assert (len(names) >= 300, len(set(names))) == (True, len(names))
