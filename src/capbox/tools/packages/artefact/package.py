"""A whole package in a layout: its facts, its manifest, and the signature beside it.

Guarantees: what the facts say is what the tool's manifest says, or the package is refused; the
module itself is checked by digest whenever it is copied. Does not: decide whether it is trusted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from capbox.gate.manifest import Manifest, ManifestError, parse_manifest
from capbox.messages import Json, JsonObject
from capbox.tools.folder import MANIFEST, MANIFEST_BYTES_MAX
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    DOCUMENT_BYTES_MAX,
    IMAGE_MANIFEST,
    Artefact,
    artefact,
    image_manifest,
    layers_of,
    parsed,
)
from capbox.tools.packages.artefact.descriptor import VERSION_TAG, Descriptor, digest_of
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.names import PackageName, Version, package_name, shown, version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.requests import check, texts
from capbox.tools.packages.signatures.signature import (
    SIGNATURE,
    Signature,
    Statement,
    signature,
)

EMPTY = "application/vnd.oci.empty.v1+json"


@dataclass(frozen=True, slots=True)
class Package:
    """One package, read and consistent. `text` is its tool.toml."""

    name: PackageName
    version: Version
    artefact: Artefact
    manifest: Manifest
    text: str
    signature: Signature | None

    @property
    def digest(self) -> str:
        """Return what names it."""
        return self.artefact.digest

    @property
    def key(self) -> str:
        """Return the fingerprint of the key that signed it, nothing if none did."""
        return "" if self.signature is None else self.signature.fingerprint

    @property
    def statement(self) -> Statement:
        """Return what a signature is over."""
        return Statement(self.name, self.version, self.digest)


def facts(name: PackageName, manifest: Manifest) -> JsonObject:
    """Return the facts of a package, for whoever looks for one without its module."""
    return {
        "name": str(name),
        "version": manifest.version,
        "description": manifest.description,
        "license": manifest.license,
        "access": manifest.access,
        "requests": {
            "required": texts(manifest.required),
            "optional": texts(manifest.optional),
        },
    }


def read_package(layout: Layout) -> Package:
    """Read the one package of a layout. Raises PackageError, naming the part at fault."""
    entries = layout.entries()
    found = [one for one in entries if one.artifact_type != SIGNATURE]
    if len(found) != 1 or found[0].media_type != IMAGE_MANIFEST:
        raise PackageError(str(layout.folder), "one package is expected in a layout")
    read = artefact(layout.read(found[0]), found[0].digest)
    text = _text(layout.read(read.manifest, MANIFEST_BYTES_MAX))
    manifest = parse_manifest(text, MANIFEST)
    if isinstance(manifest, ManifestError):
        raise PackageError(manifest.where, shown(manifest.message))
    name = named(parsed(layout.read(read.config), "its config"), manifest)
    check(manifest, str(name))
    statement = Statement(name, version(manifest.version), read.digest)
    signatures = [one for one in entries if one.artifact_type == SIGNATURE]
    if len(signatures) > 1:
        raise PackageError(str(layout.folder), "one signature is expected, not several")
    signed = _signature(layout, signatures[0], statement) if signatures else None
    return Package(name, statement.version, read, manifest, text, signed)


def named(said: JsonObject, manifest: Manifest) -> PackageName:
    """Return the name of a package whose facts are those of its manifest. Raises PackageError.

    Attack: facts that request nothing, in front of a manifest that requests much.
    """
    name = package_name(str(said.get("name")))
    if name.tool != manifest.name:
        raise PackageError(str(name), f"its tool is named {manifest.name}, not {name.tool}")
    true = facts(name, manifest)
    wrong = sorted(key for key in {*said, *true} if said.get(key) != true.get(key))
    if wrong:
        reason = f"its config and its {MANIFEST} do not agree on {shown(', '.join(wrong))}"
        raise PackageError(str(name), reason)
    return name


def entry(package: Package) -> Descriptor:
    """Return how an index lists a package."""
    read = package.artefact
    tag = {VERSION_TAG: str(package.version)}
    return Descriptor(IMAGE_MANIFEST, read.digest, read.size, tag, ARTIFACT)


def put_signature(layout: Layout, package: Package, signed: Signature) -> Package:
    """Put a signature beside a package, in place of an older one. Raises OSError."""
    config = layout.put(b"{}", EMPTY)
    layer = layout.put(signed.to_bytes(), SIGNATURE)
    subject = replace(entry(package), annotations={}, artifact_type="")
    manifest = layout.put(image_manifest(config, (layer,), SIGNATURE, subject), IMAGE_MANIFEST)
    layout.write_index((entry(package), replace(manifest, artifact_type=SIGNATURE)))
    return replace(package, signature=signed)


def _signature(layout: Layout, listed: Descriptor, statement: Statement) -> Signature:
    return signature(layout.read(signature_layer(layout.read(listed))), statement)


def signature_layer(manifest: bytes) -> Descriptor:
    """Return the layer that holds a signature, of its image manifest. Raises PackageError."""
    where = f"the signature {digest_of(manifest)}"
    config, layers = layers_of(parsed(manifest, where), SIGNATURE, where)
    if config.media_type != EMPTY or config.size > DOCUMENT_BYTES_MAX:
        raise PackageError(where, "its config is not empty")
    if len(layers) != 1 or layers[0].media_type != SIGNATURE:
        raise PackageError(where, "one layer is expected")
    if layers[0].size > DOCUMENT_BYTES_MAX:
        raise PackageError(where, f"has over {DOCUMENT_BYTES_MAX:,} bytes")
    return layers[0]


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise PackageError(MANIFEST, "is not UTF-8") from error


def as_json(package: Package) -> dict[str, Json]:
    """Return what commands print of a package."""
    return {
        "name": str(package.name),
        "version": str(package.version),
        "digest": package.digest,
        "bytes": package.artefact.bytes,
        "key": package.key or None,
    }
