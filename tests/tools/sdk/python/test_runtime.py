"""The half of the SDK that is packed beside a function: schemas, values, results, tracebacks.

It is the file that goes into the sandbox, run here by this Python as `--unconfined` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from capbox.gate.protocol import RESERVED
from capbox.messages import Json, JsonObject
from capbox.tools.sdk.describing import DESCRIBE

HEAD = """
import datetime, decimal, enum, pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict, Union
"""


def described(ask: Callable[..., Json], signature: str, doc: str = "Does it.") -> JsonObject:
    """What is said of a function with this signature."""
    told = ask(f'{HEAD}\n{signature}:\n    """{doc}"""\n', DESCRIBE)
    assert isinstance(told, dict) and told["ok"], told
    data = told["data"]
    assert isinstance(data, dict)
    return data


CLASSES = """
class Mode(enum.Enum):
    FAST = "fast"
    SLOW = "slow"
@dataclass
class Point:
    '''A point.

    :param x: across
    '''
    x: int
    y: float = 0.5
class Options(TypedDict):
    deep: int
    name: NotRequired[str]
"""
POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer", "description": "across"}, "y": {"type": "number"}},
    "required": ["x"],
    "additionalProperties": False,
}
OPTIONS = {
    "type": "object",
    "properties": {"deep": {"type": "integer"}, "name": {"type": "string"}},
    "required": ["deep"],
    "additionalProperties": False,
}
SCHEMAS = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "Any": {},
    "list": {"type": "array"},
    "list[int]": {"type": "array", "items": {"type": "integer"}},
    "Sequence[str]": {"type": "array", "items": {"type": "string"}},
    "tuple[int, ...]": {"type": "array", "items": {"type": "integer"}},
    "tuple[int, str]": {
        "type": "array",
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
        "items": False,
        "minItems": 2,
    },
    "set[str]": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
    "dict": {"type": "object"},
    "dict[str, int]": {"type": "object", "additionalProperties": {"type": "integer"}},
    "Optional[str]": {"type": ["string", "null"]},
    "int | str": {"type": ["integer", "string"]},
    "list[int] | None": {
        "anyOf": [{"type": "array", "items": {"type": "integer"}}, {"type": "null"}]
    },
    'Literal["a", "b"]': {"type": "string", "enum": ["a", "b"]},
    'Literal["a", 1]': {"enum": ["a", 1]},
    'Literal["a", None]': {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
    'Annotated[int, "how many"]': {"type": "integer", "description": "how many"},
    "datetime.date": {"type": "string", "format": "date"},
    "datetime.datetime": {"type": "string", "format": "date-time"},
    "decimal.Decimal": {"type": ["number", "string"]},
    "pathlib.Path": {"type": "string"},
    "Mode": {"type": "string", "enum": ["fast", "slow"]},
    "Point": POINT,
    "Options": OPTIONS,
    "list[Point]": {"type": "array", "items": POINT},
}


def test_every_annotation_has_its_schema(ask: Callable[..., Json]) -> None:
    arguments = ", ".join(f"a{n}: {hint}" for n, hint in enumerate(SCHEMAS))
    found = described(ask, f"{CLASSES}\ndef f({arguments}) -> str")["input_schema"]
    assert isinstance(found, dict)
    assert found["additionalProperties"] is False
    assert found["required"] == [f"a{n}" for n in range(len(SCHEMAS))]
    properties = found["properties"]
    assert isinstance(properties, dict)
    assert dict(zip(SCHEMAS, properties.values(), strict=True)) == SCHEMAS


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("", None),
        (" -> None", None),
        (" -> str", None),
        (" -> Any", None),
        (" -> str | None", None),
        (" -> int | None", None),
        (" -> list[int] | None", None),
        (" -> int | str", None),
        (' -> Literal["a"]', None),
        (" -> Annotated[str, 1]", None),
        (" -> object", None),
        (" -> list[int] | dict", None),
        (" -> Options | Point", {"type": "object", "anyOf": [OPTIONS, POINT]}),
        (
            " -> int",
            {
                "type": "object",
                "properties": {"result": {"type": "integer"}},
                "required": ["result"],
            },
        ),
        (" -> Options", OPTIONS),
        (" -> dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
    ],
)
def test_what_it_returns_is_described_where_it_is_data(
    ask: Callable[..., Json], hint: str, expected: Json
) -> None:
    assert described(ask, f"{CLASSES}\ndef f(){hint}")["output_schema"] == expected


def test_defaults_are_told_but_for_null(ask: Callable[..., Json]) -> None:
    made = "a: int = 3, b: str | None = None, c: list[str] = [], *, d: Mode = Mode.FAST"
    found = described(ask, f"{CLASSES}\ndef f({made})")["input_schema"]
    assert isinstance(found, dict) and isinstance(found["properties"], dict)
    told = {
        name: one.get("default", "none")
        for name, one in found["properties"].items()
        if isinstance(one, dict)
    }
    assert told == {"a": 3, "b": "none", "c": [], "d": "fast"}
    assert found["required"] == []


GOOGLE = """Do it.

    More on it: with a colon.

    Args:
        a: The first,
            on two lines.
        b (int): The second.

    Returns:
        a: nothing
    """
SPHINX = """Do it.

    More on it: with a colon.

    :param a: The first,
        on two lines.
    :param int b: The second.
    :returns: nothing
    """
NUMPY = """Do it.

    More on it: with a colon.

    Parameters
    ----------
    a : str
        The first,
        on two lines.
    b
        The second.

    Returns
    -------
    str
        nothing
    """


@pytest.mark.parametrize("doc", [GOOGLE, SPHINX, NUMPY])
def test_three_styles_of_docstrings_are_read(ask: Callable[..., Json], doc: str) -> None:
    found = described(ask, "def f(a: str, b: int)", doc)
    assert found["description"] == "Do it.\n\nMore on it: with a colon."
    schema = found["input_schema"]
    assert isinstance(schema, dict)
    assert schema["properties"] == {
        "a": {"type": "string", "description": "The first, on two lines."},
        "b": {"type": "integer", "description": "The second."},
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(a: str): ...", "t.py:1: f: has no docstring"),
        ('def f(a):\n    "Do."', "t.py:1: f: argument a has no annotation"),
        ('def f(*a: str):\n    "Do."', "argument a has no name of its own"),
        ('def f(**a: str):\n    "Do."', "argument a has no name of its own"),
        ('def f(a: str, /):\n    "Do."', "argument a has no name of its own"),
        ('def f(a: bytes):\n    "Do."', "argument a: bytes has no form as JSON"),
        ('def f(a: "Missing"):\n    "Do."', "its annotations cannot be read"),
        ('def f(a: dict[int, str]):\n    "Do."', "the keys of an object are texts"),
        ('def f():\n    """Do.\n\n    Args:\n        b: no.\n    """', "describes b, and takes it"),
        ('def f(a: float = float("inf")):\n    "Do."', "inf is no number of JSON"),
        ("def g(): ...", "t.py has no function f"),
        (
            f'{HEAD}\n@dataclass\nclass A:\n    a: "list[A]"\ndef f(a: A):\n    "Do."',
            "argument a.a: A contains itself",
        ),
    ],
)
def test_a_function_that_is_no_tool_says_why_and_where(
    ask: Callable[..., Json], source: str, message: str
) -> None:
    told = ask(source, DESCRIBE)
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert told["error"]["code"] == "unfit"
    assert message in str(told["error"]["message"])


def test_a_module_that_cannot_be_imported_says_where(ask: Callable[..., Json]) -> None:
    told = ask("x = 1\ndef f(:\n", DESCRIBE)
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert str(told["error"]["message"]).startswith("t.py:2: SyntaxError: ")
    told = ask("import nowhere_at_all\n", DESCRIBE)
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert "a package of others is named in build.toml" in str(told["error"]["message"])


def test_arguments_arrive_as_they_are_annotated(ask: Callable[..., Json]) -> None:
    kinds = "Mode Point Options list[Point] tuple[int,str] set[str] datetime.date decimal.Decimal"
    kinds += " pathlib.Path float dict[str,Point] list[Point]|None int|str"
    names = "abcdefghijklm"
    arguments = ", ".join(f"{n}: {k}" for n, k in zip(names, kinds.split(), strict=True))
    source = f"{HEAD}{CLASSES}\ndef f({arguments}):\n    return repr([{', '.join(names)}])"
    point: Json = {"x": 1}
    given: dict[str, Json] = {
        **{"a": "fast", "b": point, "c": {"deep": 1}, "d": [point], "e": [1, "x"], "f": ["y"]},
        **{"g": "2026-01-02", "h": 1.5, "i": "p/q", "j": 2, "k": {"z": point}, "l": [point]},
        "m": "n",
    }
    told = ask(source, **given)
    assert isinstance(told, dict) and told["ok"], told
    assert told["content"] == (
        "[<Mode.FAST: 'fast'>, Point(x=1, y=0.5), {'deep': 1}, [Point(x=1, y=0.5)], (1, 'x'), "
        "{'y'}, datetime.date(2026, 1, 2), Decimal('1.5'), PosixPath('p/q'), 2.0, "
        "{'z': Point(x=1, y=0.5)}, [Point(x=1, y=0.5)], 'n']"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"text"', {"ok": True, "content": "text"}),
        ("None", {"ok": True, "content": ""}),
        ("3", {"ok": True, "content": "3", "data": {"result": 3}}),
        ("[(1,), {2}]", {"ok": True, "content": "[[1], [2]]", "data": {"result": [[1], [2]]}}),
        ('{"é": None}', {"ok": True, "content": '{"é": null}', "data": {"é": None}}),
        ("Point(1)", {"ok": True, "content": '{"x": 1, "y": 0.5}', "data": {"x": 1, "y": 0.5}}),
        ("Mode.SLOW", {"ok": True, "content": '"slow"', "data": {"result": "slow"}}),
        (
            "datetime.date(2026, 1, 2)",
            {"ok": True, "content": '"2026-01-02"', "data": {"result": "2026-01-02"}},
        ),
    ],
)
def test_what_it_returns_is_text_or_data(
    ask: Callable[..., Json], value: str, expected: Json
) -> None:
    assert ask(f"{HEAD}{CLASSES}\ndef f():\n    print('beside')\n    return {value}") == expected


@pytest.mark.parametrize("value", ["b''", "float('nan')", "{1: 2}", "object()", "1e400"])
def test_what_has_no_form_as_json_is_a_failure(ask: Callable[..., Json], value: str) -> None:
    told = ask(f"def f():\n    return {value}")
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert told["error"]["code"] == "unfit"


def test_an_exception_is_told_with_the_lines_of_its_author_alone(ask: Callable[..., Json]) -> None:
    told = ask("import json\n\ndef g(x):\n    return 1 / x\n\ndef f():\n    return g(0)\n")
    assert told == {
        "ok": False,
        "error": {
            "code": "exception",
            "message": "ZeroDivisionError: division by zero\n"
            "  t.py:7 in f: return g(0)\n  t.py:4 in g: return 1 / x",
        },
    }


@pytest.mark.parametrize("code", sorted(RESERVED))
def test_a_code_that_is_the_gates_is_not_claimed(code: str, ask: Callable[..., Json]) -> None:
    source = f"class E(Exception):\n    code = '{code}'\ndef f():\n    raise E('refused: x')\n"
    told: dict = ask(source)  # type: ignore[assignment]
    assert told["error"]["code"] == "exception"
    assert "E: refused: x" in told["error"]["message"]


def test_an_exception_with_a_code_is_told_in_its_own_words(ask: Callable[..., Json]) -> None:
    source = "class E(Exception):\n    code = 'no_city'\ndef f():\n    raise E('which?')\n"
    assert ask(source) == {"ok": False, "error": {"code": "no_city", "message": "which?"}}
    told = ask(source.replace("no_city", "No City"))
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert told["error"]["code"] == "exception"


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import sys; sys.exit()", "exit()"])
def test_a_function_that_exits_has_failed(ask: Callable[..., Json], end: str) -> None:
    told = ask(f"def f():\n    {end}\n")
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert told["error"]["code"] == "exception"


def test_a_coroutine_is_awaited(ask: Callable[..., Json]) -> None:
    told = ask("import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 'slept'\n")
    assert told == {"ok": True, "content": "slept"}


@pytest.mark.parametrize("letter", ["x", "\N{SNOWMAN}", '"'])
def test_a_long_content_is_cut_to_what_a_result_may_be(
    ask: Callable[..., Json], letter: str
) -> None:
    told = ask(f"def f():\n    return {letter!r} * 5_000", most=2_000)
    assert isinstance(told, dict) and told["truncated"] is True
    assert 1_500 < len(json.dumps(told, ensure_ascii=False).encode()) <= 2_000
    told = ask("def f():\n    return list(range(5_000))", most=2_000)
    assert isinstance(told, dict) and isinstance(told["error"], dict)
    assert told["error"]["code"] == "too_large"
