"""What sessions are called: opaque ids, and titles of one line. Loads no database library.

Guarantees: an id is never a path, whatever is typed. Does not: look anything up.
"""

from __future__ import annotations

import re
from base64 import b32encode

TITLE_CHARACTERS_MAX = 80
_ID = re.compile(r"[a-z2-7]{16}")


def session_id(entropy: bytes) -> str:
    """Return an opaque id from ten random bytes."""
    return b32encode(entropy).decode().lower()


def is_session_id(name: str) -> bool:
    """Say whether `name` may name a session; a path such as `../x` never does."""
    return _ID.fullmatch(name) is not None


def title_of(task: str) -> str:
    """Return the title of a session that begins with `task`: one line, not too long."""
    line = " ".join(storable(task).split())
    short = line[: TITLE_CHARACTERS_MAX - 3] + "..."
    return (line if len(line) <= TITLE_CHARACTERS_MAX else short) or "(no title)"


def storable(text: str) -> str:
    """Return text as SQLite takes it: half of a surrogate pair is spelt out, not lost."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
