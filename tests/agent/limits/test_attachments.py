"""What a turn reserves: by what is known of the conversation, and no longer than that holds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from capbox.agent.limits.spending import Known, Spending, Turn, request_bytes
from capbox.authority.values.draws import Draw
from capbox.gate.budget.purse import Account, Purse
from capbox.messages import AssistantMessage, SummaryMessage, Usage, UserMessage
from capbox.models.model import ModelRequest

TASK, REPLY, MORE = UserMessage("x" * 5_000), AssistantMessage("y" * 5_000), UserMessage("more")


def reserved(spending: Spending, *messages) -> int:
    """Begin a turn with these messages, and return the tokens that it reserves."""
    turn = spending.begin(ModelRequest("", messages, max_output_tokens=1))
    assert isinstance(turn, Turn)
    taken = turn.most.input_tokens
    turn.spending.settle(turn.reserved, tokens=0, usd=0)
    return taken


def learned() -> Spending:
    """Return the spending of a run whose first reply took a hundred tokens."""
    spending = Spending(Purse((Account({"tokens": 1_000_000}),)))
    turn = spending.begin(ModelRequest("", (TASK,), max_output_tokens=1))
    assert isinstance(turn, Turn)
    turn.replied(Usage(90, 10), 0.0)
    return spending


def test_what_a_reply_said_is_known_and_the_rest_counts_its_bytes() -> None:
    spending = learned()
    assert reserved(spending, TASK, REPLY, MORE) == 100 + len("more") + 64
    assert reserved(Spending(), TASK, REPLY, MORE) > 10_000


def test_nothing_is_known_of_a_conversation_that_was_summed_up() -> None:
    spending = learned()
    long_summary = SummaryMessage("s" * 9_000, 1)
    assert reserved(spending, long_summary, REPLY, MORE) > 9_000
    # Another first message, or fewer than are known: not the one that grew.
    assert reserved(spending, UserMessage("z" * 9_000), REPLY, MORE) > 9_000
    assert reserved(spending, TASK) > 5_000


def test_a_request_beside_the_conversation_teaches_nothing_about_it() -> None:
    spending = learned()
    aside = spending.begin(ModelRequest("", (UserMessage("sum up"),)), aside=True)
    assert isinstance(aside, Turn)
    aside.replied(Usage(5_000, 500), 0.0)
    assert spending.known((TASK, REPLY)) == (2, 100)


def test_a_request_that_is_sent_again_is_no_further_turn() -> None:
    spending = Spending(Purse((Account({"turns": 1}),)))
    first = spending.begin(ModelRequest("", (TASK,)))
    assert isinstance(first, Turn)
    assert isinstance(spending.begin(ModelRequest("", (TASK,)), again=True), Turn)
    assert not isinstance(spending.begin(ModelRequest("", (TASK,))), Turn)
    assert spending.purse.own()["turns"] == (1, 1)
    assert spending.purse.left(Draw("turns").resource) == 0


def test_the_bytes_of_a_request_are_those_of_its_prompt_and_of_what_is_not_known() -> None:
    request = ModelRequest("system", (TASK, REPLY, MORE))
    assert request_bytes(request, 2) == len("more") + 64
    assert request_bytes(request) > 12_000
    assert Known().of(request.messages) == (0, 0)


@given(st.lists(st.sampled_from(["grow", "learn", "other", "again"]), max_size=12))
def test_what_was_counted_before_makes_no_other_sum(happened: list[str]) -> None:
    spending, said = Spending(), [TASK, REPLY]
    for what in happened:
        match what:
            case "grow":
                said.append(UserMessage("m" * len(said)))
            case "learn":
                spending.learn(ModelRequest("s", tuple(said)), Usage(50, 5))
                said.append(AssistantMessage("and so on"))
            case "other":
                spending.sized(ModelRequest("s", (MORE,) * 5))
            case _:
                pass
        request = ModelRequest("s", tuple(said))
        place, known = spending.known(request.messages)
        assert spending.sized(request) == (known, request_bytes(request, place))
