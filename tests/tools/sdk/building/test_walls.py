"""A compiler opens the tool's folder and itself: no word of a source takes another file."""

from __future__ import annotations

import os
import select
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.sdk.making import need, workshop, workshop_for

from capbox.sandbox.lockdown import landlock
from capbox.tools.sdk.building import toolchain
from capbox.tools.sdk.building.compiled import compile_module
from capbox.tools.sdk.building.walls import Walls
from capbox.tools.sdk.project import BuildError, Language, read_project
from capbox.tools.sdk.starting import start

SECRET = b"A-KEY-OF-THE-ONE-WHO-BUILDS"
_EMBED = 'static const char kept[] = {{\n#embed "{file}"\n, 0}};\n'
_PUTS = "#include <stdio.h>\nint main(void) {{ puts(kept); }}\n"
_ASM = """
__asm__(".section .data.kept,\\"\\",@\\n.globl kept\\nkept:\\n"
        ".incbin \\"{file}\\"\\n.size kept, 27\\n");
extern char kept[27];
int main(void) {{ return ((volatile char *)kept)[1]; }}
"""
_ZIG = r"""
comptime {{ asm (
  \\.section .data.kept,"",@
  \\.globl kept
  \\kept:
  \\.incbin "{file}"
  \\.size kept, 27
  ); }}
extern var kept: [27]u8;
pub fn main() void {{ @as(*volatile u8, &kept[0]).* = kept[1]; }}
"""
_GO = (
    'package main\nimport ("os"; "a.example/keys")\nfunc main() {{ os.Stdout.WriteString(keys.K) }}'
)
_MOD = "module hello\ngo 1.21\nrequire a.example/keys v0.0.0\nreplace a.example/keys => {folder}\n"
_RUST = 'fn main() {{ print!("{{}}", include_str!("{file}")); }}'
_RUN = 'fn main() {{ print!("{{}}", env!("KEPT")); }}'
_SCRIPT = """fn main() {{
    println!("cargo:rustc-env=KEPT={{}}", std::fs::read_to_string("{file}").unwrap());
}}"""
ATTACKS: dict[str, tuple[Language, dict[str, str]]] = {
    "embed": ("c", {"hello.c": _EMBED + _PUTS}),
    "include": ("c", {"hello.c": 'static const char kept[] =\n#include "{file}"\n;\n' + _PUTS}),
    "assembler of C": ("c", {"hello.c": _ASM}),
    "assembler of Zig": ("zig", {"hello.zig": _ZIG}),
    "another module": ("go", {"main.go": _GO, "go.mod": _MOD}),
    "include_str": ("rust", {"src/main.rs": _RUST}),
    "build.rs": ("rust", {"src/main.rs": _RUN, "build.rs": _SCRIPT}),
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file of the person's, beside a module of theirs in Go that embeds it."""
    (folder := tmp_path / "mine").mkdir()
    (folder / "go.mod").write_text("module a.example/keys\ngo 1.21\n")
    (folder / "k.go").write_text('package keys\nimport _ "embed"\n//go:embed key\nvar K string\n')
    (folder / "key").write_bytes(b'"' + SECRET + b'"')
    return folder / "key"


@pytest.mark.slow
@pytest.mark.attack
@pytest.mark.parametrize("what", ATTACKS)
def test_a_source_takes_no_file_of_the_person_into_its_module(
    what: str, mine: Path, tmp_path: Path
) -> None:
    language, files = ATTACKS[what]
    need(language)
    if not landlock.abi():
        pytest.skip("this kernel has no Landlock")
    start(tmp_path / "hello", "hello", language)
    project = read_project(tmp_path / "hello")
    for name, text in files.items():
        text = text.format(file=mine, folder=mine.parent)
        (project.folder / name).write_text(text)
    with pytest.raises(BuildError):
        compile_module(project, workshop_for(language))
    assert not project.built.exists()
    # The same without a wall: that is what is held back.
    (tmp_path / "open").mkdir()
    walls = Walls(project, workshop_for(language), tmp_path / "open", landlock=0)
    _compile(walls, language)
    made = [path for path in (tmp_path / "open").rglob("*.wasm") if SECRET in path.read_bytes()]
    assert made != []


def _compile(walls: Walls, language: Language) -> None:
    from capbox.tools.sdk.building import compiled

    made = walls.scratch / "hello.wasm"
    match language:
        case "go":
            compiled._go(walls, made)
        case "rust":
            compiled._rust(walls, made)
        case _:
            compiled._zig(walls, made)


@pytest.mark.parametrize(("abi", "said"), [(0, 1), (1, 0), (7, 0)])
def test_where_there_is_no_wall_it_is_said(abi: int, said: int, tmp_path: Path) -> None:
    heard: list[str] = []
    start(tmp_path / "hello", "hello", "c")
    Walls(read_project(tmp_path / "hello"), workshop(say=heard.append), tmp_path, abi).warn()
    assert len(heard) == said
    assert all("this kernel has no Landlock" in line for line in heard)


def test_behind_the_wall_are_the_folder_and_what_is_named(mine: Path, tmp_path: Path) -> None:
    if not landlock.abi():
        pytest.skip("this kernel has no Landlock")
    start(tmp_path / "hello", "hello", "c")
    project = read_project(tmp_path / "hello")
    (scratch := tmp_path / "scratch").mkdir()
    walls = Walls(project, workshop(), scratch)
    base = [Path(sys.base_prefix), Path(sys.prefix)]

    def told(program: str) -> str:
        return walls.run([sys.executable, "-I", "-c", program], reads=base)

    assert "main" in told(f"print(open({str(project.source)!r}).read())")
    assert told(f"open({str(scratch / 'x')!r}, 'w'); print('made')") == "made\n"
    assert told("import subprocess; subprocess.run(['/bin/echo', 'ran'], check=True)") == "ran\n"
    refused = (
        f"open({str(mine)!r})",
        f"open({str(project.folder / 'new')!r}, 'w')",
        f"import os; os.link({str(mine)!r}, {str(scratch / 'y')!r})",
        "open('/etc/passwd')",
        "open('/proc/self/environ')",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.socket(socket.AF_UNIX)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    )
    for program in refused:
        with pytest.raises(BuildError, match=r"PermissionError|cross-device"):
            told(program)


@pytest.mark.attack
@pytest.mark.parametrize(("last", "seconds"), [("signal.pause()", 6.0), ("", 60.0)])
def test_a_step_is_ended_with_what_it_started(last: str, seconds: float, tmp_path: Path) -> None:
    """Attack: `go` was ended at the time limit, and its `compile` went on."""
    program = (
        "import signal, subprocess, sys\n"
        "child = 'import os, signal; print(os.getpid(), flush=True); signal.pause()'\n"
        "started = subprocess.Popen([sys.executable, '-c', child], stdout=-1, stderr=-3)\n"
        f"open({str(tmp_path / 'pid')!r}, 'wb').write(started.stdout.readline())\n"
    )
    place, command = replace(workshop(), seconds_max=seconds), [sys.executable, "-c"]
    if last:
        with pytest.raises(BuildError, match="did not end in 6 seconds"):
            toolchain.run([*command, program + last], place, where="x")
    else:
        assert toolchain.run([*command, program], place, where="x") == ""
    assert _ended(int((tmp_path / "pid").read_text()))


def _ended(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([process], [], [], 10)
    os.close(process)
    return bool(ended)
