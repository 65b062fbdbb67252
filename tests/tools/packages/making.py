"""Tools and packages as tests make them: honest ones, and layouts that say what a test wants."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import wasmtime

from capbox import app
from capbox.engine.home import Home
from capbox.gate.manifest import Request
from capbox.messages import Json
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    CONFIG,
    IMAGE_MANIFEST,
    TOML,
    WASM,
    canonical,
    image_manifest,
)
from capbox.tools.packages.artefact.descriptor import TITLE, Descriptor
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import Package, put_signature, read_package
from capbox.tools.packages.artefact.packing import pack
from capbox.tools.packages.installing.install import Workshop
from capbox.tools.packages.installing.place import Place
from capbox.tools.packages.installing.plan import Plan
from capbox.tools.packages.installing.source import Access
from capbox.tools.packages.signatures.publishers import Publishers
from capbox.tools.packages.signatures.signature import PublisherKey

ALICE = PublisherKey(b"a" * 32)
MALLORY = PublisherKey(b"m" * 32)

_MANIFEST = """\
name = "{name}"
version = "{version}"
description = {description}
license = "MIT"
abi = "json"
module = "{name}.wasm"
access = "{access}"
[input_schema]
type = "object"
[requests]
required = {required}
optional = {optional}
"""
_MODULE = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  {imports}
  (memory (export "memory") 1)
  (data (i32.const 16) "{reply}")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const {length}))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
"""


def module(content: str = "hello", imports: str = "") -> bytes:
    """Return a module that answers with `content`, and has further `imports` (as text)."""
    reply = json.dumps({"ok": True, "content": content})
    text = reply.replace("\\", "\\5c").replace('"', "\\22")
    wat = _MODULE.format(imports=imports, reply=text, length=len(reply.encode()))
    return bytes(wasmtime.wat2wasm(wat))


def manifest(
    name: str = "hello",
    version: str = "0.1.0",
    *,
    description: str = "Greets.",
    access: str = "none",
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
) -> str:
    """Return the text of a tool.toml."""
    return _MANIFEST.format(
        name=name,
        version=version,
        description=json.dumps(description, ensure_ascii=False),
        access=access,
        required=json.dumps(list(required)),
        optional=json.dumps(list(optional)),
    )


def tool(parent: Path, text: str, wasm: bytes | None = None, readme: str | None = None) -> Path:
    """Make the folder of a tool of this manifest."""
    name = text.split('"')[1]
    folder = parent / f"tool-{len(list(parent.iterdir()))}"
    folder.mkdir()
    (folder / "tool.toml").write_text(text)
    (folder / f"{name}.wasm").write_bytes(module(name) if wasm is None else wasm)
    if readme is not None:
        (folder / "README.md").write_text(readme)
    return folder


def packed(
    parent: Path,
    text: str,
    wasm: bytes | None = None,
    *,
    key: PublisherKey | None = ALICE,
    namespace: str = "alice",
) -> tuple[Layout, Package]:
    """Make a package, signed with `key`; it lies in a folder of its own below `parent`."""
    out = parent / f"out-{len(list(parent.iterdir()))}"
    out.mkdir()
    layout, package = pack(tool(parent, text, wasm), namespace, out)
    if key is not None:
        package = put_signature(layout, package, key.sign(package.statement))
    return layout, package


def signed(layout: Layout, key: PublisherKey = ALICE) -> Layout:
    """Sign what is in a layout, as its publisher would."""
    package = read_package(layout)
    put_signature(layout, package, key.sign(package.statement))
    return layout


def crafted(
    folder: Path,
    layers: Iterable[tuple[str, bytes, Mapping[str, str]]],
    facts: Mapping[str, Json],
) -> Layout:
    """Make a layout of these layers: media type, content, annotations. Nothing is checked."""
    layout = Layout.create(folder)
    config = layout.put(canonical(facts), CONFIG)
    listed = tuple(
        replace(layout.put(content, kind), annotations=dict(notes))
        for kind, content, notes in layers
    )
    written = layout.put(image_manifest(config, listed, ARTIFACT), IMAGE_MANIFEST)
    layout.write_index((replace(written, artifact_type=ARTIFACT),))
    return layout


def honest(text: str, wasm: bytes | None = None) -> list[tuple[str, bytes, Mapping[str, str]]]:
    """Return the layers of an honest package."""
    name = text.split('"')[1]
    return [
        (WASM, module() if wasm is None else wasm, {TITLE: f"{name}.wasm"}),
        (TOML, text.encode(), {TITLE: "tool.toml"}),
    ]


def facts_of(text: str, namespace: str = "alice") -> dict[str, Json]:
    """Return the facts that fit a manifest."""
    from capbox.gate.manifest import ManifestError, parse_manifest
    from capbox.tools.packages.artefact.package import facts
    from capbox.tools.packages.names import PackageName

    parsed = parse_manifest(text, "tool.toml")
    assert not isinstance(parsed, ManifestError), parsed
    return dict(facts(PackageName(namespace, parsed.name), parsed))


def workshop(home: Home, report: Callable[[str], None] = lambda line: None) -> Workshop:
    """Return what installs into `home`, beside the tools that are shipped."""
    home.prepare()
    return Workshop(
        Place(home.tools),
        Publishers(home.config),
        app.GUESTS,
        home.cache / "compiled",
        Access(),
        report,
    )


class Person:
    """Answers every question the same way, and keeps the plans that were shown."""

    def __init__(self, *, yes: bool = True) -> None:
        self.yes = yes
        self.asked: list[Plan] = []

    def __call__(self, plan: Plan) -> tuple[Request, ...] | None:
        """Take note of the plan, and answer."""
        self.asked.append(plan)
        return plan.accepted if self.yes else None


def blob(layout: Layout, described: Descriptor) -> Path:
    """Return the file of a blob."""
    return layout.folder / "blobs" / "sha256" / described.digest.removeprefix("sha256:")
