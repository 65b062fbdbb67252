"""The person's own words in the configuration directory: `instructions.md` and `styles/NAME.md`.

Guarantees: a file that another user owns or others may write, one that is no text or too long,
stops everything, named with the reason: it is a principal's text. Does not: look into a workspace.
"""

from __future__ import annotations

import re
from pathlib import Path

from capbox.agent.instructions.styles import DEFAULT, STYLES
from capbox.agent.instructions.words import Said
from capbox.engine.settings import SettingsError
from capbox.store.own_file import OwnFile

TEXT_BYTES_MAX = 64 * 1024
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def own_instructions(config: Path) -> Said | None:
    """Return the instructions for every run, None without any. Raises SettingsError."""
    return _said(config / "instructions.md")


def styles(config: Path) -> tuple[str, ...]:
    """Return the names of all styles: those of capbox, then the person's own."""
    try:
        found = sorted(file.stem for file in (config / "styles").iterdir() if file.suffix == ".md")
    except OSError:
        found = []
    return (*STYLES, *(name for name in found if _NAME.fullmatch(name) and name not in STYLES))


def style(name: str | None, config: Path, where: str = "--style") -> tuple[str, Said]:
    """Return a style's name and text; None is the default. Raises SettingsError.

    A style of the person's own stands before capbox's of the same name.
    """
    wanted = name or DEFAULT
    # Names, never paths: --style ../../secret is no style.
    said = _said(config / "styles" / f"{wanted}.md") if _NAME.fullmatch(wanted) else None
    if said is None and wanted in STYLES:
        said = Said(STYLES[wanted], "capbox")
    if said is None:
        known = ", ".join(styles(config))
        raise SettingsError(
            f"{where} {wanted}",
            f"there is no such style; there are: {known} (yours are {config / 'styles'}/NAME.md)",
        )
    return wanted, said


def _said(file: Path) -> Said | None:
    try:
        text = OwnFile(file).read()
    except (OSError, ValueError) as error:
        raise SettingsError(str(file), f"cannot be read ({error}); it is kept as it is") from error
    if text is None:
        return None
    if len(text.encode()) > TEXT_BYTES_MAX:
        raise SettingsError(str(file), f"has more than {TEXT_BYTES_MAX} bytes: shorten it")
    return Said(text, str(file))
