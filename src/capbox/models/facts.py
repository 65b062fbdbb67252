"""What is known of a model beside its price: how much it takes, and of what kind.

Guarantees: what nobody knows is None or False, never a guess. Does not: ask a provider.
"""

from __future__ import annotations

from dataclasses import dataclass

from capbox.models.model import Model


@dataclass(frozen=True, slots=True)
class Facts:
    """`context_tokens` a request and its reply may have together, `output_tokens` a reply alone."""

    context_tokens: int | None = None
    output_tokens: int | None = None
    images: bool = False
    pdfs: bool = False
    thinking: bool = False


UNKNOWN = Facts()


def facts_of(model: Model) -> Facts:
    """Return what `model` says of itself in its attribute `facts`; without one nothing is known."""
    found = getattr(model, "facts", UNKNOWN)
    return found if isinstance(found, Facts) else UNKNOWN
