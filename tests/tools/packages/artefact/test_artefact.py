"""Whatever a stranger's documents say, they are a package or are refused; nothing else happens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.tools.packages.making import ALICE, manifest, packed

from capbox.messages import Json
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    IMAGE_MANIFEST,
    artefact,
    canonical,
    parsed,
)
from capbox.tools.packages.artefact.descriptor import Descriptor, descriptor, digest_of
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import (
    Package,
    put_signature,
    read_package,
    signature_layer,
)
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.signatures.signature import SIGNATURE, signature

LEAF = some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8)
KEYS = some.sampled_from(
    ["mediaType", "digest", "size", "layers", "config", "annotations", "artifactType", "urls", "x"]
)
ANY = some.recursive(
    LEAF,
    lambda one: some.lists(one, max_size=4) | some.dictionaries(KEYS, one, max_size=5),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layout, Package]:
    """An honest package."""
    return packed(tmp_path_factory.mktemp("good"), manifest())


@given(ANY, some.sampled_from(["config", "layers", "mediaType", "artifactType", "annotations"]))
@settings(max_examples=150)
def test_any_manifest_is_read_or_refused(
    good: tuple[Layout, Package], value: Json, key: str
) -> None:
    layout, package = good
    document = dict(parsed(layout.read(layout.entries()[0]), "it"))
    document[key] = value
    content = json.dumps(document).encode()
    try:
        found = artefact(content, digest_of(content))
    except PackageError:
        return
    assert found.blobs == package.artefact.blobs


@given(ANY)
@settings(max_examples=150)
def test_any_descriptor_is_read_or_refused(value: Json) -> None:
    try:
        found = descriptor(value, "it")
    except PackageError:
        return
    assert found.size >= 0 and "/" not in found.digest


@given(ANY | some.just({"mediaType": "x/y", "digest": f"sha256:{'0' * 64}", "size": 1}))
@settings(max_examples=100)
def test_any_layer_of_a_package_is_known_or_refused(
    good: tuple[Layout, Package], value: Json
) -> None:
    layout, _ = good
    document = dict(parsed(layout.read(layout.entries()[0]), "it"))
    layers = document["layers"]
    assert isinstance(layers, list)
    content = json.dumps({**document, "layers": [*layers, value]}).encode()
    with pytest.raises(PackageError):
        artefact(content, digest_of(content))


@given(some.binary(max_size=60) | some.text(max_size=60).map(str.encode) | ANY.map(canonical))
@settings(max_examples=150)
def test_any_bytes_are_a_document_or_refused(good: tuple[Layout, Package], content: bytes) -> None:
    for read in (
        lambda: parsed(content, "it"),
        lambda: artefact(content, digest_of(content)),
        lambda: signature_layer(content),
        lambda: signature(content, good[1].statement),
    ):
        try:
            read()
        except PackageError as error:
            assert str(error).isprintable(), "an error shows nothing that hides"


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[" * 50_000, "NaN", '{"a": NaN}', "", "[]"])
def test_a_document_that_reads_in_two_ways_or_not_at_all_is_refused(text: str) -> None:
    with pytest.raises(PackageError):
        parsed(text.encode(), "it")


def test_one_spelling_for_one_value() -> None:
    assert canonical({"b": [1, "é"], "a": {}}) == b'{"a":{},"b":[1,"\\u00e9"]}'
    assert canonical({"a": {}, "b": [1, "é"]}) == canonical({"b": [1, "é"], "a": {}})


def test_signing_again_takes_the_place_of_the_signature(good: tuple[Layout, Package]) -> None:
    layout, package = good
    assert len(layout.entries()) == 2
    put_signature(layout, package, ALICE.sign(package.statement))
    assert [one.artifact_type for one in layout.entries()] == [ARTIFACT, SIGNATURE]
    again = read_package(layout)
    assert (again.digest, again.signature) == (package.digest, package.signature)


def test_two_signatures_are_refused(tmp_path: Path) -> None:
    layout, _ = packed(tmp_path, manifest())
    one, two = layout.entries()
    layout.write_index((one, two, replace(two, annotations={"a": "b"})))
    with pytest.raises(PackageError, match="one signature is expected, not several"):
        read_package(layout)


@pytest.mark.parametrize("name", ["oci-layout", "index.json"])
def test_a_layout_of_another_version_or_shape_is_refused(name: str, tmp_path: Path) -> None:
    layout, _ = packed(tmp_path, manifest())
    for text in ("", "{}", "[]", '{"imageLayoutVersion": "2"}', '{"manifests": {}}'):
        (layout.folder / name).write_text(text)
        with pytest.raises(PackageError):
            read_package(layout)


def test_too_many_entries_are_refused(tmp_path: Path) -> None:
    layout, _ = packed(tmp_path, manifest())
    layout.write_index([Descriptor(IMAGE_MANIFEST, f"sha256:{n:064x}", 1) for n in range(17)])
    with pytest.raises(PackageError, match="lists no manifests, or over 16"):
        layout.entries()
