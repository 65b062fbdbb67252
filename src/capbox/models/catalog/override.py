"""What the operator knows better of one model: `[models."PROVIDER/NAME"]` in config.toml.

Guarantees: what is not given stays as capbox has it. Does not: read files.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from capbox.messages import Usage
from capbox.models.facts import Facts

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Override:
    """Tokens, abilities, and prices in US dollars per million tokens; None: not given.

    A price of input and of output come together; cached tokens cost what input does unless said.
    """

    context_tokens: int | None = None
    output_tokens: int | None = None
    images: bool | None = None
    pdfs: bool | None = None
    thinking: bool | None = None
    input_usd: float | None = None
    output_usd: float | None = None
    cache_read_usd: float | None = None
    cache_write_usd: float | None = None

    def facts(self, facts: Facts) -> Facts:
        """Return `facts` with what is given here in their place."""
        given = {
            name: value
            for name in ("context_tokens", "output_tokens", "images", "pdfs", "thinking")
            if (value := getattr(self, name)) is not None
        }
        return replace(facts, **given)

    def usd(self, usage: Usage) -> float | None:
        """Return what `usage` costs by these prices; None: none are given."""
        if self.input_usd is None or self.output_usd is None:
            return None
        read = self.input_usd if self.cache_read_usd is None else self.cache_read_usd
        write = self.input_usd if self.cache_write_usd is None else self.cache_write_usd
        return (
            usage.input_tokens * self.input_usd
            + usage.output_tokens * self.output_usd
            + usage.cache_read_tokens * read
            + usage.cache_write_tokens * write
        ) / _MILLION


NONE = Override()
