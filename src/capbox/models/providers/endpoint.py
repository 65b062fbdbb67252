"""Where a model is served, and the key for it: a value without effects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Provider = Literal["anthropic", "openai"]
PROVIDERS: Final[tuple[Provider, ...]] = get_args(Provider)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model of one provider, or of a server that speaks as that provider does.

    `base_url` None is the provider's own address. `stall_seconds` is the silence on the wire after
    which a reply is given up; most providers send pings while they think.
    """

    provider: Provider
    model: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    stall_seconds: float = 45.0

    @property
    def name(self) -> str:
        """Return `PROVIDER/NAME`."""
        return f"{self.provider}/{self.model}"
