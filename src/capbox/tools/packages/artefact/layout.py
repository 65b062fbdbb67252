"""An OCI image layout in a folder: `oci-layout`, `index.json`, and blobs named by their SHA-256.

Guarantees: what is read is a regular file in the folder (no link is followed, at no step), not
longer than was promised, and has the digest that names it; what is written appears whole. Does not:
say what the content means.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from capbox.journal.blobs import beside
from capbox.messages import Json
from capbox.tools.packages.artefact.artefact import (
    DOCUMENT_BYTES_MAX,
    IMAGE_INDEX,
    canonical,
    parsed,
)
from capbox.tools.packages.artefact.descriptor import Descriptor, descriptor, digest_of
from capbox.tools.packages.problem import PackageError

_MARK = "oci-layout"
_INDEX = "index.json"
_VERSION = "1.0.0"
_ENTRIES_MAX = 16
_PIECE_BYTES = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Layout:
    """The layout in `folder`; every method raises PackageError for what cannot be relied on."""

    def __init__(self, folder: Path) -> None:
        """Use this folder."""
        self.folder = folder

    @staticmethod
    def at(folder: Path) -> bool:
        """Say whether a layout is in `folder`."""
        return (folder / _MARK).is_file()

    @classmethod
    def create(cls, folder: Path) -> Layout:
        """Make an empty layout in a new folder. Raises OSError."""
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / _MARK).write_bytes(canonical({"imageLayoutVersion": _VERSION}))
        made = cls(folder)
        made.write_index(())
        return made

    def entries(self) -> tuple[Descriptor, ...]:
        """Return what the index lists."""
        where = str(self.folder)
        mark = parsed(self._document(_MARK), f"{where}/{_MARK}")
        if mark.get("imageLayoutVersion") != _VERSION:
            raise PackageError(where, f"is no OCI image layout of version {_VERSION}")
        listed = parsed(self._document(_INDEX), f"{where}/{_INDEX}").get("manifests")
        if not isinstance(listed, list) or len(listed) > _ENTRIES_MAX:
            raise PackageError(f"{where}/{_INDEX}", f"lists no manifests, or over {_ENTRIES_MAX}")
        return tuple(descriptor(one, f"{where}/{_INDEX}") for one in listed)

    def write_index(self, entries: Iterable[Descriptor]) -> None:
        """Replace what the index lists. Raises OSError."""
        listed: list[Json] = [one.to_json() for one in entries]
        document: Json = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": listed}
        part = beside(self.folder / _INDEX)
        part.write_bytes(canonical(document))
        part.replace(self.folder / _INDEX)

    def put(self, content: bytes, media_type: str) -> Descriptor:
        """Add a blob. Raises OSError."""
        found = Descriptor(media_type, digest_of(content), len(content))
        self.take(found, iter((content,)))
        return found

    def take(self, blob: Descriptor, pieces: Iterator[bytes]) -> None:
        """Add a blob that comes in pieces, from anywhere: it must be the one that is described.

        Also raises OSError.
        """
        path = self.path(blob)
        part = beside(path)
        read, digest = 0, sha256()
        try:
            with part.open("xb") as file:
                for piece in pieces:
                    read += len(piece)
                    # Before it is written: what has no end must not fill the disk.
                    if read > blob.size:
                        raise PackageError(blob.digest, f"has more than its {blob.size:,} bytes")
                    digest.update(piece)
                    file.write(piece)
            if read != blob.size:
                raise PackageError(blob.digest, f"has {read:,} bytes instead of {blob.size:,}")
            if f"sha256:{digest.hexdigest()}" != blob.digest:
                raise PackageError(blob.digest, "its content has another digest: it was changed")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def path(self, blob: Descriptor) -> Path:
        """Return where a blob lies, if it does."""
        return self.folder / "blobs" / "sha256" / blob.digest.removeprefix("sha256:")

    def read(self, blob: Descriptor, most: int = DOCUMENT_BYTES_MAX) -> bytes:
        """Return a small blob, checked."""
        if blob.size > most:
            raise PackageError(blob.digest, f"has {blob.size:,} bytes, at most {most:,} are read")
        content = b"".join(self.pieces(blob))
        if len(content) != blob.size or digest_of(content) != blob.digest:
            raise PackageError(blob.digest, "its content has another digest: it was changed")
        return content

    def pieces(self, blob: Descriptor) -> Iterator[bytes]:
        """Yield the content of a blob, at most one byte more than it should have; unchecked."""
        with self._opened("blobs", "sha256", blob.digest.removeprefix("sha256:")) as file:
            left = blob.size + 1
            while left and (piece := file.read(min(_PIECE_BYTES, left))):
                left -= len(piece)
                yield piece

    def _document(self, name: str) -> bytes:
        with self._opened(name) as file:
            content = file.read(DOCUMENT_BYTES_MAX + 1)
        if len(content) > DOCUMENT_BYTES_MAX:
            raise PackageError(f"{self.folder}/{name}", f"has over {DOCUMENT_BYTES_MAX:,} bytes")
        return content

    def _opened(self, *steps: str) -> BinaryIO:
        """Open a file below the folder, following no link.

        Attack: `blobs/sha256/<digest>`, or a folder above it, as a link to a file of this machine.
        """
        where = "/".join((str(self.folder), *steps))
        folders: list[int] = []
        try:
            folders.append(os.open(self.folder, _FOLDER & ~os.O_NOFOLLOW))
            for step in steps[:-1]:
                folders.append(os.open(step, _FOLDER, dir_fd=folders[-1]))
            opened = os.open(steps[-1], _FILE, dir_fd=folders[-1])
        except OSError as error:
            why = "a link, or missing" if os.path.lexists(where) else "missing"
            raise PackageError(where, f"cannot be read ({error.strerror}): it is {why}") from error
        finally:
            for folder in folders:
                with suppress(OSError):
                    os.close(folder)
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise PackageError(where, "is no regular file")
        return os.fdopen(opened, "rb")
