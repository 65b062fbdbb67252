"""From the folder of a tool to a package: `pack`.

Guarantees: the same folder gives the same digest, on any machine at any time; only tool.toml, the
module that it names and README.md go into it, and no link is followed; no signature is lost.
Does not: sign, or run it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from capbox.journal.blobs import beside
from capbox.tools.folder import MANIFEST, load_folder
from capbox.tools.inspection.inspecting import InspectionError, inspect
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    CONFIG,
    DOCUMENT_BYTES_MAX,
    IMAGE_MANIFEST,
    MARKDOWN,
    README,
    README_BYTES_MAX,
    TOML,
    WASM,
    WASM_BYTES_MAX,
    canonical,
    image_manifest,
)
from capbox.tools.packages.artefact.descriptor import TITLE, VERSION_TAG, Descriptor
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import (
    Package,
    facts,
    put_signature,
    read_package,
)
from capbox.tools.packages.names import PackageName, package_name, sentence_of, version
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.review.requests import check
from capbox.tools.packages.review.untrusted import schema
from capbox.tools.registry import Found, RegistryError
from capbox.tools.sdk.building.sources import outdated
from capbox.tools.sdk.mistakes import mistakes
from capbox.tools.sdk.project import BuildError, manifest_text

_PIECE_BYTES = 1 << 20


def pack(folder: Path, namespace: str, out: Path) -> tuple[Layout, Package]:
    """Make `out`/NAME-VERSION.oci from the folder of a tool; one that is there is replaced.

    A signature that is there stays with the same digest; with another one, the package is refused.
    Raises PackageError and OSError.
    """
    _refuse_mistakes(folder)
    found = load_folder(folder)
    if isinstance(found, RegistryError):
        raise PackageError(found.where, found.message)
    name = package_name(f"{namespace}/{found.manifest.name}")
    target = out / f"{name.tool}-{version(found.manifest.version)}.oci"
    if target.exists() and not Layout.at(target):
        raise PackageError(str(target), "is there, and is no package", "move it away")
    schema(found.manifest, str(name))
    looked = inspect(Path(found.module.path))
    if isinstance(looked, InspectionError):
        raise PackageError(found.manifest.module, f"cannot be read: {sentence_of(looked.message)}")
    check(found.manifest, str(folder / MANIFEST))
    reason, fix = outdated(Path(found.module.path), found.module.digest)
    if reason:
        raise PackageError(str(folder / found.manifest.module), reason, fix)
    part = beside(target)
    try:
        layout = Layout.create(part)
        package = _signed_as(target, layout, _fill(layout, folder, found, name))
        if target.exists():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Layout(target), package


def _refuse_mistakes(folder: Path) -> None:
    """Refuse what its author would be told by a build, which may have been elsewhere."""
    with suppress(BuildError):  # what is no manifest is told with the folder
        if wrong := mistakes(manifest_text(folder)):
            raise PackageError(str(folder / MANIFEST), "\n".join(wrong))


def _signed_as(target: Path, layout: Layout, package: Package) -> Package:
    """Return the package, signed as the same one at `target` is."""
    before = None
    with suppress(PackageError):  # what is damaged there is worth nothing
        before = read_package(Layout(target))
    if before is None or before.signature is None:
        return package
    if before.digest != package.digest:
        fix = f"raise the version in {MANIFEST}, or move it away"
        raise PackageError(str(target), "is signed, and has other content", fix)
    return put_signature(layout, package, before.signature)


def _fill(layout: Layout, folder: Path, found: Found, name: PackageName) -> Package:
    described = canonical(facts(name, found.manifest))
    if len(described) > DOCUMENT_BYTES_MAX:
        reason = f"its description and requests have over {DOCUMENT_BYTES_MAX:,} bytes"
        raise PackageError(str(folder / MANIFEST), reason)
    config = layout.put(described, CONFIG)
    wasm = Path(found.module.path)
    size = wasm.stat().st_size
    if size > WASM_BYTES_MAX:
        raise PackageError(str(wasm), f"has {size:,} bytes, at most {WASM_BYTES_MAX:,}")
    module = Descriptor(WASM, f"sha256:{found.module.digest}", size, {TITLE: wasm.name})
    layout.take(module, _pieces(wasm))
    text = (folder / MANIFEST).read_bytes()
    layers = [module, replace(layout.put(text, TOML), annotations={TITLE: MANIFEST})]
    readme = folder / README
    if readme.is_file() and not readme.is_symlink():
        if readme.stat().st_size > README_BYTES_MAX:
            raise PackageError(str(readme), f"has over {README_BYTES_MAX:,} bytes")
        added = layout.put(readme.read_bytes(), MARKDOWN)
        layers.append(replace(added, annotations={TITLE: README}))
    manifest = layout.put(image_manifest(config, tuple(layers), ARTIFACT), IMAGE_MANIFEST)
    tag = {VERSION_TAG: found.manifest.version}
    layout.write_index((replace(manifest, annotations=tag, artifact_type=ARTIFACT),))
    return read_package(layout)


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
