"""Where a model is served, and the key for it: a value without effects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from capbox.models.catalog.known import known_facts, window_of
from capbox.models.catalog.override import NONE, Override
from capbox.models.catalog.provider import Provider
from capbox.models.facts import Facts


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model of one provider, or of a server that speaks as that provider does.

    `base_url` is instead of the provider's own address. `stall_seconds` is the silence on the wire
    after which a reply is given up (None: as the provider has it); most providers send pings while
    they think. `override` is what the operator knows better of the model.
    """

    provider: Provider
    model: str
    base_url: str | None
    api_key: str | None = field(repr=False)
    stall_seconds: float | None = None
    override: Override = NONE

    @property
    def name(self) -> str:
        """Return `PROVIDER/NAME`."""
        return f"{self.provider.name}/{self.model}"

    @property
    def address(self) -> str:
        """Return the base URL that requests go to, without a slash at its end."""
        return (self.base_url or self.provider.base_url or "").rstrip("/")

    @property
    def silence_seconds(self) -> float:
        """Return the silence after which a reply is given up."""
        given = self.stall_seconds
        return self.provider.stall_seconds if given is None else given

    @property
    def abilities(self) -> Facts:
        """Return what is known of the model without loading the tables of prices.

        How much it takes is the server's choice where somebody serves it on their own.
        """
        facts = known_facts(self.model)
        if self.base_url is not None or not self.provider.needs_key:
            facts = replace(facts, context_tokens=None, output_tokens=None)
        return self.override.facts(facts)

    @property
    def facts(self) -> Facts:
        """Return all that is known of the model; the first time may load the tables of prices."""
        facts = self.abilities
        if facts.context_tokens is None and self.base_url is None:
            window = window_of(self.provider, self.model)
            facts = Override(context_tokens=window).facts(facts)
        return facts
