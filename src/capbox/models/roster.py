"""The models of one user: the catalog of this moment, and the keys for it.

Guarantees: a key is that of the environment, else the secret of the same name; it goes to the model
that is opened and is shown nowhere. Does not: read the environment or files by itself; mapping,
secrets and catalog come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from capbox.broker.secrets import SecretError
from capbox.models.catalog.catalog import Catalog
from capbox.models.catalog.provider import Provider
from capbox.models.model import Model
from capbox.models.open import ModelSpecError, open_model, provider_of

KeyPlace = Literal["environment", "secret", "none"]


@dataclass(frozen=True, slots=True)
class Roster:
    """`secret` returns the value of a secret and may raise SecretError; `read` the catalog."""

    environ: Mapping[str, str] = field(repr=False)
    secret: Callable[[str], str | None]
    read: Callable[[], Catalog]

    def open(self, spec: str, base_url: str | None = None) -> Model | ModelSpecError:
        """Open the model that `spec` names, with the key for it."""
        if spec.startswith("scripted:"):
            return open_model(spec, base_url=base_url)
        catalog = self.read()
        provider = provider_of(spec, catalog)
        if isinstance(provider, ModelSpecError):
            return provider
        try:
            key = self.key(provider)
        except SecretError as error:
            return ModelSpecError(spec, str(error))
        return open_model(spec, base_url=base_url, api_key=key, catalog=catalog)

    def key(self, provider: Provider) -> str | None:
        """Return the key for a provider. Raises SecretError."""
        return self.environ.get(provider.key) or self.secret(provider.key)

    def place(self, provider: Provider) -> KeyPlace:
        """Return where the key for a provider is. Raises SecretError."""
        if self.environ.get(provider.key):
            return "environment"
        return "none" if self.secret(provider.key) is None else "secret"
