"""What a tool of the loop says of a call, and the labels of that. Pure values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from capbox.authority.values.label import MANY, NOTHING, Kind, Source, Sources
from capbox.messages import JsonObject


@dataclass(frozen=True, slots=True)
class Told:
    """A result. `sources` are those of its text; `waited` seconds went by for a person."""

    text: str
    data: JsonObject | None = None
    sources: Sources = NOTHING
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Unable:
    """Why there is no result: a code, and a sentence for the model."""

    code: str
    text: str
    waited: float = 0.0


def sources_of(texts: Iterable[str]) -> Sources:
    """Return sources as they were before they became texts: none is trusted, no secret may go.

    What cannot be read may be anything: a stranger's words, and a secret.
    """
    kinds: tuple[Kind, ...] = get_args(Kind)
    found: set[Source] = set()
    for text in texts:
        word, _, name = text.partition(":")
        kind = next((known for known in kinds if known == word), None)
        unknown = {Source("workspace", MANY), Source("secret", MANY)}
        found |= unknown if kind is None or not name else {Source(kind, name)}
    return frozenset(found)
