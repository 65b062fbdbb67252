"""A tool in the making: a folder with `tool.toml`, `build.toml` and source.

Guarantees: what cannot be read is a `BuildError` that names file, reason and fix. Does not: write,
or run anything.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from capbox.gate.manifest import Manifest, ManifestError, parse_manifest
from capbox.toml import BYTES_MAX, read_toml
from capbox.tools.folder import BUILD, MANIFEST, MANIFEST_BYTES_MAX
from capbox.tools.regular import read_regular

Language = Literal["python", "javascript", "c", "zig", "go", "rust"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_REQUIREMENT = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])? *"
    r"((===|[<>~=!]=|[<>]) *[A-Za-z0-9.*+!_-]+ *(, *(?=[<>~=!])|$))*"
)
# Attack: "evil-1.0.tar.gz", which pip takes for a file where it is started, and builds.
_ARCHIVES = (".zip", ".whl", ".tar", ".tgz", ".tbz", ".txz", ".tlz", ".gz", ".bz2", ".xz", ".lzma")
_KEYS: Mapping[Language, frozenset[str]] = {
    **{language: frozenset({"language", "source"}) for language in LANGUAGES},
    "python": frozenset({"language", "source", "function", "dependencies"}),
}


class BuildError(Exception):
    """A tool cannot be made: `where` is the file, or what is missing; `fix` says what to do."""

    def __init__(self, where: str, reason: str, fix: str = "") -> None:
        """Keep the parts."""
        super().__init__(f"{where}: {reason}" + (f"\n{fix}" if fix else ""))
        self.where = where
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Project:
    """What `capbox tool build` works on; `module` is the name of the file that it makes.

    `function` and `dependencies` are of Python tools. Whether its manifest is one, the build says.
    """

    folder: Path
    module: str
    language: Language
    source: Path
    function: str = ""
    dependencies: tuple[str, ...] = ()

    @property
    def built(self) -> Path:
        """Return where the built module goes."""
        return self.folder / self.module


def put(source: Path, target: Path) -> None:
    """Put a copy of a file into a tool's folder, whole. Raises BuildError.

    Attack: a stranger's folder holds a link under the name of what a build writes. It is replaced.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    except OSError as error:
        raise BuildError(str(target), error.strerror or str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def read_project(folder: Path) -> Project:
    """Read the project in `folder`. Raises BuildError."""
    text = manifest_text(folder)
    path = folder / BUILD
    if not path.is_file():
        fix = "`capbox tool new NAME` makes a folder that has one; `test` and `run` need none"
        raise BuildError(str(path), "is not there: it says how the module is made", fix)
    given = _toml(path)
    language = next((one for one in LANGUAGES if one == given.get("language")), None)
    if language is None:
        raise BuildError(str(path), f"language: one of {', '.join(LANGUAGES)} is expected")
    unknown = sorted(set(given) - _KEYS[language])
    if unknown:
        known = ", ".join(sorted(_KEYS[language]))
        raise BuildError(str(path), f"unknown key {unknown[0]}", f"there are: {known}")
    source = folder / _text(given, "source", path)
    if not source.resolve().is_relative_to(folder.resolve()):
        raise BuildError(str(path), f"source: {source} is outside of the tool's folder")
    if not source.is_file():
        raise BuildError(str(source), "is not there", f"{path}: source names it")
    module = _module(text, folder / MANIFEST)
    if language != "python":
        return Project(folder, module, language, source)
    return Project(
        folder=folder,
        module=module,
        language=language,
        source=source,
        function=_text(given, "function", path),
        dependencies=_dependencies(given, path),
    )


def names_file(requirement: str) -> bool:
    """Say whether pip could take a requirement for an archive of files."""
    return requirement.rstrip().lower().endswith(_ARCHIVES)


def manifest_text(folder: Path) -> str:
    """Return the text of the manifest in `folder`. Raises BuildError."""
    path = folder / MANIFEST
    _refuse_link(path)
    try:
        return read_regular(path, MANIFEST_BYTES_MAX)
    except FileNotFoundError:
        fix = "`capbox tool new NAME` makes such a folder"
        raise BuildError(str(path), "is not there: this is not the folder of a tool", fix) from None
    except (OSError, ValueError) as error:
        raise BuildError(str(path), str(error)) from error


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest in `folder`. Raises BuildError."""
    where = str(folder / MANIFEST)
    manifest = parse_manifest(manifest_text(folder), where)
    if isinstance(manifest, ManifestError):
        raise BuildError(manifest.where, manifest.message)
    return manifest


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise BuildError(str(path), "is a link; it has to be a file in the tool's folder")


def _toml(path: Path) -> dict[str, object]:
    _refuse_link(path)
    try:
        return read_toml(read_regular(path, BYTES_MAX))
    except (OSError, ValueError) as error:
        raise BuildError(str(path), str(error)) from error


def _text(given: Mapping[str, object], key: str, path: Path) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise BuildError(str(path), f"{key}: a text is expected")
    return value


def _module(text: str, path: Path) -> str:
    try:
        module = _text(read_toml(text), "module", path)
    except ValueError as error:
        raise BuildError(str(path), str(error)) from error
    if Path(module).name != module or not module.endswith(".wasm"):
        raise BuildError(str(path), "module: a file name that ends in .wasm is expected")
    return module


def _dependencies(given: Mapping[str, object], path: Path) -> tuple[str, ...]:
    value = given.get("dependencies", [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BuildError(str(path), 'dependencies: a list is expected, as ["tabulate>=0.9"]')
    # Attack: "x @ https://a.example/x.tar.gz", of which pip runs the setup.py; or an option.
    bad = next((o for o in value if names_file(o) or _REQUIREMENT.fullmatch(o) is None), None)
    if bad is not None:
        fix = "a name, perhaps extras and versions: tabulate, rich[jupyter]>=13,<15"
        raise BuildError(str(path), f"dependencies: {bad!r} is no requirement", fix)
    return tuple(value)
