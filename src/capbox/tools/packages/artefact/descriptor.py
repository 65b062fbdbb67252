"""A descriptor of the OCI image specification (1.1): what a blob is, how long, and its digest.

Guarantees: only SHA-256 names a blob, and a descriptor that leads to another place (`urls`) is
refused. Does not: read a blob.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from capbox.messages import Json, JsonObject
from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError

TITLE = "org.opencontainers.image.title"
VERSION_TAG = "org.opencontainers.image.ref.name"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MEDIA_TYPE_CHARACTERS_MAX = 255


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One blob, `size` in bytes. `annotations` are a stranger's words."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    def to_json(self) -> JsonObject:
        """Return it as manifests and indexes have it."""
        found: dict[str, Json] = {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
        }
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        return found


def digest_of(content: bytes) -> str:
    """Return the name of a blob."""
    return f"sha256:{sha256(content).hexdigest()}"


def is_digest(text: str) -> bool:
    """Say whether a text names a blob."""
    return _DIGEST.fullmatch(text) is not None


def descriptor(value: Json, where: str) -> Descriptor:
    """Read one; `where` is for the message. Raises PackageError."""
    if not isinstance(value, Mapping):
        raise PackageError(where, "a descriptor is expected")
    media, digest, size = (value.get(key) for key in ("mediaType", "digest", "size"))
    if not isinstance(media, str) or not 0 < len(media) <= _MEDIA_TYPE_CHARACTERS_MAX:
        raise PackageError(where, "its mediaType is missing")
    # Attack: "sha256:../../etc/passwd" as the name of a blob, which a folder would take for a path.
    if not isinstance(digest, str) or not is_digest(digest):
        raise PackageError(where, f"its digest is no SHA-256: {shown(str(digest))}")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise PackageError(where, "its size is no number of bytes")
    # Attack: what is reviewed here comes from somewhere else there.
    if value.get("urls"):
        raise PackageError(where, "it leads to another place (urls), which is not followed")
    artifact = value.get("artifactType", "")
    return Descriptor(
        media, digest, size, _texts(value.get("annotations"), where), str(artifact or "")
    )


def _texts(value: Json, where: str) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise PackageError(where, "its annotations are no texts")
    return {key: str(text) for key, text in value.items()}
