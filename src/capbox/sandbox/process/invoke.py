"""Functions of the embedding program as a guest sees them: three imports that ask the parent.

Guarantees: what a guest asks for goes to the parent as it is, within bounds; nothing of the program
is in this process. Does not: read arguments, decide, or record; the parent does.

A call and a list answer with JSON: what the function said, or an error.
"""

from __future__ import annotations

from errno import E2BIG, EBADF

from capbox.messages import Json
from capbox.sandbox.process.http import Exchange
from capbox.sandbox.raw import GuestMemory
from capbox.sandbox.spec import INVOKED_BYTES_MAX


class Invoke:
    """The functions of module `capbox_invoke`."""

    def __init__(self, memory: GuestMemory, exchange: Exchange) -> None:
        self._memory = memory
        self._exchange = exchange
        self._answer = b""

    def restart(self) -> None:
        """Forget the last answer: the next guest is another call."""
        self._answer = b""

    def capbox_invoke_call(self, name: int, size: int, body: int, length: int, ret: int) -> int:
        """Call a function with a JSON object and wait for what it says."""
        if length > INVOKED_BYTES_MAX:
            raise OSError(E2BIG, "the arguments are too long")
        called = self._memory.text(name, size)
        return self._asked(["call", called], bytes(self._memory.slice(body, length)), ret)

    def capbox_invoke_list(self, ret: int) -> int:
        """Ask which functions may be called."""
        return self._asked(["list"], b"", ret)

    def capbox_invoke_answer(self, pointer: int, length: int) -> int:
        """Copy the JSON of the last answer."""
        self._memory.write(pointer, self._answer[:length])
        return 0

    def _asked(self, operation: Json, body: bytes, ret: int) -> int:
        self._memory.slice(ret, 4)
        answer, content = self._exchange({"invoke": operation}, body)
        if answer.get("invoke") != 0:
            raise OSError(EBADF, "no answer")
        self._answer = content
        self._memory.put_u32(ret, len(content))
        return 0
