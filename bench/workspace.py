"""The files that are worked on. Made up, and the same in every run."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

FILES = 512
TEXT = (
    "a grant names one kind of effect on one selector and the words of a sentence are read by the "
    "tool that runs in a sandbox which starts with nothing at all"
)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the large rows are."""

    text_bytes: int = 10_000_000
    source_files: int = 2_000
    source_bytes: int = 30_000
    glob_files: int = 10_000

    def scaled(self, factor: float) -> Sizes:
        """Return smaller sizes, for trying the benchmark out."""
        return Sizes(
            text_bytes=max(1_000, int(self.text_bytes * factor)),
            source_files=max(20, int(self.source_files * factor)),
            source_bytes=self.source_bytes,
            glob_files=max(100, int(self.glob_files * factor)),
        )


def small(workspace: Path) -> None:
    """Make a workspace of 1 KB files."""
    workspace.mkdir(parents=True)
    for number in range(FILES):
        line = f"line of file {number}, to be read\n"
        (workspace / f"{number}.txt").write_text((line * 64)[:1024], encoding="utf-8")


def large(workspace: Path, sizes: Sizes) -> None:
    """Make a workspace with a text, a tree of sources and one of many empty files."""
    workspace.mkdir(parents=True)
    lines = _Lines()
    text = lines.bytes_of(sizes.text_bytes)
    end = b"zz comes last\nthe last words of the text\n"
    (workspace / "text.txt").write_bytes(text + end)
    for number in range(sizes.source_files):
        folder = workspace / "src" / f"part{number // 50}"
        folder.mkdir(parents=True, exist_ok=True)
        hit = b"a needle found 7x in the hay\n" if number % 100 == 7 else b""
        (folder / f"{number}.py").write_bytes(lines.bytes_of(sizes.source_bytes) + hit)
    for number in range(sizes.glob_files):
        folder = workspace / "many" / str(number // 100)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.md").touch()


class _Lines:
    """Lines of words, cut out of one long text at places that differ."""

    def __init__(self) -> None:
        self._random = random.Random(1)
        words = TEXT.split()
        lines = (" ".join(self._random.choices(words, k=9)) for _ in range(20_000))
        self._text = "\n".join(f"{self._random.randrange(10**6)} {line}" for line in lines).encode()

    def bytes_of(self, count: int) -> bytes:
        """Return whole lines, `count` bytes or a few less."""
        found = b""
        while len(found) < count:
            start = self._text.index(b"\n", self._random.randrange(len(self._text) // 2)) + 1
            piece = self._text[start : start + count - len(found)]
            end = piece.rfind(b"\n") + 1
            if end == 0:
                break
            found += piece[:end]
        return found
