"""Groups of flags: a command that has a group has its flags, each declared once."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, fields
from typing import Annotated

import pytest
import typer
from tests.surfaces.cli.conftest import Capbox
from typer.testing import CliRunner

from capbox.surfaces.cli.commands.run import run
from capbox.surfaces.cli.commands.sessions.resume import resume
from capbox.surfaces.cli.flags.grouped import grouped


@dataclass(frozen=True, slots=True, kw_only=True)
class Colours:
    """Two flags."""

    fore: Annotated[str, typer.Option("--fore", help="In front.")] = "black"
    back: Annotated[list[str] | None, typer.Option("--back")] = None


@grouped
def paint(
    what: Annotated[str, typer.Argument()],
    *,
    twice: Annotated[bool, typer.Option("--twice")] = False,
    colours: Colours,
) -> int:
    """Paint something."""
    print(what, twice, colours)
    return 0


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["wall"], f"wall False {Colours()}"),
        (["wall", "--fore", "red", "--twice"], f"wall True {Colours(fore='red')}"),
        (["--back", "a", "wall", "--back", "b"], f"wall False {Colours(back=['a', 'b'])}"),
    ],
)
def test_a_group_is_given_as_its_flags(typed: list[str], told: str) -> None:
    program = typer.Typer()
    program.command()(paint)
    assert CliRunner().invoke(program, typed).output.strip() == told


def test_a_command_keeps_its_name_its_help_and_the_order_of_its_flags() -> None:
    assert (paint.__name__, paint.__doc__) == ("paint", "Paint something.")
    assert list(inspect.signature(paint).parameters) == ["what", "twice", "fore", "back"]
    assert [one.name for one in fields(Colours)] == ["fore", "back"]


def test_what_goes_on_with_a_session_takes_what_begins_one_takes() -> None:
    ours, theirs = (set(inspect.signature(one).parameters) for one in (resume, run))
    assert theirs - ours == {"named", "skill", "resume"}
    assert ours - theirs == {"session"}


def test_an_effort_that_there_is_not_is_refused_by_name(capbox: Capbox) -> None:
    done = capbox("run", "x", "--effort", "much")
    assert done.code == 2 and "--effort" in done.err and "max" in done.err
