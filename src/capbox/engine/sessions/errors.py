"""The one error of this package.

SessionError    a session cannot be used as was asked; nothing was changed
"""

from __future__ import annotations


class SessionError(Exception):
    """Why `session` (an id, or what was typed) cannot be used."""

    def __init__(self, session: str, reason: str, *, held: bool = False) -> None:
        """Keep the subject and the reason; `held`: another process works in it."""
        super().__init__(f"session {session}: {reason}")
        self.session = session
        self.reason = reason
        self.held = held
