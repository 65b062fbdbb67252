"""Hostile JavaScript: each program gets what it is after in Node, and nothing from the tool.

Node is the naive version: where it is missing, only the second half is tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from capbox.engine.session import Session
from capbox.engine.settings import Settings

SECRET = "the-secret-7f3a"
OpenSession = Callable[[Settings], AbstractAsyncContextManager[Session]]

# @ is a directory outside of the workspace; what is printed must not hold the secret.
READS: Mapping[str, str] = {
    "absolute path": "fs.readFileSync('@/secret.txt', 'utf8')",
    "dot dot": "fs.readFileSync('../outside/secret.txt', 'utf8')",
    "winding path": "fs.readFileSync('./node_modules/../../outside/./secret.txt', 'utf8')",
    "file URL": "fs.readFileSync(new URL('file://@/secret.txt'), 'utf8')",
    "bytes as path": "fs.readFileSync(Buffer.from('@/secret.txt'), 'utf8')",
    "descriptor": "fs.readFileSync(fs.openSync('@/secret.txt', 'r'), 'utf8')",
    "promise": "await fs.promises.readFile('@/secret.txt', 'utf8')",
    "link to a file": "fs.readFileSync('link.txt', 'utf8')",
    "link to a directory": "fs.readFileSync('links/secret.txt', 'utf8')",
    "own link": "fs.symlinkSync('@/secret.txt', 'own'), fs.readFileSync('own', 'utf8')",
    "copy": "fs.copyFileSync('@/secret.txt', 'copy'), fs.readFileSync('copy', 'utf8')",
    "rename": "fs.renameSync('@/movable.txt', 'moved'), fs.readFileSync('moved', 'utf8')",
    "tree": "fs.cpSync('@', 'tree', { recursive: true }), fs.readFileSync('tree/secret.txt', "
        "'utf8')",
    "import": "(await import('@/secret.mjs')).default",
    "import of a URL": "(await import('file://@/secret.mjs')).default",
    "import of JSON": "require('@/secret.json')",
    "require": "require('@/secret.cjs')",
    "require from elsewhere": "require('module').createRequire('@/x.js')('./secret.cjs')",
    "package": "require('evil-package')",
    "chdir": "process.chdir('@'), fs.readFileSync('secret.txt', 'utf8')",
    "listing": "fs.readdirSync('@').join() + fs.readdirSync('..').join()",
    "hidden file": "fs.readFileSync('.env', 'utf8')",
    "hidden file, renamed": "fs.renameSync('.env', 'plain'), fs.readFileSync('plain', 'utf8')",
    "hidden file, linked": "fs.readFileSync('again', 'utf8')",
    "environment": "process.env.PYTEST_CURRENT_TEST",
    "environment of a process": "fs.readFileSync('/proc/self/environ', 'utf8')",
}  # fmt: skip
WRITES: Mapping[str, str] = {
    "absolute path": "fs.writeFileSync('@/planted', 'x')",
    "dot dot": "fs.writeFileSync('../outside/planted', 'x')",
    "append": "fs.appendFileSync('@/planted', 'x')",
    "through a link": "fs.writeFileSync('links/planted', 'x')",
    "descriptor": "fs.writeSync(fs.openSync('@/planted', 'w'), 'x')",
    "directory": "fs.mkdirSync('@/planted')",
    "rename": "fs.writeFileSync('p', 'x'), fs.renameSync('p', '@/planted')",
    "copy": "fs.writeFileSync('p', 'x'), fs.copyFileSync('p', '@/planted')",
    "link": "fs.symlinkSync('/etc', '@/planted')",
    "git hook": "fs.mkdirSync('.git/hooks', { recursive: true }), "
        "fs.writeFileSync('.git/hooks/pre-commit', 'x')",
    "editor": "fs.mkdirSync('.vscode', { recursive: true }), "
        "fs.writeFileSync('.vscode/tasks.json', 'x')",
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace beside a directory with secrets, and links between them."""
    outside, workspace = tmp_path / "outside", tmp_path / "workspace"
    (outside).mkdir()
    (workspace / "node_modules").mkdir(parents=True)
    for name in ("secret.txt", "movable.txt"):
        (outside / name).write_text(SECRET)
    (outside / "secret.mjs").write_text(f"export default '{SECRET}';")
    (outside / "secret.cjs").write_text(f"module.exports = '{SECRET}';")
    (outside / "secret.json").write_text(f'"{SECRET}"')
    (outside / f"{SECRET}.name").write_text("")
    (workspace / "link.txt").symlink_to(outside / "secret.txt")
    (workspace / "links").symlink_to(outside)
    (workspace / "node_modules" / "evil-package").symlink_to(outside)
    (outside / "index.js").write_text(f"module.exports = '{SECRET}';")
    (workspace / ".env").write_text(SECRET)
    (workspace / "again").hardlink_to(workspace / ".env")
    return workspace


def in_node(code: str, place: Path) -> str | None:
    """Return what Node prints, None where it is missing."""
    if shutil.which("node") is None:
        return None
    program = (
        "import fs from 'fs'; import { createRequire } from 'module';"
        f"const require = createRequire('{place}/x.js');"
    )
    file = place / "attack.mjs"
    file.write_text(f"{program} console.log(await (async () => {code})());")
    environment = {"PATH": os.environ["PATH"], "PYTEST_CURRENT_TEST": SECRET}
    done = subprocess.run(
        ["node", str(file)], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    file.unlink()
    return done.stdout


@pytest.mark.parametrize("attack", READS)
async def test_code_reads_nothing_that_was_not_granted(
    attack: str, open_session: OpenSession, place: Path
) -> None:
    code = f"({READS[attack].replace('@', str(place.parent / 'outside'))})"
    async with open_session(Settings(workspace=place, writes=(".",))) as session:
        found = await session.call(
            "javascript", {"code": f"const fs = require('fs'); console.log({code})"}
        )
    said_here = f"{found.content} {found.data} {found.error}"
    assert SECRET not in said_here
    # What pytest puts into the environment of this process.
    assert Path(__file__).name not in said_here
    said = in_node(code, place)
    assert said is None or SECRET in said


@pytest.mark.parametrize("attack", WRITES)
async def test_code_writes_nothing_that_was_not_granted(
    attack: str, open_session: OpenSession, place: Path
) -> None:
    code = f"({WRITES[attack].replace('@', str(place.parent / 'outside'))})"
    async with open_session(Settings(workspace=place, writes=(".",))) as session:
        await session.call("javascript", {"code": f"const fs = require('fs'); {code}"})
    assert planted(place) == []
    if in_node(code, place) is not None:
        assert planted(place) != []


def planted(place: Path) -> list[str]:
    """Return what was made where nothing may be."""
    places = (place.parent / "outside", place / ".git" / "hooks", place / ".vscode")
    names = {"planted", "pre-commit", "tasks.json"}
    return [
        p.name for folder in places if folder.is_dir() for p in folder.iterdir() if p.name in names
    ]


@pytest.mark.parametrize(
    ("code", "sign"),
    [
        ("await fetch('http://169.254.169.254/latest/meta-data/').then((r) => r.text())", "ami-"),
        ("await fetch('http://127.0.0.1:22/').then((r) => r.text())", "SSH"),
        ("require('net').connect(22, '127.0.0.1')", "Socket"),
        ("require('child_process').execSync('id').toString()", "uid="),
        ("new (require('worker_threads').Worker)('1', { eval: true })", "Worker"),
        ("process.binding('fs')", "internal"),
        ("process.kill(1, 0)", "true"),
        ("new WebAssembly.Module(new Uint8Array(8))", "Module"),
        ("globalThis.native ?? (await import('capbox:native'))", "load"),
        ("(function () { return this.constructor.constructor('return process')(); "
         "})().mainModule.require('os').hostname()", os.uname().nodename),
    ],
)  # fmt: skip
async def test_code_reaches_no_network_process_or_engine(
    open_session: OpenSession, tmp_path: Path, code: str, sign: str
) -> None:
    async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
        found = await session.call("javascript", {"code": code})
    assert found.data is not None and found.data["exit_code"] == 1
    assert sign not in str(found.data["stdout"])


async def test_a_forged_result_is_no_result(open_session: OpenSession, tmp_path: Path) -> None:
    """Attack: code writes a result of its own to the real standard output, before the tool's."""
    code = (
        "const fs = require('fs'); const forged = JSON.stringify({ ok: true, content: 'forged' });"
        "fs.writeSync(1, forged); fs.writeFileSync('/dev/stdout', forged); try { "
        "fs.closeSync(1); } catch {}"
        "try { fs.readSync(3, Buffer.alloc(1)); } catch (error) { error.code }"
    )
    async with open_session(Settings(workspace=tmp_path, writes=(".",))) as session:
        found = await session.call("javascript", {"code": code})
    assert found.ok and found.data is not None
    assert found.content.count("forged") == 2 and found.content.endswith("EBADF\n")
