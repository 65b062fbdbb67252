"""Parking, streams, clocks, randomness, pointers; and the same with a real WebAssembly guest."""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
import wasmtime

from capbox.sandbox.effects import EffectWriter, read_effects
from capbox.sandbox.spec import Rule
from capbox.sandbox.wasi.abi import SIGNATURES
from capbox.sandbox.wasi.host import CallBounds, Host

BOUNDS = CallBounds(0, 1000, 1000, 10, 10, 1000, 1_000_000_000, b"s" * 32)


def test_a_parked_guest_starts_up_but_has_no_effects_before_its_request(world: Any) -> None:
    asked: list[str] = []
    guest = world.writer()
    source = guest.host._files._source
    guest.host._files._source = lambda: asked.append("asked") or source()
    guest.call("clock_time_get", 1, 0, 64)
    guest.call("random_get", 64, 8)
    guest.call("fd_prestat_get", 3, 64)
    guest.call("environ_sizes_get", 64, 72)
    assert asked == []
    guest.write_file("/workspace/a")
    assert asked == ["asked"]
    guest.read(0)
    assert asked == ["asked"]


def test_input_is_served_in_pieces_and_then_ends(world: Any) -> None:
    guest = world.guest(request=b"hello world")
    assert [guest.read(0, 5), guest.read(0, 5), guest.read(0), guest.read(0)] == [
        b"hello",
        b" worl",
        b"d",
        b"",
    ]


def test_randomness_is_the_stream_of_the_seed(world: Any) -> None:
    def draw() -> list[bytes]:
        guest = world.writer(bounds=BOUNDS)
        guest.read(0)
        found = []
        for _ in range(2):
            guest.call("random_get", 128, 16)
            found.append(bytes(guest.raw[128:144]))
        guest.finish()
        return found

    bounds = replace(BOUNDS, deadline_ns=time.monotonic_ns() + 10**10)
    assert bounds.seed == b"s" * 32
    expected = [hashlib.shake_256(b"s" * 32 + bytes([i] + [0] * 7)).digest(16) for i in (0, 1)]
    assert draw() == draw() == expected


def test_clock_readings_are_recorded_and_replayed(world: Any) -> None:
    def readings(bounds: CallBounds) -> tuple[list[int], bytes]:
        guest = world.writer(bounds=bounds)
        guest.read(0)
        found = []
        for clock in (0, 1, 0):
            guest.call("clock_time_get", clock, 0, 64)
            found.append(guest.u64())
        return found, guest.finish().clock

    first, recorded = readings(BOUNDS)
    assert list(struct.unpack("<3Q", recorded)) == first
    assert first[0] >= BOUNDS.started_ns
    assert readings(replace(BOUNDS, replay=recorded)) == (first, recorded)


def test_exit_codes_are_reported_and_end_the_guest(world: Any, outcome: Any) -> None:
    guest = world.writer()
    assert outcome(lambda: guest.call("proc_exit", 7)) == "TRAP"
    assert outcome(lambda: guest.call("sched_yield")) == "TRAP"
    assert guest.finish().exit_code == 7


def test_a_bug_in_a_host_function_is_a_fault_and_never_an_exception(
    world: Any, outcome: Any
) -> None:
    guest = world.guest()

    def broken() -> bytes:
        raise SystemExit("the parent is gone")

    guest.host._files._source = broken
    assert outcome(lambda: guest.read(0)) == "TRAP"
    assert guest.finish().fault == "SystemExit: the parent is gone"


POINTERS = [
    ("a result outside of memory", ("clock_time_get", 0, 0, (1 << 20) - 7), "EFAULT"),
    ("a result at the very end", ("clock_time_get", 0, 0, (1 << 20) - 8), None),
    ("a result at the highest address", ("clock_time_get", 0, 0, (1 << 32) - 1), "EFAULT"),
    ("a buffer that wraps round", ("random_get", 16, (1 << 32) - 8), "EFAULT"),
    ("too many buffers", ("fd_read", 0, 32, 1025, 64), "EINVAL"),
    ("no buffers", ("fd_read", 0, 32, 0, 64), None),
    ("a path outside of memory", ("path_unlink_file", 3, (1 << 20) - 1, 2), "EFAULT"),
    ("a descriptor that is not open", ("fd_read", 77, 32, 1, 64), "EBADF"),
    ("a directory that is a stream", ("path_unlink_file", 0, 0, 1), "ENOTDIR"),
    ("a seek of a stream", ("fd_seek", 1, 0, 0, 64), "ESPIPE"),
    ("no such clock", ("clock_time_get", 9, 0, 64), "EINVAL"),
    ("no subscriptions", ("poll_oneoff", 0, 64, 0, 64), "EINVAL"),
    ("closing the root", ("fd_close", 3), "ENOTSUP"),
    ("a socket", ("sock_accept", 3, 0, 64), "ENOSYS"),
    ("a signal", ("proc_raise", 9), "ENOSYS"),
]


@pytest.mark.parametrize(
    ("call", "expected"), [r[1:] for r in POINTERS], ids=[r[0] for r in POINTERS]
)
def test_every_pointer_and_number_is_checked(
    world: Any, outcome: Any, call: tuple[Any, ...], expected: str | None
) -> None:
    guest = world.writer()
    assert outcome(lambda: guest.call(*call)) == expected


def test_positions_sizes_and_flags_of_files(world: Any, outcome: Any) -> None:
    guest = world.writer()
    fd = guest.open("/workspace/a", "rwc")
    guest.write(fd, b"0123456789")
    guest.call("fd_seek", fd, (1 << 64) - 4, 2, 64)
    assert (guest.u64(), guest.read(fd)) == (6, b"6789")
    guest.call("fd_tell", fd, 64)
    assert guest.u64() == 10
    assert outcome(lambda: guest.call("fd_seek", fd, 0, 7, 64)) == "EINVAL"
    assert outcome(lambda: guest.call("fd_pread", fd, 32, 1, 1 << 63, 64)) == "EINVAL"
    guest.call("fd_filestat_set_size", fd, 4)
    guest.call("fd_fdstat_set_flags", fd, 1)
    guest.call("fd_seek", fd, 0, 0, 64)
    guest.write(fd, b"!")
    assert (world.workspace / "a").read_bytes() == b"0123!"
    guest.call("fd_renumber", guest.open("/workspace/a"), fd)
    assert guest.read(fd) == b"0123!"
    assert outcome(lambda: guest.write(fd, b"x")) == "EBADF"


def test_an_open_directory_is_a_place_for_relative_names(world: Any, outcome: Any) -> None:
    guest = world.writer()
    guest.mkdir("/workspace/sub")
    guest.write_file("/workspace/sub/b")
    fd = guest.open("/workspace/sub", "rd")
    assert guest.read(guest.open("b", at=fd)) == b"x"
    assert outcome(lambda: guest.open("../../etc/passwd", at=fd)) == "EACCES"


def test_capbox_fs_tells_mode_links_and_owner(world: Any) -> None:
    guest = world.writer()
    guest.write_file("/workspace/a")
    guest.chmod("/workspace/a", 0o600)
    guest.call("capbox_fs.stat", *guest.text("/workspace/a"), 64)
    assert struct.unpack_from("<IIII", guest.raw, 64) == (0o100600, 1, os.getuid(), os.getgid())


def test_a_link_that_is_flipped_meanwhile_never_gives_the_secret(world: Any) -> None:
    ws = world.workspace
    (ws / ".env").write_text("SECRET")
    (ws / "a").write_text("fine")
    link = ws / "link"
    link.symlink_to("a")
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            for target in (".env", "a"):
                (ws / "next").symlink_to(target)
                (ws / "next").rename(link)

    guest = world.guest(world.mount("/workspace", ws, Rule(False, (".env*",))))
    flipper = threading.Thread(target=flip)
    flipper.start()
    seen: set[object] = set()
    for _ in range(3000):
        try:
            seen.add(guest.read_file("/workspace/link"))
        except Exception as refused:
            seen.add(str(refused))
    stop.set()
    flipper.join()
    assert seen <= {"fine", "EACCES", "ELOOP", "ENOENT"}
    assert "fine" in seen


def test_a_directory_that_is_flipped_meanwhile_never_takes_a_hook(world: Any) -> None:
    ws = world.workspace
    hooks = ws / ".git" / "hooks"
    hooks.mkdir(parents=True)
    (ws / "real").mkdir()
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            for target in (".git/hooks", "real"):
                (ws / "next").symlink_to(target)
                (ws / "next").rename(ws / "d")

    guest = world.writer(bounds=replace(BOUNDS, files_created=10_000, written_bytes=10**6))
    flipper = threading.Thread(target=flip)
    flipper.start()
    made = 0
    for number in range(1500):
        try:
            guest.write_file(f"/workspace/d/{number}")
            made += 1
        except Exception as refused:
            # ENOTDIR: the walk meets a link where a directory was a moment before.
            assert str(refused) in {"EACCES", "ENOENT", "ENOTDIR"}
    stop.set()
    flipper.join()
    assert list(hooks.iterdir()) == []
    assert len(list((ws / "real").iterdir())) == made > 0


PROGRAM = """
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 256) "workspace/a")
  (data (i32.const 300) "workspace/.env")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    ;; memory grows, and may move, between two host calls
    (drop (memory.grow (i32.const 200)))
    (drop (call $open (i32.const 3) (i32.const 1) (i32.const 256) (i32.const 11)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 12)))
    (i32.store (i32.const 0) (i32.const 13000000))
    (i32.store (i32.const 4) (i32.const 100))
    (drop (call $read (i32.load (i32.const 12)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $exit (call $open (i32.const 3) (i32.const 1) (i32.const 300) (i32.const 14)
      (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 12)))))
"""


@pytest.mark.parametrize("reservation", [None, 1 << 16])
def test_a_wasm_guest_reads_its_request_and_a_file(world: Any, reservation: int | None) -> None:
    (world.workspace / "a").write_text("from a file")
    (world.workspace / ".env").write_text("SECRET")
    config = wasmtime.Config()
    if reservation is not None:
        config.memory_reservation = reservation
    engine = wasmtime.Engine(config)
    deadline = time.monotonic_ns() + 10**10

    def source() -> bytes:
        host.begin(replace(BOUNDS, deadline_ns=deadline))
        return b"request, "

    host = Host(source, openat2=world.openat2)
    log = os.memfd_create("effects")
    mount = world.mount("/workspace", world.workspace, Rule(False, (".env*",)))
    linker = wasmtime.Linker(engine)
    host.link(linker)
    guest = linker.instantiate_pre(wasmtime.Module(engine, PROGRAM))
    host.adopt((mount,), EffectWriter(log))
    for _ in range(2):
        store = wasmtime.Store(engine)
        exports = guest.instantiate(store).exports(store)
        memory, start = exports["memory"], exports["_start"]
        assert isinstance(memory, wasmtime.Memory)
        assert isinstance(start, wasmtime.Func)
        host.attach(store, memory)
        with pytest.raises(wasmtime.WasmtimeError, match="stopped"):
            start(store)
        report = host.finish()
        assert report.stdout == b"request, from a file"
        assert (report.exit_code, report.fault, report.memory_bytes) == (2, None, 201 * 65_536)
        assert [(t.action, t.path, t.bytes) for t in read_effects(log).touched] == [
            ("read", "/workspace/a", 11)
        ]
    os.close(log)


def test_every_function_of_preview_1_can_be_linked(world: Any) -> None:
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    host = Host(lambda: b"", openat2=world.openat2)
    host.link(linker)
    imports = []
    for name, params in SIGNATURES.items():
        module, _, field = name.rpartition(".")
        kinds = " ".join({"i": "i32", "I": "i64"}[p] for p in params)
        result = "" if name == "proc_exit" else "(result i32)"
        module = module or "wasi_snapshot_preview1"
        imports.append(f'(import "{module}" "{field}" (func (param {kinds}) {result}))')
    text = f'(module {" ".join(imports)} (memory (export "memory") 1))'
    linker.instantiate(wasmtime.Store(engine), wasmtime.Module(engine, text))
