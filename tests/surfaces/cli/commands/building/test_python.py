"""A typed function becomes a tool: built in the sandbox, and with no rights but those given."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.tools.sdk.python.test_dependencies import wheel

REACHES = '''"""Tries what it may not."""
import os
import socket
import subprocess
from random import random

import greetings

STARTED = os.listdir("/")


def reach(path: str = "/workspace/a.txt") -> dict[str, str]:
    """Reach out.

    :param path: a file
    """
    def tried(act):
        try:
            return str(act())
        except Exception as error:
            return type(error).__name__

    return {
        "packed": greetings.HELLO,
        "given": tried(lambda: open(path).read()),
        "host": tried(lambda: open("/etc/passwd").read()),
        "home": tried(lambda: os.environ["HOME"]),
        "socket": tried(lambda: socket.socket()),
        "program": tried(lambda: subprocess.run(["id"])),
        "write": tried(lambda: open("/workspace/new.txt", "w").write("x")),
        "built with": ",".join(STARTED),
        "chance": str(random()),
    }
'''
ASKS = """
[paths]
path = "read"

[requests]
required = ["read:*"]
optional = ["write:*"]
"""


def test_a_function_with_a_dependency_is_built_and_holds_what_was_granted(
    process: Callable, workspace: Path, tmp_path: Path
) -> None:
    wheel(tmp_path / "shelf")
    env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "shelf")}
    process("tool", "new", "reach")
    folder = workspace / "reach"
    (folder / "reach.py").write_text(REACHES)
    build = (folder / "build.toml").read_text()
    (folder / "build.toml").write_text(build.replace("[]", '["greetings"]'))
    text = (folder / "tool.toml").read_text().partition("# What it may ask for")[0]
    (folder / "tool.toml").write_text(text + ASKS)
    made = process("tool", "build", "reach", env=env)
    assert made.code == 0, made.err
    assert "getting greetings from PyPI" in made.err
    shown = process("tool", "inspect", "reach").out
    assert "asks for: read:*" in shown
    assert '"default": "/workspace/a.txt"' in json.dumps(
        process("tool", "inspect", "reach", "--json").json["input_schema"]
    )
    told = process("call", "./reach", "--read", "a.txt", "--json", "{}").json
    assert told["ok"], told
    assert told["data"] == {
        "packed": "hi",
        "given": "alpha\n",
        "host": "PermissionError",
        "home": "/tmp",
        "socket": "OSError",
        "program": "OSError",
        "write": "PermissionError",
        "built with": told["data"]["built with"],
        "chance": told["data"]["chance"],
    }
    # Nothing of this machine was there when its module was imported.
    assert not {"etc", "home", "root"}.intersection(told["data"]["built with"].split(","))
    written = process("call", "./reach", "--write", ".", "--json", "{}").json
    assert written["data"]["chance"] != told["data"]["chance"]
    assert (written["data"]["write"], (workspace / "new.txt").read_text()) == ("1", "x")
    unasked = process("call", "./reach", "--json", "{}").json
    assert unasked["error"]["code"] == "denied"


T = 'def t() -> str:\n    "Do."\n    return ""\n'
WRONG = {
    "def t(:\n": "t.py:1: SyntaxError",
    "import numpy\n" + T: "(a package of others is named in build.toml: dependencies)\n"
    "  |   t.py:1 in <module>: import numpy\n",
    "import tabulate\n" + T: "No module named 'tabulate' (a package of others is named in build",
    'def t(a):\n    "Do."\n': "t.py:1: t: argument a has no annotation",
    "raise SystemExit(3)\n" + T: "SystemExit: 3",
}


def test_a_function_that_is_no_tool_is_told_with_its_line_and_leaves_nothing(
    process: Callable, workspace: Path, environ: Mapping[str, str]
) -> None:
    compiled = Path(environ["CAPBOX_HOME"], "cache", "compiled")
    kept = sorted(compiled.iterdir())
    process("tool", "new", "t")
    before = (workspace / "t" / "tool.toml").read_text()
    for source, message in WRONG.items():
        (workspace / "t" / "t.py").write_text(source)
        made = process("tool", "build", "t")
        assert (made.code, message in made.err) == (1, True), made.err
        assert "Traceback" not in made.err
        assert not (workspace / "t" / "t.wasm").exists()
        assert (workspace / "t" / "tool.toml").read_text() == before
        assert sorted(compiled.iterdir()) == kept


def test_outside_of_the_sandbox_it_says_so_loudly(process: Callable, workspace: Path) -> None:
    process("tool", "new", "t")
    folder = workspace / "t"
    text = (folder / "tool.toml").read_text()
    schema = 'input_schema.properties.name = { type = "string" }\n# </generated>'
    (folder / "tool.toml").write_text(text.replace("# </generated>", schema))
    done = process("tool", "run", "--unconfined", "t", "name=Ada")
    assert (done.code, done.out) == (0, "Hello, Ada!\n")
    assert done.err.startswith("UNCONFINED: t/t.py runs outside of the sandbox. ")
    (folder / "t.py").write_text('def t(name: str) -> str:\n    "Do."\n    return 1 / 0\n')
    done = process("tool", "run", "--unconfined", "t", "name=Ada", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "exception")
    assert "t.py:3 in t: return 1 / 0" in done.json["error"]["message"]
    process("tool", "new", "u", "--lang", "c")
    done = process("tool", "run", "--unconfined", "u", "name=Ada")
    assert (done.code, "is for tools in Python; this one is in c" in done.err) == (2, True)
