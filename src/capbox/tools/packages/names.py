"""Names and versions of packages: `alice/hello` and `0.1.0`.

Guarantees: a name is two words of small ASCII letters, digits, `-` and `_`, so nothing in it can
hide, lead into another folder, or mean two things to a registry; versions are ordered as on
semver.org. Does not: say whose a name is (see `signatures`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from capbox.gate.approver import neutral
from capbox.tools.packages.problem import PackageError

# Both are parts of a repository's name in a registry too, so no sign stands at an end.
_WORD = r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*"
_NAMESPACE = re.compile(rf"(?=.{{1,39}}\Z){_WORD}")
_TOOL = re.compile(rf"(?=.{{1,64}}\Z){_WORD}")
_PART = r"(?:0|[1-9][0-9]{0,8})"
_VERSION = re.compile(rf"({_PART}(?:\.{_PART}){{0,3}})(?:-([0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*))?")
_VERSION_CHARACTERS_MAX = 64
_SHOWN_CHARACTERS_MAX = 80
_SENTENCE_CHARACTERS_MAX = 1_000

_AS_READ = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
_NEAR_CHARACTERS_MIN = 3


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """A publisher's namespace, and the name of the tool in it."""

    namespace: str
    tool: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.tool}"


@dataclass(frozen=True, slots=True)
class Version:
    """One to four numbers, and what a version before the final one has behind a hyphen."""

    text: str

    @property
    def key(self) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
        """Return what orders versions: 1.0-rc.1 is before 1.0, which is equal to 1.0.0."""
        numbers, _, before = self.text.partition("-")
        found = tuple(map(int, numbers.split(".")))
        words = tuple(
            (not word.isdigit(), int(word) if word.isdigit() else 0, word)
            for word in re.split(r"\.", before)
            if word
        )
        return (*found, 0, 0, 0)[:4], not before, words

    def __str__(self) -> str:
        return self.text


def package_name(text: str) -> PackageName:
    """Read a name. Raises PackageError."""
    space, slash, tool = text.partition("/")
    if not slash or not _NAMESPACE.fullmatch(space) or not _TOOL.fullmatch(tool):
        raise PackageError(
            shown(text),
            "is no name of a package",
            "it is NAMESPACE/TOOL, as in alice/hello: small letters, digits, - and _ between them",
            kind="usage",
        )
    return PackageName(space, tool)


def version(text: str) -> Version:
    """Read a version. Raises PackageError."""
    if len(text) > _VERSION_CHARACTERS_MAX or _VERSION.fullmatch(text) is None:
        raise PackageError(
            shown(text), "is no version", "it is numbers with dots, as in 1.2.0 or 1.2.0-rc.1"
        )
    return Version(text)


def is_version(text: str) -> bool:
    """Say whether a text is a version."""
    return len(text) <= _VERSION_CHARACTERS_MAX and _VERSION.fullmatch(text) is not None


def shown(text: str) -> str:
    """Return a stranger's text as an error may show it: short, and with nothing that hides."""
    return neutral(text[:_SHOWN_CHARACTERS_MAX]) + "..." * (len(text) > _SHOWN_CHARACTERS_MAX)


def sentence_of(text: str) -> str:
    """Return a sentence of ours with a stranger's names in it, as an error may show it."""
    return neutral(text[:_SENTENCE_CHARACTERS_MAX])


def looks_like(name: str, other: str) -> bool:
    """Say whether somebody could take `name` for `other`, which is another name.

    Attack: `rnath` beside `math`, `a1ice` beside `alice`, `raed` beside `read`.
    """
    if name == other:
        return False
    if _skeleton(name) == _skeleton(other):
        return True
    return min(len(name), len(other)) >= _NEAR_CHARACTERS_MIN and _one_apart(name, other)


def _skeleton(name: str) -> str:
    """Return what is left of a name where signs that look alike are one (as in UTS 39)."""
    name = name.replace("-", "").replace("_", "")
    for signs, one in _AS_READ:
        name = name.replace(signs, one)
    return name


def _one_apart(name: str, other: str) -> bool:
    """Say whether one letter more, less or other, or two letters exchanged, make them equal."""
    start = 0
    while start < min(len(name), len(other)) and name[start] == other[start]:
        start += 1
    one, two = name[start:], other[start:]
    exchanged = one[1:2] + one[:1] + one[2:]
    return one[1:] == two or one == two[1:] or one[1:] == two[1:] or exchanged == two
