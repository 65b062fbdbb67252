"""What a worker does before it changes anything: it has the parent save what is there.

Guarantees: one question for each name and call, before the change, and no change without a yes.
Nothing is asked about a temporary file that the call itself makes: the parent tidies those, and
what they replace is saved. Does not: read what is to be saved; the parent finds it by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import EACCES
from typing import TYPE_CHECKING

from capbox.messages import JsonObject
from capbox.sandbox.spec import is_temporary

if TYPE_CHECKING:
    from capbox.sandbox.wasi.mounts import Mount

Exchange = Callable[[JsonObject, bytes], tuple[JsonObject, bytes]]


class Saving:
    """The questions of one worker; `exchange` takes one to the parent and waits."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._saved: set[tuple[str, str]] = set()
        self._prepared: set[tuple[str, str]] = set()  # replacements that are there
        self._folders: set[tuple[str, str]] = set()

    def restart(self) -> None:
        """Begin another call: meanwhile somebody else may have changed what was saved."""
        self._saved.clear()
        self._prepared.clear()

    def before(self, action: str, mount: Mount, name: str) -> str:
        """Have `name` saved; return "", or why that cannot be."""
        key = (mount.guest, name)
        if action == "rmdir":
            self._saved.discard(key)
            return self._asked("remove", mount.guest, name)
        if action == "delete":
            self._prepared.discard(key)
        if key in self._saved:
            return ""
        folder = (mount.guest, name.rpartition("/")[0])
        prepared = action == "create" and is_temporary(name)
        # Attack: files that are all named as replacements are, and stay. One at a time is enough.
        if not prepared or self._prepared or folder not in self._folders:
            reason = self._asked("change", mount.guest, name)
            if reason:
                return reason
            self._folders.add(folder)
        if prepared:
            self._prepared.add(key)
        self._saved.add(key)
        return ""

    def before_rename(self, mount: Mount, old: str, new: str, staged: str) -> str:
        """Have `new` saved, and that `old` becomes it; return "", or why that cannot be."""
        if (mount.guest, old) in self._saved and is_temporary(old):
            self._prepared.discard((mount.guest, old))
            return self.before("write", mount, new)
        reason = self._asked("rename", mount.guest, old, new, staged)
        if not reason:
            # What has either name from now on is another object.
            gone = (mount.guest, old), (mount.guest, new)
            self._saved = {key for key in self._saved if not any(_is_below(key, g) for g in gone)}
        return reason

    def not_renamed(self, mount: Mount, old: str) -> None:
        """Tell the parent that the rename that it heard of last did not happen."""
        if not ((mount.guest, old) in self._saved and is_temporary(old)):
            self._asked("void")

    def _asked(self, *question: str) -> str:
        answer, _ = self._exchange({"save": list(question)}, b"")
        reason = answer.get("saved")
        if not isinstance(reason, str):
            raise OSError(EACCES, "nothing can be saved")
        return reason


def _is_below(key: tuple[str, str], top: tuple[str, str]) -> bool:
    return key[0] == top[0] and (key[1] == top[1] or key[1].startswith(f"{top[1]}/"))
