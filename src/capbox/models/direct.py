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

from anyio import to_thread

from capbox.models.model import ModelEvent, ModelRequest
from capbox.models.providers.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class DirectModel:
    """The model at one endpoint."""

    endpoint: Endpoint

    @property
    def name(self) -> str:
        """Return `PROVIDER/NAME`."""
        return self.endpoint.name

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
