"""What the commands about models share: the provider that was named, and failures to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capbox.surfaces.cli.failures import CommandFailure, usage

if TYPE_CHECKING:
    from capbox.models.catalog.catalog import Catalog
    from capbox.models.catalog.provider import Provider
    from capbox.models.model import ModelError


def provider_named(catalog: Catalog, name: str) -> Provider:
    """Return the provider that was named; raises the failure of the command, without the name.

    Somebody may have typed the key there.
    """
    found = catalog.provider(name)
    if found is None:
        there = ", ".join(catalog.providers)
        raise usage(f"there is no provider of that name; there are: {there}")
    return found


def failure(error: ModelError) -> CommandFailure:
    """Return the failure of a command that asked a provider."""
    return CommandFailure(error.kind, error.message, 1)
