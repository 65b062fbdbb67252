"""A packed function is called: what comes of what it returns, throws, prints and never does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.tools.sdk.making import workshop

from capbox import app
from capbox.authority.limits import Limits
from capbox.box import Box
from capbox.engine.home import Home
from capbox.gate.protocol import RESERVED
from capbox.messages import Json, JsonObject, ToolResult
from capbox.tools.folder import load_folder
from capbox.tools.registry import Found
from capbox.tools.sdk.javascript.packing import build
from capbox.tools.sdk.project import read_project
from capbox.tools.sdk.starting import start

# One module for all: each test calls one of its cases, since each new module would be compiled.
SOURCE = """\
import fs, { readFileSync } from "node:fs";
import { deep } from "./lib/deep.js";
import data from "./lib/data.json";
const old = require("./lib/old.cjs");
let calls = 0;

class NoName extends Error {
  code = "no_name";
}

const CASES = {
  text: () => "hello",
  nothing: () => {},
  null: () => null,
  number: () => 3,
  list: () => [1, "two"],
  object: () => ({ a: 1, b: undefined, c: new Date(0) }),
  waited: async () => ({ slept: await new Promise((go) => setTimeout(go, 2, true)) }),
  state: () => ++calls,
  imported: async () => ({ data: data.x, old, dynamic: (await import("./lib/" + "deep.js")).name }),
  place: ({ name }) => {
    const { argv } = process;
    return { name, argv, cwd: process.cwd(), url: import.meta.url, stdin: readFileSync(0, "utf8") };
  },
  half: () => ({ text: "\\ud800", path: "C:\\\\ud800" }),
  printed: () => {
    console.log("a", { b: 1 });
    console.error("c");
    process.stdout.write("d");
    return "result";
  },
  long: () => "\\u00e9".repeat(1e6),
  "long data": () => ["x".repeat(2e6)],
  read: () => readFileSync("a.txt", "utf8"),
  host: () => readFileSync("/etc/passwd", "utf8"),
  packed: () => readFileSync(new URL("./lib/data.json", import.meta.url), "utf8"),
  write: () => fs.writeFileSync("new.txt", "x"),
  fetched: async () => (await fetch("http://127.0.0.1:1/")).status,
  named: () => { throw new NoName("whom?"); },
  reserved: () => { throw Object.assign(new Error("not mine to say"), { code: "revoked" }); },
  coded: ({ name: code }) => { throw Object.assign(new Error("x"), { code }); },
  thrown: () => deep(),
  cause: () => { throw new Error("outer", { cause: new RangeError("inner") }); },
  "no error": () => { throw { a: 1 }; },
  hostile: () => { throw new Proxy(new Error("x"), { get() { throw 1; } }); },
  missing: () => readFileSync("none.txt"),
  late: () => new Promise(() => void setTimeout(() => { throw new Error("late"); }, 1)),
  unheard: () => new Promise(() => void Promise.reject(new Error("unheard"))),
  never: () => new Promise(() => {}),
  exit: () => process.exit(3),
  loop: () => { for (;;); },
  hungry: () => { for (const kept = []; ;) kept.push(new Uint8Array(1e6)); },
  recursion: () => { const again = () => again() + 1; return again(); },
  "a map": () => new Map(),
  "a set": () => ({ inside: new Set([1]) }),
  "a promise": () => ({ inside: Promise.resolve(1) }),
  "a function": () => ({ inside: () => 1 }),
  "a bigint": () => [1n],
  nan: () => ({ inside: NaN }),
  bytes: () => ({ inside: Buffer.from("x") }),
  "an error": () => ({ inside: new Error("x") }),
  circle: () => { const a = {}; a.a = a; return a; },
};

/**
 * Do one of them.
 * @param {string} what Which.
 * @param {string} [name]
 */
export default function t({ what, ...rest }) {
  return CASES[what](rest);
}
"""
FILES = {
    "t.js": 'import { createRequire } from "node:module";\n'
    f"const require = createRequire(import.meta.url);\n{SOURCE}",
    "lib/deep.js": 'export const name = "deep";\nexport function deep() {\n  null.x;\n}\n',
    "lib/data.json": '{"x": 4}',
    "lib/old.cjs": "module.exports = require('./data.json').x + 1;\n",
}
Call = Callable[..., Awaitable[ToolResult]]


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, Found]]:
    """What was built, once for all tests here."""
    yield {}


@pytest.fixture
async def call(
    home: Home,
    modules: dict[str, Found],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> AsyncIterator[Call]:
    """Call the tool in a workspace with one file, with some grants."""
    if not modules:
        modules["t"] = await made(tmp_path_factory.mktemp("tool") / "t")
    place = tmp_path / "workspace"
    place.mkdir()
    (place / "a.txt").write_text("alpha")

    async def called(
        what: str, *grants: str, limits: Limits | None = None, **more: Json
    ) -> ToolResult:
        bounds = limits or Limits()
        async with Box(workspace=place, grants=grants, engine=engine, limits=bounds) as box:
            return await box.call("t", what=what, **more)

    engine = app.local_engine(home=home, spares=False)
    engine.own = (modules["t"],)
    async with engine:
        yield called


async def made(folder: Path) -> Found:
    """Build the tool."""
    start(folder, "t", "javascript")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    manifest = (folder / "tool.toml").read_text().partition("# What it may ask for")[0]
    asks = '[requests]\noptional = ["read:*", "write:*", "fetch:*"]\n'
    (folder / "tool.toml").write_text(manifest + asks)

    async def describe(folder: Path) -> JsonObject:
        return {}

    await build(read_project(folder), workshop(), app.GUESTS / "javascript.wasm", describe)
    found = load_folder(folder)
    assert isinstance(found, Found), found
    return found


@pytest.mark.parametrize(
    ("what", "content", "data"),
    [
        ("text", "hello", None),
        ("nothing", "", None),
        ("null", "", None),
        ("number", "3", {"result": 3}),
        ("list", '[1,"two"]', {"result": [1, "two"]}),
        (
            "object",
            '{"a":1,"c":"1970-01-01T00:00:00.000Z"}',
            {"a": 1, "c": "1970-01-01T00:00:00.000Z"},
        ),
        ("waited", '{"slept":true}', {"slept": True}),
        ("state", "1", {"result": 1}),
        (
            "imported",
            '{"data":4,"old":5,"dynamic":"deep"}',
            {"data": 4, "old": 5, "dynamic": "deep"},
        ),
        (
            "half",
            '{"text":"\ufffd","path":"C:\\\\ud800"}',
            {"text": "\ufffd", "path": "C:\\ud800"},
        ),
        ("printed", "result", None),
    ],
)
async def test_what_is_returned_is_the_result(
    what: str, content: str, data: JsonObject | None, call: Call
) -> None:
    for _ in range(2):  # nothing lasts from one call to the next
        result = await call(what)
        assert (result.ok, result.content, result.data) == (True, content, data), result


async def test_it_knows_where_it_is(call: Call) -> None:
    assert (await call("place", name="Ada")).data == {
        "name": "Ada",
        "argv": ["node", "/tool/t.js"],
        "cwd": "/workspace",
        "url": "file:///tool/t.js",
        "stdin": "",
    }


WRONG = {
    "named": ("no_name", "whom?"),
    "reserved": ("exception", "Error: not mine to say\n    at reserved (t.js:"),
    "thrown": (
        "exception",
        "TypeError: cannot read property 'x' of null\n    at deep (lib/deep.js:3:",
    ),
    "cause": ("exception", "\ncaused by: RangeError: inner\n    at cause (t.js:"),
    "no error": ("exception", "thrown: { a: 1 }"),
    "hostile": ("exception", "what was thrown cannot be shown"),
    "late": ("exception", "Error: late\n    at t.js:"),
    "unheard": ("exception", "Error: unheard\n    at "),
    "never": ("unsettled", "waits for a promise that nothing can settle"),
    "exit": ("exception", "process.exit(3) was called: return a result, or throw"),
    "recursion": ("exception", "RangeError: Maximum call stack size exceeded\n    at again (t.js:"),
    "circle": ("exception", "TypeError: circular reference"),
    "a map": ("unfit", "the result is a Map, which is no JSON: return Object.fromEntries(map)"),
    "a set": ("unfit", 'the result\'s "inside" is a Set, which is no JSON: return [...set]'),
    "a promise": ("unfit", "is a promise, which is no JSON: await it"),
    "a function": ("unfit", "is a function, which is no JSON"),
    "a bigint": ("unfit", 'the result\'s "0" is a BigInt, which is no JSON: return String(value)'),
    "nan": ("unfit", "is NaN, which is no JSON"),
    "bytes": ("unfit", 'is bytes, which is no JSON: return Buffer.from(bytes).toString("base64")'),
    "an error": ("unfit", "is an error, which is no JSON: throw it"),
    "long data": ("too_large", "the result has more than 1000000 bytes"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_what_goes_wrong_is_told_with_its_place(what: str, call: Call) -> None:
    result = await call(what)
    code, message = WRONG[what]
    assert result.error is not None
    assert (result.error.code, message in result.error.message) == (code, True), result.error
    assert "capbox:" not in result.error.message
    assert "/tool/" not in result.error.message


async def test_no_code_of_the_gates_is_claimed(call: Call) -> None:
    for code in sorted(RESERVED):
        result = await call("coded", name=code)
        assert result.error is not None and result.error.code == "exception", result


@pytest.mark.parametrize(
    ("what", "grant", "content"),
    [("read", "read:/workspace", "alpha"), ("write", "write:/workspace", "")],
)
async def test_it_holds_what_was_granted_and_nothing_else(
    what: str, grant: str, content: str, call: Call
) -> None:
    given = await call(what, grant)
    assert (given.ok, given.content) == (True, content), given
    refused = await call(what)
    assert refused.error is not None and refused.error.code == "denied"


async def test_neither_the_host_nor_the_network_nor_its_own_files_are_there(call: Call) -> None:
    for what in ("host", "fetched"):
        refused = await call(what, "read:/workspace")
        assert refused.error is not None and refused.error.code == "denied", refused
    packed = await call("packed", "read:/workspace")
    assert not packed.ok
    missing = await call("missing", "read:/workspace")
    assert missing.error is not None and missing.error.code == "not_found"


async def test_a_long_text_is_cut_at_a_whole_character(call: Call) -> None:
    result = await call("long")
    assert (result.ok, result.truncated) == (True, True)
    assert set(result.content) == {"\u00e9"}
    assert len(json.dumps(result.content, ensure_ascii=False).encode()) < 1_000_000


@pytest.mark.parametrize(("what", "code"), [("loop", "time"), ("hungry", "memory")])
async def test_it_is_bounded_as_any_call(what: str, code: str, call: Call) -> None:
    result = await call(what, limits=Limits(wall_seconds=2.0, memory_bytes=64 << 20))
    assert result.error is not None and result.error.code == code
