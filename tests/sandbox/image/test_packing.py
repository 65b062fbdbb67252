"""Making a tool of an interpreter: the same bytes each time; a sentence for what cannot be one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

import pytest
import wasmtime

from capbox.app import GUESTS
from capbox.sandbox.image.packing import SLOW, packed
from capbox.sandbox.image.sections import PackingError
from capbox.sandbox.image.starting import PACK, started, with_folders

pytestmark = pytest.mark.anyio


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Awaitable[bytes]]:
    """Pack a module with a folder of one file; return the module that was made."""
    (folder := tmp_path / "site").mkdir()
    (folder / "a.py").write_text("x = 1\n")

    async def done(module: bytes | str, target: str = "made.wasm") -> bytes:
        base = tmp_path / "base.wasm"
        base.write_bytes(module if isinstance(module, bytes) else bytes(wasmtime.wat2wasm(module)))
        await packed(base, {"/app": folder}, tmp_path / target)
        return (tmp_path / target).read_bytes()

    return done


# How a command of wasi-libc begins.
START = """(func (export "_start")
  (if (i32.eqz (i32.load (i32.const 1024))) (then (i32.store (i32.const 1024) (i32.const 1)))))"""
PLAIN = '(memory (export "memory") 1) (func (export "wasi_vfs_pack_fs"))'
REFUSED = {
    "no WebAssembly": (b"#!/bin/sh\necho no\n", "is no WebAssembly module"),
    "nothing": (b"", "is no WebAssembly module"),
    "a component": (b"\0asm\x0d\0\1\0", "is no WebAssembly module"),
    "no files inside": (f'(module (memory (export "memory") 1) {START})', f"exports no {PACK}"),
    "no memory": (f'(module (memory 1) (func (export "{PACK}")) {START})', f"exports no {PACK}"),
    "no command of wasi-libc": (
        f'(module {PLAIN} (func (export "_start")))',
        "it is no command of wasi-libc",
    ),
    "an import that nobody has": (
        f'(module (import "env" "odd" (func)) {PLAIN} {START})',
        "unknown import",
    ),
}


@pytest.mark.parametrize("guest", REFUSED)
async def test_what_cannot_be_packed_is_refused_with_a_sentence_and_leaves_nothing(
    guest: str, pack: Callable[..., Awaitable[bytes]], tmp_path: Path
) -> None:
    module, words = REFUSED[guest]
    with pytest.raises(PackingError) as refused:
        await pack(module)
    told = str(refused.value)
    assert (words in told, "Traceback" in told, len(told.splitlines()) < 4) == (
        True,
        False,
        True,
    ), told
    assert sorted(os.listdir(tmp_path)) == ["base.wasm", "site"]


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.999])
async def test_a_module_that_was_cut_is_refused_with_a_sentence(
    part: float, pack: Callable[..., Awaitable[bytes]], tmp_path: Path
) -> None:
    whole = (GUESTS / "toolbox.wasm").read_bytes()[: 1 << 20]
    with pytest.raises(PackingError) as refused:
        await pack(whole[: int(len(whole) * part)])
    assert "Traceback" not in str(refused.value)
    assert not (tmp_path / "made.wasm").exists()


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    base = tmp_path / "base.wasm"
    base.write_bytes(bytes(wasmtime.wat2wasm("(module)")))
    with pytest.raises(PackingError, match="no-such-folder"):
        await packed(base, {"/app": tmp_path / "no-such-folder"}, tmp_path / "made.wasm")


# What a fault of the compiler or of the host would let an author's code do there.
ACTS = {
    "write to its file": ("file.write(b'x')", ""),
    "open another": ("open('/etc/hostname')", "Permission denied"),
    "make one": ("file.close(); open('/tmp/made', 'x')", "Permission denied"),
    "ask the network": ("file.close(); socket.socket()", "Operation not permitted"),
    "run a program": ("os.execv('/bin/true', ['true'])", "Operation not permitted"),
    "make a process": ("os.fork()", "Operation not permitted"),
    "end whoever made it": ("os.kill(os.getppid(), 9)", "Operation not permitted"),
    "take all memory": ("bytearray(64 << 30)", "no memory left"),
}


@pytest.mark.attack
@pytest.mark.parametrize("act", ACTS)
def test_where_an_authors_code_is_started_nothing_but_its_file_is_there(
    act: str, tmp_path: Path
) -> None:
    doing, words = ACTS[act]
    program = f"""
import os, socket, sys
from capbox.sandbox.image.packing import walled
with open({str(tmp_path / "made")!r}, "wb") as file:
    walled(lambda: exec({doing!r}), file)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    told = done.stderr.strip().splitlines()[-1:]
    assert (done.returncode == 0, words in "".join(told)) == (not words, True), done.stderr


@pytest.mark.slow
async def test_a_first_start_without_an_end_is_ended_and_named(
    pack: Callable[..., Awaitable[bytes]], tmp_path: Path
) -> None:
    forever = START.removesuffix("))))") + "))) (loop $again (br $again)))"
    with pytest.raises(PackingError) as refused:
        await pack(f"(module {PLAIN} {forever})")
    assert str(refused.value) == SLOW
    assert not (tmp_path / "made.wasm").exists()


def interpreter() -> Path:
    """Return CPython as npm has it, if the build has left it here."""
    found = GUESTS.parents[2] / "guests" / ".build" / "node_modules" / "@antonz" / "python-wasi"
    path = found / "dist" / "python.wasm"
    if not path.is_file():
        pytest.skip("the interpreter is not here: make setup")
    return path


SITE = "/usr/local/lib/python3.12/site-packages"
OURS = Path(__file__).parents[3] / "guests" / "python" / "site"


@pytest.mark.slow
def test_two_starts_of_the_same_give_the_same_bytes() -> None:
    module = with_folders(interpreter().read_bytes(), {SITE: OURS})
    first, second = (sha256(started(module, {})).hexdigest() for _ in range(2))
    assert first == second


@pytest.mark.slow
async def test_a_first_start_that_fails_says_what_python_said(tmp_path: Path) -> None:
    (site := tmp_path / "site").mkdir()
    (site / "sitecustomize.py").write_text("import no_such_module\n")
    with pytest.raises(PackingError, match="No module named 'no_such_module'"):
        await packed(interpreter(), {SITE: site}, tmp_path / "made.wasm")
    assert not (tmp_path / "made.wasm").exists()
