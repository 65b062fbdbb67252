"""What the word before the cursor may go on with: a command, or `@` and a file of the workspace.

Guarantees: a file is named only if the session may read it, by a grant that neither counts its uses
nor asks first; no name with characters that could act on a terminal; hidden ones only after their
dot was typed; a bounded number. Does not: read a file, or send anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from capbox.authority.paths import WORKSPACE, hostile_character, is_canonical, joined
from capbox.surfaces.cli.talk.prompt.editor import Candidate
from capbox.surfaces.cli.talk.slash import COMMANDS
from capbox.surfaces.sink import visible

if TYPE_CHECKING:
    from capbox.engine.instructions.reader import Reader

SHOWN_MAX: Final = 50
_NAMES_MAX: Final = 2_000


def completions(before: str, reader: Callable[[], Reader | None]) -> Iterable[Candidate]:
    """Return what the text before the cursor may go on with; `reader` sees what may be read."""
    if before.startswith("/") and not before[1:].strip(_LETTERS):
        return _commands(before)
    word = before.split()[-1] if before and not before[-1].isspace() else ""
    if not word.startswith("@"):
        return ()
    found = reader()
    return () if found is None else _files(word, found)


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def _commands(before: str) -> Iterable[Candidate]:
    for name, (said, what) in COMMANDS.items():
        if f"/{name}".startswith(before) and f"/{name}" != before:
            yield Candidate(f"/{name}" + " " * bool(said), len(before), what)


def _files(word: str, reader: Reader) -> Iterable[Candidate]:
    """Yield the files and folders of which `word` is the beginning, after its `@`."""
    folder, _, beginning = word[1:].rpartition("/")
    where = joined(WORKSPACE, folder) if folder else WORKSPACE
    if hostile_character(where) is not None or not is_canonical(where):
        return
    kinds = (("/", reader.names(where, _NAMES_MAX)), ("", _files_in(reader, where)))
    shown = 0
    for end, names in kinds:
        for name in names:
            hidden = name.startswith(".") and not beginning.startswith(".")
            if not name.startswith(beginning) or hidden or not _is_plain(name):
                continue
            shown += 1
            if shown > SHOWN_MAX:
                return
            path = f"{folder}/{name}" if folder else name
            yield Candidate(f"@{path}{end}", len(word), "folder" if end else "")


def _is_plain(name: str) -> bool:
    """Say whether a name is what it looks like, and one word."""
    # Attack: a file whose name holds an instruction in characters that nobody sees.
    return visible(name) == name and not any(map(str.isspace, name))


def _files_in(reader: Reader, where: str) -> tuple[str, ...]:
    return reader.names(where, _NAMES_MAX, files=True)
