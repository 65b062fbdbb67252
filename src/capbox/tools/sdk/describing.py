"""A tool that was just made, asked what it is: in the sandbox, and with no rights at all.

Guarantees: a manifest that is no manifest is told with its file. Does not: call anything.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from capbox.gate.manifest import ManifestError, parse_manifest
from capbox.messages import JsonObject
from capbox.toml import read_toml
from capbox.tools.folder import MANIFEST
from capbox.tools.sdk.generated import is_generated
from capbox.tools.sdk.mistakes import SCHEMAS, mistakes
from capbox.tools.sdk.project import BuildError, Project, manifest_text

DESCRIBE = "capbox-describe"
SECONDS_MAX = 10
_DESCRIBING = f"""\
name = "{DESCRIBE}"
version = "0"
description = "Says what the function takes and gives."
license = "none"
abi = "json"
module = "MODULE"
access = "none"
input_schema.type = "object"
limits.wall_seconds = {SECONDS_MAX}
"""

Describe = Callable[[Path], Awaitable[JsonObject]]


def ask_for(folder: Path, module: str) -> None:
    """Make `folder`, which holds the module, that of a tool which is called to describe itself."""
    text = _DESCRIBING.replace("MODULE", module)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def checked(text: str, project: Project) -> str:
    """Return a manifest's text, if it is one and nothing in it is a mistake. Raises BuildError."""
    where = str(project.folder / MANIFEST)
    if wrong := mistakes(text):
        made = is_generated(text) and any(one.startswith(SCHEMAS) for one in wrong)
        fix = f"what stands between its marks is made of {project.source}: change it there"
        raise BuildError(where, "\n".join(wrong), fix if made else "")
    found = parse_manifest(text, where)
    if isinstance(found, ManifestError):
        raise BuildError(where, found.message)
    return text


def draft(project: Project) -> JsonObject:
    """Return parts that fit the author's own, to find what is wrong there before the long work."""
    paths = read_toml(manifest_text(project.folder)).get("paths", {})
    names = [str(name) for name in paths] if isinstance(paths, dict) else []
    texts: JsonObject = {name: {"type": "string"} for name in names}
    return {"description": "-", "input_schema": {"type": "object", "properties": texts}}
