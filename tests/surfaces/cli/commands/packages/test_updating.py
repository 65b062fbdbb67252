"""Updates of packages: one that asks for more gives it to nobody who did not say yes to it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import wasmtime
from tests.servers.replies import reply
from tests.surfaces.cli.commands.packages.test_pkg import COMMAND, READ, SEND, made, typed
from tests.tools.packages.making import manifest, tool

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.surfaces.cli.conftest import Done

_REQUEST = {"method": "GET", "headers": [], "redirects": 0, "decode": False}


def sending(*urls: str) -> bytes:
    """Return a module that sends a request to each URL, whatever comes of it, and says hello."""
    heads = [json.dumps({**_REQUEST, "url": url}) for url in urls]
    data, calls, at = "", "", 1024
    for head in heads:
        text = head.replace('"', "\\22")
        data += f'(data (i32.const {at}) "{text}")'
        calls += f"(drop (call $request (i32.const {at}) (i32.const {len(head)}) "
        calls += "(i32.const 0) (i32.const 0) (i32.const 512)))"
        at += len(head)
    answer = json.dumps({"ok": True, "content": "hello"})
    escaped = answer.replace('"', "\\22")
    wat = f"""(module
      (import "capbox_http" "request"
        (func $request (param i32 i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      {data} (data (i32.const 16) "{escaped}")
      (func (export "_start") {calls}
        (i32.store (i32.const 0) (i32.const 16)) (i32.store (i32.const 4) (i32.const {len(answer)}))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
    return bytes(wasmtime.wat2wasm(wat))


@dataclass(frozen=True)
class Egress:
    """What the update adds, its package, and a call under grants for both servers.

    `call` returns how many requests came to the server that is named, and to the other one.
    """

    request: str
    update: str
    call: Callable[[], tuple[int, int]]


@pytest.fixture
def egress(
    pkg: Callable[..., Done],
    capbox: Callable[..., Done],
    work: Path,
    http_server: Callable[..., HttpServer],
) -> Egress:
    """A tool that is installed, and its next version, which sends to two servers and names one."""
    named, other = (http_server({"/": reply(b"ok")}) for _ in range(2))
    origins = [f"http://localhost:{one.port}" for one in (named, other)]
    wasm = sending(*(f"{origin}/" for origin in origins))
    packages = []
    for version, requests in (("0.1.0", [READ]), ("0.2.0", [READ, f"fetch:{origins[0]}"])):
        text = manifest(version=version, required=requests)
        pkg("pack", str(tool(work, text, wasm).relative_to(work)), "--namespace", "alice")
        packages.append(f"hello-{version}.oci")
        pkg("sign", packages[-1])
    assert pkg("install", packages[0], "--yes").code == 0

    def call() -> tuple[int, int]:
        before = len(named.requests), len(other.requests)
        flags = ("--read", ".", *(word for one in origins for word in ("--fetch", one)))
        done = capbox("call", "hello", *flags)
        assert done.out == "hello\n", done
        return len(named.requests) - before[0], len(other.requests) - before[1]

    return Egress(f"fetch:{origins[0]}", packages[1], call)


def test_after_an_update_was_refused_the_old_tool_has_what_it_had(
    pkg: Callable[..., Done], egress: Egress
) -> None:
    assert egress.call() == (0, 0)
    before = pkg("list", "--json").json
    done = pkg("update", "alice/hello", "--from", egress.update)
    assert (done.code, done.out) == (3, "")
    assert f"  + {egress.request}  send requests: " in done.err
    assert "nobody is asked here: add --yes" in done.err
    assert pkg("list", "--json").json == before
    assert before["packages"][0]["accepted"] == [READ]
    assert egress.call() == (0, 0)


def test_an_update_that_was_accepted_in_part_has_that_part(
    pkg: Callable[..., Done], egress: Egress
) -> None:
    done = pkg("update", "alice/hello", "--from", egress.update, "--only", READ)
    assert (done.code, done.out) == (0, "updated alice/hello 0.1.0 -> 0.2.0\n")
    assert egress.call() == (0, 0)


def test_an_update_that_was_accepted_has_what_was_shown_and_no_more(
    pkg: Callable[..., Done], capbox: Callable[..., Done], egress: Egress
) -> None:
    done = pkg("update", "alice/hello", "--from", egress.update, "--yes", "--json").json
    assert done["installed"][0]["accepted"] == [READ, egress.request]
    assert egress.call() == (1, 0)
    # It is what a run may give at most: one that does not grant it gives nothing.
    denied = capbox("call", "hello", "--json").json["denied"]
    assert len(denied) == 2 and all(one["access"].startswith("fetch GET ") for one in denied)


@pytest.mark.slow
def test_a_person_who_says_no_to_an_update_keeps_the_old_one(
    pkg: Callable[..., Done], work: Path, environ: Mapping[str, str]
) -> None:
    old, greedy = made(pkg, work, "0.1.0", READ), made(pkg, work, "0.2.0", READ, SEND)
    assert typed(work, environ, b"y\n", "pkg", "install", old)[0] == 0
    update = ("pkg", "update", "alice/hello", "--from", greedy)
    for answer, code, version, accepted in (
        (b"n\n", 3, "0.1.0", [READ]),
        (b"y\n", 0, "0.2.0", [READ, SEND]),
    ):
        ended, shown = typed(work, environ, answer, *update)
        assert ended == code, shown
        assert f"  + {SEND}  send requests: https://evil.example" in shown
        done = subprocess.run(
            [*COMMAND, "pkg", "list", "--json"],
            cwd=work, env=environ, capture_output=True, check=True,
        )  # fmt: skip
        (one,) = json.loads(done.stdout)["packages"]
        assert (one["version"], one["accepted"]) == (version, accepted)
        called = subprocess.run(
            [*COMMAND, "call", "hello"], cwd=work, env=environ, capture_output=True, check=True
        )
        assert called.stdout == b"hello\n"
