"""Flags become settings: nothing is granted without one, and what is wrong is named."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from capbox.authority.budget import WORDS, Budget
from capbox.authority.limits import Limits
from capbox.engine.budgets.given import budget_with
from capbox.engine.settings import Settings, SettingsError
from capbox.surfaces.cli.commands.call import call
from capbox.surfaces.cli.commands.run import run
from capbox.surfaces.cli.flags.groups import BoundFlags, BudgetFlags, GrantFlags
from capbox.surfaces.cli.flags.settings import (
    budget_of,
    limits_of,
    refuse_run_keys,
    settings_of,
)
from capbox.surfaces.cli.flags.words import (
    LIMIT_KEYS,
    BudgetUsd,
    MaxToolCalls,
    MaxTurns,
    Memory,
)


def test_no_flag_grants_nothing() -> None:
    made = settings_of(GrantFlags(workspace=Path("w")), {"A": "b"})
    assert made == Settings(workspace=Path("w"), environ={"A": "b"})
    assert GrantFlags().given is False


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (GrantFlags(read=["a", "b"]), Settings(reads=("a", "b"), environ={})),
        (GrantFlags(write=["a"]), Settings(writes=("a",), environ={})),
        (GrantFlags(grant=["read:/x"]), Settings(grants=("read:/x",), environ={})),
        (GrantFlags(map_=["/x=/mnt/x"]), Settings(maps=("/x=/mnt/x",), environ={})),
        (GrantFlags(env=["A"]), Settings(env=("A",), environ={})),
        (
            GrantFlags(fetch=["GET https://a.example/"]),
            Settings(fetches=("GET https://a.example/",), environ={}),
        ),
        (
            GrantFlags(secret=["A@https://a.example"]),
            Settings(secrets=("A@https://a.example",), environ={}),
        ),
        (GrantFlags(preset="none"), Settings(environ={})),
        (GrantFlags(preset="edit"), Settings(preset="edit", environ={})),
    ],
)
def test_each_grant_flag_reaches_the_settings_and_counts_as_given(
    flags: GrantFlags, expected: Settings
) -> None:
    assert settings_of(flags, {}) == expected
    assert flags.given is True


def test_bounds_have_the_units_that_the_flags_name() -> None:
    flags = BoundFlags(timeout=1.5, memory=64, stack=5, fuel=7, output=9)
    assert limits_of(flags, ["written_bytes=1", "tmp_bytes=0"]) == Limits(
        wall_seconds=1.5,
        fuel=7,
        memory_bytes=64_000_000,
        stack_bytes=5,
        output_bytes=9,
        written_bytes=1,
        tmp_bytes=0,
    )
    assert limits_of(BoundFlags()) == Limits()


@pytest.mark.parametrize("command", [call, run], ids=lambda command: command.__name__)
def test_a_command_has_the_defaults_of_limits_and_no_copy_of_them(
    command: Callable[..., int],
) -> None:
    given = inspect.signature(command).parameters
    bounds = {"timeout": "wall_seconds", "stack": "stack_bytes", "output": "output_bytes"}
    for flag, bound in bounds.items():
        # The very object: a number written a second time would be another one.
        assert given[flag].default is getattr(Limits(), bound)
    assert given["memory"].default is None


def test_the_help_names_the_defaults_that_hold() -> None:
    for flag, default in (
        (MaxTurns, Budget().turns),
        (MaxToolCalls, Budget().tool_calls),
        (BudgetUsd, f"{Budget().usd:g}"),
        (Memory, f"{Limits().memory_bytes // 10**6} ({Limits().memory_bytes >> 20} MiB)"),
    ):
        assert get_args(flag)[1].help.endswith(f"Default {default}.")


def test_the_budget_has_its_own_keys_and_flags() -> None:
    flags = BudgetFlags(
        max_turns=2, max_tool_calls=0, budget_usd=0.5, budget=["sinks=3,bytes_out=1MB"]
    )
    made = budget_of(flags, ["tokens=5", "run_seconds=60"])
    assert budget_with(made) == Budget(
        **{"turns": 2, "tool_calls": 0, "wall_seconds": 60, "tokens": 5, "usd": 0.5},
        **{"sinks": 3, "bytes_out": 1_000_000},
    )
    assert budget_of(BudgetFlags()) == {}


@pytest.mark.parametrize(
    ("older", "key"),
    [
        ((["tokens=5"], {}), "tokens"),
        ((["run_seconds=5"], {}), "seconds"),
        ((None, {"max_turns": 1}), "turns"),
        ((None, {"max_tool_calls": 1}), "calls"),
        ((None, {"budget_usd": 1.0}), "usd"),
    ],
)
def test_what_is_said_twice_is_refused(older: tuple, key: str) -> None:
    limit, flags = older
    assert list(budget_of(BudgetFlags(**flags), limit)) == [key]
    with pytest.raises(SettingsError) as refused:
        budget_of(BudgetFlags(**flags, budget=[f"{key}=1"]), limit)
    assert refused.value.subject == f"--budget {key}="


def test_every_bound_has_a_flag_or_a_key() -> None:
    flagged = {"wall_seconds", "fuel", "memory_bytes", "stack_bytes", "output_bytes"}
    assert flagged | set(LIMIT_KEYS) == {field.name for field in fields(Limits)}
    assert set(WORDS.values()) == {field.name for field in fields(Budget)}


@pytest.mark.parametrize(
    "text", ["nothing=1", "written_bytes", "written_bytes=", "tmp_bytes=-1", "tmp_bytes=1e9", "=1"]
)
def test_a_limit_that_is_not_understood_is_named(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        limits_of(BoundFlags(), [text])
    assert refused.value.subject == f"--limit {text}"


@pytest.mark.parametrize(
    "flags", [BoundFlags(timeout=-1), BoundFlags(timeout=float("nan")), BoundFlags(memory=-1)]
)
def test_a_bound_that_bounds_nothing_is_refused(flags: BoundFlags) -> None:
    with pytest.raises(SettingsError):
        limits_of(flags)


def test_a_budget_that_bounds_nothing_is_refused() -> None:
    with pytest.raises(SettingsError):
        budget_of(BudgetFlags(max_turns=-1))


def test_a_single_call_has_no_keys_of_a_run() -> None:
    refuse_run_keys(["tmp_bytes=3"])
    with pytest.raises(SettingsError):
        refuse_run_keys(["tokens=3"])
