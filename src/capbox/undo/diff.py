"""Changes in words, and texts as a unified diff. Pure but for reading what it compares.

Guarantees: paths below the workspace are shown as seen from it; what is no text, or too large, is a
line and not shown. Does not: make harmless what others wrote; the screen does.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff

from capbox.messages import JsonObject
from capbox.sandbox.undo.state import State
from capbox.undo.changes import Change, content_before, content_now
from capbox.undo.history import Kept

LINES_MAX = 20_000  # of a file that is compared line by line: difflib takes its time
Line = tuple[str, str]
"""A line and its style."""


def told(one: Kept, change: Change, *, stat: bool = False) -> Iterator[Line]:
    """Yield the lines that tell one change; with `stat` the first of them alone."""
    old = None if change.old_path is None else one.shown(change.old_path)
    new = None if change.path is None else one.shown(change.path)
    name = f"{old} -> {new}" if change.kind == "moved" else new or old or ""
    what = f"{change.kind:8}{name}"
    notes = list(_notes(change))
    yield what + (f"  ({'; '.join(notes)})" if notes else ""), "bold"
    if stat or "file" not in (_kind(change.before), _kind(change.now)):
        return
    texts = _texts(one, change)
    if texts is None:
        if change.before is not change.now:
            yield "  (not shown: no text, or too large)", "dim"
        return
    for line in unified_diff(*texts, f"a/{old or new}", f"b/{new or old}", lineterm=""):
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        yield line, style


def to_json(one: Kept, change: Change) -> JsonObject:
    """Return one change as the object that `capbox diff --json` prints."""
    return {
        "kind": change.kind,
        "path": None if change.path is None else one.shown(change.path),
        "old_path": None if change.old_path is None else one.shown(change.old_path),
        "host_path": change.path or change.old_path,
        "before": _state(change.before),
        "now": _state(change.now),
        "changed_since": change.foreign,
    }


def _state(state: State | None) -> JsonObject | None:
    if state is None:
        return None
    found: JsonObject = {"type": state.kind, "mode": f"{state.mode:04o}", "bytes": state.size}
    return {**found, "target": state.text} if state.kind == "link" else found


def _notes(change: Change) -> Iterator[str]:
    before, now = change.before, change.now
    one = now or before
    if one is not None and one.kind != "file":
        yield one.kind
    if before is not None and now is not None:
        if before.kind != now.kind:
            yield f"it was a {before.kind}"
        elif before.mode != now.mode and before.kind != "link":
            yield f"mode {before.mode:04o} -> {now.mode:04o}"
    for state, word in ((before, "led to"), (now, "leads to")):
        if state is not None and state.kind == "link":
            yield f"{word} {state.text}"
    if change.foreign:
        yield "changed since by somebody else"


def _kind(state: State | None) -> str:
    return "" if state is None else state.kind


def _texts(one: Kept, change: Change) -> tuple[list[str], list[str]] | None:
    before: bytes | None = b""
    now: bytes | None = b""
    if change.before is not None and change.before.kind == "file":
        before = content_before(one, change)
    if change.now is not None and change.now.kind == "file":
        now = content_now(change)
    if before is None or now is None or b"\0" in before[:8192] + now[:8192]:
        return None
    try:
        texts = before.decode().splitlines(), now.decode().splitlines()
    except UnicodeDecodeError:
        return None
    return texts if max(map(len, texts)) <= LINES_MAX else None
