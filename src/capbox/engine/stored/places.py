"""Where the private directories of tools are: below the state, which no grant reaches.

Guarantees: each is of this user alone; names come from digests and parsed grants, never as given.
Does not: bound what they hold; the sandbox does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from capbox.authority.paths import HostPath

_DIGEST_CHARACTERS = 32


def places(root: Path, workspace: HostPath) -> Callable[[str, str], HostPath]:
    """Return what makes and names the directory for a tool's digest and a name, in `workspace`."""
    named = names(root, workspace)

    def place(digest: str, name: str) -> HostPath:
        """Make the directory if it is missing. Raises OSError."""
        path = Path(named(digest, name))
        for folder in (root, path.parent.parent, path.parent, path):
            folder.mkdir(mode=0o700, exist_ok=True)
        return HostPath(os.path.realpath(path))

    return place


def names(root: Path, workspace: HostPath) -> Callable[[str, str], HostPath]:
    """Return what names such a directory, and makes none."""
    owner = _short(os.fsencode(workspace))
    return lambda digest, name: HostPath(str(root / _short(digest.encode()) / owner / name))


def _short(content: bytes) -> str:
    return sha256(content).hexdigest()[:_DIGEST_CHARACTERS]
