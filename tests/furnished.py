"""A home for a process of its own, in which the tools are compiled already."""

from __future__ import annotations

from pathlib import Path


def furnished(home: Path, cache: Path) -> Path:
    """Make a CAPBOX_HOME with what the cache of the tests has compiled; return it."""
    compiled = home / "cache" / "compiled"
    compiled.mkdir(parents=True)
    for folder in (compiled, compiled.parent, home):
        folder.chmod(0o700)
    for file in (cache / "compiled").iterdir():
        (compiled / file.name).hardlink_to(file)
    return home
