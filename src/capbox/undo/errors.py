"""What can keep an undo from being made at all.

UndoError     the run has nothing saved, is still going on, or its index is damaged
"""

from __future__ import annotations


class UndoError(Exception):
    """Nothing was changed; `subject` is the run or the file at fault."""

    def __init__(self, subject: str, reason: str) -> None:
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason
