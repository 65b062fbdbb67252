"""What is taken from a budget: what fits, what does not, and which places are one sink."""

from __future__ import annotations

import pytest

from capbox.authority.values.arguments import Argument, Given
from capbox.authority.values.draws import Draw, Overspent, Sink, overspent, sent, sinks_of
from capbox.authority.values.kinds import Kind


@pytest.mark.parametrize(
    ("used", "wanted", "fits"),
    [
        ({}, [1], True),
        ({("calls", ""): 2}, [1], True),
        ({("calls", ""): 3}, [1], False),
        ({("calls", ""): 2}, [1, 1], False),  # together
        ({("calls", ""): 2}, [None], True),  # one, unless it is said how many
        ({("calls", ""): 2}, [None, None], False),
        ({("calls", ""): 2}, [2], False),
        ({("calls", ""): 3}, [0], True),
    ],
)
def test_an_amount_fits_up_to_its_bound_and_not_by_one_more(
    used: dict[tuple[str, str], float], wanted: list[float | None], fits: bool
) -> None:
    draws = [Draw("calls") if amount is None else Draw("calls", amount) for amount in wanted]
    assert (overspent({"calls": 3}, used, draws) is None) is fits


def test_zero_means_zero_and_what_is_not_bounded_here_fits() -> None:
    assert overspent({"usd": 0}, {}, [Draw("usd", 0.01)]) == (Draw("usd", 0.01), 0)
    assert overspent({"usd": 0}, {}, [Draw("usd", 0), Draw("calls", 10**9)]) is None


def test_sums_of_prices_are_not_refused_for_their_last_bit() -> None:
    assert overspent({"usd": 0.3}, {("usd", ""): 0.1 + 0.1}, [Draw("usd", 0.1)]) is None
    assert overspent({"usd": 0.3}, {("usd", ""): 0.2}, [Draw("usd", 0.100001)]) is not None


def test_of_distinct_things_each_counts_once() -> None:
    used = {("files", ""): 1, ("files", "/a"): 1}
    assert overspent({"files": 2}, used, [Draw("files", 1, "/a"), Draw("files", 1, "/b")]) is None
    two = [Draw("files", 1, name) for name in ("/b", "/b", "/c")]
    assert overspent({"files": 2}, used, two) == (two[2], 2)


@pytest.mark.parametrize(
    ("kind", "values", "sinks"),
    [
        ("email", ["alice@a.example", "alice@a.example"], ["email:alice@a.example"]),
        ("url", ["https://a.example/x", "https://a.example/y?z"], ["web:https://a.example"]),
        ("url", ["http://[::1]:81/x"], ["web:http://[::1]:81"]),
        ("iban", ["DE89370400440532013000"], ["iban:DE89370400440532013000"]),
        ("host", ["a.example", "b.example"], ["host:a.example", "host:b.example"]),
        ("path", ["/workspace/a/b/c"], ["path:/workspace/a/b/c"]),
        ("id", ["A-17"], ["id:A-17"]),
        ("amount", ["5"], []),
        ("text", ["hello"], []),
        ("date", ["2026-01-02"], []),
    ],
)
def test_values_that_name_a_place_are_sinks(
    kind: Kind, values: list[str], sinks: list[str]
) -> None:
    argument = Argument("to", kind, tuple(Given(value) for value in values))
    assert list(sinks_of([argument])) == sinks


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("email:alice@a.example", "email:Alice@a.example", True),
        ("email:alice@a.example", "email:alice+x@a.example", True),
        ("email:alice@a.example", "email:bob@a.example", False),
        ("web:https://a.example", "web:http://a.example:8080", True),
        ("web:https://a.example", "host:a.example", True),
        ("web:http://[::1]:81", "host:::1", True),
        ("web:https://a.example", "web:https://b.example", False),
        ("id:7", "id:8", False),
    ],
)
def test_what_goes_to_one_receiver_counts_together_however_it_is_spelt(
    one: str, other: str, same: bool
) -> None:
    bounds, used = {"sink_calls": 1.0}, {}
    for draw in sent([Sink(one)], 5):
        used[draw.key] = draw.amount
    assert (overspent(bounds, used, sent([Sink(other)], 5)) is not None) is same


@pytest.mark.parametrize(("bound", "fits"), [(0, False), (1, False), (2, True)])
def test_each_place_is_one_of_the_different_places(bound: int, fits: bool) -> None:
    draws = sent([Sink("id:7"), Sink("id:8"), Sink("id:7")], 5)
    assert (overspent({"sinks": bound}, {}, draws) is None) is fits


def test_the_refusal_names_the_budget_what_is_used_and_the_flag() -> None:
    refusal = Overspent("usd", 1, 0.9, 0.25, "the budget of this run", "--budget usd=")
    assert str(refusal) == (
        "the budget of this run is used up: usd: 0.9000 of 1 used, and this needs 0.2500 more; "
        "only a person can raise it: --budget usd="
    )
