"""From what flags said to the settings of a session.

Guarantees: no grant flag, no grant; a word that is not understood raises SettingsError, naming it.
Does not: resolve paths or mint anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capbox.authority.limits import MB, Limits
from capbox.engine.budgets.given import budget_with
from capbox.engine.budgets.texts import read_flags
from capbox.engine.settings import Settings, SettingsError
from capbox.surfaces.cli.flags.groups import BoundFlags, BudgetFlags, GrantFlags, LendFlags
from capbox.surfaces.cli.flags.words import LIMIT_KEYS, RUN_LIMIT_KEYS

SECONDS_MAX = 1e8
MEMORY_MB_MAX = 4_000
OUTPUT_BYTES_MAX = 200 * MB
COUNT_MAX = 1 << 53


def settings_of(
    grants: GrantFlags,
    environ: Mapping[str, str],
    bounds: BoundFlags | None = None,
    limit: Sequence[str] | None = None,
    lend: LendFlags | None = None,
) -> Settings:
    """Return the settings that the flags describe. Raises SettingsError."""
    bounds, lend = bounds or BoundFlags(), lend or LendFlags()
    return Settings(
        workspace=grants.workspace,
        grants=tuple(grants.grant or ()),
        reads=tuple(grants.read or ()),
        writes=tuple(grants.write or ()),
        maps=tuple(grants.map_ or ()),
        env=tuple(grants.env or ()),
        fetches=tuple(grants.fetch or ()),
        secrets=tuple(grants.secret or ()),
        environ=environ,
        preset=grants.preset or "none",
        limits=limits_of(bounds, limit),
        ceiling=tuple(lend.ceiling or ()),
        policy=lend.policy,
    )


def limits_of(bounds: BoundFlags, limit: Sequence[str] | None = None) -> Limits:
    """Return the bounds of a call; keys of `--limit` that concern the run are left out."""
    for flag, value, most in (
        ("--timeout", bounds.timeout, SECONDS_MAX),
        ("--memory", bounds.memory, MEMORY_MB_MAX),
        ("--stack", bounds.stack, COUNT_MAX),
        ("--fuel", bounds.fuel, COUNT_MAX),
        ("--output", bounds.output, OUTPUT_BYTES_MAX),
    ):
        _refuse_outside(flag, value, most)
    named = _pairs(limit or (), (*LIMIT_KEYS, *RUN_LIMIT_KEYS))
    changes: dict[str, Any] = {key: named[key] for key in LIMIT_KEYS if key in named}
    if bounds.memory is not None:
        changes["memory_bytes"] = bounds.memory * MB
    try:
        return Limits(
            wall_seconds=bounds.timeout,
            fuel=bounds.fuel,
            stack_bytes=bounds.stack,
            output_bytes=bounds.output,
            **changes,
        )
    except ValueError as error:
        raise SettingsError("", str(error)) from error


def budget_of(flags: BudgetFlags, limit: Sequence[str] | None = None) -> dict[str, float]:
    """Return what was said of the budget of a run, by key. Raises SettingsError."""
    named = _pairs(limit or (), (*LIMIT_KEYS, *RUN_LIMIT_KEYS))
    older: dict[str, tuple[str, float | None]] = {
        **{word: ("--limit", named.get(key)) for key, word in RUN_LIMIT_KEYS.items()},
        "turns": ("--max-turns", flags.max_turns),
        "calls": ("--max-tool-calls", flags.max_tool_calls),
        "usd": ("--budget-usd", flags.budget_usd),
    }
    given: dict[str, float] = dict(read_flags(flags.budget or ()))
    for key, (flag, amount) in older.items():
        _refuse_outside(flag, amount, SECONDS_MAX if key in ("usd", "seconds") else COUNT_MAX)
        if amount is not None and key in given:
            raise SettingsError(f"--budget {key}=", f"{flag} says it too: leave out one of them")
        if amount is not None:
            given[key] = amount
    return given


def spending(settings: Settings, amounts: Mapping[str, float]) -> Settings:
    """Return `settings` with this budget."""
    return replace(settings, budget=budget_with(amounts), budget_given=frozenset(amounts))


def _refuse_outside(flag: str, value: float | None, most: float) -> None:
    if value is not None and not 0 <= value <= most:
        raise SettingsError(f"{flag} {value:g}", f"a bound is from 0 to {most:g}")


def refuse_run_keys(limit: Sequence[str] | None) -> None:
    """Refuse `--limit` keys that mean nothing for a single call."""
    _pairs(limit or (), LIMIT_KEYS)


def _pairs(texts: Sequence[str], keys: Sequence[str]) -> dict[str, int]:
    pairs: dict[str, int] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in keys:
            raise SettingsError(f"--limit {text}", f"unknown key; there are: {', '.join(keys)}")
        if not (value.isascii() and value.isdecimal()):
            raise SettingsError(f"--limit {text}", "the value is a whole number")
        if len(value) > 15:
            raise SettingsError(f"--limit {text}", "the value is too large")
        pairs[key] = int(value)
    return pairs
