"""A documented function in JavaScript becomes a tool, without any compiler."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

COUNTS = """\
import { readFileSync } from "node:fs";
import { split } from "./lib/split.js";

/**
 * Count the words of a text.
 *
 * @param {string} path The file.
 * @returns {{count: number}}
 */
export default async function words({ path }) {
  console.log("counting", path);
  return { count: split(readFileSync(path, "utf8")).length };
}
"""
ASKS = """
[paths]
path = "read"

[requests]
required = ["read:*"]

[[tests]]
name = "counts"
files = { "a.txt" = "one two" }
grants = ["read:/workspace"]
arguments = { path = "a.txt" }
expect = { ok = true, data = { count = 2 } }

[[tests]]
name = "needs a grant"
files = { "a.txt" = "one" }
arguments = { path = "a.txt" }
expect = { ok = false, error = "denied" }
"""


def test_from_an_empty_folder_to_a_call(process: Callable, workspace: Path) -> None:
    bare = {"PATH": "/nowhere"}  # no compiler, and no other program
    made = process("tool", "new", "words", "--lang", "javascript", env=bare)
    assert (made.code, made.out.splitlines()[0]) == (0, "words/words.js")
    assert made.err == "next: change words/words.js, then: capbox tool build words\n"
    built = process("tool", "build", "words", env=bare)
    assert (built.code, built.out.startswith("words/words.wasm  ")) == (0, True), built.err
    assert built.err.startswith("packing words/words.js into the JavaScript engine\n")
    assert process("tool", "test", "words").out.count("passed  ") == 3
    assert process("tool", "run", "words", "name=Ada", "shout=true").out == "HELLO, ADA!\n"

    folder = workspace / "words"
    (folder / "words.js").write_text(COUNTS)
    older = process("tool", "run", "words", "name=Ada")
    assert (older.out, "(words.js was changed); build it again" in older.err) == (
        "Hello, Ada!\n",
        True,
    )
    (folder / "lib").mkdir()
    (folder / "lib" / "split.js").write_text("export const split = (text) => text.split(/\\s+/);\n")
    text = (folder / "tool.toml").read_text().partition("# What it may ask for")[0]
    (folder / "tool.toml").write_text(text + ASKS)
    assert process("tool", "build", "words", env=bare).code == 0
    assert process("tool", "test", "words").out == "passed  counts\npassed  needs a grant\n"
    (workspace / "b.txt").write_text("a b c")
    assert process("call", "./words", "path=b.txt", "--read", "b.txt").out == '{"count":3}\n'
    refused = process("call", "./words", "path=b.txt", "--json")
    assert refused.json["error"]["code"] == "denied"
    shown = process("tool", "inspect", "words").out
    assert "asks for: read:*" in shown and "can capbox run it: yes" in shown


DOCUMENTED = "/** Do. */\nexport default function t({ a }) {}\n"
WRONG = {
    "const x = ;\n" + DOCUMENTED: "t.js:1:11: SyntaxError: unexpected token in expression: ';'\n"
    "  |     const x = ;\n  |               ^\n",
    'import "./broken.js";\n' + DOCUMENTED: "broken.js:2:5: SyntaxError: ",
    'import "./none.js";\n' + DOCUMENTED: "Cannot find module './none.js' imported from t.js: no "
    "file of that name was packed",
    'import "lodash";\n' + DOCUMENTED: "Cannot find package 'lodash' imported from t.js: npm "
    "packages are not packed; copy the module's file into the tool's folder",
    "null.x;\n" + DOCUMENTED: "TypeError: cannot read property 'x' of null\n  |     at t.js:1:",
    DOCUMENTED.replace("{ a }", "a, b"): "t.js: its function takes 2 arguments, and is given one "
    "object; write: export default function NAME({ a, b }) { ... }",
    "/** Do. */\nexport default 3;\n": "t.js: its default export is no function; write: export",
    "export default () => 1;\n": "no comment /** ... */ stands before `export default`",
    DOCUMENTED.replace("Do.", "Do.\n * @param {Date} a"): "t/t.js:2: @param: Date is no type of",
    DOCUMENTED.replace("Do.", 'Do.\n * @param {boolean} [a="no"] x'): "t/tool.toml: "
    'input_schema.properties.a.default: "no" is not of type "boolean"\n'
    "  | what stands between its marks is made of t/t.js: change it there\n",
    "for (;;);\n" + DOCUMENTED: "t/t.js: what it does when it is loaded takes more than 10 sec",
    'import fs from "fs";fs.readFileSync("/etc/passwd");\n' + DOCUMENTED: "EACCES: permission den",
    'await fetch("http://127.0.0.1:1/");\n' + DOCUMENTED: "fetch failed: refused: fetch GET",
}


def test_a_function_that_is_no_tool_is_told_with_its_line(
    process: Callable, workspace: Path
) -> None:
    process("tool", "new", "t", "--lang", "javascript")
    before = (workspace / "t" / "tool.toml").read_text()
    (workspace / "t" / "broken.js").write_text("let a = 1;\nlet let = a b;\n")
    for source, message in WRONG.items():
        (workspace / "t" / "t.js").write_text(source)
        made = process("tool", "build", "t")
        assert (made.code, message in made.err) == (1, True), made.err
        assert "capbox:native" not in made.err and "/tool/" not in made.err
        assert not (workspace / "t" / "t.wasm").exists()
        assert (workspace / "t" / "tool.toml").read_text() == before


def test_outside_of_the_sandbox_is_for_python(process: Callable) -> None:
    process("tool", "new", "u", "--lang", "javascript")
    done = process("tool", "run", "--unconfined", "u", "name=Ada")
    assert (done.code, "is for tools in Python; this one is in javascript" in done.err) == (2, True)
