"""The paths that a person types at `capbox call`: they mean this machine's files, as in a shell.

Guarantees: a relative path that leaves the workspace is asked for by the name it has on this
machine, never by what it would be in the sandbox; a file of this machine that the tool looked for
in its scratch directory is named; no store is advised that the tool would not get. Does not: allow
anything; the gate decides on what it gives.
"""

from __future__ import annotations

import os
import shlex
from dataclasses import replace

from capbox.authority.paths import WORKSPACE, Inside, Layout, normalise
from capbox.gate.manifest import Manifest
from capbox.messages import Denial, Json, JsonObject, ToolResult
from capbox.surfaces.cli.arguments import ArgumentsError


def placed(
    arguments: JsonObject, manifest: Manifest, layout: Layout
) -> JsonObject | ArgumentsError:
    """Return the arguments with each path that climbs out of the workspace as an absolute one."""
    found: dict[str, Json] = dict(arguments)
    for path in manifest.paths:
        text = arguments.get(path.argument)
        if not isinstance(text, str):
            continue
        if path.kind == "write" and text.startswith("/") and _is_scratch(text, layout):
            # It would be gone with the call, and look as if it had been written.
            return ArgumentsError(f"{path.argument}={text}: {_advice(path.kind, text)}")
        if not _climbs(text):
            continue
        host = os.path.normpath(f"{layout.workspace}/{text}")
        if _is_scratch(host, layout):
            return ArgumentsError(
                f"{path.argument}={text} is {host} on this machine, but {_advice(path.kind, host)}"
            )
        found[path.argument] = host
    return found


def explained(
    result: ToolResult, arguments: JsonObject, manifest: Manifest, layout: Layout
) -> ToolResult:
    """Add to "not found" that this machine has the file, where the tool has its scratch."""
    result = replace(result, denied=tuple(_of_store(one, manifest) for one in result.denied))
    error = result.error
    if error is None or error.code != "not_found":
        return result
    for path in manifest.paths:
        text = arguments.get(path.argument)
        if isinstance(text, str) and _is_scratch(text, layout) and os.path.lexists(text):
            message = f"{error.message} {_advice(path.kind, text)}"
            return replace(result, error=replace(error, message=message))
    return result


def _of_store(denial: Denial, manifest: Manifest) -> Denial:
    """Return a refusal without the advice to grant a store that the tool does not request."""
    kind, _, name = (denial.missing or "").partition(":")
    asked = {one.name for one in manifest.requests if one.kind == "store"}
    if kind != "store" or not asked.isdisjoint({None, name}):
        return denial
    reason = f"the tool {manifest.name} requests no {denial.missing}"
    return replace(denial, reason=reason, missing=None, flag=None)


def _climbs(text: str) -> bool:
    return os.path.normpath(text).split("/", 1)[0] == ".."


def _is_scratch(text: str, layout: Layout) -> bool:
    if isinstance(normalise(text, WORKSPACE), str):
        place = layout.locate(text, WORKSPACE)
        return isinstance(place, Inside) and place.grant is None
    return False


def _advice(kind: str, path: str) -> str:
    flag = f"--{kind} {shlex.quote(path)}"
    return f"/tmp is the tool's own scratch; for this machine's, grant it with {flag}"  # noqa: S108
