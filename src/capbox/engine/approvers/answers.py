"""Answers as text: on a command line, and over the control socket.

Guarantees: whatever is not one of the forms below is no answer; a bare `y` or `yes` is none, nor is
a time without its unit, which the terminal counts in minutes.
"""

from __future__ import annotations

import re

from capbox.gate.approver import Always, Answer, For, ForRun, ForUses, No, Once, Stop

USES_MAX = 1_000
SECONDS_MAX = 86_400
FORMS = "once, uses=N, for=10m, run, always, always=N, no, stop"
_COUNTED = re.compile(r"(uses|for|always)=([0-9]{1,6})([smh]?)")
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_WORDS: dict[str, Answer] = {
    "once": Once(),
    "run": ForRun(),
    "always": Always(),
    "no": No(),
    "stop": Stop(),
}


def read_answer(text: str) -> Answer | str:
    """Return the answer that `text` says, or what is wrong with it."""
    if text in _WORDS:
        return _WORDS[text]
    found = _COUNTED.fullmatch(text)
    if found is None:
        return f"{text!r} is no answer; there are: {FORMS}"
    if found[1] == "for" and not found[3]:
        return "for= takes a time with its unit, as in for=30m"
    number = int(found[2]) * _UNITS.get(found[3], 1)
    if found[1] != "for":
        if found[3] or not 0 < number <= USES_MAX:
            return f"{found[1]}=N takes 1 to {USES_MAX}"
        return ForUses(number) if found[1] == "uses" else Always(number)
    if not 0 < number <= SECONDS_MAX:
        return "for= takes at most 24h, as in for=10m"
    return For(number)
