"""A second session that begins like another one.

Guarantees: the first is not touched; no call is left open at the place, so that nothing which
happened there happens again in the fork. Does not: give the fork any authority. It was never
granted any, and two sessions would each draw on what one was given once.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from capbox.engine.sessions.errors import SessionError
from capbox.engine.sessions.pending import open_calls
from capbox.store.names import session_id

if TYPE_CHECKING:
    from capbox.store.sessions import SessionStore, StoredSession


async def fork(store: SessionStore, parent: StoredSession, place: int) -> str:
    """Store a session with the first `place` messages of `parent`, and return its id.

    Raises SessionError where that is not possible, and StoreError.
    """
    said = [one.message for one in await store.messages(parent.id)]
    if not 1 <= place <= len(said):
        raise SessionError(parent.id, f"it has {len(said)} messages; --at is one of 1 to that")
    if open_calls(said[:place]):
        fits = [n for n in range(1, len(said) + 1) if not open_calls(said[:n])]
        near = sorted(sorted(fits, key=lambda n: abs(n - place))[:2])
        reason = f"after message {place} a tool call has no result yet"
        raise SessionError(parent.id, f"{reason}; places near it: {', '.join(map(str, near))}")
    name = session_id(os.urandom(10))
    await store.fork(parent, place, name, at=time.time())
    return name
