"""Every bound of a call holds for code too; recursion is an error before it is a trap."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.guests.javascript.conftest import Run

from capbox.authority.limits import MB, Limits

QUICK = Limits(wall_seconds=0.5)
SMALL = Limits(memory_bytes=64 * MB, written_bytes=4 * MB, files_created=50)


@pytest.mark.parametrize(
    ("code", "bound"),
    [
        ("for (;;);", "time"),
        ("/(a+)+$/.test('a'.repeat(40) + 'b')", "time"),
        ("while (true) await null", "time"),
        ("setInterval(() => {}, 1)", "time"),
        ("await new Promise((done) => setTimeout(done, 1e9))", "time"),
        ("try { for (;;); } finally { console.log('late') }", "time"),
        ("const kept = []; for (;;) kept.push(new Uint8Array(1e6).fill(1))", "memory"),
        ("let s = 'x'; for (;;) { s += s; s.indexOf('y'); }", "memory"),
        ("const kept = []; for (;;) kept.push({})", "memory"),
        ("for (;;) console.log('x'.repeat(1000))", "output"),
        ("for (;;) console.log('x'.repeat(5e6))", "output"),
        ("const fs = require('fs'); for (;;) fs.appendFileSync('big', 'x'.repeat(1e6))", "written"),
        ("const fs = require('fs'); for (let i = 0; ; i++) fs.writeFileSync(`f${i}`, '')",
         "files_created"),
    ],
)  # fmt: skip
async def test_code_that_goes_too_far_is_stopped_by_name(run: Run, code: str, bound: str) -> None:
    limits = QUICK if bound == "time" else SMALL
    result = await run(code, limits=limits)
    assert result.error is not None, result.content
    assert (result.ok, result.error.code) == (False, bound)
    assert "was killed" not in result.error.message
    after = await run("1 + 1", limits=limits)
    assert after.content == "2\n"


@pytest.mark.parametrize("size", ["5e6", "2e7"])
async def test_one_large_text_is_cut_in_the_middle(run: Run, size: str) -> None:
    code = f"console.log('start'); console.log('x'.repeat({size})); console.log('end')"
    result = await run(code)
    assert (result.ok, result.truncated) == (True, True)
    assert result.content.startswith("start\nxxx") and result.content.endswith("xxx\nend\n")
    assert " bytes left out ...]" in result.content


RECURSION = {
    "functions": "const f = () => f() + 1; f()",
    "methods": "class A { get x() { return this.x; } } new A().x",
    "constructors": "class A { constructor() { new A(); } } new A()",
    "apply": "function f(...a) { return f.apply(this, a); } f(1, 2, 3)",
    "spread": "function f(a) { return f([...a, ...a].slice(0, 9)); } f([1, 2, 3])",
    "proxies": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x",
    "proxies, asked": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); 'x' in p",
    "proxies, set": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x = 1",
    "proxies, listed": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); "
        "Object.keys(p)",
    "proxies, called": "let p = () => 1; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p()",
    "proxies, shown": "let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p",
    "proxies as prototypes": "let p = {}; for (let i = 0; i < 1e4; i++) p = Object.create(new "
        "Proxy(p, {})); p.x",
    "destructuring": "eval('var ' + '['.repeat(1e5) + 'a' + ']'.repeat(1e5) + ' = 1')",
    "nested classes": "eval('class A { [' .repeat(2e4))",
    "optional chains": "eval('a' + '?.b'.repeat(1e5))",
    "ternaries": "eval('1?'.repeat(1e5))",
    "powers": "eval('2**'.repeat(1e5) + '1')",
    "commas and calls": "eval('f('.repeat(1e5))",
    "new": "eval('new '.repeat(1e5) + 'A')",
    "if": "eval('if(1)'.repeat(1e5) + ';')",
    "toString": "const o = { toString() { return `${o}`; } }; `${o}`",
    "sort": "const f = () => [2, 1].sort(f); f()",
    "replace": "const f = () => 'a'.replace(/a/, f); f()",
    "generators": "function* g() { yield* g(); } [...g()]",
    "async": "const f = async () => { await f(); }; await f()",
    "eval": "const f = () => eval('f()'); f()",
    "JSON.parse": "JSON.parse('['.repeat(1e6))",
    "JSON.stringify": "let o = []; for (let i = 0; i < 1e6; i++) o = [o]; JSON.stringify(o)",
    "toJSON": "const o = { toJSON: () => JSON.stringify(o) }; JSON.stringify(o)",
    "parentheses": "eval('('.repeat(1e5))",
    "nested code": "eval('[' .repeat(1e5) + ']'.repeat(1e5))",
    "unary": "eval('-'.repeat(1e5) + '1')",
    "blocks": "eval('{'.repeat(1e5) + '}'.repeat(1e5))",
    "arrows": "eval('()=>'.repeat(1e5) + '1')",
    "templates": "eval('`${'.repeat(1e5))",
    "regular expression": "new RegExp('('.repeat(1e6))",
    "regular expression, run": "/^(?:a|b)*?c/.test('ab'.repeat(1e6))",
    "lookaheads": "new RegExp('(?='.repeat(1e5) + ')'.repeat(1e5)).test('x')",
    "flat": "let o = []; for (let i = 0; i < 1e6; i++) o = [o]; o.flat(Infinity)",
    "structuredClone": "let o = []; for (let i = 0; i < 1e5; i++) o = [o]; structuredClone(o)",
    "a deep value": "let o = []; for (let i = 0; i < 1e6; i++) o = [o]; o",
    "a deep value, all of it": "let o = []; for (let i = 0; i < 1e5; i++) o = [o]; "
        "require('util').inspect(o, { depth: Infinity })",
    "require": "require('./self.cjs')",
    "bound functions": "let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); f()",
    "prototypes": "let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); o.x; 'deep'",
    "ropes": "let s = ''; for (let i = 0; i < 1e6; i++) s += 'ab'; for (let i = 0; i < 1e4; "
        "i++) s = 'a' + s; s.length",
    "promises": "let p = Promise.resolve(1); for (let i = 0; i < 1e5; i++) { const q = p; p = "
        "Promise.resolve().then(() => q); } 'chained'",
}  # fmt: skip


@pytest.mark.parametrize("name", RECURSION)
async def test_recursion_is_an_error_of_the_code_and_ends_nothing_else(
    run: Run, place: Path, name: str
) -> None:
    (place / "self.cjs").write_text("const f = () => { delete require.cache; return f(); }; f();")
    code = f"let said; try {{ said = {RECURSION[name]!r}; }} catch {{}}\n"
    code += (
        "try { await (0, eval)(`(async () => {${said}})()`); } catch (e) { console.log(e.name); }"
    )
    result = await run(code + " 'well'")
    assert result.error is None, result.error
    assert result.content.endswith("well\n")


async def test_memory_that_was_given_back_can_be_used_again(run: Run) -> None:
    code = "let n = 0; for (let i = 0; i < 200; i++) { n += new Uint8Array(5e6).length; } n"
    assert (await run(code, limits=SMALL)).content == "1000000000\n"


async def test_an_endless_cycle_of_garbage_is_collected(run: Run) -> None:
    code = "for (let i = 0; i < 3e5; i++) { const a = {}; a.a = a; a.b = new Array(50); } 'well'"
    assert (await run(code, limits=SMALL)).content == "well\n"
