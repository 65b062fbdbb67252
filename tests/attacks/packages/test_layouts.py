"""Packages whose layout leads out of its folder, is not what it says, or does not end."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.attacks.packages import naive
from tests.tools.packages.making import blob, crafted, facts_of, honest, manifest, module, packed

from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    CONFIG,
    IMAGE_MANIFEST,
    MARKDOWN,
    TOML,
    WASM,
    canonical,
    image_manifest,
)
from capbox.tools.packages.artefact.descriptor import TITLE, Descriptor, digest_of
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import read_package

Refused = Callable[..., str]
TEXT = manifest()
BOMB_BYTES = 64 << 20


def archive(*members: tarfile.TarInfo, content: bytes = b"owned") -> bytes:
    """Return a tar of these members; a file has `content`."""
    packed_up = io.BytesIO()
    with tarfile.open(fileobj=packed_up, mode="w") as tar:
        for member in members:
            member.size = len(content) if member.isfile() else 0
            tar.addfile(member, io.BytesIO(content) if member.isfile() else None)
    return packed_up.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    """Return a symbolic link as a member."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    return member


@pytest.mark.parametrize("title", ["../escaped", "{outside}/escaped"])
def test_a_layer_that_names_a_path_is_refused(title: str, tmp_path: Path, refused: Refused) -> None:
    title = title.format(outside=tmp_path)
    layers = [*honest(TEXT), (MARKDOWN, b"owned", {TITLE: title})]
    layout = crafted(tmp_path / "p.oci", layers, facts_of(TEXT))
    naive.install(layout.folder, tmp_path / "naive")
    assert (tmp_path / "escaped").read_bytes() == b"owned"
    (tmp_path / "escaped").unlink()
    assert "text/markdown names the path" in refused(layout)
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("kind", ["tar", "tar+gzip"])
def test_an_archive_is_not_unpacked(kind: str, tmp_path: Path, refused: Refused) -> None:
    media = f"application/vnd.oci.image.layer.v1.{kind}"
    content = archive(link("door", str(tmp_path)), tarfile.TarInfo("door/escaped"))
    content = gzip.compress(content) if kind.endswith("gzip") else content
    layers = [*honest(TEXT), (media, content, {})]
    layout = crafted(tmp_path / "p.oci", layers, facts_of(TEXT))
    naive.install(layout.folder, tmp_path / "naive")
    assert (tmp_path / "escaped").read_bytes() == b"owned"
    assert f"a layer of the type {media} is not taken, and nothing is unpacked" in refused(layout)


@pytest.mark.slow
def test_a_bomb_does_not_go_off(tmp_path: Path, refused: Refused) -> None:
    bomb = gzip.compress(bytes(BOMB_BYTES))
    assert len(bomb) < BOMB_BYTES // 500
    layers = [*honest(TEXT), ("application/gzip", bomb, {TITLE: "bomb"})]
    layout = crafted(tmp_path / "p.oci", layers, facts_of(TEXT))
    naive.install(layout.folder, tmp_path / "naive")
    assert (tmp_path / "naive" / "bomb").stat().st_size == BOMB_BYTES
    assert "application/gzip is not taken, and nothing is unpacked" in refused(layout)


@pytest.mark.parametrize("place", ["blob", "blobs", "index"])
def test_a_link_in_a_layout_is_not_followed(place: str, tmp_path: Path, refused: Refused) -> None:
    """What it leads to has the right length and digest: whoever made the package guessed it."""
    secret = tmp_path / "id_ed25519"
    secret.write_bytes(b"a key of this machine")
    layers = [*honest(TEXT), (MARKDOWN, secret.read_bytes(), {TITLE: "README.md"})]
    layout = crafted(tmp_path / "p.oci", layers, facts_of(TEXT))
    match place:
        case "blob":
            readme = read_package(layout).artefact.readme
            assert readme is not None
            blob(layout, readme).unlink()
            blob(layout, readme).symlink_to(secret)
        case "blobs":
            (layout.folder / "blobs").rename(tmp_path / "elsewhere")
            (layout.folder / "blobs").symlink_to(tmp_path / "elsewhere")
        case _:
            (layout.folder / "index.json").rename(tmp_path / "other.json")
            (layout.folder / "index.json").symlink_to(tmp_path / "other.json")
    naive.install(layout.folder, tmp_path / "naive")
    assert (tmp_path / "naive" / "README.md").read_bytes() == secret.read_bytes()
    assert "a link, or missing" in refused(layout)


def test_a_device_or_pipe_in_a_layout_is_not_read(tmp_path: Path, refused: Refused) -> None:
    layout, package = packed(tmp_path, TEXT)
    blob(layout, package.artefact.wasm).unlink()
    os.mkfifo(blob(layout, package.artefact.wasm))
    assert "is no regular file" in refused(layout)


@pytest.mark.parametrize("part", ["wasm", "manifest", "config"])
def test_a_changed_blob_is_refused(part: str, tmp_path: Path, refused: Refused) -> None:
    """Of the same length, so that only its digest tells."""
    layout = crafted(tmp_path / "p.oci", honest(TEXT), facts_of(TEXT))
    found: Descriptor = getattr(read_package(layout).artefact, part)
    content = bytearray(blob(layout, found).read_bytes())
    content[-2] ^= 1
    blob(layout, found).write_bytes(content)
    if part != "config":  # which it reads, and this one is no JSON any more
        naive.install(layout.folder, tmp_path / "naive")
        names = {"wasm": "hello.wasm", "manifest": "tool.toml"}
        assert (tmp_path / "naive" / names[part]).read_bytes() == bytes(content)
    assert "it was changed" in refused(layout)


def test_a_changed_manifest_of_the_artefact_is_refused(tmp_path: Path, refused: Refused) -> None:
    layout, package = packed(tmp_path, TEXT)
    listed = layout.entries()[0]
    other = crafted(tmp_path / "q.oci", honest(TEXT, module("evil")), facts_of(TEXT))
    evil = other.read(other.entries()[0])
    for one in other.folder.joinpath("blobs", "sha256").iterdir():
        target = layout.folder / "blobs" / "sha256" / one.name
        target.write_bytes(one.read_bytes())
    blob(layout, listed).write_bytes(evil)
    assert digest_of(evil) != package.digest
    said = refused(layout)
    assert "it was changed" in said or "bytes" in said


def sized(tmp_path: Path, size: int, kind: str = WASM) -> Layout:
    """Make a layout one of whose layers claims to have `size` bytes."""
    layout = Layout.create(tmp_path / "p.oci")
    config = layout.put(canonical(facts_of(TEXT)), CONFIG)
    wasm = layout.put(module(), WASM)
    toml = layout.put(TEXT.encode(), TOML)
    layers = tuple(
        replace(one, size=size) if one.media_type == kind else one for one in (wasm, toml)
    )
    written = layout.put(image_manifest(config, layers, ARTIFACT), IMAGE_MANIFEST)
    layout.write_index((replace(written, artifact_type=ARTIFACT),))
    return layout


@pytest.mark.parametrize(
    ("kind", "size", "said"),
    [
        (WASM, 1 << 40, "has 1,099,511,627,776 bytes, at most 268,435,456"),
        (TOML, 1 << 20, "has 1,048,576 bytes, at most 262,144"),
        (WASM, 10, "has more than its 10 bytes"),
        (WASM, 1 << 20, "bytes instead of 1,048,576"),
    ],
)
def test_a_blob_of_another_size_is_refused(
    kind: str, size: int, said: str, tmp_path: Path, refused: Refused
) -> None:
    assert said in refused(sized(tmp_path, size, kind))


def test_documents_without_end_are_not_read(tmp_path: Path, refused: Refused) -> None:
    layout, _ = packed(tmp_path, TEXT)
    (layout.folder / "index.json").write_bytes(b'{"manifests": [' + b" " * (1 << 20) + b"]}")
    assert "has over 65,536 bytes" in refused(layout)


@pytest.mark.parametrize(
    ("digest", "said"),
    [
        ("sha256:../../../etc/passwd", "is no SHA-256: sha256:../../../etc/passwd"),
        ("sha256:" + "A" * 64, "is no SHA-256"),
        ("md5:" + "0" * 32, "is no SHA-256"),
        ("sha256:" + "0" * 63 + "\n", "is no SHA-256"),
    ],
)
def test_a_digest_is_never_a_path(digest: str, said: str, tmp_path: Path, refused: Refused) -> None:
    layout = Layout.create(tmp_path / "p.oci")
    layout.write_index((Descriptor(IMAGE_MANIFEST, digest, 10),))
    assert said in refused(layout)


def test_a_layer_that_lies_elsewhere_is_not_fetched(tmp_path: Path, refused: Refused) -> None:
    layout = crafted(tmp_path / "p.oci", honest(TEXT), facts_of(TEXT))
    content = layout.read(layout.entries()[0])
    moved = content.replace(b'"size"', b'"urls":["https://evil.example/x"],"size"')
    listed = layout.put(moved, IMAGE_MANIFEST)
    layout.write_index((replace(listed, artifact_type=ARTIFACT),))
    assert "leads to another place (urls)" in refused(layout)


def test_two_packages_or_two_modules_in_one_are_refused(tmp_path: Path, refused: Refused) -> None:
    layers = [*honest(TEXT), (WASM, module("evil"), {})]
    layout = crafted(tmp_path / "p.oci", layers, facts_of(TEXT))
    assert "two layers of the type application/wasm" in refused(layout)
    layout, package = packed(tmp_path, TEXT)
    one = layout.entries()[0]
    layout.write_index((one, replace(one, annotations={})))
    assert "one package is expected" in refused(layout)
    assert package.digest == one.digest
