"""A budget as text: whole, or refused with what was read."""

from __future__ import annotations

import pytest

from capbox.authority.budget import WORDS, Budget
from capbox.authority.limits import COUNT_MAX
from capbox.engine.budgets.given import budget_of, budget_with, within
from capbox.engine.budgets.texts import EXAMPLE, read_flags, read_table
from capbox.engine.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("texts", "amounts"),
    [
        ([], {}),
        ([EXAMPLE], {"calls": 50, "usd": 1.5, "bytes_out": 10_000_000}),
        (["calls=0", "seconds=5m"], {"calls": 0, "seconds": 300}),
        (["sink_bytes=1.5kB,seconds=0.5"], {"sink_bytes": 1500, "seconds": 0.5}),
        ([f"{word}=1" for word in WORDS], dict.fromkeys(WORDS, 1)),
    ],
)
def test_what_is_understood(texts: list[str], amounts: dict[str, float]) -> None:
    assert read_flags(texts) == amounts


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "calls",
            "calls=",
            "=3",
            "call=3",
            "Calls=3",
            " calls=3",
            "calls=3,",
            "calls=3,calls=4",
        ),
        *("calls=-1", "calls=1.5", "calls=1e3", "calls=nan", "calls=inf", "calls=\u0663"),
        *("usd=$1", "usd=1kB", "bytes_out=10m", "bytes_out=0.5B", "seconds=5MB", "tokens=2m"),
        *("calls=99999999999999999999", "usd=1e999", "seconds=999999999", "c\u0430lls=3"),
        *("calls=3\u202e", "calls\u200b=3", "cal\nls=3"),
    ],
)
def test_what_is_not_understood_refuses_all_of_it(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_flags(["usd=1", text])
    assert refused.value.subject == f"--budget {text}"


@pytest.mark.parametrize("value", [True, None, [], {}, float("nan"), float("inf"), -1, "x"])
def test_a_table_takes_numbers_and_texts_alone(value: object) -> None:
    assert read_table({"calls": 3, "bytes_out": "1MB"}, "t") == {"calls": 3, "bytes_out": 10**6}
    with pytest.raises(SettingsError):
        read_table({"calls": value}, "t")


def test_a_program_names_the_keys_that_hold_for_direct_calls() -> None:
    assert budget_of({"calls": 3}) == (Budget(tool_calls=3), ("calls",))
    assert budget_of(None) == (Budget(), ())
    assert budget_of(Budget(turns=1)) == (Budget(turns=1), tuple(WORDS))


def test_a_flag_narrows_what_the_configuration_allows_and_never_widens_it() -> None:
    most = {"usd": 2.0, "calls": 500.0}
    plain = within(Settings(), most)
    assert (plain.budget, plain.budget_given) == (budget_with(most), {"usd", "calls"})
    said = Settings(budget=Budget(usd=1, turns=7), budget_given=frozenset({"usd", "turns"}))
    both = within(said, most)
    assert (both.budget.usd, both.budget.tool_calls, both.budget.turns) == (1, 500, 7)
    wider = Settings(budget=Budget(usd=3), budget_given=frozenset({"usd"}))
    with pytest.raises(SettingsError, match=r"more than .budget. usd = 2 of config.toml allows"):
        within(wider, most)
    assert within(wider, {}) == wider


@pytest.mark.parametrize(
    ("text", "keys", "reason"),
    [
        ("usd=1", ("calls", "files"), "'usd' is a budget of capbox run; a call has: calls, files"),
        ("uds=1", ("calls", "files"), "unknown key 'uds'; there are: calls, files"),
        ("calls=1.5", ("calls",), f"a whole number from 0 to {COUNT_MAX}"),
        ("calls=1,files=x", ("calls", "files"), f"files=x: a whole number from 0 to {COUNT_MAX}"),
    ],
)
def test_what_is_wrong_is_said_once_and_where_it_would_be_right(
    text: str, keys: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read_flags([text], keys=keys)
    assert (raised.value.subject, raised.value.reason) == (f"--budget {text}", reason)
