"""Every request has a sentence, and every mixture of them a worst."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import wasmtime
from tests.sandbox.component import text
from tests.tools.packages.making import module

from capbox.gate.manifest import Request, RequestKind, parse_request
from capbox.tools.inspection.inspecting import Inspection, inspect
from capbox.tools.packages.review.words import importing, sentence, worst

HTTP = '(import "capbox_http" "request" (func (param i32 i32 i32 i32 i32) (result i32)))'
INVOKE = '(import "capbox_invoke" "call" (func (param i32 i32 i32 i32 i32) (result i32)))'
STAT = '(import "capbox_fs" "stat" (func (param i32 i32 i32) (result i32)))'


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("read:*", "read every file that a run lets it read"),
        ("read:/workspace/a", "read /workspace/a"),
        ("write:*", "read, change and delete everywhere that a run lets it"),
        ("write:/workspace", "read, change and delete /workspace"),
        ("fetch:*", "send requests to every address that a run lets it reach"),
        ("fetch:https://a.example", "send requests: https://a.example"),
        ("env:*", "see every variable"),
        ("env:HOME", "see the variable HOME"),
        ("secret:*", "have any secret that a run grants added to its requests, unseen"),
        (
            "secret:K@https://a.example",
            "have the secret K added to its requests to https://a.example, unseen",
        ),
        ("invoke:*", "call every function of the program that runs it"),
        ("invoke:mail", "call the function mail of the program that runs it"),
    ],
)
def test_a_request_in_words(written: str, said: str) -> None:
    assert sentence(parse_request(written, "")) == said


def test_every_kind_of_request_has_words() -> None:
    assert all(sentence(Request(kind)) for kind in get_args(RequestKind))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ((), ("nothing: it only computes, on its arguments",)),
        (("read:*",), ("put what it can read into its answer, which the model reads",)),
        (("fetch:https://a.example",), ("send its arguments to https://a.example",)),
        (("read:*", "fetch:*"),
         ("send what it can read to every address that a run lets it reach",)),
        (("write:/workspace", "fetch:https://a.example", "secret:K@https://a.example"),
         ("send what it can read to https://a.example",
          "use the named secrets where they are for, without seeing them",
          "destroy or falsify the files that it may write")),
        (("read:*", "invoke:mail"), ("pass what it can read to functions of the program",)),
    ],
)  # fmt: skip
def test_the_worst_of_what_is_requested(written: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert worst([parse_request(one, "") for one in written]) == said


@pytest.mark.parametrize(
    ("imports", "written", "warned"),
    [
        (HTTP, "fetch:*", []),
        (HTTP, "read:*", ["its module has code for the network, unrequested"]),
        (INVOKE, "invoke:mail", []),
        (INVOKE, "fetch:*", ["its module has code for functions of a program, unrequested"]),
        (STAT, "read:*", []),
        ("", "read:*", []),
    ],
)
def test_imports_that_the_requests_do_not_explain_are_told(
    imports: str, written: str, warned: list[str], tmp_path: Path
) -> None:
    found = importing(inspected(tmp_path, module("x", imports)), [parse_request(written, "")])
    assert [one.partition(":")[0] for one in found] == warned


def test_a_module_that_cannot_run_is_told(tmp_path: Path) -> None:
    library = bytes(wasmtime.wat2wasm('(module (memory (export "memory") 1))'))
    (said,) = importing(inspected(tmp_path, library), ())
    assert said.startswith("its module exports no function _start")


SECRETS = """(component
  (import "acme:vault/keys" (instance $keys (export "steal" (func))))
  (core func $steal (canon lower (func $keys "steal")))
  (core module $Main (import "m" "steal" (func)) (func (export "run") (result i32) (i32.const 0)))
  (core instance $main (instantiate $Main (with "m" (instance (export "steal" (func $steal))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))"""


@pytest.mark.parametrize(
    ("wat", "warned"),
    [
        (text.command("(i32.const 0)"), ()),
        (SECRETS, ("it may call what capbox does not give, and fails then: acme:vault/keys",)),
        (
            "(component)",
            ("its module exports neither wasi:cli/run nor a function that JSON can call",),
        ),
    ],
    ids=["of WASI alone", "of its own host", "nothing to call"],
)
def test_what_a_component_lacks_here_is_told(
    wat: str, warned: tuple[str, ...], tmp_path: Path
) -> None:
    assert importing(inspected(tmp_path, bytes(wasmtime.wat2wasm(wat))), ()) == warned


def inspected(folder: Path, wasm: bytes) -> Inspection:
    """Look at these bytes."""
    file = folder / "one.wasm"
    file.write_bytes(wasm)
    found = inspect(file)
    assert isinstance(found, Inspection), found
    return found
