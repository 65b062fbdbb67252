"""A tool in a folder of its own: `tool.toml`, and beside it the module that it names.

That is what the SDK makes, what a package installs, and what a person can call by its path.
Guarantees: a link is not followed (a stranger's folder could name any file of this machine), and
what cannot be read or parsed is reported by name. Does not: run, compile, or trust it.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from capbox.gate.manifest import ManifestError, parse_manifest
from capbox.tools.registry import Found, RegistryError, found_tool, load_module
from capbox.tools.regular import read_regular

MANIFEST, BUILD = "tool.toml", "build.toml"
MANIFEST_BYTES_MAX = 256 << 10


def is_folder(path: Path) -> bool:
    """Say whether a tool is described at `path`."""
    return (path / MANIFEST).is_file()


def load_folder(folder: Path) -> Found | RegistryError:
    """Load the tool of `folder`; its module counts as a stranger's."""
    path = folder / MANIFEST
    text = _text(path)
    if isinstance(text, RegistryError):
        return text
    manifest = parse_manifest(text, str(path))
    if isinstance(manifest, ManifestError):
        return RegistryError(manifest.where, manifest.message)
    wasm = folder / manifest.module
    if wasm.is_symlink():
        return RegistryError(str(wasm), "is a link; a tool's module is a file beside its manifest")
    if said := unbuilt(folder, manifest.module):
        return RegistryError(str(wasm), said)
    module = load_module(wasm.absolute(), shipped=False)
    return module if isinstance(module, RegistryError) else found_tool(manifest, module, text)


def unbuilt(folder: Path, module: str) -> str:
    """Return what to do where the module of a tool in the making was not built yet; else ""."""
    if (folder / module).exists() or not (folder / BUILD).is_file():
        return ""
    return f"is not built yet: capbox tool build {shlex.quote(str(folder))}"


def _text(path: Path) -> str | RegistryError:
    if path.is_symlink():
        return RegistryError(str(path), "is a link; a tool's manifest is a file in its folder")
    try:
        return read_regular(path, MANIFEST_BYTES_MAX)
    except FileNotFoundError:
        return RegistryError(str(path), "is not there: this is not the folder of a tool")
    except (OSError, ValueError) as error:
        return RegistryError(str(path), getattr(error, "strerror", None) or str(error))
