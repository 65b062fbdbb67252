"""What tools keep from call to call: listed with its size, and removed on purpose.

Guarantees: a store that a run has been given is not removed, in whatever process that run is; what
a tool put there decides neither how long measuring takes nor what is removed. Does not: ask.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.engine.scratch import alone, locked, remove_tree
from capbox.engine.stored.places import OWNER
from capbox.gate.protocol import strict_json
from capbox.sandbox.scratch import bytes_left

_ID_CHARACTERS = 8
_BYTES_TOLD = 1 << 50


@dataclass(frozen=True, slots=True)
class Kept:
    """One store: its name and place, and whose it is; "" where that is not known."""

    name: str
    path: Path
    tool: str
    digest: str
    workspace: str

    @property
    def id(self) -> str:
        """Return what tells it from others of its name."""
        parts = "/".join(self.path.parts[-3:])
        return sha256(parts.encode()).hexdigest()[:_ID_CHARACTERS]

    def size(self) -> int | None:
        """Return its bytes on disk; None: there are too many files, or too deep, to say."""
        left = bytes_left(HostPath(str(self.path)), _BYTES_TOLD)
        return _BYTES_TOLD - left if left else None


def kept(root: Path) -> tuple[Kept, ...]:
    """Return every store below `root`, by name, tool and workspace."""
    found = [_kept(path) for path in root.glob("[!.]*/*/[!.]*") if path.is_dir()]
    return tuple(sorted(found, key=lambda one: (one.name, one.tool, one.workspace, one.id)))


def remove(root: Path, one: Kept) -> bool:
    """Remove a store with all that is in it; False: a run has it. Raises OSError."""
    gone = root / f".{secrets.token_hex(8)}"
    with alone(root):
        try:
            lock = locked(one.path, fcntl.LOCK_EX)
        except BlockingIOError:
            return False
        try:
            one.path.rename(gone)
            _tidy(one.path.parent)
        finally:
            os.close(lock)
    for left in root.glob(".*"):  # also what was left by a removal that was killed
        remove_tree(left)
    return True


def _kept(path: Path) -> Kept:
    owner: dict[str, str] = {}
    try:
        found = strict_json((path.parent / OWNER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if isinstance(found, dict):
        owner = {key: value for key, value in found.items() if isinstance(value, str)}
    known = (owner.get(key, "") for key in ("tool", "digest", "workspace"))
    return Kept(path.name, path, *known)


def _tidy(folder: Path) -> None:
    """Remove the folders of a tool and a workspace that have no other store."""
    if [one.name for one in folder.iterdir()] == [OWNER]:
        (folder / OWNER).unlink()
    for empty in (folder, folder.parent):
        if not any(empty.iterdir()):
            empty.rmdir()
