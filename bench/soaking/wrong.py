"""What ends a soak: one thing that was not as it must be."""

from __future__ import annotations

import time

KINDS = {
    "content": "an answer with the wrong content, or a wrong file on disk",
    "authority": "data of another authority",
    "allow": "an allow that must be a deny",
    "deny": "a deny that must be an allow",
    "failure": "a failure that nothing explains",
    "bound": "a bound that did not hold",
    "journal": "an effect or a call missing in the journal, or a journal that cannot be believed",
    "leak": "something that was left behind or grew",
    "stuck": "a call or an event loop that did not end",
}


class Wrong(Exception):
    """`kind` is a key of KINDS; `where` names the life, `calls` what it did last."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(f"{KINDS[kind]}: {what}")
        self.kind = kind
        self.what = what
        self.at = time.monotonic()
        self.where = ""
        self.calls: tuple[str, ...] = ()


def found_in(error: BaseException) -> Wrong | None:
    """Return the earliest Wrong in an exception or a group of them: what came after may follow."""
    if isinstance(error, Wrong):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    found = [one for one in map(found_in, inner) if one is not None]
    return min(found, key=lambda wrong: wrong.at, default=None)
