"""What is a mutant and what is left out by rule, and that a name survives an edit elsewhere."""

from pathlib import Path

import pytest
from tests.mutants.catalogue import Mutant, mutants_of


def found(tmp_path: Path, text: str) -> list[Mutant]:
    (tmp_path / "module.py").write_text(text)
    return mutants_of("module.py", tmp_path)


def changes(tmp_path: Path, text: str) -> set[tuple[str, str, str]]:
    return {(m.operator, m.was, m.becomes) for m in found(tmp_path, text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "if a == b:\n    pass\n",
            {
                ("Condition", "a == b", "True"),
                ("Condition", "a == b", "False"),
                ("Compare", "a == b", "a != b"),
            },
        ),
        (
            "x = a and b\n",
            {("Operand", "a and b", t) for t in "ab"} | {("Compare", "a and b", "a or b")},
        ),
        ("f(x)\n", {("Statement", "f(x)", "pass")}),
        (
            "def f() -> bool:\n    return g()\n",
            {
                ("Return", "return g()", "return None"),
                ("Truth", "return g()", "return True"),
            },
        ),
        ("def f() -> bool:\n    return False\n", {("Keyword", "False", "True")}),
        (
            "x = a in ('b',)\n",
            {("Compare", "a in ('b',)", "a not in ('b',)"), ("String", "'b'", "'XXbXX'")},
        ),
        ("NAMES = {'b'}\n", {("String", "'b'", "'XXbXX'")}),
        (
            "x = not (a == b and c < d)\n",
            {
                ("UnaryOp", "not (a == b and c < d)", "a == b and c < d"),
                ("Operand", "a == b and c < d", "a == b"),
                ("Operand", "a == b and c < d", "c < d"),
                ("Compare", "a == b and c < d", "a == b or c < d"),
                ("Compare", "a == b", "a != b"),
                ("Compare", "c < d", "c >= d"),
                ("Compare", "c < d", "c <= d"),
            },
        ),
        ("x = y[1:]\n", {("Number", "1", "0"), ("Number", "1", "2")}),
        # And what is left out.
        ('"""A docstring."""\n', set()),
        ("x = g('a message')\n", set()),
        ("x = f'a {1} message'\n", set()),
        ("raise ValueError(1)\n", {("Statement", "raise ValueError(1)", "pass")}),
        ("class A:\n    def __repr__(self):\n        return g(1)\n", set()),
        ("def f(x: 'A' = g) -> 'B': ...\n", set()),
        ("Union = A | B | None\n", set()),
        ("Kind = Literal['a', 'b']\n", set()),
        ("if TYPE_CHECKING:\n    import a\n", set()),
        ("@lru_cache(maxsize=1)\ndef f(): ...\n", set()),
        ("x = field(repr=False)\n", set()),
        ("assert_never(x)\n", set()),
    ],
)
def test_what_is_changed_and_what_is_left_out(
    tmp_path: Path, text: str, expected: set[tuple[str, str, str]]
) -> None:
    assert changes(tmp_path, text) == expected


TEXT = """
class A:
    def f(self, x):
        return [g for g in x if g] or (lambda: x > 1)()
"""


def test_a_mutant_is_named_by_its_place_in_the_program(tmp_path: Path) -> None:
    before = found(tmp_path, TEXT)
    after = found(tmp_path, "import é\n\n\n" + TEXT + "\ndef h(): return x > 1\n")
    assert {m.key for m in before} < {m.key for m in after}
    assert {(m.function, m.body) for m in before} == {("A.f", ("A.f", 3))}
    assert len({m.id for m in after}) == len(after)


def test_a_changed_text_is_the_text_with_one_change(tmp_path: Path) -> None:
    text = "é = not a\nx = b * (c + d)\n"
    assert [m.source(text) for m in found(tmp_path, text)] == [
        "é = (a)\nx = b * (c + d)\n",
        "é = not a\nx = (b + (c + d))\n",
        "é = not a\nx = b * ((c * d))\n",
    ]


def test_the_same_text_twice_in_a_function_is_two_mutants(tmp_path: Path) -> None:
    numbers = [m.number for m in found(tmp_path, "def f():\n    g()\n    g()\n")]
    assert numbers == [1, 2]
