"""What a call comes to: the value of the last expression, errors, exit codes, and how it is cut."""

from __future__ import annotations

import pytest
from tests.guests.javascript.conftest import Run

from capbox.authority.limits import Limits


@pytest.mark.parametrize(
    ("code", "content"),
    [
        ("1 + 1", "2\n"),
        ("'a text\\nas it is'", "a text\nas it is\n"),
        ("({ a: [1, { b: 2 }] })", "{ a: [ 1, { b: 2 } ] }\n"),
        ("let x = 5; if (x > 3) { 'big' } else { 'small' }", "big\n"),
        ("console.log('said'); [1, 2].map((n) => n * 2)", "said\n[ 2, 4 ]\n"),
        ("process.stdout.write('part'); 7", "part\n7\n"),
        ("undefined", ""),
        ("null", "null\n"),
        ("const x = 1", ""),
        ("function f() {}", ""),
        ("await Promise.resolve(8)", "8\n"),
        ("(async () => { await null; return 9; })()", "9\n"),
        ("new Promise(() => {}); ", ""),
        ("import fs from 'fs'; typeof fs.readFileSync", "function\n"),
        ("import { join } from 'node:path';\nconst p = join('a', 'b');\np", "a/b\n"),
        ("export const a = 1; for (const n of [1, 2]) n * 2", "4\n"),
        ("await import('path').then((m) => m.sep)", "/\n"),
        ("const fs = require('fs'); fs.existsSync('/')", "true\n"),
        ("import.meta.filename", "/workspace/<code>\n"),
        ("with ({ a: 1 }) a", "1\n"),
        ("const t = `\nimport x from 'y';\n`; t.trim()", "import x from 'y';\n"),
        ("[typeof window, typeof require, typeof global, typeof __dirname].join()",
         "undefined,function,object,string\n"),
        ("Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))",
         "[Object: null prototype] { odd: [ 1, 3 ], even: [ 2 ] }\n"),
        ("new Set([1, 2]).union(new Set([3]))", "Set(3) { 1, 2, 3 }\n"),
        ("[1, 2, 3].values().map((n) => n * 2).toArray()", "[ 2, 4, 6 ]\n"),
        ("await Array.fromAsync([Promise.resolve(1)])", "[ 1 ]\n"),
        ("(1234567.891).toLocaleString()", "1,234,567.891\n"),
    ],
)  # fmt: skip
async def test_the_last_expression_is_the_value(run: Run, code: str, content: str) -> None:
    result = await run(code)
    assert (result.ok, result.content, result.error) == (True, content, None)


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("null.x", "TypeError", "<code>:1"),
        ("let a = 1;\nlet b = ;\n", "SyntaxError", "let b = ;"),
        ("function f() { throw new RangeError('far'); }\nf();", "RangeError", "at f (<code>:1:"),
        ("throw 'a text'", "string", "Uncaught 'a text'"),
        ("throw { code: 5 }", "object", "Uncaught { code: 5 }"),
        ("throw null", "object", "Uncaught null"),
        ("Promise.reject(new Error('lost'))", "Error", "Uncaught Error: lost"),
        ("await Promise.reject(new Error('top'))", "Error", "Uncaught Error: top"),
        ("setTimeout(() => { throw new Error('late'); }, 1); 1", "Error", "Uncaught Error: late"),
        ("import x from './none.js'", "Error", "Cannot find module '/workspace/none.js'"),
        ("import { nope } from 'fs'", "SyntaxError", "nope"),
        ("new Error('outer', { cause: new Error('inner') }).boom()", "TypeError", "not a function"),
        ("throw new Error('outer', { cause: new Error('inner') })", "Error", "inner"),
        ("class Own extends Error {} throw new Own('mine')", "Error", "mine"),
        ("eval('1 +')", "SyntaxError", "Uncaught"),
        ("function f() { f(); } f()", "RangeError", "call stack"),
    ],
)
async def test_an_uncaught_error_is_told_with_its_place(
    run: Run, code: str, name: str, words: str
) -> None:
    result = await run(f"console.log('before');\n{code}" if name != "SyntaxError" else code)
    assert result.ok and result.data is not None
    error = result.data["error"]
    assert isinstance(error, dict)
    assert (error["name"], result.data["exit_code"]) == (name, 1)
    assert words.replace("<code>:1", "<code>:2" if name != "SyntaxError" else "") in result.content
    assert "capbox:" not in result.content
    assert result.content.startswith("before\n") is not ("import" in code or name == "SyntaxError")


@pytest.mark.parametrize(
    ("code", "status", "content"),
    [
        ("process.exit(3)", 3, "exit code 3\n"),
        ("console.log('a'); process.exit(); console.log('b')", 0, "a\n"),
        ("process.exitCode = 4; 'value'", 4, "value\nexit code 4\n"),
        ("try { process.exit(2) } finally { console.log('never') }", 2, "exit code 2\n"),
        ("setTimeout(() => process.exit(5), 1); setInterval(() => {}, 1)", 5, "exit code 5\n"),
        ("process.on('exit', (c) => console.log('bye', c)); 1", 0, "1\nbye 0\n"),
        ("Promise.reject(1).catch(() => {}); 1", 0, "1\n"),
        ("process.on('unhandledRejection', (e) => console.log('got', e)); Promise.reject(7); 1",
         0, "got 7\n1\n"),
        ("process.on('uncaughtException', (e) => console.log(e.message)); "
         "setTimeout(() => { throw new Error('x'); }); 1", 0, "x\n1\n"),
        ("await new Promise(() => {})", 13, None),
    ],
)  # fmt: skip
async def test_the_exit_code_is_the_program_s(
    run: Run, code: str, status: int, content: str | None
) -> None:
    result = await run(code)
    assert result.ok and result.data is not None
    assert result.data["exit_code"] == status
    assert content is None or result.content == content


async def test_streams_arguments_input_and_variables_are_the_call_s(run: Run) -> None:
    code = (
        "console.error('err'); console.log(process.argv.slice(2), process.env.NAME, process.cwd());"
        "require('fs').readFileSync(0, 'utf8').toUpperCase()"
    )
    result = await run(code, args=["-x", "y z"], stdin="línea\n", grants=("env:NAME=value",))
    assert result.content == "err\n[ '-x', 'y z' ] value /workspace\nLÍNEA\n"
    assert result.data == {
        "exit_code": 0,
        "stdout": "[ '-x', 'y z' ] value /workspace\n",
        "stderr": "err\n",
        "value": "LÍNEA\n",
    }


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("for (let i = 0; i < 5000; i++) console.log('line', i)", ("line 0\n", "line 4999\n")),
        ("'v'.repeat(50000) + 'end'", ("vvv", "end\n")),
        ("console.log('é'.repeat(30000) + 'end')", ("ééé", "end\n")),
        ("console.log('\\x01'.repeat(9000) + 'end')", ("\x01\x01", "end\n")),
    ],
)
async def test_long_output_keeps_its_beginning_and_its_end(
    run: Run, code: str, kept: tuple[str, str]
) -> None:
    result = await run(code, limits=Limits(output_bytes=20_000))
    assert result.ok and result.truncated, result.error
    assert result.content.startswith(kept[0]) and result.content.endswith(kept[1])
    assert "bytes left out" in result.content and len(result.content.encode()) <= 20_000


async def test_text_that_is_no_text_is_repaired(run: Run) -> None:
    result = await run("process.stdout.write(new Uint8Array([97, 255, 10])); '\\ud800'")
    assert result.content == "a\ufffd\n\ufffd\n"


async def test_nothing_but_files_lasts_from_call_to_call(run: Run) -> None:
    await run(
        "globalThis.x = 1; Array.prototype.sneaky = 1; require('fs').writeFileSync('f', 'kept')"
    )
    result = await run("[typeof x, [].sneaky, require('fs').readFileSync('f', 'utf8')]")
    assert result.content == "[ 'undefined', undefined, 'kept' ]\n"


async def test_chance_and_time_are_of_the_call_and_not_of_the_build(run: Run) -> None:
    code = "[Math.random(), Date.now(), crypto.randomUUID(), performance.now() < 5000].join(' ')"
    first, second = [(await run(code)).content.split() for _ in range(2)]
    assert first[0] != second[0] and first[2] != second[2]
    assert 1_700_000_000_000 < int(first[1]) <= int(second[1])
    assert (first[3], second[3]) == ("true", "true")


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("JSON.stringify = () => 'mine'; String.prototype.toWellFormed = () => 1; 5", "5\n"),
        ("Array.prototype.push = null; Object.keys = null; [1]", ""),
        ("globalThis.console = null; process.exit = null; 6", "6\n"),
        ("Object.prototype.then = 1; 7", "7\n"),
    ],
)
async def test_code_that_breaks_its_own_builtins_still_gets_a_result(
    run: Run, code: str, ends: str
) -> None:
    result = await run(code)
    assert result.error is None or result.error.code == "tool_crashed"
    assert result.content.endswith(ends)
