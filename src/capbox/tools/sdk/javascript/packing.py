"""From a documented function to a module: the shipped engine with the author's modules inside.

They lie behind the memory that the engine was built with, where it looks for them
(guests/javascript/native/packed.c), and are evaluated in each call anew.

Guarantees: nothing of the author's runs here; it runs in the sandbox, when the new tool is asked
whether it is one, and with no rights at all. The same files give the same bytes. Module and
manifest that were there stay until the new ones are whole. Does not: know how a call is made.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from capbox.sandbox.image.sections import PackingError
from capbox.toml import read_toml
from capbox.tools.folder import MANIFEST
from capbox.tools.regular import open_regular
from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.describing import Describe, ask_for, checked
from capbox.tools.sdk.generated import is_generated, with_generated
from capbox.tools.sdk.javascript.behind import placed_behind
from capbox.tools.sdk.javascript.jsdoc import documented
from capbox.tools.sdk.project import BuildError, Project, manifest_text, put

MARK = b"capbox\0\1"
_SUFFIXES = (".js", ".mjs", ".cjs", ".json")
_BYTES_MAX = 16 << 20


async def build(project: Project, workshop: Workshop, engine: Path, describe: Describe) -> None:
    """Build a tool in JavaScript, and the generated part of its manifest. Raises BuildError.

    `engine` is the shipped guest; `describe` calls the tool of a folder named `DESCRIBE`.
    """
    files = authored(project)
    text = checked(_manifest(project), project)
    made = workshop.scratch(project.folder).absolute() / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    module = packed(engine, project.source.relative_to(project.folder).as_posix(), files)
    (made / project.module).write_bytes(module)
    ask_for(made, project.module)
    await describe(made)
    put(made / project.module, project.built)
    (made / MANIFEST).write_text(text, encoding="utf-8")
    put(made / MANIFEST, project.folder / MANIFEST)


def packed(engine: Path, main: str, files: Mapping[str, str]) -> bytes:
    """Return the module `engine` with an author's files in it, by name. Raises BuildError."""
    given = {"main": main, "files": files}
    text = json.dumps(given, ensure_ascii=False, sort_keys=True).encode()
    try:
        content = MARK + len(text).to_bytes(4, "little") + text
        return placed_behind(engine.read_bytes(), content)
    except (OSError, PackingError) as error:
        raise BuildError(str(engine), str(error)) from error


def authored(project: Project) -> dict[str, str]:
    """Return the texts of the author's modules by their path in the folder. Raises BuildError."""
    if project.source.suffix not in _SUFFIXES[:-1]:
        raise BuildError(str(project.source), f"is no module: {', '.join(_SUFFIXES[:-1])} is one")
    found: dict[str, str] = {}
    room = _BYTES_MAX
    for path in _modules(project.folder):
        # Attack: a link in a stranger's folder packs a private file of whoever builds it.
        if path.is_symlink() or not path.is_file():
            raise BuildError(str(path), "is a link or no file; only files are packed")
        try:
            with open_regular(path) as file:
                content = file.read(room + 1)
        except OSError as error:
            raise BuildError(str(path), error.strerror or str(error)) from error
        room -= len(content)
        if room < 0:
            raise BuildError(str(project.folder), f"holds more than {_BYTES_MAX >> 20} MB to pack")
        try:
            found[path.relative_to(project.folder).as_posix()] = content.decode()
        except UnicodeDecodeError as error:
            raise BuildError(str(path), f"is no text in UTF-8: byte {error.start}") from None
    return found


def _modules(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(n for n in folders if not n.startswith(".") and n != "node_modules")
        for name in sorted(files):
            if name.endswith(_SUFFIXES) and not name.startswith("."):
                yield Path(place, name)


def _manifest(project: Project) -> str:
    """Return the manifest; description and schema are of the comment unless they are by hand."""
    text, where = manifest_text(project.folder), str(project.folder / MANIFEST)
    by_hand = "input_schema" in read_toml(text) and not is_generated(text)
    if by_hand:
        return text
    return with_generated(text, project.source.name, documented(project.source), where)
