"""Why a request failed on the network: one exception, raised and caught within the parent.

NetworkError    code is what the guest gets: dns connect tls timeout too_large protocol
                redirects encoding invalid secret denied limit
"""

from __future__ import annotations


class NetworkError(Exception):
    """`code` is stable, the message one sentence for the reader."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
