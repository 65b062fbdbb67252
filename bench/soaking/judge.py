"""Is an answer the right one? Each function returns or raises what is wrong, and of which kind."""

from __future__ import annotations

import json

from bench.soaking.acts import Act
from bench.soaking.records import CHANGES
from bench.soaking.rights import Rights
from bench.soaking.world import Workspace, owners
from bench.soaking.wrong import Wrong
from capbox.messages import ToolResult


def complaint(act: Act, result: ToolResult) -> tuple[str, str] | None:
    """Compare an answer that nothing disturbed with the one right answer."""
    code = None if result.error is None else result.error.code
    # Any other error than the one it may give is a failure, not a wrong answer.
    if code == act.code or (act.code == "either" and code in (None, act.also)):
        said = act.check(result)
        return None if said is None else ("content", f"{act}: {said}")
    told = code or f"ok, {result.content[:200]!r}"
    if result.error is not None:
        told = f"{told}: {result.error.message[:300]}"
    what = f"{act}: {told}, and not {act.code or 'ok'}"
    if act.code == "denied" and code != "sandbox_failed":
        return "allow", what
    if code == "denied":
        return "deny", what
    bounds = ("time", "memory", "stack", "output", "written", "files_created")
    return "bound" if act.code in bounds else "failure", what


def unrecorded(act: Act, result: ToolResult) -> tuple[str, str] | None:
    """Return which change of a call is missing among its effects."""
    changed = {effect.path for effect in result.effects if effect.action in CHANGES}
    names = {f"/workspace/{name}" for step in act.steps for name in step}
    missing = sorted(names - changed)
    return ("journal", f"{act}: no effect on {missing}") if missing else None


def leaked(result: ToolResult, rights: Rights, files: Workspace, area: str) -> None:
    """Raise Wrong for lines of an owner, or effects on a path, that this life may not see."""
    message = "" if result.error is None else result.error.message
    shown = f"{result.content}\n{message}\n{json.dumps(result.data)}"
    visible = rights.visible(files.areas, area)
    if not rights.revoked and not owners(shown) <= visible:
        raise Wrong(
            "authority", f"lines of {sorted(owners(shown) - visible)} are shown: {shown[:400]}"
        )
    for effect in result.effects:
        name = effect.path.removeprefix("/workspace/")
        if name == effect.path or effect.action == "list" or rights.revoked:
            continue
        write = effect.action in CHANGES
        temporary = name.rpartition("/")[2].startswith(".capbox-")
        if not rights.permits(name, write=write) and not temporary and effect.action != "mkdir":
            raise Wrong("allow", f"an effect beyond the grants: {effect}")
