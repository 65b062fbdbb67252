"""Finds tools in a directory: WASM modules, and a folder of manifests for each.

`toolbox.wasm` beside `toolbox/read.toml`, `toolbox/write.toml`, ... Guarantees: a tool's digest
covers the module's bytes and the manifest's text, so a change of either is another tool; what
cannot be read or parsed is reported by name, never left out silently. Does not: run or compile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest, sha256
from pathlib import Path

from capbox.authority.paths import HostPath
from capbox.gate.manifest import Manifest, ManifestError, parse_manifest
from capbox.gate.runner import Runner, Tool
from capbox.messages import JsonObject
from capbox.sandbox.spec import Module
from capbox.tools.regular import open_regular


@dataclass(frozen=True, slots=True)
class RegistryError:
    """A tool that could not be loaded, and why."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """One tool on disk: its manifest, its module, and the digest of both."""

    manifest: Manifest
    module: Module
    digest: str


@dataclass(frozen=True, slots=True)
class Registry:
    """Every tool that was found, by name, and every one that could not be loaded.

    `unusable` ones were installed: the others work without them.
    """

    tools: Mapping[str, Found]
    errors: tuple[RegistryError, ...]
    unusable: tuple[RegistryError, ...] = ()

    def with_own(self, own: Iterable[Found]) -> Registry | RegistryError:
        """Return these tools and `own`, in the place of installed ones of the same name.

        The name of a shipped one is refused.
        """
        tools = dict(self.tools)
        for found in own:
            name = found.manifest.name
            if name in tools and tools[name].module.shipped:
                reason = f"{name} is the name of a tool that capbox brings; choose another one"
                return RegistryError(found.module.path, reason)
            tools[name] = found
        return replace(self, tools=tools)

    def with_runner(
        self, runner: Runner, settings: Mapping[str, JsonObject] | None = None
    ) -> dict[str, Tool]:
        """Return the tools as the gate takes them; `settings` are the operator's, by tool."""
        given = settings or {}
        return {
            name: Tool(found.manifest, found.module, found.digest, runner, given.get(name))
            for name, found in self.tools.items()
        }


def load(directory: Path, *, shipped: bool) -> Registry:
    """Load every tool in `directory`; `shipped` says that capbox itself brought these modules."""
    tools: dict[str, Found] = {}
    errors: list[RegistryError] = []
    modules: dict[Path, Module | RegistryError] = {}
    manifests = sorted(directory.glob("*/*.toml"))
    if not manifests:
        errors.append(RegistryError(str(directory), "there are no tools here; were they built?"))
    for path in manifests:
        found = _load_one(path, modules, shipped=shipped)
        if isinstance(found, Found) and found.manifest.name in tools:
            found = RegistryError(str(path), f"a second tool named {found.manifest.name}")
        if isinstance(found, Found):
            tools[found.manifest.name] = found
        else:
            errors.append(found)
    return Registry(tools, tuple(errors))


def _load_one(
    path: Path, modules: dict[Path, Module | RegistryError], *, shipped: bool
) -> Found | RegistryError:
    try:
        with open_regular(path) as file:
            text = file.read().decode("utf-8")
    except (OSError, ValueError) as error:
        return RegistryError(str(path), str(error))
    manifest = parse_manifest(text, str(path))
    if isinstance(manifest, ManifestError):
        return RegistryError(manifest.where, manifest.message)
    wasm = path.parent.parent / manifest.module
    if wasm not in modules:
        modules[wasm] = load_module(wasm, shipped=shipped)
    module = modules[wasm]
    if isinstance(module, RegistryError):
        return module
    return found_tool(manifest, module, text)


def found_tool(manifest: Manifest, module: Module, text: str) -> Found:
    """Return the tool of a module and a manifest, whose `text` its digest covers."""
    digest = sha256(f"{module.digest}\n{text}".encode()).hexdigest()
    return Found(manifest, replace(module, export=manifest.export), digest)


def load_module(path: Path, *, shipped: bool) -> Module | RegistryError:
    """Return the module at `path`, with the digest of its bytes."""
    try:
        with open_regular(path) as file:
            magic = file.read(4)
            file.seek(0)
            digest = file_digest(file, sha256).hexdigest()
    except OSError as error:
        return RegistryError(str(path), error.strerror or str(error))
    if magic != b"\0asm":
        return RegistryError(str(path), "this is not a WebAssembly module")
    return Module(HostPath(str(path)), digest, shipped)
