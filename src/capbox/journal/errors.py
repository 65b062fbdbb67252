"""The errors of the journal.

JournalError: the record could not be written, read or trusted, so the effect must not happen.
DiskError: for the time being, because the disk is full or fails; that says nothing of the record.
"""

from __future__ import annotations


class JournalError(Exception):
    """`subject` is the file or run concerned, `reason` a sentence for the operator."""

    def __init__(self, subject: str, reason: str) -> None:
        """Keep both parts as fields, so that callers need not parse the text."""
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason


class DiskError(JournalError):
    """The disk has no room, or does not answer as it should."""
