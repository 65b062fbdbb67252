"""Which sources a module was built from: a record beside it, `.NAME.wasm.sources`, in no package.

Guarantees: a record speaks for the one module whose digest it names, so a module that came from
elsewhere is never called old; no link is followed, and no path of a record is opened. Does not:
know what a compiler reads outside of the folder, nor a new file that is no code.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path

from capbox.gate.approver import neutral
from capbox.tools.folder import MANIFEST
from capbox.tools.regular import open_regular, read_regular
from capbox.tools.sdk.project import LANGUAGES, BuildError, Language, Project

FILES_MAX, BYTES_MAX = 2_000, 64 << 20
"""Of more a folder is not compared."""
_RECORD_BYTES_MAX = 1 << 20
_NAME_CHARACTERS_MAX = 80
# A build writes these itself.
_LOCKS = frozenset({"build.lock", "Cargo.lock"})
_LEFT_OUT = frozenset({MANIFEST, "README.md", "__pycache__", "node_modules", "zig-out"})
_LEFT_OUT_MORE: Mapping[Language, frozenset[str]] = {"rust": frozenset({"target"})}
_MODULES = (".js", ".mjs", ".cjs", ".json")
_ENDINGS: Mapping[Language, tuple[str, ...]] = {"javascript": (*_MODULES, "build.toml")}
_CODE = (".py", *_MODULES[:-1], ".c", ".h", ".zig", ".go", ".rs")

Sources = dict[str, str]
"""SHA-256 by path in the folder."""


def sources(folder: Path, language: Language) -> Sources | None:
    """Return the sources in a tool's folder; None where they are too many, or cannot be read."""
    found: Sources = {}
    room = BYTES_MAX
    try:
        for path in _files(folder, language):
            with open_regular(path) as file:
                room -= os.fstat(file.fileno()).st_size
                if room < 0 or len(found) == FILES_MAX:
                    return None
                found[path.relative_to(folder).as_posix()] = file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return found


def keep(project: Project, before: Sources | None, digest: str) -> None:
    """Record what the built module, of this digest, was made from. Raises BuildError.

    `before` are the sources as they were when the build began: what was changed since is not in it.
    """
    record, after = _record(project.built), sources(project.folder, project.language)
    try:
        record.unlink(missing_ok=True)
        if before is None or after is None:
            return
        written = {name: one for name, one in after.items() if name in _LOCKS}
        kept = {"module": digest, "language": project.language, "sources": {**before, **written}}
        with record.open("x", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
    except OSError as error:
        raise BuildError(str(record), error.strerror or str(error)) from error


def outdated(module: Path, digest: str) -> tuple[str, str]:
    """Say why a module of this digest is older than its sources, and what to do; "" if not."""
    found = _read(module, digest)
    if found is None:
        return "", ""
    language, then = found
    now = sources(module.parent, language)
    if now is None:
        return "", ""
    changed = [
        *(f"{name} was changed" for name in then if name in now and now[name] != then[name]),
        *(f"{name} is gone" for name in then if name not in now),
        *(f"{name} is new" for name in now if name not in then and name.endswith(_CODE)),
    ]
    if not changed:
        return "", ""
    more = f", and {len(changed) - 1} more" if len(changed) > 1 else ""
    # Attack: a stranger's record with a name that acts on the terminal.
    first = neutral(changed[0][:_NAME_CHARACTERS_MAX])
    fix = f"build it again: capbox tool build {shlex.quote(str(module.parent))}"
    return f"was built from other sources ({first}{more})", fix


def _files(folder: Path, language: Language) -> Iterator[Path]:
    left_out = _LEFT_OUT | _LEFT_OUT_MORE.get(language, frozenset())
    endings = _ENDINGS.get(language, ("",))
    for place, folders, files in os.walk(folder):
        # What was packed there is made of a module, and no source of it.
        folders[:] = sorted(n for n in folders if _is_source(n, left_out) and n[-4:] != ".oci")
        for name in sorted(files):
            path = Path(place, name)
            fits = _is_source(name, left_out) and name.endswith(endings)
            if fits and not name.endswith(".wasm") and path.is_file() and not path.is_symlink():
                yield path


def _is_source(name: str, left_out: frozenset[str]) -> bool:
    return not (name.startswith(".") or name.endswith("~") or name in left_out)


def _record(module: Path) -> Path:
    return module.with_name(f".{module.name}.sources")


def _read(module: Path, digest: str) -> tuple[Language, Sources] | None:
    """Return what the record of a module says; None where there is none, or it is of another."""
    try:
        kept = json.loads(read_regular(_record(module), _RECORD_BYTES_MAX))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict) or kept.get("module") != digest:
        return None
    language = next((one for one in LANGUAGES if one == kept.get("language")), None)
    listed = kept.get("sources")
    if language is None or not isinstance(listed, dict):
        return None
    return language, {name: str(one) for name, one in listed.items()}
