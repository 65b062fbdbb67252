"""Text that can be sent and stored: no lone surrogates.

JSON may spell half of a surrogate pair (`"\\ud800"`), and a file name may hold bytes that are not
UTF-8; either makes an encoder fail later, far from where the text came in.
"""

from __future__ import annotations


def encodable(text: str) -> str:
    """Return `text` with every lone surrogate replaced by a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def is_encodable(text: str) -> bool:
    """Say whether `text` can be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
