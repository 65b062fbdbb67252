"""What a manifest requests, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capbox.gate.manifest import Request


def grants_of(requests: Iterable[Request]) -> list[str]:
    """Return the requests as grants are written; `*` is all that the run holds."""
    return [
        f"{r.kind}:{r.path or r.name or '*'}" if r.web is None else str(r.web) for r in requests
    ]
