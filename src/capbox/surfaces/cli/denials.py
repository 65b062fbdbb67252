"""How refusals look to a person: each access, why, and the flags that would allow all of them."""

from __future__ import annotations

from collections.abc import Sequence

from capbox.messages import Denial
from capbox.surfaces.cli.screen import Screen, one_line

_SHOWN_MAX = 12


def show_denials(denied: Sequence[Denial], screen: Screen) -> None:
    """Print what was refused, and one line of flags to paste."""
    for denial in denied[:_SHOWN_MAX]:
        screen.say(f"denied: {denial.access}: {one_line(denial.reason, 200)}", "red")
    if len(denied) > _SHOWN_MAX:
        screen.say(f"denied: {len(denied) - _SHOWN_MAX} more; --json lists them all", "red")
    flags = list(dict.fromkeys(d.flag for d in denied if d.flag is not None))
    if flags:
        more = " ..." if len(flags) > _SHOWN_MAX else ""
        screen.say(f"to allow it, add: {' '.join(flags[:_SHOWN_MAX])}{more}", "bold")
