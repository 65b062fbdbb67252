"""Outcomes: a word, a sentence and an exit code for each, and one success only."""

from __future__ import annotations

from inline_snapshot import snapshot

from capbox.agent.outcome import (
    BudgetExceeded,
    BudgetUsedUp,
    Cancelled,
    Completed,
    ModelFailed,
    Outcome,
    Refused,
    Revoked,
    SandboxFailed,
    StoppedByPerson,
    TimeLimit,
    TokenLimit,
    ToolCallLimit,
    TurnLimit,
    exit_code,
    sentence,
    word,
)

ALL: tuple[Outcome, ...] = (
    Completed(),
    TurnLimit(50),
    ToolCallLimit(200),
    TimeLimit(1_800.0),
    TokenLimit(1_000, 990),
    BudgetExceeded(1.0, 1.25, estimated=False),
    BudgetExceeded(1.0, 1.25, estimated=True),
    BudgetExceeded(1.0, 0.75, estimated=False, needed_usd=0.5),
    BudgetUsedUp("the budget of the day is used up"),
    Cancelled(),
    Revoked(),
    StoppedByPerson(),
    Refused("model anthropic/x", "no grant covers it", "model:anthropic/x"),
    ModelFailed("cut", "the connection closed"),
    SandboxFailed("3 tool calls in a row"),
)


def test_every_outcome_has_its_word_its_code_and_its_sentence() -> None:
    assert [(word(o), exit_code(o), sentence(o)) for o in ALL] == snapshot(
        [
            ("completed", 0, "the model ended its work"),
            ("turn_limit", 4, "all 50 turns are used"),
            ("tool_call_limit", 4, "all 200 tool calls are used"),
            ("time_limit", 4, "the time of 1800 s is used up"),
            (
                "token_limit",
                4,
                "990 of 1000 tokens are used, and the next turn needs more than is left",
            ),
            ("budget_exceeded", 4, "1.2500 of 1 USD are spent"),
            (
                "budget_exceeded",
                4,
                "an estimated 1.2500 of 1 USD are spent (this model has no known price, so a high "
                "one is assumed)",
            ),
            (
                "budget_exceeded",
                4,
                "0.7500 of 1 USD are spent, and the next turn may need 0.5000",
            ),
            ("budget_exceeded", 4, "the budget of the day is used up"),
            ("cancelled", 130, "interrupted"),
            ("revoked", 4, "what the run held was taken back (capbox revoke)"),
            ("stopped_by_person", 3, "the person said no, and stop"),
            ("refused", 3, "refused: model anthropic/x: no grant covers it"),
            ("model_failed", 1, "the model failed (cut): the connection closed"),
            ("sandbox_failed", 5, "the sandbox failed: 3 tool calls in a row"),
        ]
    )


def test_every_outcome_is_in_that_table_and_only_completed_exits_with_zero() -> None:
    assert {type(outcome) for outcome in ALL} == set(Outcome.__args__)
    assert [o for o in ALL if exit_code(o) == 0] == [Completed()]
