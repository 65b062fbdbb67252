"""What an honest registry answers, as routes of a scripted server."""

from __future__ import annotations

from tests.servers.replies import Behaviour, reply

from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import Package
from capbox.tools.packages.signatures.signature import SIGNATURE

ROOT = "/v2/alice/hello"


def routes(layout: Layout, package: Package) -> dict[str, Behaviour]:
    """Return what an honest registry answers about one package."""
    found = {
        f"{ROOT}/blobs/{blob.digest}": reply(layout.path(blob).read_bytes())
        for blob in package.artefact.blobs
    }
    listed = layout.entries()
    for name in (str(package.version), package.digest):
        found[f"{ROOT}/manifests/{name}"] = reply(layout.read(listed[0]))
    for signature in listed[1:]:
        assert signature.artifact_type == SIGNATURE
        tag = f"{package.digest.replace(':', '-')}.sig"
        found[f"{ROOT}/manifests/{tag}"] = reply(layout.read(signature))
        assert package.signature is not None
        content = package.signature.to_bytes()
        blob = layout.put(content, SIGNATURE)
        found[f"{ROOT}/blobs/{blob.digest}"] = reply(content)
    return found
