"""The one error of the journal.

JournalError: the record could not be written, read or trusted, so the effect must not happen.
"""

from __future__ import annotations


class JournalError(Exception):
    """`subject` is the file or run concerned, `reason` a sentence for the operator."""

    def __init__(self, subject: str, reason: str) -> None:
        """Keep both parts as fields, so that callers need not parse the text."""
        super().__init__(f"{subject}: {reason}")
        self.subject = subject
        self.reason = reason
