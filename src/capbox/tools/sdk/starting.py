"""A new tool's folder, from the template of its language.

Guarantees: nothing that is there is written over; every file that is made is named. Does not:
build it.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from capbox.tools.sdk.project import BuildError, Language

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TEMPLATES = Path(__file__).parent / "templates"
# What ECMAScript 2024 (12.7.2) lets no function of a module be named, and Python does.
_RESERVED = re.compile(
    "arguments|case|catch|const|debugger|default|delete|do|enum|eval|export|extends|function|"
    "implements|instanceof|interface|let|new|null|package|private|protected|public|static|super|"
    "switch|this|throw|typeof|var|void|true|false"
)
_OF_ALL = ("README.md.in", "gitignore.in")


def start(folder: Path, name: str, language: Language) -> tuple[Path, ...]:
    """Make the folder of a new tool; return its files. Raises BuildError."""
    if _NAME.fullmatch(name) is None:
        fix = "lower-case letters, digits, _ and -, a letter first"
        raise BuildError(name, "is no name of a tool", fix)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        fix = "choose another name, or remove it first"
        raise BuildError(str(folder), "is there already, and nothing is written over", fix)
    template = _TEMPLATES / language
    sources = [*sorted(template.rglob("*.in")), *(_TEMPLATES / one for one in _OF_ALL)]
    identifier = identifier_of(name, language)
    made: list[Path] = []
    try:
        for source in sources:
            within = source.relative_to(template) if source.is_relative_to(template) else source
            target = folder / within.parent / _named(source.name, name)
            if not source.is_relative_to(template):
                target = folder / _named(source.name, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text(encoding="utf-8")
            target.write_text(
                text.replace("@NAME@", name).replace("@IDENTIFIER@", identifier), encoding="utf-8"
            )
            made.append(target)
    except OSError as error:
        raise BuildError(str(error.filename or folder), error.strerror or str(error)) from error
    return tuple(made)


def identifier_of(name: str, language: Language = "python") -> str:
    """Return the name of a tool as one of a function."""
    plain = name.replace("-", "_")
    if language == "javascript" and _RESERVED.fullmatch(plain) is not None:
        return f"{plain}_"
    return f"{plain}_" if keyword.iskeyword(plain) else plain


def _named(template: str, name: str) -> str:
    plain = template.removesuffix(".in")
    return ".gitignore" if plain == "gitignore" else plain.replace("NAME", name)
