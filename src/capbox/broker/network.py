"""What one process uses of the network: its resolver, its authorities for TLS, its secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ssl import SSLContext

    from capbox.authority.limits import Limits
    from capbox.authority.web.addresses import Address
    from capbox.authority.web.places import Origin
    from capbox.broker.asked import Asked
    from capbox.broker.dial import Resolver
    from capbox.broker.exchange import Exchange


PATIENCE = 2 / 3
"""How much of a call's time its server may be silent."""


def _no_secret(name: str) -> str | None:
    return None


@dataclass(slots=True, eq=False)
class Network:
    """`resolve` None is the system's resolver; `authorities` are PEM files beside the system's.

    `secret` gives the value of a secret by name, None if it is not set. What is slow to load is
    loaded at the first request.
    """

    resolve: Resolver | None = None
    authorities: tuple[Path, ...] = ()
    secret: Callable[[str], str | None] = _no_secret
    _tls: SSLContext | None = field(default=None, init=False)

    async def addresses(self, origin: Origin) -> tuple[Address, ...]:
        """Return every address of the origin's host. Raises NetworkError."""
        from capbox.broker.dial import addresses_of, system_addresses

        return await addresses_of(origin, self.resolve or system_addresses)

    async def connect(
        self, origin: Origin, addresses: tuple[Address, ...], limits: Limits, asked: Asked
    ) -> tuple[Exchange, Address]:
        """Dial one of the checked addresses, for the exchange of `asked`. Raises NetworkError."""
        from capbox.broker.dial import CONNECT_SECONDS_MAX, dial, tls_context
        from capbox.broker.exchange import Exchange

        if origin.scheme == "https" and self._tls is None:
            self._tls = tls_context(self.authorities)
        tls = self._tls if origin.scheme == "https" else None
        # Less than the call has, so that its guest can still say what it waited for.
        patience = min(limits.wall_seconds * PATIENCE, asked.seconds)
        seconds = min(CONNECT_SECONDS_MAX, patience, asked.connect_seconds)
        connection, address = await dial(origin, addresses, tls, seconds)
        return Exchange(connection, limits.body_bytes, patience), address
