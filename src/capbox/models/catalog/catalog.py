"""The catalog: every provider by name, and what the operator says of single models.

Guarantees: a value without effects; an unknown name is None. Does not: hold keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capbox.models.catalog.override import NONE, Override
from capbox.models.catalog.provider import Provider
from capbox.models.catalog.table import PROVIDERS


@dataclass(frozen=True, slots=True)
class Catalog:
    """`providers` by name; `overrides` by `PROVIDER/NAME`."""

    providers: Mapping[str, Provider] = field(default_factory=lambda: PROVIDERS)
    overrides: Mapping[str, Override] = field(default_factory=dict)

    def provider(self, name: str) -> Provider | None:
        """Return a provider by its name; None: there is none."""
        return self.providers.get(name)

    def override(self, provider: Provider, model: str) -> Override:
        """Return what the operator says of a model; nothing, if it says nothing."""
        return self.overrides.get(f"{provider.name}/{model}", NONE)


BUILT_IN = Catalog()
