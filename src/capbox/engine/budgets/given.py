"""The budget of a run: what a person says, within what the operator's configuration allows.

Guarantees: nobody's flag passes `[budget]`; what neither names has its default. Does not: read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from capbox.authority.budget import WORDS, Budget
from capbox.authority.values.draws import shown
from capbox.engine.budgets.texts import read_table
from capbox.engine.settings import Settings, SettingsError


def budget_with(amounts: Mapping[str, float], base: Budget | None = None) -> Budget:
    """Return `base` (None: the defaults) with these amounts by key. Raises SettingsError."""
    changes: dict[str, Any] = {WORDS[key]: amount for key, amount in amounts.items()}
    try:
        return replace(base or Budget(), **changes)
    except ValueError as error:
        raise SettingsError("", str(error)) from error


def budget_of(
    given: Budget | Mapping[str, float | str] | None,
) -> tuple[Budget, tuple[str, ...]]:
    """Return a program's budget whole, and the keys that it names. Raises SettingsError."""
    if isinstance(given, Budget):
        return given, tuple(WORDS)
    table: object = {} if given is None else given
    if not isinstance(table, Mapping):
        raise SettingsError("budget", f"is amounts by key, as {{'calls': 50}}, not {given!r}")
    amounts = read_table(table, "budget")
    return budget_with(amounts), tuple(amounts)


def within(settings: Settings, most: Mapping[str, float]) -> Settings:
    """Return `settings` with the budget that `[budget]` leaves it. Raises SettingsError."""
    if not most:
        return settings
    given = {key: settings.budget.bounds()[key] for key in settings.budget_given}
    for key, amount in given.items():
        if key in most and amount > most[key]:
            raise SettingsError(
                f"--budget {key}={shown(amount)}",
                f"is more than [budget] {key} = {shown(most[key])} of config.toml allows",
            )
    return replace(
        settings,
        budget=budget_with({**most, **given}),
        budget_given=frozenset({*most, *given}),
    )
