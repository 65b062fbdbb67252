"""Which names are public suffixes, under which strangers register theirs (publicsuffix.org).

Guarantees: a name that no list knows, such as `internal`, counts as one when it is a single label;
private registries (`github.io`) count too. The list is the library's own, read at the first use.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(name: str) -> bool:
    """Say whether hosts directly below `name` may belong to different people."""
    return _suffixes().publicsuffix(name) == name


@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
