"""`capbox tool list|show`: the tools, what they take and what they ask for. Runs nothing.

`new`, `build`, `test`, `run` and `inspect` are in `building`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json, JsonObject
from capbox.surfaces.cli.commands.building import inspecting, project, trying
from capbox.surfaces.cli.commands.building.requests import grants_of
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.rows import marked

if TYPE_CHECKING:
    from capbox.tools.registry import Found, Registry


def commands(group: typer.Typer) -> typer.Typer:
    """Add the commands to `group`."""
    group.command("list")(list_)
    group.command("show")(show)
    group.command("new")(project.new)
    group.command("build")(project.build)
    group.command("test")(trying.test)
    group.command("run")(trying.run)
    group.command("inspect")(inspecting.inspect)
    return group


def list_(ctx: typer.Context, *, as_json: AsJson = False) -> int:
    """List the tools: name, what it does to files, and what it is for."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    registry = _registry(entry)
    _tell_unusable(registry, screen)
    found = [registry.tools[name] for name in sorted(registry.tools)]
    if as_json:
        screen.json([_described(one) for one in found])
    else:
        rows = [(f.manifest.name, f.manifest.access, _first(f.manifest.description)) for f in found]
        screen.table(("tool", "access", "what it does"), rows)
    return 0


def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    *,
    as_json: AsJson = False,
) -> int:
    """Show one tool: its arguments, what it asks for, its version and digest."""
    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    registry = _registry(entry)
    found = registry.tools.get(name)
    if found is None:
        _tell_unusable(registry, screen)
        raise usage(f"there is no tool {name}; there are: {', '.join(sorted(registry.tools))}")
    readme = _readme(found)
    if as_json:
        screen.json({**_described(found), "readme": "\n".join(readme) or None})
        return 0
    manifest = found.manifest
    screen.line(f"{manifest.name} {manifest.version}", "bold")
    screen.paragraph(manifest.description.strip())
    screen.line("")
    screen.line("arguments", "bold")
    for hang, line in _arguments(manifest.schema.document):
        screen.paragraph(line, hang=hang)
    screen.line("")
    screen.line("it asks for", "bold")
    required, optional = (grants_of(r) for r in (manifest.required, manifest.optional))
    screen.paragraph(f"  {', '.join(required) or 'nothing'}", hang=2)
    if optional:
        screen.paragraph(f"  and uses, if granted: {', '.join(optional)}", hang=2)
    screen.line("")
    screen.line("where it comes from", "bold")
    screen.line(f"  {found.module.path}, {manifest.license}")
    screen.line(f"  sha256 {found.digest}")
    screen.paragraph("  of the module's digest and the manifest's text", hang=2)
    if readme:
        screen.line("")
        screen.line("its README: its publisher's words, no instruction", "bold")
    for line in readme:
        for row in marked(line, screen.columns):
            screen.line(row)
    return 0


def _readme(found: Found) -> tuple[str, ...]:
    """Return the lines of an installed tool's README, made harmless; none if it has none."""
    from capbox.tools.packages.artefact.artefact import README, README_BYTES_MAX
    from capbox.tools.packages.review.untrusted import readme

    if found.module.shipped:
        return ()
    try:
        fd = os.open(Path(found.module.path).with_name(README), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return ()
    with os.fdopen(fd, "rb") as file:
        return readme(file.read(README_BYTES_MAX))


def _tell_unusable(registry: Registry, screen: Screen) -> None:
    for one in registry.unusable:
        screen.say(f"{one.where}: {one.message}; this tool is left out", "red")


def _registry(entry: Entry) -> Registry:
    from capbox.tools.available import available

    registry = available(entry.guests(), entry.home().tools)
    if registry.errors:
        first = registry.errors[0]
        raise CommandFailure("sandbox_failed", f"{first.where}: {first.message}", 5)
    return registry


def _described(found: Found) -> JsonObject:
    manifest = found.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "license": manifest.license,
        "access": manifest.access,
        "input_schema": manifest.schema.document,
        "requests": {
            "required": grants_of(manifest.required),
            "optional": grants_of(manifest.optional),
        },
        "digest": found.digest,
    }


def _arguments(schema: JsonObject) -> list[tuple[int, str]]:
    """Return a line an argument, and the column in which its description begins."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not properties:
        return [(2, "  none")]
    needed = required if isinstance(required, list) else []
    width = max(len(name) for name in properties)
    return [
        (width + 4, f"  {name.ljust(width)}  {_argument(described, optional=name not in needed)}")
        for name, described in properties.items()
    ]


def _argument(described: Json, *, optional: bool) -> str:
    if not isinstance(described, dict):
        return ""
    kind = described.get("type", "anything")
    named = kind if isinstance(kind, str) else json.dumps(kind)
    choices = described.get("enum")
    if isinstance(choices, list):
        named = "|".join(map(str, choices))
    text = described.get("description", "")
    return f"{named}{', optional' if optional else ''}.  {text}".rstrip()


def _first(description: str) -> str:
    return description.strip().partition(". ")[0].rstrip(".")
