"""The paths that a call's arguments name: where they lead, and what is decided on."""

from __future__ import annotations

import pytest

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.paths import GrantPath, HostPath, Layout, PathRefusal
from capbox.gate.arguments import Declared, declared
from capbox.gate.manifest import Manifest, parse_manifest

MANIFEST = """
name = "move"
version = "1"
description = "d"
license = "Apache-2.0"
abi = "json"
module = "m.wasm"
access = "write"
[input_schema]
type = "object"
[input_schema.properties]
source = {type = "string"}
target = {type = "string"}
[paths]
source = "read"
target = "write"
"""
WORKSPACE = ReadAccess(GrantPath("/workspace"))


@pytest.mark.parametrize(
    ("arguments", "accesses"),
    [
        (
            {"source": "a", "target": "/workspace/b/../c"},
            (ReadAccess(GrantPath("/workspace/a")), WriteAccess(GrantPath("/workspace/c"))),
        ),
        ({"source": "/tmp/x", "target": "/tmp/y"}, ()),
        # Where there is nothing to write to, nothing is decided.
        ({"source": "/etc/passwd"}, (ReadAccess(GrantPath("/etc/passwd")),)),
        # Left out, it is the workspace: finding nothing would hide that nothing is held.
        ({}, (WORKSPACE,)),
    ],
)
def test_each_declared_path_is_decided_on(
    arguments: dict[str, str], accesses: tuple[Access, ...]
) -> None:
    manifest = parse_manifest(MANIFEST, "test")
    assert isinstance(manifest, Manifest)
    found = declared(manifest, arguments, Layout(HostPath("/home/me/project")))
    assert isinstance(found, Declared)
    assert found.accesses == accesses


def test_a_path_that_is_no_name_refuses_the_call() -> None:
    manifest = parse_manifest(MANIFEST, "test")
    assert isinstance(manifest, Manifest)
    layout = Layout(HostPath("/home/me/project"))
    assert isinstance(declared(manifest, {"source": "a\0b"}, layout), PathRefusal)
