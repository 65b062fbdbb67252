"""A docstring that says something of no argument is told before packing as the interpreter does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.tools.sdk.python.test_runtime import GOOGLE, NUMPY, SPHINX

from capbox.messages import Json
from capbox.tools.sdk.describing import DESCRIBE
from capbox.tools.sdk.python.docstrings import wrong

THERE = "; there are: a, b"
WRONG = {
    "Do.\n\nArg:\n    a: The first.": "the docstring has 'Arg:' over its arguments; write Args:",
    "Do.\n\nargs :\n    a: x.": "the docstring has 'args :' over its arguments; write Args:",
    "Do.\n\nAgrs:\n    c: x.": "the docstring has 'Agrs:' over its arguments; write Args:",
    "Do.\n\nReturns:\n    x\n\nArguements:\n    a: x.": "the docstring has 'Arguements:' over its "
    "arguments; write Args:",
    "Do.\n\nArguments\n    a: x.": "the docstring has 'Arguments' over its arguments; write Args:",
    "Do.\n\nParameter\n---------\na : str\n    x.": "the docstring has 'Parameter' over its "
    "arguments; write Args:",
    "Do.\n\nArgs:\n    c: x.": f"the docstring describes c, and takes it not{THERE}",
    "Do.\n\nArguments:\n    a: x,\n        c: y.\n    d (int): z.": "the docstring "
    f"describes d, and takes it not{THERE}",
    "Do.\n\n:param a: x.\n:param int c: y.": f"the docstring describes c, and takes it not{THERE}",
}
RIGHT = (
    GOOGLE.replace("\n    ", "\n"),
    SPHINX.replace("\n    ", "\n"),
    NUMPY.replace("\n    ", "\n"),
    "Do.\n\nArgs:\n    a: x,\n      c: y, which goes on.\n    b: z.",
    "Do.\n\nArgs:\n    c:\n    a: x.",
    "Do.\n\nArgs:\n    a: x.\n\nReturns:\n    c: y.\n\nRaises:\n    d: z.",
    "Do.\n\nUsage:\n    a: b.",
    "Do.\n\nargs:\nwhat follows.",
    "Do.\n\nAs in\n\n    Arg:\n        a: within an example.",
)


def inside(ask: Callable[..., Json], doc: str) -> str:
    """What the interpreter says of it, from its place on."""
    lines = doc.replace("\n", "\n    ")
    told = ask(f'def f(a: str, *, b: int = 1):\n    """{lines}\n    """\n', DESCRIBE)
    assert isinstance(told, dict)
    if told["ok"]:
        return ""
    assert isinstance(told["error"], dict)
    return str(told["error"]["message"]).removeprefix("t.py:1: f: ")


@pytest.mark.parametrize("doc", WRONG)
def test_what_is_wrong_is_told_before_packing_as_inside(doc: str, ask: Callable[..., Json]) -> None:
    assert wrong(doc, ["a", "b"]) == inside(ask, doc) == WRONG[doc]


@pytest.mark.parametrize("doc", RIGHT)
def test_what_may_be_meant_is_told_neither_here_nor_inside(
    doc: str, ask: Callable[..., Json]
) -> None:
    assert wrong(doc, ["a", "b"]) == inside(ask, doc) == ""


def test_an_entry_in_the_style_of_numpy_is_told_inside(ask: Callable[..., Json]) -> None:
    doc = "Do.\n\nParameters\n----------\nc : str\n    x."
    assert wrong(doc, ["a", "b"]) == ""
    assert inside(ask, doc) == f"the docstring describes c, and takes it not{THERE}"


def test_a_function_without_arguments_has_none_to_name() -> None:
    assert wrong("Do.\n\nArgs:\n    c: x.", []) == "the docstring describes c, and takes it not"
