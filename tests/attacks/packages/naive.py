"""An installer as one writes it in an afternoon: it does what a package says.

It takes a layer's title for a path, unpacks archives, follows links, believes the facts, and checks
neither digest nor signature nor version.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

from capbox.tools.packages.artefact.descriptor import TITLE

Document = dict[str, object]


def install(layout: Path, folder: Path) -> dict[str, object]:
    """Install what lies in `layout` to `folder`; return what the package says of itself."""
    folder.mkdir(parents=True, exist_ok=True)
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]))
    for layer in manifest["layers"]:
        content = _blob(layout, layer["digest"])
        kind = layer["mediaType"]
        if "tar" in kind:
            if kind.endswith("gzip"):
                content = gzip.decompress(content)
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                archive.extractall(folder, filter="fully_trusted")
            continue
        if kind.endswith("gzip"):
            content = gzip.decompress(content)
        (folder / layer.get("annotations", {}).get(TITLE, "layer")).write_bytes(content)
    said: Document = json.loads(_blob(layout, manifest["config"]["digest"]))
    return said


def _blob(layout: Path, digest: str) -> bytes:
    return (layout / "blobs" / "sha256" / digest.removeprefix("sha256:")).read_bytes()
