"""Compiling components, and what may be reached from the code that runs them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import wasmtime
from tests.sandbox.component import text

from capbox.authority.paths import HostPath
from capbox.sandbox import component
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import Failed, Finished, Job

MakeJob = Callable[..., Job]
# What could act on the world by itself. Of all these modules `code` alone reads files, before any
# guest runs, and `below` alone calls the host.
ACTS = {"os", "io", "socket", "subprocess", "pathlib", "shutil", "ctypes", "tempfile", "select"}
REACHES = {"capbox.sandbox.wasi.host", "capbox.sandbox.wasi.access", "capbox.sandbox.wasi.paths"}


def files(compiled: HostPath) -> set[str]:
    """The names of all that was compiled."""
    return {path.name for path in Path(compiled).iterdir()}


async def test_a_component_with_a_broken_core_module_is_the_tools_fault(
    sandbox: Sandbox, job: MakeJob, compiled: HostPath, tmp_path: Path
) -> None:
    wat = '(component (core module $M (func (export "f") unreachable)))'
    # 0xFF is no instruction.
    wasm = bytes(wasmtime.wat2wasm(wat)).replace(b"\0\0\x0b", b"\0\xff\x0b")
    path = tmp_path / "broken.wasm"
    path.write_bytes(wasm)
    made = job(wat)
    module = replace(made.module, path=HostPath(str(path)), digest=sha256(wasm).hexdigest())
    before = files(compiled)
    end = (await sandbox.call(replace(made, module=module))).end
    assert isinstance(end, Failed)
    assert "broken.wasm could not be compiled" in end.reason
    assert files(compiled) == before


async def test_a_component_that_is_too_large_is_the_tools_fault_and_told_with_the_bound(
    sandbox: Sandbox, job: MakeJob
) -> None:
    for count, too_many in ((200, False), (201, True)):
        instances = "(core instance (instantiate $M))" * count
        end = (await sandbox.call(job(f"(component (core module $M) {instances})"))).end
        assert isinstance(end, Failed)  # it exports nothing
        bound = "could not be compiled: too many parts: at most 50,000, and 200 core instances"
        assert (bound in end.reason) is too_many, end.reason


async def test_what_was_compiled_is_found_again_in_all_its_files(
    sandbox: Sandbox, job: MakeJob, compiled: HostPath
) -> None:
    wat = text.command("(i32.const 0)", more='(func (export "another-one"))')
    before = files(compiled)
    assert (await sandbox.call(job(wat))).end == Finished(b"")
    made = files(compiled) - before
    assert sorted(name[40:] for name in made) == [".cwasm", ".cwasm.1", ".cwasm.2"]


def test_what_runs_components_acts_through_the_preview_1_host_alone() -> None:
    folder = Path(component.__file__ or "").parent
    acting: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {
            alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names
        }
        names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        found = {n for n in names if n.split(".")[0] in ACTS or n in REACHES}
        calls = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} & {"open", "exec", "eval"}
        if found | calls:
            acting[path.relative_to(folder).as_posix()] = found | calls
    assert acting == {
        "code.py": {"pathlib", "open"},
        "guest.py": {"capbox.sandbox.wasi.host"},
        "wasi/below.py": {"capbox.sandbox.wasi.host"},
    }
