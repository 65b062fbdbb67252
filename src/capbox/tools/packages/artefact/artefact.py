"""The OCI artefact that a package is: one manifest, and the blobs that it names.

    config  application/vnd.capbox.tool.config.v1+json   the facts, as the tool's manifest has them
    layers  application/wasm                             the module
            application/vnd.capbox.tool.manifest.v1+toml tool.toml
            text/markdown                                README.md, if there is one

Guarantees: no layer is an archive, none is compressed, and no layer says where it goes: each is one
file, whose name its media type decides. What has another layer, or two of one kind, is refused by
name. Does not: read blobs, or trust what the facts say (see `review`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from capbox.gate.protocol import strict_json
from capbox.messages import Json, JsonObject
from capbox.tools.folder import MANIFEST, MANIFEST_BYTES_MAX
from capbox.tools.packages.artefact.descriptor import TITLE, Descriptor, descriptor
from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError

IMAGE_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
IMAGE_INDEX: Final = "application/vnd.oci.image.index.v1+json"
ARTIFACT: Final = "application/vnd.capbox.tool.v1"
CONFIG: Final = "application/vnd.capbox.tool.config.v1+json"
WASM: Final = "application/wasm"
TOML: Final = "application/vnd.capbox.tool.manifest.v1+toml"
MARKDOWN: Final = "text/markdown"
README: Final = "README.md"

DOCUMENT_BYTES_MAX = 64 << 10
"""Of a manifest, an index, the facts, a signature."""
WASM_BYTES_MAX = 256 << 20
README_BYTES_MAX = 256 << 10
_BYTES_MAX: Mapping[str, int] = {
    WASM: WASM_BYTES_MAX,
    TOML: MANIFEST_BYTES_MAX,
    MARKDOWN: README_BYTES_MAX,
}
_PACKED = ("tar", "gzip", "zstd", "zip")


@dataclass(frozen=True, slots=True)
class Artefact:
    """A package's manifest as it is read: `digest` is that of its bytes, and names the package."""

    digest: str
    size: int
    config: Descriptor
    wasm: Descriptor
    manifest: Descriptor
    readme: Descriptor | None

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Return every blob, the small ones first."""
        readme = () if self.readme is None else (self.readme,)
        return (self.config, self.manifest, *readme, self.wasm)

    @property
    def bytes(self) -> int:
        """Return how many bytes all of it has."""
        return self.size + sum(blob.size for blob in self.blobs)


def image_manifest(
    config: Descriptor, layers: tuple[Descriptor, ...], kind: str, subject: Descriptor | None = None
) -> bytes:
    """Return the bytes of an image manifest: the same ones for the same values."""
    document: dict[str, Json] = {
        "schemaVersion": 2,
        "mediaType": IMAGE_MANIFEST,
        "artifactType": kind,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if subject is not None:
        document["subject"] = subject.to_json()
    return canonical(document)


def canonical(document: Json) -> bytes:
    """Return JSON in one spelling: sorted keys, ASCII, no blanks."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), default=dict).encode()


def parsed(content: bytes, where: str) -> JsonObject:
    """Return a JSON object of which no two readers make two things. Raises PackageError."""
    try:
        document = strict_json(content.decode())
    except (ValueError, RecursionError) as error:
        raise PackageError(where, f"is not JSON ({error})") from error
    if not isinstance(document, Mapping):
        raise PackageError(where, "a JSON object is expected")
    return document


def layers_of(document: JsonObject, kind: str, where: str) -> tuple[Descriptor, list[Descriptor]]:
    """Return config and layers of an image manifest of `kind`. Raises PackageError."""
    found = document.get("artifactType")
    if document.get("schemaVersion") != 2 or document.get("mediaType") != IMAGE_MANIFEST:
        raise PackageError(where, "is no OCI image manifest")
    if found != kind:
        raise PackageError(where, f"is of the type {shown(str(found))}; {kind} is expected")
    layers = document.get("layers")
    if not isinstance(layers, list):
        raise PackageError(where, "its layers are missing")
    config = descriptor(document.get("config"), f"{where}, its config")
    return config, [descriptor(one, f"{where}, layer {n}") for n, one in enumerate(layers, 1)]


def artefact(content: bytes, digest: str) -> Artefact:
    """Read a package's manifest. Raises PackageError, naming the part at fault."""
    where = f"the package {digest}"
    config, layers = layers_of(parsed(content, where), ARTIFACT, where)
    if config.media_type != CONFIG or config.size > DOCUMENT_BYTES_MAX:
        raise PackageError(where, f"its config is not {CONFIG} of at most {DOCUMENT_BYTES_MAX:,} B")
    found: dict[str, Descriptor] = {}
    for layer in layers:
        _check(layer, where)
        if layer.media_type in found:
            raise PackageError(where, f"it has two layers of the type {layer.media_type}")
        found[layer.media_type] = layer
    for kind in (WASM, TOML):
        if kind not in found:
            raise PackageError(where, f"it has no layer of the type {kind}")
    return Artefact(digest, len(content), config, found[WASM], found[TOML], found.get(MARKDOWN))


def _check(layer: Descriptor, where: str) -> None:
    """Refuse a layer that is no file of a package."""
    kind = layer.media_type
    if kind not in _BYTES_MAX:
        # Attack: an archive, whose members are paths and links, and whose size is what it unpacks.
        why = ", and nothing is unpacked" * any(word in kind for word in _PACKED)
        raise PackageError(where, f"a layer of the type {shown(kind)} is not taken{why}")
    most = _BYTES_MAX[kind]
    if layer.size > most:
        raise PackageError(where, f"its layer {kind} has {layer.size:,} bytes, at most {most:,}")
    title = layer.annotations.get(TITLE)
    # Attack: other clients write a layer to the path of its title. Here no name comes from there.
    if title is not None and not _fits(title, kind):
        raise PackageError(where, f"its layer {kind} names the path {shown(title)}")


def _fits(title: str, kind: str) -> bool:
    if kind == WASM:
        return title.endswith(".wasm") and "/" not in title and "\\" not in title
    return title == {TOML: MANIFEST, MARKDOWN: README}[kind]
