"""What `import` and `require` find: the call's own files, granted files, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.guests.javascript.conftest import Run

LIB = "export const where = import.meta.filename;\nexport default () => 'lib';\n"


async def test_files_of_the_call_are_modules_and_are_written_nowhere(run: Run, place: Path) -> None:
    code = (
        "import lib, { where } from './sub/lib.js'; import data from './d.json';"
        "[lib(), where, data.a, require('./old').v]"
    )
    files = {"sub/lib.js": LIB, "d.json": '{"a": 1}', "old.js": "module.exports.v = __filename"}
    result = await run(code, files=files)
    assert result.content == "[ 'lib', '/workspace/sub/lib.js', 1, '/workspace/old.js' ]\n"
    assert (os.listdir(place), result.effects) == ([], ())


@pytest.mark.parametrize("name", ["/etc/x.js", "../x.js", "a/../b.js", ""])
async def test_a_file_of_the_call_has_a_name_below_the_workspace(run: Run, name: str) -> None:
    result = await run("1", files={name: "1"})
    assert result.error is not None and result.error.code == "invalid_arguments"


@pytest.mark.parametrize(
    ("grants", "name", "expected"),
    [
        (("read:/workspace/lib",), "./lib/a.mjs", "/workspace/lib/a.mjs\n"),
        (("read:/workspace/lib",), "/workspace/lib/a.mjs", "/workspace/lib/a.mjs\n"),
        (("read:/workspace/lib",), "file:///workspace/lib/a.mjs", "/workspace/lib/a.mjs\n"),
        (("read:/workspace/lib",), "./lib/a", "/workspace/lib/a.mjs\n"),
        (("read:/workspace/lib",), "./other/a.mjs", "EACCES"),
        ((), "./lib/a.mjs", "EACCES"),
        (("read:/workspace",), "./lib/b.mjs", "ERR_MODULE_NOT_FOUND"),
        (("read:/workspace",), "/etc/passwd", "EACCES"),
        (("read:/workspace",), "./.env.js", "EACCES"),
        (("read:/workspace",), "./out.mjs", "EACCES"),
    ],
)
async def test_a_module_is_read_under_the_grants(
    run: Run, place: Path, grants: tuple[str, ...], name: str, expected: str
) -> None:
    for folder in ("lib", "other"):
        (place / folder).mkdir()
        (place / folder / "a.mjs").write_text(LIB)
    (place / ".env.js").write_text("export const where = 'secret'")
    (place / "out.mjs").symlink_to("/etc/passwd")
    code = f"try {{ (await import('{name}')).where }} catch (error) {{ error.code }}"
    result = await run(code, grants=grants)
    assert result.content.strip() == expected.strip()
    assert bool(result.denied) is (expected == "EACCES")


@pytest.mark.parametrize(
    ("grants", "name", "flags"),
    [
        ((), "./badmod.js", ["--read badmod.js"]),
        ((), "./sub/badmod.js", ["--read sub/badmod.js"]),
        ((), "./badmod", ["--read ."]),  # which of its suffixes it has, only the directory tells
        ((), "./sub/badmod", ["--read ."]),
        ((), "/srv/badmod", ["--read /srv/badmod"]),
        ((), "../badmod.js", ["--read /badmod.js"]),
        ((), "lodash", ["--read ."]),
        ((), "@scope/lodash/inner.js", ["--read ."]),
        (("read:/workspace/sub",), "./badmod", ["--read badmod"]),
        (("read:/workspace/sub",), "./sub/badmod", []),
        (("read:/workspace/sub",), "lodash", []),
        (("read:/workspace/sub/a.mjs",), "./sub/a", []),
        (("read:/workspace/sub/a.mjs",), "./sub/b.mjs", ["--read sub/b.mjs"]),
        (("read:/workspace",), "./badmod", []),
        (("read:/workspace",), "lodash", []),
    ],
)
async def test_an_import_asks_for_one_grant_at_most_and_for_no_guessed_name(
    run: Run, place: Path, grants: tuple[str, ...], name: str, flags: list[str]
) -> None:
    (place / "sub").mkdir()
    (place / "sub" / "a.mjs").write_text(LIB)
    result = await run(f"try {{ await import('{name}') }} catch {{}}", grants=grants)
    assert [one.flag for one in result.denied] == flags


async def test_packages_that_lie_in_the_workspace_are_found(run: Run, place: Path) -> None:
    packages = {
        "esm/package.json": '{"exports": {".": {"require": "./r.cjs", "import": "./i.mjs"},'
        ' "./x": "./x.mjs"}}',
        "esm/i.mjs": "export const kind = 'import';",
        "esm/r.cjs": "exports.kind = 'require';",
        "esm/x.mjs": "export default 'sub';",
        "@scope/old/package.json": '{"main": "lib/main.js"}',
        "@scope/old/lib/main.js": "const { helper } = require('./helper'); module.exports = { "
        "helper, n: 1 };",
        "@scope/old/lib/helper.js": "exports.helper = (x) => x + 1;",
    }
    for name, text in packages.items():
        path = place / "node_modules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    code = (
        "import { kind } from 'esm'; import sub from 'esm/x'; import { helper, n } from "
        "'@scope/old';"
        "[kind, require('esm').kind, sub, helper(n)]"
    )
    assert (await run(code)).content == "[ 'import', 'require', 'sub', 2 ]\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import x from 'lodash'", "npm packages cannot be installed here"),
        ("require('left-pad')", "npm packages cannot be installed here"),
        ("require('child_process').execSync('ls')", "the tool bash"),
        ("import http from 'node:http'", "use fetch()"),
        ("import net from 'net'", "use fetch()"),
        ("import { Worker } from 'worker_threads'", "there is one thread"),
        ("import 'https://example.com/x.js'", "fetch() its text"),
        ("import 'capbox:native'", "Cannot find package 'capbox:native'"),
        ("require('capbox:main')", "Cannot find package 'capbox:main'"),
        ("require('fs').createReadStream('x')", "fs.readFileSync"),
        ("new Intl.NumberFormat()", "toLocaleString()"),
        ("WebAssembly.compile", "does not exist in this sandbox: nothing runs WebAssembly"),
        ("new Worker('a.js')", "there is one thread"),
        ("process.kill(1)", "there are no other processes"),
        ("require('./a.mjs')", "use import"),
    ],
)
async def test_what_does_not_exist_says_what_to_do_instead(
    run: Run, place: Path, code: str, words: str
) -> None:
    (place / "a.mjs").write_text("export default 1;")
    result = await run(code)
    assert result.data is not None and result.data["exit_code"] == 1
    assert words in result.content


async def test_code_may_ask_whether_a_global_exists(run: Run) -> None:
    code = "[typeof Intl, typeof WebAssembly, typeof Worker, 'Intl' in globalThis]"
    printed = "[ 'undefined', 'undefined', 'undefined', false ]\n"
    assert (await run(code)).content == printed


async def test_modules_may_import_each_other_in_a_circle(run: Run) -> None:
    files = {
        "a.js": "import { b } from './b.js'; export const a = () => 'a'; export const both = () "
        "=> a() + b();",
        "b.js": "import { a } from './a.js'; export const b = () => a() + 'b';",
    }
    assert (await run("import { both } from './a.js'; both()", files=files)).content == "aab\n"
