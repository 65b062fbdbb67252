"""What a hostile component tries: each attempt works on native WASI 0.2, and is contained here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import wasmtime
from tests.sandbox.component import text
from wasmtime import component as native

from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Failed, Finished, Job, Mount, Refused, Rule, stopped
from capbox.tools.inspection.component import read_component

MakeJob = Callable[..., Job]
HIDDEN = (".env", ".git/**")
SECRET, LOOP = "swordfish", "(loop $again (br $again))"
ALLOWED, ACCESS = 255, text.CODES.index("access")


@dataclass(frozen=True, slots=True)
class Try:
    """What is done with paths below "/": `code` is its answer here, `refused` what is on record."""

    body: str
    texts: tuple[str, ...]
    code: int
    refused: tuple[str, ...] = ()


def opening(path: str, how: int = 0, flags: int = text.READ) -> str:
    """Open `path`; what does not open ends there."""
    return f"(drop (call $open {text.at(0, (path,))} (i32.const {how}) (i32.const {flags})))"


def reading(path: str, code: int, *refused: str) -> Try:
    """Read a file and write it out."""
    show = "(call $out (i32.load (i32.const 68)) (i32.load (i32.const 72)))"
    got = f"""(call $read (call $open {text.at(0, (path,))} (i32.const 0) (i32.const 1))
      (i64.const 4096) (i64.const 0) (i32.const 64)) {show}"""
    return Try(got, (path,), code, refused)


def making(path: str, code: int, *refused: str) -> Try:
    """Make a file."""
    made = opening(path, text.CREATE, text.WRITE) + "(call $tell (i32.const 65))"
    return Try(made, (path,), code, refused)


def two(method: str, old: str, new: str, code: int, *refused: str) -> Try:
    """Do `method` with two paths."""
    first, second = text.at(0, (old, new)), text.at(1, (old, new))
    call = {
        "link-at": f"(call $link-at (call $root) (i32.const 0) {first} (call $root) {second}",
        "rename-at": f"(call $rename-at (call $root) {first} (call $root) {second}",
        "symlink-at": f"(call $symlink-at (call $root) {first} {second}",
    }[method]
    return Try(f"{call} (i32.const 64)) (call $tell (i32.const 65))", (old, new), code, refused)


FILES = {
    "a granted file is read": reading("workspace/notes.txt", ALLOWED),
    "an excluded file": reading("workspace/.env", ACCESS, "/workspace/.env"),
    "an excluded file in another case": reading("workspace/.ENV", ACCESS, "/workspace/.ENV"),
    "an excluded file by a link": reading("workspace/link", ACCESS, "/workspace/link"),
    "an excluded file by a hard link": reading("workspace/twin", ACCESS, "/workspace/twin"),
    "a file beside the grant": reading("workspace/../outside", ACCESS, "/outside"),
    "a file by a link that leads out": reading("workspace/out", ACCESS, "/workspace/out"),
    "a FIFO": reading("workspace/fifo", ACCESS, "/workspace/fifo"),
    "an excluded file is made": making("workspace/.git/hooks", ACCESS, "/workspace/.git/hooks"),
    "a file in a directory that may be read": making("reads/new", ACCESS, "/reads/new"),
    "a hard link": two(
        *("link-at", "workspace/notes.txt", "workspace/new"),
        *(text.CODES.index("not-permitted"), "/workspace/new"),
    ),
    "a link that leads out": two(
        "symlink-at", "../../../etc/passwd", "workspace/new", ACCESS, "/workspace/new"
    ),
    "an excluded file is renamed": two(
        "rename-at", "workspace/.env", "workspace/new", ACCESS, "/workspace/.env"
    ),
    "a file is renamed": two("rename-at", "workspace/notes.txt", "workspace/new", ALLOWED),
}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A workspace with traps, in a folder that native WASI shows as "/"."""
    top = tmp_path / "top"
    (top / "workspace").mkdir(parents=True)
    (top / "reads").mkdir()
    (top / "outside").write_text(SECRET)
    work = top / "workspace"
    (work / ".env").write_text(SECRET)
    (work / ".git").mkdir()
    (work / "notes.txt").write_text("notes")
    (work / "link").symlink_to(".env")
    (work / "out").symlink_to("../outside")
    (work / "twin").hardlink_to(work / ".env")
    os.mkfifo(work / "fifo")
    return work


@pytest.mark.parametrize("name", FILES)
async def test_files_are_what_the_grant_says_by_every_name(
    name: str, sandbox: Sandbox, job: MakeJob, work: Path
) -> None:
    tried = FILES[name]
    mounts = (
        Mount(GuestPath("/workspace"), HostPath(str(work)), (Rule(write=True, hidden=HIDDEN),)),
        Mount(GuestPath("/reads"), HostPath(str(work.parent / "reads")), (Rule(write=False),)),
    )
    outcome = await sandbox.call(job(text.files(tried.body, *tried.texts), mounts=mounts))
    assert isinstance(outcome.end, Finished), outcome.end
    told = outcome.end.stdout
    if tried.code == ALLOWED:
        assert told in (b"notes", b"\xff")
    else:
        assert told == bytes([tried.code]), text.CODES[told[0]]
    assert tuple(refused.path for refused in outcome.refused) == tried.refused
    assert SECRET.encode() not in told


# What native WASI stops as well: links and names that lead out of what is opened for the guest.
SOLID = {"a FIFO", "an excluded file in another case", "a link that leads out"}


@pytest.mark.parametrize("name", [n for n in FILES if n not in SOLID])
def test_native_wasi_knows_no_exclusions(name: str, work: Path, tmp_path: Path) -> None:
    tried = FILES[name]
    engine = wasmtime.Engine()
    wasm = wasmtime.wat2wasm(text.files(tried.body, *tried.texts))
    linker, store = native.Linker(engine), wasmtime.Store(engine)
    linker.add_wasip2()
    config = wasmtime.WasiConfig()
    config.preopen_dir(str(work.parent), "/")
    config.stdout_file = str(tmp_path / "told")
    store.set_wasi(config)
    made = native.Component(engine, wasm)
    instance = linker.instantiate(store, made)
    run = instance.get_export_index(store, "wasi:cli/run@0.2.0")
    index = instance.get_export_index(store, "run", run)
    assert index is not None
    function = instance.get_func(store, index)
    assert function is not None
    with suppress(wasmtime.ExitTrap, wasmtime.WasmtimeError):  # it ended by wasi:cli/exit
        function(store)
    told = (tmp_path / "told").read_bytes()
    assert told in (b"notes", SECRET.encode(), b"\xff")


BIG = """(call $out (i32.const 0) (i32.const 65536))"""
GROW = """(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
  unreachable"""
SPAWNS = "(func $deep (call $deep) (call $deep))"
SHORT = Limits(wall_seconds=0.5)
BOUNDS = {
    "an endless loop": (text.command(LOOP + "(i32.const 0)"), SHORT, "time"),
    "endless recursion": (
        text.command("(call $deep) (i32.const 0)", more=SPAWNS),
        Limits(wall_seconds=20),
        "stack",
    ),
    "endless output": (
        text.command(f"(loop $again {BIG} (br $again)) (i32.const 0)"),
        Limits(wall_seconds=20, output_bytes=1_000_000),
        "output",
    ),
    "all memory": (
        text.command(GROW + "(i32.const 0)"),
        Limits(wall_seconds=20, memory_bytes=64 << 20),
        "memory",
    ),
    "fuel": (
        text.command(LOOP + "(i32.const 0)"),
        Limits(wall_seconds=20, fuel=1_000_000),
        "fuel",
    ),
}


@pytest.mark.parametrize("name", BOUNDS)
async def test_a_bound_stops_a_component_and_the_next_call_works(
    name: str, sandbox: Sandbox, job: MakeJob
) -> None:
    wat, limits, bound = BOUNDS[name]
    began = time.monotonic()
    assert (await sandbox.call(job(wat, limits=limits))).end == stopped(bound)
    assert time.monotonic() - began < 15
    fine = text.command("(call $out (i32.const 0) (i32.const 1)) (i32.const 0)")
    assert (await sandbox.call(job(fine))).end == Finished(b"\0")


SLEEP = """
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $pollable (type $p)) (export "pollable" (type $e (eq $p)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $e))))))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $after (canon lower (func $clock "subscribe-duration")))
"""
SLEEPER = text.command(
    "(call $block (call $after (i64.const 3600000000000))) (i32.const 0)",
    more='(import "w" "block" (func $block (param i32)))'
    '(import "w" "after" (func $after (param i64) (result i32)))',
    imports=SLEEP,
    lowered='(export "block" (func $block)) (export "after" (func $after))',
)


async def test_a_sleeping_component_ends_at_its_deadline(sandbox: Sandbox, job: MakeJob) -> None:
    began = time.monotonic()
    assert (await sandbox.call(job(SLEEPER, limits=SHORT))).end == stopped("time")
    assert time.monotonic() - began < 10


async def test_a_function_that_is_not_given_is_named_where_it_is_called(
    sandbox: Sandbox, job: MakeJob
) -> None:
    for name in ("wasi:sockets/instance-network.instance-network", "acme:vault/keys.steal"):
        wat = text.importing(name, "(result u32)", result="(result i32)")
        end = (await sandbox.call(job(wat))).end
        assert end == Failed(f"the tool crashed: it called {name}, which capbox does not give")


SOCKETS = """(import "wasi:sockets/tcp-create-socket@0.2.0" (instance $i
    (export "tcp-socket" (type $t (sub resource)))
    (type $e (enum "unknown" "access-denied")) (export "error-code" (type $ee (eq $e)))
    (type $f (enum "ipv4" "ipv6")) (export "ip-address-family" (type $fe (eq $f)))
    (type $r (result (own $t) (error $ee)))
    (export "create-tcp-socket" (func (param "address-family" $fe) (result $r)))))"""


async def test_a_socket_is_denied_in_the_words_of_its_type(sandbox: Sandbox, job: MakeJob) -> None:
    wat = text.command(
        """(call $make (i32.const 0) (i32.const 64))
        (call $out (i32.const 64) (i32.const 5)) (i32.const 0)""",
        more='(import "w" "make" (func $make (param i32 i32)))',
        imports=SOCKETS,
        lowered='(export "make" (func $make))',
    ).replace(
        "(core module $Main",
        """(core func $make (canon lower (func $i "create-tcp-socket") (memory $mem)))
          (core module $Main""",
    )
    # An error (1), and of its type the second case (1).
    assert (await sandbox.call(job(wat))).end == Finished(b"\1\0\0\0\1")


async def test_a_function_with_another_type_than_wasi_gives_it_is_refused(
    sandbox: Sandbox, job: MakeJob
) -> None:
    name = "wasi:random/random.get-random-u64"
    wat = text.importing(name, "(result u32)", result="(result i32)")
    end = (await sandbox.call(job(wat))).end
    why = f"it imports {name} with another type than WASI 0.2 gives it"
    assert end == Failed(f"the tool crashed: {why}")


async def test_a_handle_of_the_hosts_is_not_made_of_a_number(
    sandbox: Sandbox, job: MakeJob
) -> None:
    wat = text.command(
        "(call $hear (call $new (i32.const 1)) (i64.const 10) (i32.const 64)) (i32.const 0)",
        more='(import "w" "new" (func $new (param i32) (result i32)))',
        lowered='(export "new" (func $new))',
    ).replace("(core module $Main", "(core func $new (canon resource.new $in)) (core module $Main")
    end = (await sandbox.call(job(wat))).end
    assert isinstance(end, Failed) and "a resource that is not its own" in end.reason


def drawing(first: str, second: str) -> str:
    """A component that imports a function under two versions, each with a type of its own."""
    imports = "".join(
        f"""(import "wasi:random/random@0.2.{n}" (instance $r{n}
          (export "get-random-u64" (func (result {kind})))))"""
        for n, kind in enumerate((first, second))
    )
    lowered = "".join(
        f"""(core func $c{n} (canon lower (func $r{n} "get-random-u64")
          {"(memory $mem) (realloc $realloc)" if kind == "string" else ""}))"""
        for n, kind in enumerate((first, second))
    )
    return f"""(component {imports} {text.MEMORY} {lowered}
      (core module $M (func (export "run") (result i32) (i32.const 0)))
      (core instance $m (instantiate $M))
      (func $run (result (result)) (canon lift (core func $m "run")))
      (instance $command (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $command)))"""


@pytest.mark.parametrize(
    ("first", "second", "given"),
    [("u64", "u64", True), ("string", "u64", False), ("u64", "string", False)],
)
async def test_every_version_of_an_import_has_the_type_that_wasi_gives_it(
    first: str, second: str, given: bool, sandbox: Sandbox, job: MakeJob
) -> None:
    wat = drawing(first, second)
    end = (await sandbox.call(job(wat))).end
    told = read_component(bytes(wasmtime.wat2wasm(wat)))
    why = "imports wasi:random/random.get-random-u64 with another type than WASI 0.2 gives it"
    if given:
        assert (end, isinstance(told, str)) == (Finished(b""), False)
    else:
        assert (end, told) == (Failed(f"the tool crashed: it {why}"), why)


async def test_the_environment_holds_constants_alone(sandbox: Sandbox, job: MakeJob) -> None:
    show = """(call $environment (i32.const 64))
      (call $out (i32.load (i32.load (i32.const 64))) (i32.const 400)) (i32.const 0)"""
    wat = text.command(
        show,
        more='(import "w" "environment" (func $environment (param i32)))',
        imports="""(import "wasi:cli/environment@0.2.0" (instance $i
          (type $pair (tuple string string)) (type $pairs (list $pair))
          (export "get-environment" (func (result $pairs)))))""",
        lowered='(export "environment" (func $environment))',
    ).replace(
        "(core module $Main",
        """(core func $environment (canon lower (func $i "get-environment")
          (memory $mem) (realloc $realloc))) (core module $Main""",
    )
    end = (await sandbox.call(job(wat))).end
    assert isinstance(end, Finished)
    assert b"HOME" in end.stdout
    # pytest sets this one in the process that the sandbox was started from.
    assert "PYTEST_CURRENT_TEST" in os.environ and b"PYTEST" not in end.stdout


async def test_what_was_refused_says_why(sandbox: Sandbox, job: MakeJob) -> None:
    tried = reading("etc/passwd", ACCESS)
    outcome = await sandbox.call(job(text.files(tried.body, *tried.texts)))
    assert outcome.refused == (Refused("read", "/etc/passwd", "no grant covers this path"),)
