"""Where the private directories of tools are: below the state, which no grant reaches.

Guarantees: each is of this user alone; names come from digests and parsed grants, never as given;
whose it is lies beside it, where no tool writes; one that a run has been given is locked until that
run ends. Does not: bound what they hold; the sandbox does. List or remove them (see `kept`).
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.engine.scratch import alone, locked

OWNER = ".of"  # no name of a store begins with a dot
_DIGEST_CHARACTERS = 32


class Places:
    """The stores of one run, in `workspace`; `tools` are names and digests of what it may call."""

    def __init__(
        self, root: Path, workspace: HostPath, tools: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._root, self._workspace = root, workspace
        self._tools = {digest: name for name, digest in tools}
        self._named = names(root, workspace)
        self._locks: dict[Path, int] = {}

    def place(self, digest: str, name: str) -> HostPath:
        """Return the directory for a tool's digest and a name, made if missing. Raises OSError."""
        path = Path(self._named(digest, name))
        if path not in self._locks:
            self._root.mkdir(mode=0o700, exist_ok=True)
            with alone(self._root):
                # Between the two somebody could remove it as one that is not in use.
                for folder in (path.parent.parent, path.parent, path):
                    folder.mkdir(mode=0o700, exist_ok=True)
                self._locks[path] = locked(path, fcntl.LOCK_SH)
                self._note(path.parent / OWNER, digest)
        return HostPath(os.path.realpath(path))

    def _note(self, file: Path, digest: str) -> None:
        owner = {
            "tool": self._tools.get(digest, ""),
            "digest": digest,
            "workspace": os.fsencode(self._workspace).decode(errors="replace"),
        }
        with suppress(FileExistsError), file.open("x", encoding="utf-8") as record:
            json.dump(owner, record)

    def close(self) -> None:
        """Let go of them: the run has ended."""
        while self._locks:
            os.close(self._locks.popitem()[1])


def names(root: Path, workspace: HostPath) -> Callable[[str, str], HostPath]:
    """Return what names such a directory, and makes none."""
    owner = _short(os.fsencode(workspace))
    return lambda digest, name: HostPath(str(root / _short(digest.encode()) / owner / name))


def _short(content: bytes) -> str:
    return sha256(content).hexdigest()[:_DIGEST_CHARACTERS]
