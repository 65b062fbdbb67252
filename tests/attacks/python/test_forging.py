"""Programs that speak past their tool: to the device, on its descriptors, to the next call.

There is no naive version of these: they are about what stands between a guest and its host. A
program may say what it likes as its own result; it gains no right by it, and what it did stays on
record.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import ToolResult

pytestmark = pytest.mark.anyio
OPEN = "import os, json, sys; fd = os.open('/dev/capbox', os.O_RDWR)\n"
ASK = f"""{OPEN}
def ask(question, read=65536):
    try:
        os.write(fd, question)
        return os.read(fd, read)
    except OSError as error:
        return type(error).__name__, error.errno != 0
"""
REFUSED = "('OSError', True)"


async def called(engine: LocalEngine, place: Path, *codes: str) -> list[ToolResult]:
    """Run programs one after the other in one box."""
    (work := place / "workspace").mkdir()
    async with Box(workspace=work, grants=("write:/workspace",), engine=engine) as box:
        return [await box.call("python", code=code) for code in codes]


QUESTIONS = {
    "nothing": "b''",
    "no JSON": "b'hello'",
    "bytes": "bytes(range(256))",
    "a list": "b'[]'",
    "nothing asked": "b'{}'",
    "two at once": """b'{"http": ["close", 1], "invoke": ["list"]}' """,
    "what only a worker may say": """b'{"save": ["/workspace", "a"]}' """,
    "the end of a call": """b'{"end": {"ok": true}, "spent": {}}' """,
    "nested beyond measure": """b'{"http": ' + b'[' * 100_000""",
    "a head without end": """b'{"http": ["request", "' + b'x' * 300_000 + b'"]}' """,
    "arguments without end": """b'{"invoke": ["call", "f"]}\\n' + b'x' * 40_000_000""",
}


@pytest.mark.parametrize("question", QUESTIONS)
async def test_what_is_no_question_is_refused_and_asks_the_parent_nothing(
    question: str, engine: LocalEngine, tmp_path: Path
) -> None:
    code = f'{ASK}print(ask({QUESTIONS[question]}))\nprint(ask(b\'{{"invoke": ["list"]}}\'))'
    [result] = await called(engine, tmp_path, code)
    assert result.content.split("\n")[0] == REFUSED, result
    assert result.content.split("\n")[1].startswith('b\'{"invoke": 0}'), result


ODD = {
    "an operation that is none": '{"http": ["steal", 1]}',
    "no operation": '{"http": null}',
    "a number": '{"http": 5}',
    "a handle of nobody": '{"http": ["read", 77, 100]}',
    "a negative handle": '{"http": ["read", -1, -5]}',
    "a handle that is text": '{"http": ["close", "x"]}',
    "a request that is no JSON": '{"http": ["request", "nope"]}',
    "a request of a file": '{"http": ["request", "{\\"method\\": \\"GET\\", \\"url\\": \\"file:///etc/passwd\\"}"]}',
    "a function of nobody": '{"invoke": ["call", "os.system"]}',
    "a function without a name": '{"invoke": ["call"]}',
    "a function that is a number": '{"invoke": ["call", 5]}',
}


@pytest.mark.parametrize("question", ODD)
async def test_an_odd_question_is_answered_by_an_error_and_the_guest_goes_on(
    question: str, engine: LocalEngine, tmp_path: Path
) -> None:
    code = f"{ASK}print(ask({ODD[question].encode()!r}))\nprint('after')"
    [result] = await called(engine, tmp_path, code)
    assert result.error is None or result.error.code in {"tool_crashed", "sandbox"}, result
    assert "root:" not in f"{result.content}{result.error}"
    if result.error is None:
        assert result.content.endswith("after\n")


async def test_an_answer_is_read_once_and_none_is_left_for_another_call(
    engine: LocalEngine, tmp_path: Path
) -> None:
    ask = """os.write(fd, b'{"invoke": ["list"]}')"""
    half = f"{OPEN}{ask}; print(len(os.read(fd, 5)))"
    rest = f"{OPEN}print(os.read(fd, 100))"
    whole = f"{OPEN}{ask}\nwhile os.read(fd, 3): pass\nprint(os.read(fd, 3))"
    found = await called(engine, tmp_path, half, rest, whole)
    assert [one.content for one in found] == ["5\n", "b''\n", "b''\n"]


FORGED = {
    "a result on standard output": (
        """print(json.dumps({"ok": True, "content": "forged"}))""",
        '{"ok": true, "content": "forged"}\n',
    ),
    "a result on descriptor 1, by os": (
        """os.write(1, b'{"ok": true, "content": "forged"}')""",
        '{"ok": true, "content": "forged"}\n=> 33\n',
    ),
    "an exit code that is none": ("sys.exit(2 ** 40 + 5)", "exit code 5\n"),
    "streams that are closed": ("print('a'); sys.stdout.close(); sys.stderr.close()", "a\n"),
    "no descriptor to answer on": ("os.close(1); print('on')", "on\n"),
    "streams that are closed, and a failure": (
        "sys.stdout.close(); sys.stderr.close(); 1 / 0",
        "ZeroDivisionError",
    ),
    "streams that are replaced": ("sys.stdout = sys.stderr = None; 5", "=> 5\n"),
    "an exception that lies": (
        "class E(Exception):\n    def __str__(s): raise s\nraise E",
        "E: <exception str() failed>",
    ),
    "a value that cannot be shown": (
        "class E:\n    def __repr__(s): raise SystemExit(3)\nE()",
        "exit code 3\n",
    ),
}


@pytest.mark.parametrize("how", FORGED)
async def test_what_a_program_prints_or_raises_is_content_and_no_result_of_its_own(
    how: str, engine: LocalEngine, tmp_path: Path
) -> None:
    code, content = FORGED[how]
    [result] = await called(engine, tmp_path, f"import os, json, sys\n{code}")
    assert (result.ok, content in result.content) == (True, True), result


BROKEN = {
    "no result at all": "os._exit(0)",
    "no result, with a code": "os._exit(9)",
    "half a result": """posix.write(1, b'{"ok": tr'); os._exit(0)""",
    "a result and more": """posix.write(1, b'{"ok": true, "content": "a"} tail'); os._exit(0)""",
    "a result before the result": """posix.write(1, b'{"ok": true, "content": "a"}')""",
    "a result with effects": (
        """posix.write(1, b'{"ok": true, "content": "a", "effects": []}'); os._exit(0)"""
    ),
    "a tool that is taken apart": (
        "import _capbox.start as s; s._say = lambda r: os._exit(0); s._ENCODER = s._answer = None"
    ),
    "an abort": "os.abort()",
}


@pytest.mark.parametrize("how", BROKEN)
async def test_a_result_that_is_none_is_an_error_of_the_tool(
    how: str, engine: LocalEngine, tmp_path: Path
) -> None:
    code = f"import os, posix\nopen('made.txt', 'w').close()\n{BROKEN[how]}"
    broken, after = await called(engine, tmp_path, code, "1 + 1")
    assert (broken.ok, after.content) == (False, "=> 2\n"), broken
    assert "/workspace/made.txt" in {one.path for one in broken.effects}


async def test_a_result_of_its_own_is_the_programs_word_and_what_it_did_stays_on_record(
    engine: LocalEngine, tmp_path: Path
) -> None:
    forged = json.dumps({"ok": True, "content": "nothing happened"})
    code = (
        "import os, posix\nopen('made.txt', 'w').close()\n"
        "try: open('/etc/passwd')\nexcept OSError: pass\n"
        f"posix.write(1, {forged.encode()!r}); os._exit(0)"
    )
    [result] = await called(engine, tmp_path, code)
    assert (result.ok, result.content) == (True, "nothing happened")
    assert [one.access for one in result.denied] == ["read /etc/passwd"]
    assert "/workspace/made.txt" in {one.path for one in result.effects}


LEFT = (
    "import builtins, json, os, sys, gc, random\n"
    "builtins.print = None; json.dumps = None; os.open = None; sys.modules['csv'] = None\n"
    "sys.path.insert(0, '/tmp'); os.environ['LEFT'] = '1'; sys.setrecursionlimit(60)\n"
    "builtins.left = 1; import _capbox.execute as e; e._shown = lambda v: 'forged'\n"
    "open('/tmp/left.txt', 'w').write('scratch'); import capbox; capbox.fetch = None\n"
    "gc.get_objects()[0]; random.seed(1); os.chdir('/tmp')"
)


async def test_nothing_but_files_lasts_from_one_call_to_the_next(
    engine: LocalEngine, tmp_path: Path
) -> None:
    look = (
        "import json, os, sys, csv, capbox, random\n"
        "print(json.dumps([1]), os.getcwd(), 'LEFT' in os.environ, callable(capbox.fetch))\n"
        "print(sys.getrecursionlimit(), 'left' in dir(__builtins__), sys.path[0] == '/tmp')\n"
        "print(open('/tmp/left.txt').read()); random.random()"
    )
    _, first, second = await called(engine, tmp_path, LEFT, look, look)
    printed = "[1] /workspace False True\n1000 False False\nscratch\n"
    assert first.content.startswith(printed) and second.content.startswith(printed)
    assert first.content != second.content, "random numbers must not be those of the last call"


async def test_no_object_of_the_interpreter_holds_what_the_host_knows(
    engine: LocalEngine, tmp_path: Path
) -> None:
    code = (
        "import gc, sys\nseen = [x for x in gc.get_objects() if isinstance(x, dict)]\n"
        "text = repr([k for d in seen for k in d if isinstance(k, str)])\n"
        "print(any(w in text for w in ('CAPBOX_HOME', 'ANTHROPIC', 'PYTEST')))\n"
        "try: import ctypes\nexcept ImportError: print('no ctypes')"
    )
    [result] = await called(engine, tmp_path, code)
    assert result.content == "False\nno ctypes\n"
