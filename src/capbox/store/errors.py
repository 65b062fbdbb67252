"""The one error of this package.

    StoreError      the database cannot be used, or holds no such run; nothing was changed

The file is always kept: a database that cannot be read is a person's history, not a cache.
"""

from __future__ import annotations


class StoreError(Exception):
    """Why the store at `place` did not do what it was asked."""

    def __init__(self, place: str, reason: str) -> None:
        """Keep the subject (a file) and the reason."""
        super().__init__(f"run store {place}: {reason}")
        self.place = place
        self.reason = reason
