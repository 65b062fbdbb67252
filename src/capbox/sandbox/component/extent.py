"""How large, how deep and how long a type of a component may be.

Guarantees: what is built of types that passed here is bounded in bytes, levels and words. Does
not: know types, but their numbers.
"""

from __future__ import annotations

from collections.abc import Iterable

from capbox.sandbox.component.side import Misuse

_SIZE_MAX = 1 << 20
_DEPTH_MAX = 40
_WORDS_MAX = 100_000


def sized(size: int) -> int:
    """Return a size in bytes. Attack: a record of two records of two records, and so on."""
    if size > _SIZE_MAX:
        raise Misuse("a type is too large")
    return size


def worded(names: Iterable[str], parts: Iterable[int]) -> int:
    """Return how long a type is, written out, from its names and the lengths of its parts.

    Attack: a result of two results of two results, and so on: one byte in memory, 2^n in words.
    """
    words = 1 + sum(1 + len(name) for name in names) + sum(parts)
    if words > _WORDS_MAX:
        raise Misuse("a type is too large")
    return words


def deeper(depths: Iterable[int]) -> int:
    """Return the depth of a type whose parts have these."""
    depth = 1 + max(depths, default=0)
    if depth > _DEPTH_MAX:
        raise Misuse(f"a type is nested deeper than {_DEPTH_MAX} levels")
    return depth
