"""`tool_search`: of a large set of tools the model is told of few, and finds the others.

Guarantees: what is found is offered from the next turn on, after those that were offered before, so
that what a provider has cached stays true. Does not: permit anything: a tool that the run holds may
be called found or not, and none other may.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from capbox.tools.loop.told import Told, Unable

OFFERED_MAX = 40
FOUND_MAX = 8
_WORD = re.compile(r"[a-z0-9]+")
_NAME_WEIGHT = 3


@dataclass(slots=True, eq=False)
class Finding:
    """The tools that are kept out of the context, by name, with what each says of itself."""

    hidden: Mapping[str, str]
    found: list[str] = field(default_factory=list)

    def shown(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of `names` that the model is told of now, those it found last."""
        return (*(name for name in names if name not in self.hidden), *self.found)

    async def tool_search(self, query: str) -> Told | Unable:
        """Find more tools by what they do. What is found is offered from your next turn on.

        Args:
            query: Words that the name or the description of the tool has.
        """
        words = set(_WORD.findall(query.lower()))
        ranked = sorted((-_score(words, *one), one[0]) for one in self.hidden.items())
        names = [name for score, name in ranked if score < 0][:FOUND_MAX]
        if not names:
            return Unable("not_found", f"none of {len(self.hidden)} more tools has these words")
        self.found += [name for name in names if name not in self.found]
        return Told("\n".join(f"{name}: {_line(self.hidden[name])}" for name in names))


def _score(words: set[str], name: str, description: str) -> int:
    named = words.intersection(_WORD.findall(name.lower().replace("_", " ")))
    return _NAME_WEIGHT * len(named) + len(words.intersection(_WORD.findall(description.lower())))


def _line(text: str) -> str:
    return text.strip().partition("\n")[0]
