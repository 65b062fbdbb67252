"""Where an address leads, as browsers read it."""

from __future__ import annotations

import can_ada


def origin_of(url: str) -> str:
    """Return the origin that the WHATWG's parser finds; empty if it finds none."""
    try:
        return can_ada.parse(url).origin
    except ValueError:
        return ""
