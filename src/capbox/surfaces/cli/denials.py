"""How refusals look to a person: each access, why, and the flags that would allow all of them.

Guarantees: no flag is advised that grants a place which a `..` may only seem to have named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from capbox.authority.grant import HAS_READ
from capbox.messages import Denial, JsonObject
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

_SHOWN_MAX = 12


_CLIMBING = re.compile(r"(?<![^\s/'\"=:<>|&;()])\.\.(?![^\s/'\";|&<>()])")


def climbed(arguments: JsonObject, denied: Sequence[Denial]) -> tuple[Denial, ...]:
    """Return what was refused outside of the workspace because a `..` led there.

    Above /workspace is / of the sandbox: what was meant is beside the workspace on this machine,
    and the flag for /tour grants this machine's /tour. A path that is written out is meant.
    """
    texts = [value for value in arguments.values() if isinstance(value, str)]
    if not any(map(_CLIMBING.search, texts)):
        return ()
    return tuple(one for one in denied if _is_outside(one) and not _is_named(one, texts))


def _is_outside(one: Denial) -> bool:
    path = _path(one)
    return path.startswith("/") and not f"{path}/".startswith("/workspace/")


def _is_named(one: Denial, texts: Sequence[str]) -> bool:
    return any(re.search(rf"(?<![\w./-]){re.escape(_path(one))}", text) for text in texts)


def _path(one: Denial) -> str:
    return one.access.partition(" ")[2]


def show_denials(
    denied: Sequence[Denial], screen: Screen, climbed: Collection[Denial] = ()
) -> None:
    """Print what was refused, and one line of flags to paste, for all but those that climbed."""
    show_refusals(denied, screen, climbed)
    flags = list(dict.fromkeys(d.flag for d in denied if d.flag and d not in climbed))
    if flags:
        more = " ..." if len(flags) > _SHOWN_MAX else ""
        screen.say(f"to allow it, add: {' '.join(flags[:_SHOWN_MAX])}{more}", "bold")


def show_refusals(
    denied: Sequence[Denial], screen: Screen, climbed: Collection[Denial] = ()
) -> None:
    """Print what was refused, and why; not what would allow it."""
    for denial in denied[:_SHOWN_MAX]:
        screen.say(f"denied: {denial.access}: {one_line(denial.reason, 200)}", "red")
    if len(denied) > _SHOWN_MAX:
        screen.say(f"denied: {len(denied) - _SHOWN_MAX} more; --json lists them all", "red")
    if climbed:
        first = one_line(_path(next(iter(climbed))), 200)
        screen.say(
            f"{first}: relative paths do not leave the workspace, `..` above it is / of the "
            "sandbox; for a file beside the workspace, use its absolute path on this machine",
            "bold",
        )
    if any(denial.reason.startswith(HAS_READ) for denial in denied):
        screen.say("to send it all the same, send before that is read, or leave that out", "bold")
