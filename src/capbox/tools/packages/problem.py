"""Why a package could not be made, fetched, trusted or installed.

`kind` says whose turn it is: `bad` is the package's fault, `refused` a rule or a person's no,
`unreachable` a registry that does not answer, `usage` what was typed.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal["bad", "refused", "unreachable", "usage"]


class PackageError(Exception):
    """`subject` is the package, file or place concerned; `reason` and `fix` are for people."""

    def __init__(self, subject: str, reason: str, fix: str = "", *, kind: Kind = "bad") -> None:
        """Keep the parts as fields."""
        super().__init__(": ".join(part for part in (subject, reason, fix) if part))
        self.subject = subject
        self.reason = reason
        self.fix = fix
        self.kind = kind


def refused(subject: str, reason: str, fix: str = "") -> PackageError:
    """Return the error of what a rule forbids."""
    return PackageError(subject, reason, fix, kind="refused")
