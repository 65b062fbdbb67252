"""Which session a person means: by the beginning of its id, or the workspace's newest.

Guarantees: what is typed is only ever compared with ids; it never becomes a path. Does not: hold
or read what was said.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from capbox.engine.sessions.errors import SessionError
from capbox.store.names import is_session_id

if TYPE_CHECKING:
    from capbox.store.sessions import SessionStore, StoredSession

_SHOWN_MAX = 40
_TYPED = re.compile(r"[a-z2-7]{1,16}")


async def chosen(store: SessionStore, typed: str | None, workspace: Path) -> StoredSession:
    """Return the session that `typed` begins; None: the newest of `workspace`.

    Raises SessionError, and StoreError.
    """
    if typed is None:
        place = _real(workspace)
        newest = await store.newest(1, workspace=place)
        if not newest:
            raise SessionError("", f"there is none in {place}; see: capbox sessions list")
        return newest[0]
    shown = typed[:_SHOWN_MAX]
    if _TYPED.fullmatch(typed) is None:
        reason = "that is no id: it has 16 of the letters a to z and the digits 2 to 7"
        raise SessionError(repr(shown), f"{reason}; see: capbox sessions list")
    found = await store.beginning(typed)
    if not found:
        raise SessionError(shown, "there is none of this id; see: capbox sessions list")
    if len(found) > 1:
        names = ", ".join(one.id for one in found[:3])
        raise SessionError(shown, f"{len(found)} ids begin like that: {names}; type more of it")
    if not is_session_id(found[0].id):
        # Attack: somebody's edit of the store makes an id a path, and a lock is made there.
        raise SessionError(repr(found[0].id[:_SHOWN_MAX]), "the store was changed: that is no id")
    return found[0]


def _real(workspace: Path) -> str:
    return os.path.realpath(workspace)
