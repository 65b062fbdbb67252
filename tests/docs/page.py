"""A page of docs/ as a test reads it: its fenced blocks, its tables, and what its examples show.

Guarantees: a whole output is compared, not lines of it; a line `...` stands for any number of them.
Does not: run anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: `kind` is what follows the fence."""

    kind: str
    text: str


def text_of(page: str) -> str:
    """Return the text of a page."""
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page's text in their order."""
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [Block(kind, text) for kind, text in found]


def rows(page: str, *head: str) -> list[list[str]]:
    """Return the rows of every table with these column titles, cell by cell."""
    found: list[list[str]] = []
    inside = False
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|"):
            inside = False
        elif cells == list(head):
            inside = True
        elif inside and not line.startswith("| ---"):
            found.append(cells)
    assert found, head
    return found


def code(cell: str) -> list[str]:
    """Return the texts that a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)


def steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """Split a console block into commands and the lines that each is said to print."""
    for step in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = step.rstrip("\n").split("\n")
        yield command, shown


def agrees(shown: list[str], printed: str) -> bool:
    """Say whether the lines are equal, `...` standing for any number of them."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else f"{re.escape(line)}\n" for line in shown)
    return re.fullmatch(pattern, printed) is not None


def holds(shown: object, printed: object) -> bool:
    """Say whether JSON has what is shown of it; how long something took is not compared."""
    if isinstance(shown, dict) and isinstance(printed, dict):
        return all(k in printed and (k == "wall_ms" or holds(shown[k], printed[k])) for k in shown)
    if isinstance(shown, list) and isinstance(printed, list):
        return len(shown) == len(printed) and all(map(holds, shown, printed))
    return shown == printed
