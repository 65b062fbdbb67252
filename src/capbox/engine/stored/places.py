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
    owner = sha256(os.fsencode(workspace)).hexdigest()[:_DIGEST_CHARACTERS]

    def place(digest: str, name: str) -> HostPath:
        """Make the directory if it is missing. Raises OSError."""
        path = root / sha256(digest.encode()).hexdigest()[:_DIGEST_CHARACTERS] / owner / name
        for folder in (root, path.parent.parent, path.parent, path):
            folder.mkdir(mode=0o700, exist_ok=True)
        return HostPath(os.path.realpath(path))

    return place
