"""The paths that a call's arguments name: where they lead, and what is decided on."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.limits import Limits
from capbox.authority.paths import GrantPath, HostPath, Layout, PathRefusal
from capbox.authority.values.kinds import Unfit, Value
from capbox.gate.arguments import KEPT_CHARACTERS_MAX, Declared, declared, on_record
from capbox.gate.manifest import DeclaredSink, Manifest, parse_manifest
from capbox.gate.schema import Schema
from capbox.messages import JsonObject

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
        ({"target": "b"}, (WORKSPACE, WriteAccess(GrantPath("/workspace/b")))),
        ({"source": None, "target": 3}, (WORKSPACE,)),
    ],
)
def test_each_declared_path_is_decided_on(
    arguments: dict[str, Any], accesses: tuple[Access, ...]
) -> None:
    manifest = parse_manifest(MANIFEST, "test")
    assert isinstance(manifest, Manifest)
    layout = Layout(HostPath("/home/me/project"))
    found = declared(manifest, arguments, layout)
    assert isinstance(found, Declared)
    assert found.accesses == accesses
    # In whatever order the manifest names them.
    turned = declared(replace(manifest, paths=manifest.paths[::-1]), arguments, layout)
    assert isinstance(turned, Declared)
    assert turned.accesses == accesses[::-1]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("a/../b", "/workspace/b"),
        ("/home/me/project/b", "/workspace/b"),
        ("/notes/b", "/mnt/notes/b"),
        ("/tmp/b", "/tmp/b"),
        ("/etc/../b", "/b"),
    ],
)
def test_the_tool_gets_the_path_that_was_decided_on(text: str, seen: str) -> None:
    manifest = parse_manifest(MANIFEST, "test")
    assert isinstance(manifest, Manifest)
    layout = Layout.of(HostPath("/home/me/project"), [GrantPath("/notes")])
    assert isinstance(layout, Layout)
    found = declared(manifest, {"source": text}, layout)
    assert isinstance(found, Declared)
    assert found.arguments == {"source": seen}


def test_a_path_that_is_no_name_refuses_the_call() -> None:
    manifest = parse_manifest(MANIFEST, "test")
    assert isinstance(manifest, Manifest)
    layout = Layout(HostPath("/home/me/project"))
    assert isinstance(declared(manifest, {"source": "a\0b"}, layout), PathRefusal)


LISTED = Manifest(
    *("send", "1", "Send.", "", "", "execute", Schema({}), (), (), (), Limits()),
    sinks=(DeclaredSink("to", "email"), DeclaredSink("amount", "amount")),
)


@pytest.mark.parametrize(
    ("arguments", "to", "amount", "given"),
    [
        ({"to": "A@B.example"}, ["A@b.example"], [], {"to": "A@b.example"}),
        ({"to": ["a@b.example"] * 2}, ["a@b.example"] * 2, [], {"to": ["a@b.example"] * 2}),
        ({"to": []}, [], [], {"to": []}),
        ({"to": None}, [], [], {"to": None}),
        ({"amount": 5.0, "x": {"to": "y"}}, [], ["5"], {"amount": "5", "x": {"to": "y"}}),
    ],
)
def test_each_sink_is_read_and_handed_on_in_its_one_spelling(
    arguments: dict[str, Any], to: list[str], amount: list[str], given: dict[str, Any]
) -> None:
    grounds = frozenset({Value("email", "a@b.example")})
    found = declared(LISTED, arguments, Layout(HostPath("/home/me/project")), grounds)
    assert isinstance(found, Declared)
    assert found.arguments == given
    assert found.tool.name == "send"
    assert [[v.text for v in a.values] for a in found.tool.arguments] == [to, amount]
    # The same text as another kind is another value.
    for value in found.tool.arguments[0].values:
        assert value.grounded is (value.text == "a@b.example")


@pytest.mark.parametrize(
    "to",
    [
        *(
            "a@b.example,c@d.example",
            ["a@b.example", "x"],
            [["a@b.example"]],
            {"to": "a@b.example"},
        ),
        *([None], ["a@b.example", None], 5, True, "", ["a@b.example"] * 101),
    ],
    ids=lambda to: repr(to)[:40],
)
def test_a_sink_that_names_no_value_refuses_the_call(to: Any) -> None:
    layout = Layout(HostPath("/home/me/project"))
    assert isinstance(declared(LISTED, {"to": to}, layout), Unfit)


@pytest.mark.parametrize(("more", "fits"), [("", True), ("a", False)])
def test_the_values_of_one_call_are_few_enough_to_be_read(more: str, fits: bool) -> None:
    layout, long = Layout(HostPath("/home/me/project")), ["a" * 50 + "@b.example"] * 100
    assert isinstance(declared(LISTED, {"to": long}, layout), Declared)
    listed = replace(LISTED, sinks=(*LISTED.sinks, DeclaredSink("cc", "email")))
    short = ["a" * 30 + "@b.example"] * 99 + ["a" * 30 + more + "@b.example"]
    found = declared(listed, {"to": long, "cc": short}, layout)
    most = Unfit("cc", "the values of one call are 10000 characters at most")
    assert isinstance(found, Declared) if fits else found == most


LONG = "x" * 70_000
DIGEST = sha256(json.dumps({"text": LONG}, sort_keys=True).encode()).hexdigest()


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ({}, {}),
        ({"path": "a", "text": "x" * 60_000}, {"path": "a", "text": "x" * 60_000}),
        ({"text": LONG, "path": "a"}, {"path": "a", "": f"70012 characters, SHA-256 {DIGEST}"}),
    ],
)
def test_the_record_has_short_arguments_and_of_long_ones_their_digest(
    arguments: JsonObject, kept: JsonObject
) -> None:
    assert on_record(arguments) == kept


def test_what_is_kept_of_the_arguments_is_bounded_whatever_they_are() -> None:
    """Attack: each call leaves up to 16 MB in the journal, which nothing ever removes."""
    hostile: list[JsonObject] = [
        {f"a{n}": "x" * 1_000 for n in range(1_000)},
        {"n" * 1_000_000: 1},
        {f"a{n}": n for n in range(100_000)},
    ]
    assert all(len(json.dumps(on_record(one))) <= KEPT_CHARACTERS_MAX + 200 for one in hostile)
