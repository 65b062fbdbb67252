"""What a person is shown: the effect, whole or with what was left out counted, never disguised."""

import pytest

from capbox.authority.access import ReadAccess
from capbox.authority.paths import GrantPath
from capbox.gate.approver import DenyApprover, No, ask_request, neutral


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("{}", "{}"),
        ("x" * 400, "x" * 400),
        ("x" * 402, "x" * 400 + " ... and 2 characters more"),
        ("\x1b" * 401, "\\u001b" * 400 + " ... and 1 characters more"),
    ],
)
@pytest.mark.parametrize(("host", "which"), [(None, ""), ("/h/a", ", which is /h/a")])
async def test_a_question_says_who_wants_what(
    arguments: str, shown: str, host: str | None, which: str
) -> None:
    question = ask_request(
        ReadAccess(GrantPath("/workspace/a")),
        run="r",
        tool="read",
        tool_digest="0123456789abcdef",
        host=host,
        arguments=arguments,
        details=("for\u202eyou",),
    )
    assert question.effect == f"read (sha256 0123456789ab) wants to read /workspace/a{which}"
    assert (question.grant, question.arguments) == ("read:/workspace/a", shown)
    assert question.details == ("for\\u202eyou",)
    assert await DenyApprover().ask(question) == No("nobody is there to approve it", by="nobody")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\u200b", "\\u200b"),
        ("\n", "\\u000a"),
        ("\uffff", "\\uffff"),
        ("\U0010ffff", "\\U0010ffff"),
        ("\U000e0041", "\\U000e0041"),
        ("grün 健太", "grün 健太"),
    ],
)
def test_what_is_not_drawn_is_spelt_out_without_doubt(text: str, shown: str) -> None:
    assert neutral(text) == shown
