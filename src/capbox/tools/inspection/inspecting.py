"""A file, or a tool's folder, as a reviewer sees it: facts, powers, obstacles, requests.

Guarantees: whatever the file is, there is an `Inspection` or an `InspectionError` that says why
not; nothing is run, compiled or written. Does not: judge; it says what can be asked for at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from capbox.gate.manifest import Manifest, ManifestError, parse_manifest
from capbox.tools.folder import MANIFEST_BYTES_MAX, unbuilt
from capbox.tools.inspection.component import COMMAND, TOOL, Component, read_component
from capbox.tools.inspection.module import COMPONENT, MAGIC, Core, read_core
from capbox.tools.inspection.octets import Malformed
from capbox.tools.inspection.powers import Power, obstacles, powers
from capbox.tools.regular import open_regular, read_regular

FILE_BYTES_MAX = 512 << 20
_NAMES_MAX, _WORDS_MAX = 10, 300


@dataclass(frozen=True, slots=True)
class InspectionError:
    """Why a file cannot be inspected."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; `digest` is the SHA-256 of the file, `manifest` that of the folder it is in.

    One of `core` and `component` is None.
    """

    path: Path
    size: int
    digest: str
    core: Core | None
    powers: tuple[Power, ...]
    obstacles: tuple[str, ...]
    manifest: Manifest | None = None
    component: Component | None = None


def inspect(path: Path, manifest: Manifest | None = None) -> Inspection | InspectionError:
    """Inspect a file of WebAssembly."""
    try:
        with open_regular(path) as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return InspectionError(str(path), error.strerror or str(error))
    if len(content) > FILE_BYTES_MAX:
        return InspectionError(str(path), f"is larger than {FILE_BYTES_MAX >> 20} MB")
    digest = sha256(content).hexdigest()
    if content[:8] == MAGIC + COMPONENT:
        compound = read_component(content)
        if isinstance(compound, str):
            return InspectionError(str(path), compound)
        why = compound.obstacles or _unfit(manifest, compound)
        facts = (compound.powers, why, manifest, compound)
        return Inspection(path, len(content), digest, None, *facts)
    core = read_core(content)
    if isinstance(core, Malformed):
        return InspectionError(str(path), str(core))
    why = _unfit(manifest, None) or obstacles(core)
    return Inspection(path, len(content), digest, core, powers(core), why, manifest)


def _unfit(manifest: Manifest | None, found: Component | None) -> tuple[str, ...]:
    """Return why what a manifest calls is not in its component; `found` is None of a module."""
    if manifest is None:
        return ()
    if found is None:
        wanted = "is no component, and its manifest names a function of one"
        return (wanted,) if manifest.export else ()
    names = [one.name for one in found.exports]
    there = ", ".join(names[:_NAMES_MAX]) + ", and more" * (len(names) > _NAMES_MAX)
    if not manifest.export:
        fix = 'a function is called by abi = "component" and export'
        wanted = f"exports neither {COMMAND} nor {TOOL}; {fix}; there are: {there}"
        return () if {COMMAND, TOOL} & set(names) else (wanted,)
    chosen = next((one for one in found.exports if one.name == manifest.export), None)
    if chosen is None:
        return (f"exports no {manifest.export}, which its manifest calls; there are: {there}",)
    wanted = f"exports {chosen.name}{chosen.words[:_WORDS_MAX]}, whose types JSON cannot say"
    return () if chosen.schema is not None else (wanted,)


def inspect_folder(folder: Path) -> Inspection | InspectionError:
    """Inspect the tool in a folder: its module, and what its manifest requests."""
    path = folder / "tool.toml"
    try:
        text = read_regular(path, MANIFEST_BYTES_MAX)
    except (OSError, ValueError) as error:
        return InspectionError(str(path), getattr(error, "strerror", None) or str(error))
    manifest = parse_manifest(text, str(path))
    if isinstance(manifest, ManifestError):
        return InspectionError(manifest.where, manifest.message)
    if said := unbuilt(folder, manifest.module):
        return InspectionError(str(folder / manifest.module), said)
    return inspect(folder / manifest.module, manifest)
