"""The network as a guest sees it: four functions that hand everything to the parent.

Guarantees: this process has no socket; what a guest asks for goes to the parent as it is, and what
comes back is bounded by the parent. Does not: parse a URL, decide, or record; the parent does.

A request answers with a handle and JSON (a response's head, or an error), a read with bytes and
perhaps the JSON of an error.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import E2BIG, EACCES, EBADF

from capbox.messages import Json, JsonObject
from capbox.sandbox.raw import GuestMemory

HEAD_BYTES_MAX = 128 << 10
READ_BYTES_MAX = 1 << 20
_Numbers = tuple[int, int]

Exchange = Callable[[JsonObject, bytes], tuple[JsonObject, bytes]]


class Http:
    """The functions of module `capbox_http`."""

    def __init__(self, memory: GuestMemory, exchange: Exchange) -> None:
        self._memory = memory
        self._exchange = exchange
        self._answer = b""

    def restart(self) -> None:
        """Forget the last answer: the next guest is another call."""
        self._answer = b""

    def capbox_http_request(self, head: int, size: int, body: int, length: int, ret: int) -> int:
        """Send a request and wait for the head of its response."""
        if size > HEAD_BYTES_MAX:
            raise OSError(E2BIG, "the head of the request is too long")
        text = str(self._memory.slice(head, size), "utf-8", "replace")
        content = bytes(self._memory.slice(body, length))
        self._memory.slice(ret, 8)
        (handle, _), self._answer = self._asked(["request", text], content)
        self._memory.put_u32(ret, handle)
        self._memory.put_u32(ret + 4, len(self._answer))
        return 0

    def capbox_http_answer(self, pointer: int, length: int) -> int:
        """Copy the JSON of the last answer."""
        self._memory.write(pointer, self._answer[:length])
        return 0

    def capbox_http_read(self, handle: int, pointer: int, length: int, ret: int) -> int:
        """Copy the next bytes of a body."""
        wanted = min(length, READ_BYTES_MAX)
        room = self._memory.slice(pointer, wanted)
        self._memory.slice(ret, 8)
        (count, _), content = self._asked(["read", handle, wanted], b"")
        if count > wanted:
            raise OSError(EBADF, "more than was asked for")
        room[:count] = content[:count]
        self._answer = content[count:]
        self._memory.put_u32(ret, count)
        self._memory.put_u32(ret + 4, len(self._answer))
        return 0

    def capbox_http_close(self, handle: int) -> int:
        """End a response that is not wanted any further."""
        self._asked(["close", handle], b"")
        return 0

    def _asked(self, operation: Json, body: bytes) -> tuple[_Numbers, bytes]:
        answer, content = self._exchange({"http": operation}, body)
        match answer.get("http"):
            case [int(first), int(second)]:
                return (first, second), content
            case _:
                raise OSError(EBADF, "no answer")


def no_network(header: JsonObject, body: bytes) -> tuple[JsonObject, bytes]:
    """Answer as a parent that does not serve the network."""
    raise OSError(EACCES, "no network")
