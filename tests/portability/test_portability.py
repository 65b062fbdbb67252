"""Toolbox, the tool javascript and what the SDK makes say the same, byte for byte, under Node.

Both hosts get the same files and the same request. Node knows nothing of what capbox adds to
preview 1: there it is a stub that says "not supported".
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from tests.tools.sdk.making import LANGUAGES_TO_TRY, built

from capbox import app
from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import Json, JsonObject
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.image.packing import packed
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Finished, Job, Module, Mount, Rule
from capbox.tools.sdk.javascript.packing import authored
from capbox.tools.sdk.javascript.packing import packed as with_modules
from capbox.tools.sdk.project import Language, read_project
from capbox.tools.sdk.python.packing import APP, lay_out
from capbox.tools.sdk.starting import start

HOST = Path(__file__).with_name("host.mjs")
FILES: Mapping[str, str] = {
    "a.txt": "one two\nthree\nfour two\n",
    "b/c.md": "# Title\n\ntwo é \N{SNOWMAN}\n",
    "b/empty": "",
}
REQUESTS: Mapping[str, tuple[str, JsonObject]] = {
    "read": ("read", {"path": "/workspace/a.txt"}),
    "read a part": ("read", {"path": "/workspace/a.txt", "offset": 2, "limit": 1}),
    "read nothing": ("read", {"path": "/workspace/none"}),
    "grep": ("grep", {"pattern": "t(w|h)", "path": "/workspace"}),
    "glob": ("glob", {"pattern": "**/*.md", "path": "/workspace"}),
    "tree": ("tree", {"path": "/workspace"}),
    "edit": ("edit", {"path": "/workspace/a.txt", "old": "three", "new": "3"}),
    "write": ("write", {"path": "/workspace/new.txt", "content": "n\u00fc\n"}),
    "pipeline": ("bash", {"script": "cat a.txt | sort -r | awk '{print $1}' | tr a-z A-Z"}),
    "arithmetic": ("bash", {"script": "for i in 1 2 3; do s=$((s + i * i)); done; echo $s"}),
    "jq": ("bash", {"script": "echo '{\"a\": [1, 2]}' | jq -c .a"}),
    "sed and find": ("bash", {"script": "find . -name '*.md' -exec sed -n 1p {} \\;"}),
    "an exit code": ("bash", {"script": "grep -q nothing a.txt; echo $?; false"}),
    "an unknown command": ("bash", {"script": "python3 -c 1"}),
}
CODE: Mapping[str, str] = {
    "a value": "({ a: [1, 2.5, 'x'], m: new Map([[1, new Set([2])]]) })",
    "what is printed": "console.log('%s is %d', 'x', 3); console.error('no'); 'end'",
    "an error with its place": "const f = (x) => x.y.z;\nf({})",
    "no program": "const x = ;",
    "files": "const fs = require('fs'); fs.writeFileSync('n.txt', fs.readFileSync('a.txt', 'utf8')"
    ".toUpperCase()); fs.readdirSync('.').sort()",
    "a file that is not there": "try { require('fs').readFileSync('none') } catch (e) { e.code }",
    "a module of the workspace": "import { two } from './m.mjs'; two + 1",
    "waiting": "await new Promise((go) => setTimeout(go, 5)); [1, 2, 3].map((n) => n ** n)",
    "text": "[...'\u00e9\u2603\U0001f600'].map((c) => Buffer.from(c).toString('hex'))",
    "hashes": "require('crypto').createHash('sha256').update('abc').digest('hex')",
    "patterns": "'2026-11-23'.replace(/(?<y>\\d+)-(?<m>\\d+)/u, '$<m>/$<y>')",
    "sums": "[0.1 + 0.2, 2n ** 64n, (1234.5678).toFixed(2), Math.hypot(3, 4), parseInt('ff', 16)]",
    "an exit code": "console.log('bye'); process.exit(3)",
}
GREETINGS: Mapping[str, JsonObject] = {
    "plain": {"name": "Ada"},
    "quoted": {"name": 'A "b" \\ \n \u00e9 \N{SNOWMAN}'},
    "loud": {"name": "ada", "shout": True},
    "nobody": {"name": ""},
}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here"),
]


def request(tool: str, arguments: JsonObject) -> bytes:
    """What a guest reads."""
    call = {"id": "c1", "deadline_ms": 30_000, "output_bytes_max": 1_000_000}
    asked: Json = {"tool": tool, "arguments": arguments, "cwd": "/workspace", "env": {}}
    return json.dumps({**asked, "call": call}).encode()


def planted(folder: Path) -> Path:
    """A root with the files in its /workspace, and a /tmp."""
    for name, text in FILES.items():
        path = folder / "workspace" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "tmp").mkdir()
    return folder


def by_node(module: Path, root: Path, asked: bytes) -> bytes:
    """What a guest says under Node."""
    given, said = root.parent / "request.json", root.parent / "output.json"
    given.write_bytes(asked)
    command = ["node", "--no-warnings", str(HOST), str(module), str(root), str(given), str(said)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return said.read_bytes()


def guest(module: Path) -> Module:
    """A module as a stranger's."""
    return Module(HostPath(str(module)), sha256(module.read_bytes()).hexdigest())


async def by_capbox(module: Path, root: Path, asked: bytes, cache: Path) -> bytes:
    """What a guest says under our host, in a locked worker."""
    workspace = HostPath(str(root / "workspace"))
    job = Job(
        run="run-1",
        module=guest(module),
        mounts=(Mount(GuestPath("/workspace"), workspace, (Rule(write=True),)),),
        scratch=HostPath(str(root / "tmp")),
        limits=Limits(),
        request=asked,
        seed=bytes(32),
        started_ns=1_700_000_000_000_000_000,
    )
    cached = CompileCache(HostPath(str(cache / "compiled")), lambda line: None)
    async with Sandbox(cached, probe(), spares=False) as sandbox:
        end = (await sandbox.call(job)).end
    assert isinstance(end, Finished), end
    return end.stdout


def left(root: Path) -> dict[str, bytes]:
    """What is in the workspace after a call."""
    found = (path for path in (root / "workspace").rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.mark.parametrize("name", REQUESTS)
async def test_the_toolbox_says_and_does_the_same(name: str, tmp_path: Path, cache: Path) -> None:
    module, asked = app.GUESTS / "toolbox.wasm", request(*REQUESTS[name])
    one, other = planted(tmp_path / "one" / "root"), planted(tmp_path / "other" / "root")
    ours, theirs = await by_capbox(module, one, asked, cache), by_node(module, other, asked)
    assert ours == theirs
    assert left(one) == left(other)
    assert json.loads(ours)["ok"] in (True, False)


@pytest.mark.parametrize("name", CODE)
async def test_the_tool_javascript_says_and_does_the_same(
    name: str, tmp_path: Path, cache: Path
) -> None:
    module, asked = app.GUESTS / "javascript.wasm", request("javascript", {"code": CODE[name]})
    one, other = planted(tmp_path / "one" / "root"), planted(tmp_path / "other" / "root")
    for root in (one, other):
        (root / "workspace" / "m.mjs").write_text("export const two = 2;\n")
    ours, theirs = await by_capbox(module, one, asked, cache), by_node(module, other, asked)
    assert ours == theirs
    assert left(one) == left(other)
    assert json.loads(ours)["ok"] is True


@pytest.mark.parametrize("language", LANGUAGES_TO_TRY)
async def test_what_the_sdk_makes_says_the_same(
    language: Language, tmp_path: Path, cache: Path
) -> None:
    module = built(language, tmp_path / "hello").built
    root = planted(tmp_path / "there" / "root")
    for arguments in GREETINGS.values():
        asked = request("hello", arguments)
        ours, theirs = await by_capbox(module, root, asked, cache), by_node(module, root, asked)
        assert ours == theirs
        assert json.loads(ours)["ok"] is (arguments["name"] != "")


async def test_a_tool_in_javascript_says_the_same(tmp_path: Path, cache: Path) -> None:
    start(tmp_path / "hello", "hello", "javascript")
    project = read_project(tmp_path / "hello")
    module = with_modules(app.GUESTS / "javascript.wasm", "hello.js", authored(project))
    project.built.write_bytes(module)
    root = planted(tmp_path / "there" / "root")
    for arguments in ({"name": "Ada"}, {"name": "\u00e9 \N{SNOWMAN}", "shout": True}, {"name": 3}):
        asked = request("hello", arguments)
        ours = await by_capbox(project.built, root, asked, cache)
        assert ours == by_node(project.built, root, asked)
        assert json.loads(ours)["ok"] is True


async def test_a_python_tool_says_the_same(tmp_path: Path, cache: Path) -> None:
    start(tmp_path / "hello", "hello", "python")
    project = read_project(tmp_path / "hello")
    (packages := tmp_path / "packages").mkdir()
    lay_out(project, packages, tmp_path / "app")
    folders = {APP: tmp_path / "app"}
    await packed(app.GUESTS / "cpython.wasm", folders, project.built, cache / "interpreters")
    root = planted(tmp_path / "there" / "root")
    for arguments in ({"name": "Ada"}, {"name": "\u00e9 \N{SNOWMAN}", "shout": True}, {"name": 3}):
        asked = request("hello", arguments)
        ours = await by_capbox(project.built, root, asked, cache)
        assert ours == by_node(project.built, root, asked)
        assert json.loads(ours)["ok"] is True
