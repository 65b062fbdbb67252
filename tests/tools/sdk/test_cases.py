"""The cases of a manifest: what they may say, what they compare, and what they never grant."""

from __future__ import annotations

import json

import pytest

from capbox.messages import ToolFailure, ToolResult
from capbox.tools.sdk.cases import Case, Expected, cases_of
from capbox.tools.sdk.project import BuildError

OK = ToolResult(ok=True, content="two words", data={"n": 2})
BAD = ToolResult(ok=False, content="", error=ToolFailure("no_name", "whom?"))


def one(text: str) -> Case:
    """The one case of a text."""
    (found,) = cases_of(f'[[tests]]\nname = "n"\n{text}', "tool.toml")
    return found


def test_a_case_is_a_call_with_grants_and_files() -> None:
    assert one(
        'arguments = { a = 1 }\ngrants = ["read:/workspace"]\nfiles = { "d/a.txt" = "x" }\n'
        'expect = { ok = true, content = "c", content_matches = "^c", data = { n = 1 } }'
    ) == Case(
        "n",
        {"a": 1},
        Expected(True, "c", "^c", {"n": 1}, None),
        ("read:/workspace",),
        {"d/a.txt": "x"},
    )
    assert cases_of('name = "x"', "tool.toml") == ()


@pytest.mark.parametrize(
    ("expected", "result", "complaint"),
    [
        (Expected(ok=True), OK, None),
        (Expected(ok=True), BAD, "it failed with no_name: whom?, and ok = true was expected"),
        (Expected(ok=False), BAD, None),
        (Expected(ok=False), OK, "it succeeded, and ok = false was expected"),
        (Expected(error="no_name"), BAD, None),
        (Expected(error="other"), BAD, "the error is no_name: whom?, and other was expected"),
        (Expected(error="other"), OK, "the error is None, and other was expected"),
        (Expected(content="two words"), OK, None),
        (Expected(content="two"), OK, "the content is 'two words', and not 'two'"),
        (Expected(pattern="^two .o"), OK, None),
        (Expected(pattern="^words"), OK, "the content is 'two words', and does not match"),
        (Expected(data={"n": 2}), OK, None),
        (Expected(data={"n": 3}), OK, "the data are {'n': 2}, and not {'n': 3}"),
        (Expected(data={}), BAD, "the data are None, and not {}"),
    ],
)
def test_what_came_is_compared_with_what_was_expected(
    expected: Expected, result: ToolResult, complaint: str | None
) -> None:
    assert expected.complaints(result) == (() if complaint is None else (complaint,))


@pytest.mark.parametrize(
    ("name", "fine"),
    [
        ("counts words, \u00e9 and \u4e2d too", True),
        ("reads\npassed  writes\n3 passed, 0 failed", False),
        ("reads\u202e", False),
        ("\u200b", False),
    ],
)
def test_a_name_is_one_line_and_hides_nothing(name: str, fine: bool) -> None:
    text = f"[[tests]]\nname = {json.dumps(name)}\nexpect = {{ ok = true }}"
    if fine:
        assert cases_of(text, "tool.toml")[0].name == name
        return
    with pytest.raises(BuildError, match=r"tests\[0\].name: has characters that are no text"):
        cases_of(text, "tool.toml")


@pytest.mark.parametrize("text", ["x =", "[" * 2_000, "a." * 2_000 + "a = 1"])
def test_what_cannot_be_read_is_told(text: str) -> None:
    with pytest.raises(BuildError, match=r"tool\.toml: "):
        cases_of(text, "tool.toml")


def test_a_pattern_that_hangs_others_does_not_hang_this() -> None:
    slow = ToolResult(ok=True, content="a" * 50_000 + "b")
    assert Expected(pattern="^(a+)+$").complaints(slow) != ()


def test_a_long_content_is_cut_in_a_complaint() -> None:
    (said,) = Expected(content="y").complaints(ToolResult(ok=True, content="x" * 9_999))
    assert len(said) < 600


@pytest.mark.parametrize(
    ("grant", "beyond"),
    [
        ("read:/workspace", False),
        ("write:/workspace/a", False),
        ("env:A=1", False),
        ("env:HOME", True),
        ("read:/workspace2", True),
        ("read:/home", True),
        ("write:/", True),
        ("fetch:https://a.example", True),
        ("secret:KEY@https://a.example", True),
        ("tool:bash", True),
        ("invoke:send", True),
    ],
)
def test_a_case_grants_nothing_outside_of_its_own_folder(grant: str, beyond: bool) -> None:
    case = Case("n", {}, Expected(ok=True), (grant,))
    assert case.beyond == ((grant,) if beyond else ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "tests[0]: unknown key x; there are: arguments, expect, files, grants, name"),
        ('name = ""', "tests[0].name: a text is expected"),
        ("arguments = 3", "tests[0].arguments: a table is expected"),
        ('grants = "read:/workspace"', "tests[0].grants: a list of grants is expected"),
        ("grants = [3]", "tests[0].grants: a list of grants is expected"),
        ('grants = ["all"]', "tests[0].grants: 'all': "),
        ("files = { a = 3 }", "tests[0].files: a table of texts is expected, by path"),
        ('files = { "../a" = "" }', "tests[0].files: '../a' is no path inside"),
        ('files = { "/a" = "" }', "tests[0].files: '/a' is no path inside"),
        ('files = { "" = "" }', "tests[0].files: '' is no path inside"),
        ('files = { a = "", "a/b/c" = "" }', "tests[0].files: 'a' is a file, and something"),
        ('files = { "a/b" = "", "a//b" = "" }', "tests[0].files: 'a"),
        ("", "tests[0].expect: a table is expected, as { ok = true"),
        ("expect = {}", "tests[0].expect: a table is expected, as { ok = true"),
        ("expect = { yes = 1 }", "tests[0].expect: unknown key yes"),
        ("expect = { ok = 1 }", "tests[0].expect.ok: a bool is expected"),
        ("expect = { content = 1 }", "tests[0].expect.content: a str is expected"),
        ("expect = { data = 1 }", "tests[0].expect.data: a table is expected"),
        ('expect = { content_matches = "(" }', "tests[0].expect.content_matches: "),
        ("expect = { content_matches = 3 }", "tests[0].expect.content_matches: "),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(text: str, message: str) -> None:
    given = text if text.startswith("name") else f'name = "n"\n{text}'
    with pytest.raises(BuildError) as refused:
        cases_of(f"[[tests]]\n{given}", "tool.toml")
    assert refused.value.where == "tool.toml"
    assert refused.value.reason.startswith(message)


@pytest.mark.parametrize("text", ["tests = 3", "tests = [3]"])
def test_tests_are_tables(text: str) -> None:
    with pytest.raises(BuildError, match=r"(?:tables are|a table is) expected"):
        cases_of(text, "tool.toml")
