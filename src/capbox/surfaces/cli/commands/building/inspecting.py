"""`capbox tool inspect`: what a WebAssembly file can ask for, in words. Runs nothing."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.building.project import failed
from capbox.surfaces.cli.commands.building.requests import grants_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.tools.inspection.component import Component
    from capbox.tools.inspection.inspecting import Inspection
    from capbox.tools.inspection.module import Core, Memory
    from capbox.tools.inspection.powers import Power

_LISTED_MAX = 20
_LINE_MAX = 4_000
_WORDS_MAX = 300


def inspect(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="FILE.wasm|DIR")],
    *,
    as_json: AsJson = False,
) -> int:
    """Say what a module could ask for, who made it, and whether it can run here. Runs nothing."""
    from capbox.tools.folder import MANIFEST
    from capbox.tools.inspection.inspecting import InspectionError, inspect_folder
    from capbox.tools.inspection.inspecting import inspect as inspect_file

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    wrong = _mistakes(path)
    found = inspect_folder(path) if path.is_dir() else inspect_file(path)
    if isinstance(found, InspectionError):
        # The manifest's own mistakes say more than that it is none.
        own = wrong if found.where == str(path / MANIFEST) else ()
        raise failed(f"{found.where}: {chr(10).join(own) or found.message}")
    if as_json:
        screen.json({**described(found), "mistakes": list(wrong)})
        return 0
    kind = "a WebAssembly module" if found.core is not None else "a WebAssembly component"
    screen.line(f"{found.path}: {kind}, {found.size:,} bytes", "bold")
    screen.line(f"  sha256 {found.digest}")
    mind = [("what is wrong with its manifest", list(wrong))] if wrong else []
    for title, lines in (*_parts(found), *mind):
        screen.line("")
        screen.line(title, "bold")
        for line in lines:
            # Attack: an import whose name goes on in a line "can capbox run it: yes".
            screen.paragraph(f"  {one_line(line, _LINE_MAX)}", hang=4)
    return 0


def _mistakes(path: Path) -> tuple[str, ...]:
    """Return what is wrong with the manifest of a folder, although it is one."""
    from capbox.tools.sdk.mistakes import mistakes
    from capbox.tools.sdk.project import BuildError, manifest_text

    try:
        return mistakes(manifest_text(path)) if path.is_dir() else ()
    except BuildError:
        return ()


def _parts(found: Inspection) -> Iterator[tuple[str, list[str]]]:
    core = found.core
    if found.manifest is not None:
        manifest = found.manifest
        yield f"{manifest.name} {manifest.version}, as its manifest says", _requested(found)
    if core is not None:
        yield "what its imports can ask for", _told(found.powers)
        yield "what it brings", _brought(core)
    if found.component is not None:
        yield from _compound(found.component)
    runs = "yes" if not found.obstacles else "no"
    if core is not None or found.component is not None:
        yield f"can capbox run it: {runs}", [f"it {reason}" for reason in found.obstacles]


def _told(powers: Sequence[Power], *, all_known: bool = True) -> list[str]:
    from capbox.tools.inspection.powers import absent

    lines = [f"{power.name}: {power.words}" for power in powers]
    missing = absent(powers) if all_known else ()
    return lines + [f"no {name}: it imports nothing that leads there" for name in missing]


def _compound(found: Component) -> Iterator[tuple[str, list[str]]]:
    lines = _told(found.powers, all_known=not found.refused)
    refused = Counter(name.partition(".")[0] for name in found.refused)
    lines += [
        f"{interface}: capbox does not give this ({count} functions); a call of one fails, by name"
        for interface, count in list(refused.items())[:_LISTED_MAX]
    ]
    yield "what its imports can ask for", lines
    yield (
        f"what it offers, in {found.modules} core modules",
        [
            _fitted(f"{one.name}{one.words}") + ("" if one.schema else " (no JSON can say it)")
            for one in found.exports[:_LISTED_MAX]
        ],
    )


def _fitted(words: str) -> str:
    return (
        words
        if len(words) <= _WORDS_MAX
        else f"{words[:_WORDS_MAX]}... ({len(words):,} characters)"
    )


def _requested(found: Inspection) -> list[str]:
    from capbox.tools.inspection.powers import reached

    manifest = found.manifest
    if manifest is None:
        return []
    required, optional = (grants_of(r) for r in (manifest.required, manifest.optional))
    lines = [
        f"asks for: {', '.join(required) or 'nothing'}",
        f"uses, if granted: {', '.join(optional) or 'nothing'}",
        f"a call {_ACCESS[manifest.access]}",
    ]
    if found.core is not None:
        names = reached(found.powers)
        asked = {_POWER_OF[r.kind] for r in manifest.requests if r.kind in _POWER_OF}
        unused = sorted(asked - names)
        lines += [f"asks for {name}, and imports nothing that leads there" for name in unused]
    return lines


_ACCESS = {
    "none": "changes nothing and reads nothing of the workspace, it says",
    "read": "reads at most, it says",
    "write": "may change files, it says",
    "execute": "may do all that it was granted, it says",
}
_POWER_OF = {"read": "files", "write": "files", "fetch": "network", "secret": "network"} | {
    "invoke": "functions"
}


def _brought(core: Core) -> list[str]:
    exports = [one.name for one in core.exports]
    more = f" and {len(exports) - _LISTED_MAX} more" if len(exports) > _LISTED_MAX else ""
    customs = [f"{name} ({size:,} bytes)" for name, size in core.customs[:_LISTED_MAX]]
    makers = [f"{one.name} {one.version}".strip() for one in core.makers[:_LISTED_MAX]]
    return [
        f"exports: {', '.join(exports[:_LISTED_MAX]) or 'nothing'}{more}",
        *(f"memory: {_memory(memory)}" for memory in core.memories[:_LISTED_MAX]),
        f"{core.functions:,} functions, {core.code_bytes:,} bytes of code, "
        f"{core.data_bytes:,} of data",
        f"made by: {', '.join(makers) or 'it does not say'}",
        *([f"also holds: {', '.join(customs)}"] if customs else []),
    ]


def _memory(memory: Memory) -> str:
    from capbox.tools.inspection.module import PAGE_BYTES

    least = f"{memory.pages_min * PAGE_BYTES / 1e6:,.1f} MB at first"
    if memory.pages_max is None:
        return f"{least}, at most what a call may have"
    return f"{least}, at most {memory.pages_max * PAGE_BYTES / 1e6:,.1f} MB"


def described(found: Inspection) -> dict[str, Json]:
    """Return an inspection as JSON."""
    core = found.core
    return {
        "path": str(found.path),
        "kind": "module" if core is not None else "component",
        "size": found.size,
        "sha256": found.digest,
        "runs": not found.obstacles,
        "obstacles": list(found.obstacles),
        "powers": [
            {"name": p.name, "words": p.words, "imports": list(p.imports)} for p in found.powers
        ],
        "requests": None if found.manifest is None else list(grants_of(found.manifest.requests)),
        "input_schema": None if found.manifest is None else found.manifest.schema.document,
        **({} if core is None else _core(core)),
        **({} if found.component is None else _offered(found.component)),
    }


def _offered(found: Component) -> dict[str, Json]:
    return {
        "refused": list(found.refused),
        "functions": [
            {"name": one.name, "type": one.words, "input_schema": one.schema}
            for one in found.exports
        ],
    }


def _core(core: Core) -> dict[str, Json]:
    return {
        "imports": [
            {"module": one.module, "name": one.name, "kind": one.kind} for one in core.imports
        ],
        "exports": [{"name": one.name, "kind": one.kind} for one in core.exports],
        "memories": [
            {"pages_min": one.pages_min, "pages_max": one.pages_max} for one in core.memories
        ],
        "makers": [[one.field, one.name, one.version] for one in core.makers],
        "features": list(core.features),
        "custom_sections": [[name, size] for name, size in core.customs],
    }
