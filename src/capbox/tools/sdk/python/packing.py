"""From a typed function to a module: CPython with the author's files and their dependencies inside.

Guarantees: the author's code runs in the sandbox only, also while it is built, and with no rights
at all; manifest and module that were there stay until the new ones are whole. Does not: know how a
call is made; `describe` does.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from capbox.tools.folder import BUILD, MANIFEST
from capbox.tools.sdk.building.toolchain import Workshop
from capbox.tools.sdk.describing import Describe, ask_for, checked, draft
from capbox.tools.sdk.generated import with_generated
from capbox.tools.sdk.project import BuildError, Project, manifest_text, put
from capbox.tools.sdk.python.dependencies import LOCK, bring
from capbox.tools.sdk.python.mistakes import refuse

APP = "/app"
_RUNTIME = Path(__file__).parents[1] / "packed" / "capbox_tool.py.in"
_LEFT_OUT = frozenset({MANIFEST, BUILD, LOCK, "__pycache__"})
_BYTES_MAX = 64 << 20

Pack = Callable[[Mapping[str, Path], Path], Awaitable[None]]


async def build(project: Project, workshop: Workshop, pack: Pack, describe: Describe) -> None:
    """Build a Python tool and write the generated part of its manifest. Raises BuildError.

    `pack` is given host folders by guest path, and where the module goes; `describe` calls the tool
    of a folder named `DESCRIBE` and returns its data.
    """
    where, source = str(project.folder / MANIFEST), project.source.name
    checked(with_generated(manifest_text(project.folder), source, draft(project), where), project)
    refuse(project)
    scratch = workshop.scratch(project.folder).absolute()
    app, made = scratch / "app", scratch / "made"
    lay_out(project, bring(project, workshop), app)
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    name = project.module
    await pack({APP: app}, made / name)
    ask_for(made, name)
    parts = await describe(made)
    text = checked(with_generated(manifest_text(project.folder), source, parts, where), project)
    put(made / name, project.built)
    (scratch / MANIFEST).write_text(text, encoding="utf-8")
    put(scratch / MANIFEST, project.folder / MANIFEST)


def lay_out(project: Project, packages: Path, app: Path) -> None:
    """Put what is packed into the folder `app`. Raises BuildError."""
    shutil.rmtree(app, ignore_errors=True)
    app.mkdir(parents=True)
    shutil.copyfile(_RUNTIME, app / "capbox_tool.py")
    module = project.source.relative_to(project.folder).with_suffix("").parts
    if project.source.suffix != ".py" or not all(part.isidentifier() for part in module):
        raise BuildError(str(project.source), "is no module of Python that can be imported")
    place = {"module": ".".join(module), "function": project.function}
    (app / "tool.json").write_text(json.dumps(place), encoding="utf-8")
    _copy(project.folder, app / "source")
    shutil.copytree(packages, app / "packages")


def _copy(folder: Path, target: Path) -> None:
    """Copy the author's files: all but hidden ones, modules, and what only the build reads."""
    room = _BYTES_MAX
    for place, folders, files in os.walk(folder):
        within = Path(place).relative_to(folder)
        folders[:] = sorted(name for name in folders if _is_packed(name))
        (target / within).mkdir(parents=True)
        for name in sorted(files):
            source = Path(place) / name
            if not _is_packed(name):
                continue
            # Attack: a link in a stranger's folder packs a private file of whoever builds it.
            if source.is_symlink() or not source.is_file():
                raise BuildError(str(source), "is a link or no file; only files are packed")
            room -= source.stat().st_size
            if room < 0:
                raise BuildError(str(folder), f"holds more than {_BYTES_MAX >> 20} MB to pack")
            shutil.copyfile(source, target / within / name)


def _is_packed(name: str) -> bool:
    # A package made of this folder, in this folder, would be packed into the next module.
    return not (name.startswith(".") or name.endswith((".wasm", ".oci")) or name in _LEFT_OUT)
