"""Which images and PDFs of a conversation go to a model, and what is said of the others.

Guarantees: what a model does not take, or what is too large, becomes a sentence in its place, so
that neither model nor person takes it for seen; of too many, the newest go. Does not: look inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Final

from capbox.messages import Attachment, Message, ToolMessage, UserMessage
from capbox.models.facts import Facts

IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
PDF: Final = "application/pdf"
# The least of what the providers take: 5 MB an image, and 20 MB a request with all that is in it.
IMAGE_BYTES_MAX: Final = 5_000_000
BYTES_MAX: Final = 14_000_000  # a third more as base64

Shown = Mapping[int, str | None]
"""By the id() of each attachment of one conversation: what stands for it; None: itself."""


def fitting(messages: tuple[Message, ...], facts: Facts) -> Shown:
    """Return what goes and what does not; the messages must live as long as the answer."""
    shown: dict[int, str | None] = {}
    bytes_left = BYTES_MAX
    newest_first = chain.from_iterable(
        reversed(message.attachments)
        for message in reversed(messages)
        if isinstance(message, UserMessage | ToolMessage)
    )
    for attachment in newest_first:
        why = _refused(attachment, facts)
        if why is None and len(attachment.content) > bytes_left:
            why = "there are too many bytes of them"
        if why is None:
            bytes_left -= len(attachment.content)
        shown[id(attachment)] = None if why is None else _instead(attachment, why)
    return shown


def _refused(attachment: Attachment, facts: Facts) -> str | None:
    if attachment.media_type in IMAGES:
        if not facts.images:
            return "this model takes no images"
        return "it is too large" if len(attachment.content) > IMAGE_BYTES_MAX else None
    if attachment.media_type == PDF:
        return None if facts.pdfs else "this model takes no PDFs"
    return "only images (PNG, JPEG, GIF, WebP) and PDFs can be shown"


def _instead(attachment: Attachment, why: str) -> str:
    named = attachment.media_type if attachment.media_type in (*IMAGES, PDF) else "file"
    return f"[{named}, {len(attachment.content):,} bytes, was left out: {why}]"
