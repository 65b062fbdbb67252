"""What is surely wrong is told before packing; what may be right is left to the interpreter."""

from __future__ import annotations

import pytest

from capbox.tools.sdk.python.mistakes import found

GOOD = 'def t(a: str, *, b: "Later" = 1) -> Unknown:\n    "Do."\n    return t(a)\n'
WRONG = {
    "(" * 5000: "t.py:1: SyntaxError: too many nested parentheses",
    "import re\nA = re.compile('a')\ndef t(): pass\n": "t.py:3: t: has no docstring",
    "x = [1,\n": "t.py:1: SyntaxError: '[' was never closed\n    x = [1,",
    "def t():\nreturn 1\n": "t.py:2: IndentationError: expected an indented block",
    "def u(): pass\n": "t.py has no function t",
    '"""t: a tool."""\nclass A:\n    x = 1\n': "t.py has no function t",
    "\ndef t(a: str): pass\n": "t.py:2: t: has no docstring; it tells the model",
    "async def t():\n    '''  '''\n": "t.py:1: t: has no docstring",
    'def t(a: str, b):\n    "Do."\n': "t.py:1: t: argument b has no annotation, as `b: str`",
    'def t(*, b):\n    "Do."\n': "t.py:1: t: argument b has no annotation",
    'def t(*a):\n    "Do."\n': "t.py:1: t: argument a has no name of its own",
    'def t(a: str, /):\n    "Do."\n': "t.py:1: t: argument a has no name of its own",
    'def t(**a: str):\n    "Do."\n': "t.py:1: t: argument a has no name of its own",
    'def t(a: list[Strng]):\n    "Do."\n': "its annotations cannot be read: name 'Strng' is not",
    "def t(): pass\nif __name__ == '__main__':\n    print(t())\n": "has no docstring",
}
LEFT = (
    GOOD,
    "import re\nA = re.compile('a')\n" + GOOD,
    "from elsewhere import *\n",
    "from elsewhere import t\n",
    "import t.u\n",
    "globals()['t'] = print\n",
    "def __getattr__(name): return print\n",
    "t = lambda: 1\n",
    "@wrapped\ndef t(a): pass\n",
    "def t(a): pass\ndef t(a: str):\n    'Do.'\n",
    "def t(a): pass\nt.__doc__ = 'Do.'\n",
    "def t(a): pass\ndocumented(t)\n",
    "if True:\n    def t(a): pass\n",
    "def t(): 'Do.'\ndef u(t): pass\n",
    "def t(a: x.Y, b: Z, c: W):\n    'Do.'\nimport x.y\nclass Z: pass\ntry: pass\n"
    "except E as W: pass\n",
    "type T = str\ndef t(a: T):\n    'Do.'\n",
    "def t[T](a: T):\n    'Do.'\n",
    "class A[T]:\n    pass\ndef t():\n    'Do.'\n",
    "def t(a: str):\n    'Do.'\n    return f'{a + f'{a}'}'\n",
    "def t():\n    'Do: \\d.'\n",
    "x = '\0'\n",
)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_surely_wrong_is_told_with_its_line(text: str) -> None:
    assert WRONG[text] in found(text, "t.py", "t")


@pytest.mark.parametrize("text", LEFT)
@pytest.mark.filterwarnings("error")
def test_what_may_be_right_is_left_to_the_interpreter(text: str) -> None:
    assert found(text, "t.py", "t") == ""


def test_a_module_in_a_folder_is_named_as_the_interpreter_names_it() -> None:
    assert found("x = 1\n", "a/b.py", "t") == "a.b.py has no function t"
