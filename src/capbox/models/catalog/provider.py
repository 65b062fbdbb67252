"""A provider as data: what it speaks, where it is, and which key it wants.

Guarantees: a provider is a frozen value, and no module branches on its name. Does not: hold a key,
or reach anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

Dialect = Literal["anthropic", "openai-chat", "openai-responses", "google"]
DIALECTS: Final[tuple[Dialect, ...]] = get_args(Dialect)


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider, or a server that speaks as one.

    `base_url` None: it has no address of its own, one must be given. `key` is the name of its key
    in the environment and among the secrets; without `needs_key` it may be missing. `prices` is its
    id in genai-prices; None: prices are looked up by address. `check` is the path, below the base
    URL, of what answers only to a right key; None: the list of models.
    """

    name: str
    dialect: Dialect
    base_url: str | None
    key: str
    needs_key: bool = True
    prices: str | None = None
    check: str | None = None
    stall_seconds: float = 45.0
