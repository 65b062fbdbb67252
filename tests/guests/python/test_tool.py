"""The tool `python`: what it shows, is given and can reach, and what comes after it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.servers.http import HttpServer
from tests.servers.replies import echo, redirect, reply, silence
from tests.undo.hand import tree

from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.messages import Json, ToolResult

GRANTS = ("write:/workspace", "env:COLOUR=green")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace with a few files."""
    (folder := tmp_path / "workspace").mkdir()
    (folder / "data.txt").write_text("from the workspace\n")
    (folder / "mine.py").write_text(
        "def double(x):\n    return x * 2\n\n\ndef fail():\n    double(None)\n"
    )
    (folder / "json.py").write_text("raise SystemExit('shadowed')\n")
    return folder


@pytest.fixture
async def box(engine: LocalEngine, place: Path) -> AsyncIterator[Box]:
    """A box that may write its workspace."""
    async with Box(workspace=place, grants=GRANTS, engine=engine) as opened:
        yield opened


SHOWN: dict[str, tuple[dict[str, Json], str]] = {
    "what is printed": ({"code": "print('a'); print('b', end='')"}, "a\nb\n"),
    "both streams in their order": (
        {"code": "import sys\nprint('a'); print('b', file=sys.stderr); print('c')"},
        "a\nb\nc\n",
    ),
    "the value of the last expression": ({"code": "x = 6\nx * 7"}, "=> 42\n"),
    "a value after what is printed": ({"code": "print('a', end='')\n'b'"}, "a\n=> 'b'\n"),
    "no value of a statement": ({"code": "x = 6"}, ""),
    "no value that is None": ({"code": "print('x')"}, "x\n"),
    "nothing": ({"code": ""}, ""),
    "a comment": ({"code": "# nothing"}, ""),
    "await at the top": (
        {
            "code": "import asyncio\nfor i in range(2): await asyncio.sleep(0)\n"
            "await asyncio.sleep(0, i)"
        },
        "=> 1\n",
    ),
    "arguments": (
        {"code": "import sys; sys.argv[1:]", "args": ["-x", "é y"]},
        "=> ['-x', 'é y']\n",
    ),
    "standard input": ({"code": "input() + input()", "stdin": "a\nb\n"}, "=> 'ab'\n"),
    "standard input as bytes": (
        {"code": "import sys; sys.stdin.buffer.read()", "stdin": "é"},
        "=> b'\\xc3\\xa9'\n",
    ),
    "files of the call": (
        {
            "code": "import helper\nhelper.x, open('/tmp/d/t').read()",
            "files": {"helper.py": "x = 1", "d/t": "é"},
        },
        "=> (1, 'é')\n",
    ),
    "the directory": (
        {"code": "import os; os.getcwd(), open('data.txt').read()"},
        "=> ('/workspace', 'from the workspace\\n')\n",
    ),
    "a module of the workspace": ({"code": "import mine; mine.double(4)"}, "=> 8\n"),
    "the library, not what shadows it": ({"code": "import json; json.dumps([1])"}, "=> '[1]'\n"),
    "a granted variable": ({"code": "import os; os.environ['COLOUR']"}, "=> 'green'\n"),
    "an exit": ({"code": "import sys; print('a'); sys.exit(3)"}, "a\nexit code 3\n"),
    "an exit that is a success": ({"code": "raise SystemExit"}, ""),
    "an exit with words": ({"code": "raise SystemExit('why')"}, "why\nexit code 1\n"),
    "names of the program": (
        {"code": "__name__, [n for n in dir() if not n.startswith('_')]"},
        "=> ('__main__', [])\n",
    ),
    "a class that is pickled": (
        {"code": "import pickle\nclass A: x = 1\npickle.loads(pickle.dumps(A())).x"},
        "=> 1\n",
    ),
}


@pytest.mark.parametrize("what", SHOWN)
async def test_it_shows(what: str, box: Box) -> None:
    arguments, content = SHOWN[what]
    result = await box.call("python", **arguments)
    assert (result.ok, result.content, result.denied) == (True, content, ())


FAILED = {
    "an error": (
        "def f(x):\n    return 1 / x\n\nprint('before')\nf(0)",
        """before
Traceback (most recent call last):
  File "<code>", line 5, in <module>
    f(0)
  File "<code>", line 2, in f
    return 1 / x
           ~~^~~
ZeroDivisionError: division by zero
exit code 1
""",
    ),
    "an error of syntax": (
        "x = 1\nif x\n    print(x)",
        """  File "<code>", line 2
    if x
        ^
SyntaxError: expected ':'
exit code 1
""",
    ),
    "an error of indentation": (
        "if 1:\nx",
        """  File "<code>", line 2
    x
    ^
IndentationError: expected an indented block after 'if' statement on line 1
exit code 1
""",
    ),
    "an error in a module of the workspace": (
        "import mine\nmine.fail()",
        """Traceback (most recent call last):
  File "<code>", line 2, in <module>
    mine.fail()
  File "mine.py", line 6, in fail
    double(None)
  File "mine.py", line 2, in double
    return x * 2
           ~~^~~
TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'
exit code 1
""",
    ),
    "an error in the library": (
        "import json\njson.loads('[')",
        """Traceback (most recent call last):
  File "<code>", line 2, in <module>
    json.loads('[')
  File "python3.12/json/__init__.py", line 346, in loads
  File "python3.12/json/decoder.py", line 337, in decode
  File "python3.12/json/decoder.py", line 355, in raw_decode
json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)
exit code 1
""",
    ),
    "an error after another": (
        "try: {}['a']\nexcept KeyError as e: raise ValueError('b') from e",
        """Traceback (most recent call last):
  File "<code>", line 1, in <module>
    try: {}['a']
         ~~^^^^^
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "<code>", line 2, in <module>
    except KeyError as e: raise ValueError('b') from e
                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: b
exit code 1
""",
    ),
    "an interruption": (
        "raise KeyboardInterrupt",
        """Traceback (most recent call last):
  File "<code>", line 1, in <module>
    raise KeyboardInterrupt
KeyboardInterrupt
exit code 1
""",
    ),
    "an error in a task": (
        "import asyncio\nasync def f(): raise ValueError('in a task')\nawait f()",
        """Traceback (most recent call last):
  File "<code>", line 3, in <module>
    await f()
  File "<code>", line 2, in f
    async def f(): raise ValueError('in a task')
                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: in a task
exit code 1
""",
    ),
}


@pytest.mark.parametrize("how", FAILED)
async def test_a_failure_is_told_with_the_lines_of_the_program_and_none_of_ours(
    how: str, box: Box
) -> None:
    code, told = FAILED[how]
    result = await box.call("python", code=code)
    content = "\n".join(line for line in result.content.split("\n") if "asyncio/" not in line)
    assert (result.ok, content, result.denied) == (True, told, ())


async def test_a_warning_is_shown_once_with_the_name_of_the_program(box: Box) -> None:
    result = await box.call("python", code="x = 1\nprint(x is 1)")
    assert result.content == (
        '<code>:2: SyntaxWarning: "is" with \'int\' literal. Did you mean "=="?\n'
        "  print(x is 1)\nTrue\n"
    )


CHANCE = (
    "import random\nrandom.random()",
    "import random as r\nr.randbytes(8)",
    "from random import randint\nrandint(0, 1 << 60)",
    "from random import *\nuniform(0, 1)",
    "import random\nrandom._inst.random()",
    "import random\ngetattr(random, 'gauss')(0, 1)",
    "import tempfile\ntempfile.mktemp()",
)


@pytest.mark.parametrize("code", CHANCE)
async def test_chance_is_another_in_each_call(code: str, box: Box) -> None:
    first, second = [(await box.call("python", code=code)).content for _ in range(2)]
    assert first.startswith("=> ") and second.startswith("=> ") and first != second


ALIKE = {
    "random.seed(7); random.random(), random.shuffle.__self__ is random._inst": (
        "(0.32383276483316237, True)"
    ),
    "{'seed', 'shuffle', 'Random'} <= set(dir(random)), '__getattr__' in dir(random)": (
        "(True, False)"
    ),
    "hasattr(random, 'shufle'), set(random.__all__) <= set(dir(random))": "(False, True)",
    "random.Random(7).random()": "0.32383276483316237",
}


@pytest.mark.parametrize("expression", ALIKE)
async def test_random_is_the_module_that_it_is_elsewhere(expression: str, box: Box) -> None:
    result = await box.call("python", code=f"import random\n{expression}")
    assert result.content == f"=> {ALIKE[expression]}\n"


SPELT = {
    "a name in a nested function": (
        "def f():\n    def g(): return g.__code__.co_filename\n    return g()\nf()",
        "=> '<code>'\n",
    ),
    "a warning of what is last": (
        "print('a')\n1 is 1",
        '<code>:2: SyntaxWarning: "is" with \'int\' literal. Did you mean "=="?\n'
        "  1 is 1\na\n=> True\n",
    ),
    "a future for all": (
        "from __future__ import annotations\ndef f(x: No): pass\nf.__annotations__",
        "=> {'x': 'No'}\n",
    ),
    "what only the compiler refuses": (
        "print('a')\nreturn 1",
        '  File "<code>", line 2\n    return 1\n    ^^^^^^^^\n'
        "SyntaxError: 'return' outside function\nexit code 1\n",
    ),
}


@pytest.mark.parametrize("what", SPELT)
async def test_what_is_compiled_has_the_name_of_the_program(what: str, box: Box) -> None:
    code, content = SPELT[what]
    result = await box.call("python", code=code)
    assert (result.content, result.denied) == (content, ())


async def test_data_says_what_the_content_cannot(box: Box) -> None:
    code = "import sys\nprint('é'); print('ab', file=sys.stderr)\n[1]"
    result = await box.call("python", code=code)
    counts: Json = {"exit_code": 0, "stdout_bytes": 3, "stderr_bytes": 3, "value": "[1]"}
    assert result.data == counts


async def test_of_long_output_the_beginning_and_the_end_are_shown(box: Box) -> None:
    code = "for i in range(400_000): print('line', i)"
    result = await box.call("python", code=code)
    lines = result.content.rstrip().split("\n")
    assert (lines[0], lines[-1]) == ("line 0", "line 399999")
    assert sum("bytes left out" in line for line in lines) == 1
    assert len(result.content) < 1_000_000


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", ".", "/tmp/x", "a\0b"])
async def test_a_file_of_the_call_that_would_lie_elsewhere_is_refused(name: str, box: Box) -> None:
    result = await box.call("python", code="1", files={"good.txt": "x", name: "x"})
    assert result.error is not None, result
    assert result.error.code == "invalid_arguments"


async def test_only_granted_directories_are_seen(engine: LocalEngine, place: Path) -> None:
    (place / "open").mkdir()
    (place / "open" / "a.txt").write_text("seen\n")
    code = (
        "import os\nprint(os.listdir('open'), open('open/a.txt').read())\n"
        "for n in ('data.txt', 'open/b.txt'):\n"
        "    try: open(n, 'a')\n    except OSError as e: print(type(e).__name__, e.filename)"
    )
    async with Box(workspace=place, grants=("read:/workspace/open",), engine=engine) as box:
        result = await box.call("python", code=code)
    assert (
        result.content == "['a.txt'] seen\n\nPermissionError data.txt\nPermissionError open/b.txt\n"
    )
    assert [one.missing for one in result.denied] == [
        "write:/workspace/data.txt",
        "write:/workspace/open/b.txt",
    ]


async def test_without_any_grant_a_program_still_computes(engine: LocalEngine, place: Path) -> None:
    async with Box(workspace=place, engine=engine) as box:
        result = await box.call("python", code="open('/tmp/x', 'w').write('1'); 1 + 1")
        denied = await box.call("python", code="open('data.txt')")
    assert (result.content, result.denied) == ("=> 2\n", ())
    assert [one.missing for one in denied.denied] == ["read:/workspace/data.txt"]


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("import no_such_module", []),
        ("import sqlite3; sqlite3.connect(':memory:').execute('select random()').fetchall()", []),
        ("import random, secrets; random.SystemRandom().random(), secrets.token_hex()", []),
        ("open('/dev/urandom', 'rb').read(8)", []),
        ("import os; os.listdir('/workspace')", ["read:/workspace"]),
        ("open('/dev/mem', 'rb').read(8)", ["read:/dev/mem"]),
    ],
)
async def test_what_a_program_did_not_ask_for_is_no_refusal(
    code: str, missing: list[str], engine: LocalEngine, place: Path
) -> None:
    async with Box(workspace=place, engine=engine) as box:
        result = await box.call("python", code=code)
    assert [one.missing for one in result.denied] == missing, result.content


@pytest.mark.parametrize("grant", ["read:/workspace", "read:/workspace/own.py"])
async def test_modules_are_imported_from_what_was_granted_of_the_workspace(
    grant: str, engine: LocalEngine, place: Path
) -> None:
    (place / "own.py").write_text("X = 'mine'\n")
    async with Box(workspace=place, grants=(grant,), engine=engine) as box:
        result = await box.call("python", code="import own; own.X")
        missing = await box.call("python", code="import no_such_module")
    assert (result.content, missing.denied) == ("=> 'mine'\n", ())


async def test_a_function_of_the_program_is_invoked_under_its_grant(
    engine: LocalEngine, place: Path
) -> None:
    box = Box(workspace=place, grants=("invoke:add",), engine=engine)

    @box.tool(effect="none")
    def add(a: int, b: int) -> str:
        """Add."""
        return str(a + b)

    @box.tool(effect="none")
    def hidden() -> str:
        """Not granted."""
        return "never"

    code = (
        "import capbox\n"
        "print(capbox.invoke('add', a=2, b=3), [f['name'] for f in capbox.functions()])\n"
        "for name, given in (('hidden', {}), ('nobody', {}), ('add', {'a': 'x'})):\n"
        "    try: capbox.invoke(name, **given)\n"
        "    except OSError as e: print(type(e).__name__, e.code)"
    )
    async with box:
        result = await box.call("python", code=code)
    lines = result.content.rstrip().split("\n")
    assert lines[0].startswith("5 ['add'"), lines
    assert lines[1] == "Denied denied", lines
    assert all(line.startswith(("Denied", "HostError")) for line in lines[1:]), lines


# --- the network ------------------------------------------------------------------------------

ROUTES = {
    "/": reply(b'{"n": 1}', headers=[("Content-Type", "application/json"), ("X-A", "b")]),
    "/old": redirect("/"),
    "/echo": echo,
    "/kana": reply(
        "日本".encode("shift_jis"), headers=[("Content-Type", "text/plain; charset=shift_jis")]
    ),
    "/big": reply(b"x" * 3_000_000),
    "/silent": silence,
}
FETCHED = {
    "a response": (
        "r = capbox.fetch('HERE/'); (r.status, r.json(), r.ok, r.headers['x-a'])",
        "=> (200, {'n': 1}, True, 'b')\n",
    ),
    "text of another charset": ("capbox.fetch('HERE/kana').text", "=> '日本'\n"),
    "where a redirect ends": ("capbox.fetch('HERE/old').url == 'HERE/'", "=> True\n"),
    "a redirect that is not followed": ("capbox.fetch('HERE/old', redirects=0).status", "=> 302\n"),
    "a large body": ("len(capbox.fetch('HERE/big').content)", "=> 3000000\n"),
    "a status": ("r = capbox.fetch('HERE/none'); (r.status, r.ok)", "=> (404, False)\n"),
    "a body": ("b'hello' in capbox.fetch('HERE/echo', 'POST', body='hello').content", "=> True\n"),
    "a value": (
        "b'zebra' in capbox.fetch('HERE/echo', 'PUT', json={'zebra': 1}).content",
        "=> True\n",
    ),
    "a header": (
        "b'yes' in capbox.fetch('HERE/echo', headers={'X-Q': 'yes'}).content",
        "=> True\n",
    ),
    "silence": (
        "try: capbox.fetch('HERE/silent', timeout=0.2)\n"
        "except capbox.HostError as e: print(e.code)",
        "timeout\n",
    ),
    "urllib": (
        "import urllib.request as u\n"
        "with u.urlopen('HERE/') as r: print(r.status, r.read(), "
        "r.getheader('X-A') if hasattr(r, 'getheader') else r.headers['X-A'], "
        "r.geturl() == 'HERE/')",
        "200 b'{\"n\": 1}' b True\n",
    ),
    "a request of urllib": (
        "import urllib.request as u\n"
        "q = u.Request('HERE/echo', b'data', {'X-Q': 'yes'}, method='POST')\n"
        "t = u.urlopen(q, timeout=9).read(); (b'data' in t, b'yes' in t)",
        "=> (True, True)\n",
    ),
    "an error of urllib": (
        "import urllib.request as u, urllib.error as e\ntry: u.urlopen('HERE/none')\n"
        "except e.HTTPError as x: print(x.code, x.url == 'HERE/none')",
        "404 True\n",
    ),
    "a redirect of urllib": (
        "import urllib.request as u\nu.urlopen('HERE/old').read()",
        "=> b'{\"n\": 1}'\n",
    ),
    "a file by urllib": (
        "import urllib.request as u\nn, h = u.urlretrieve('HERE/', '/tmp/got'); open(n).read()",
        "=> '{\"n\": 1}'\n",
    ),
    "no grant": (
        "try: capbox.fetch('http://127.0.0.1:1/')\nexcept PermissionError as e: print(e.code)",
        "denied\n",
    ),
    "no grant, by urllib": (
        "import urllib.request as u, urllib.error as e\ntry: u.urlopen('http://127.0.0.1:1/')\n"
        "except e.URLError as x: print('no grant' in str(x))",
        "True\n",
    ),
}


@pytest.mark.parametrize("what", FETCHED)
async def test_it_fetches(
    what: str, engine: LocalEngine, place: Path, http_server: Callable[..., HttpServer]
) -> None:
    server = http_server(ROUTES)
    code, content = FETCHED[what]
    here = server.url("")
    async with Box(workspace=place, grants=(f"fetch:{here}",), engine=engine) as box:
        result = await box.call("python", code=f"import capbox\n{code}".replace("HERE", here))
    assert (result.ok, result.content) == (True, content)


# --- what comes after it ----------------------------------------------------------------------


async def test_what_a_program_did_is_on_record(box: Box) -> None:
    code = (
        "open('new.txt', 'w').write('x'); open('data.txt').read(); import os; os.remove('mine.py')"
    )
    result: ToolResult = await box.call("python", code=code)
    seen = {(one.action, one.path) for one in result.effects}
    wanted = {("create", "/workspace/new.txt"), ("read", "/workspace/data.txt")}
    assert wanted <= seen and any(path == "/workspace/mine.py" for _, path in seen), seen


async def test_arguments_are_checked_against_the_manifest(box: Box) -> None:
    for arguments in ({}, {"code": 5}, {"code": "1", "more": 1}, {"code": "1", "args": [1]}):
        result = await box.call("python", **arguments)  # type: ignore[arg-type]
        assert result.error is not None and result.error.code == "invalid_arguments", json.dumps(
            arguments
        )


async def test_what_a_program_changed_comes_back_by_undo(box: Box, place: Path) -> None:
    before = tree(place)
    code = (
        "import os, shutil, sqlite3, tempfile\n"
        "open('data.txt', 'a').write('more'); os.remove('mine.py')\n"
        "os.makedirs('a/b'); os.rename('json.py', 'a/b/x.py'); "
        "shutil.make_archive('all', 'zip', 'a')\n"
        "c = sqlite3.connect('x.db'); c.execute('create table t(x)'); c.commit(); c.close()"
    )
    assert (await box.call("python", code=code)).content == ""
    assert tree(place) != before
    assert (await box.undo()).left == ()
    after = tree(place)
    assert {n: x[2] for n, x in after.items()} == {n: x[2] for n, x in before.items()}
