"""A model behind a provider's API, reached through pydantic-ai's direct API and nothing above it.

Guarantees: importing and opening costs nothing (the provider libraries load at the first request,
on a thread, so that Ctrl-C keeps working); every failure is a `ModelError`.
Does not: retry, or read the environment.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from anyio import to_thread

from capbox.messages import Usage
from capbox.models.facts import Facts
from capbox.models.model import ModelEvent, ModelRequest
from capbox.models.pricing import price_usd
from capbox.models.providers.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class DirectModel:
    """The model at one endpoint."""

    endpoint: Endpoint

    @property
    def name(self) -> str:
        """Return `PROVIDER/NAME`."""
        return self.endpoint.name

    @property
    def facts(self) -> Facts:
        """Return what the model takes; the first time may take a third of a second."""
        return self.endpoint.facts

    def most_usd(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return what so many tokens cost at most; None when no price is known.

        The first time loads the tables of prices: call it on a thread.
        """
        # Whether input is read, written to a cache or neither, the provider decides.
        usages = (
            Usage(input_tokens, output_tokens),
            Usage(cache_write_tokens=input_tokens, output_tokens=output_tokens),
        )
        prices = [price_usd(usage, self.endpoint, at=datetime.now(UTC)) for usage in usages]
        return max((price for price in prices if price is not None), default=None)

    async def stream(self, request: ModelRequest) -> AsyncIterator[ModelEvent]:
        """Yield the reply as it comes.

        Raises:
            ModelError: there is no whole reply.
        """
        await to_thread.run_sync(
            importlib.import_module, "capbox.models.providers.exchange", abandon_on_cancel=True
        )
        from capbox.models.providers.exchange import exchange

        async with aclosing(exchange(self.endpoint, request)) as events:
            async for event in events:
                yield event
