"""Packages in a repository of a registry: fetched into a layout, and pushed from one.

A signature lies beside its package under the tag `sha256-<digest>.sig`, which any registry can
keep, and names it as its `subject`, which newer ones list. Guarantees: every blob that is fetched
is bounded by its descriptor and checked by digest; a version that was published is not replaced.
Does not: decide whether a package is trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from capbox.messages import JsonObject
from capbox.tools.packages.artefact.artefact import (
    ARTIFACT,
    DOCUMENT_BYTES_MAX,
    IMAGE_MANIFEST,
    artefact,
    parsed,
)
from capbox.tools.packages.artefact.descriptor import VERSION_TAG, Descriptor, digest_of
from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import EMPTY, Package, entry, signature_layer
from capbox.tools.packages.names import Version, is_version
from capbox.tools.packages.problem import PackageError, refused
from capbox.tools.packages.remote.client import Client
from capbox.tools.packages.remote.reference import Reference
from capbox.tools.packages.signatures.signature import SIGNATURE

_OK, _CREATED, _ACCEPTED, _NOT_FOUND = 200, 201, 202, 404


class Repository:
    """One repository; `client` is open. Every method raises PackageError."""

    def __init__(self, client: Client, reference: Reference) -> None:
        """Use the repository that `reference` names."""
        self.client = client
        self.reference = reference
        self._path = f"/v2/{reference.repository}"

    def versions(self) -> tuple[Version, ...]:
        """Return the published versions, the newest first."""
        with self.client.ask("GET", f"{self._path}/tags/list?n=1000") as response:
            if response.status_code == _NOT_FOUND:
                return ()
            if response.status_code != _OK:
                raise self.client.failure(response, "it does not list versions")
            tags = self.client.document(response).get("tags")
        found = (
            [Version(str(tag)) for tag in tags or () if is_version(str(tag))]
            if isinstance(tags, list)
            else []
        )
        return tuple(sorted(found, key=lambda one: one.key, reverse=True))

    def resolved(self) -> Reference:
        """Return the reference with a version or digest: the newest version if it has neither."""
        if self.reference.tag or self.reference.digest:
            return self.reference
        versions = [one for one in self.versions() if "-" not in one.text] or self.versions()
        if not versions:
            raise PackageError(str(self.reference), "no version is published there")
        return self.reference.at(str(versions[0]))

    def facts(self) -> JsonObject:
        """Return what a package says of itself, without fetching its module."""
        found = self.resolved()
        content = self._manifest(found.digest or found.tag or "")
        if content is None:
            raise PackageError(str(found), "is not there")
        config = artefact(content, digest_of(content)).config
        blob = b"".join(self._pieces(config))
        if digest_of(blob) != config.digest:
            raise PackageError(str(found), "its config has another digest: it was changed")
        return parsed(blob, "its config")

    def fetch(self, layout: Layout) -> None:
        """Fetch package and signature into an empty layout. Also raises OSError."""
        found = self.resolved()
        content = self._manifest(found.digest or found.tag or "")
        if content is None:
            raise PackageError(str(found), "is not there")
        if found.digest is not None and digest_of(content) != found.digest:
            # Attack: a registry that gives another package than the pinned one.
            raise PackageError(str(found), f"the registry gave {digest_of(content)} instead")
        read = artefact(content, digest_of(content))
        package = replace(layout.put(content, IMAGE_MANIFEST), artifact_type=ARTIFACT)
        for blob in read.blobs:
            layout.take(blob, self._pieces(blob))
        entries = [replace(package, annotations={VERSION_TAG: found.tag} if found.tag else {})]
        signed = self._manifest(_signature_tag(read.digest))
        if signed is not None:
            layer = signature_layer(signed)
            layout.take(layer, self._pieces(layer))
            layout.put(b"{}", EMPTY)
            entries.append(replace(layout.put(signed, IMAGE_MANIFEST), artifact_type=SIGNATURE))
        layout.write_index(entries)

    def push(self, layout: Layout, package: Package) -> None:
        """Publish a package, and its signature if it has one."""
        there = self._manifest(str(package.version))
        if there is not None and digest_of(there) != package.digest:
            raise refused(
                str(self.reference.at(str(package.version))),
                f"is published already, as {digest_of(there)}",
                "a version is published once: give it another one",
            )
        for blob in package.artefact.blobs:
            self._upload(layout, blob)
        self._put(str(package.version), layout.read(entry(package)))
        if package.signature is None:
            return
        listed = next(one for one in layout.entries() if one.artifact_type == SIGNATURE)
        manifest = layout.read(listed)
        self._upload(layout, Descriptor(EMPTY, digest_of(b"{}"), 2))
        self._upload(layout, signature_layer(manifest))
        self._put(_signature_tag(package.digest), manifest)

    def _manifest(self, name: str) -> bytes | None:
        headers = {"Accept": IMAGE_MANIFEST}
        path = f"{self._path}/manifests/{name}"
        with self.client.ask("GET", path, headers=headers) as response:
            if response.status_code == _NOT_FOUND:
                return None
            if response.status_code != _OK:
                raise self.client.failure(response, f"{name} cannot be had")
            return self.client.body(response, DOCUMENT_BYTES_MAX)

    def _pieces(self, blob: Descriptor) -> Iterator[bytes]:
        path = f"{self._path}/blobs/{blob.digest}"
        with self.client.ask("GET", path, size=blob.size) as response:
            if response.status_code != _OK:
                raise self.client.failure(response, f"{blob.digest} cannot be had")
            yield from self.client.pieces(response, blob.size)

    def _upload(self, layout: Layout, blob: Descriptor) -> None:
        with self.client.ask("HEAD", f"{self._path}/blobs/{blob.digest}") as response:
            if response.status_code == _OK:
                return
        with self.client.ask("POST", f"{self._path}/blobs/uploads/") as response:
            if response.status_code != _ACCEPTED:
                raise self.client.failure(response, "it takes no upload")
            location = response.headers.get("location", "")
        join = "&" if "?" in location else "?"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
        with self.client.ask(
            "PUT",
            f"{location}{join}digest={blob.digest}",
            headers=headers,
            content=lambda: layout.pieces(blob),
            size=blob.size,
        ) as response:
            if response.status_code != _CREATED:
                raise self.client.failure(response, f"{blob.digest} was not taken")

    def _put(self, name: str, manifest: bytes) -> None:
        path = f"{self._path}/manifests/{name}"
        headers = {"Content-Type": IMAGE_MANIFEST, "Content-Length": str(len(manifest))}
        with self.client.ask(
            "PUT", path, headers=headers, content=lambda: iter((manifest,))
        ) as response:
            if response.status_code != _CREATED:
                raise self.client.failure(response, f"{name} was not taken")


def catalogue(client: Client) -> tuple[str, ...]:
    """Return the repositories that a registry lists. Raises PackageError."""
    with client.ask("GET", "/v2/_catalog?n=1000") as response:
        if response.status_code != _OK:
            raise client.failure(response, "it does not list its packages")
        listed = client.document(response).get("repositories")
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _signature_tag(digest: str) -> str:
    return f"{digest.replace(':', '-')}.sig"
