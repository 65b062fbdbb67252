"""`/dev/capbox`: the way to the parent for guests that cannot gain an import.

One write is one question: a line of JSON ({"http": [...]} or {"invoke": [...]}, as the imports ask
it) and the bytes that belong to it. Reads give its answer in the same form, and then the end.
Guarantees: what is asked goes to the parent as it is, within bounds, and is nothing that an import
could not ask. Does not: decide, or record; the parent does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from errno import E2BIG, EINVAL

from capbox.sandbox.process.http import HEAD_BYTES_MAX, Exchange
from capbox.sandbox.spec import INVOKED_BYTES_MAX

PATH = "/dev/capbox"
# Not "save": the parent would take a guest's word for what was on the disk.
_QUESTIONS = ("http", "invoke")


class Device:
    """The device of one worker; the last question counts."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._answer = memoryview(b"")

    def restart(self) -> None:
        """Forget the last answer: the next guest is another call."""
        self._answer = memoryview(b"")

    def write(self, buffers: Iterable[memoryview]) -> int:
        """Ask the parent and keep its answer. Raises OSError for what is no question."""
        question = b"".join(buffers)
        head, _, body = question.partition(b"\n")
        if len(head) > HEAD_BYTES_MAX:
            raise OSError(E2BIG, "the question is too long")
        try:
            asked = json.loads(head.decode())  # of bytes it guesses, and loads codecs for it
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or len(asked) != 1 or not asked.keys() <= set(_QUESTIONS):
            raise OSError(EINVAL, "not a question")
        if "invoke" in asked and len(body) > INVOKED_BYTES_MAX:
            raise OSError(E2BIG, "the arguments are too long")
        answer, content = self._exchange(asked, body)
        kept = {name: answer[name] for name in _QUESTIONS if name in answer}
        self._answer = memoryview(json.dumps(kept).encode() + b"\n" + content)
        return len(question)

    def read(self, buffers: Iterable[memoryview]) -> int:
        """Copy what is left of the answer."""
        got = 0
        for buffer in buffers:
            piece = self._answer[: len(buffer)]
            buffer[: len(piece)] = piece
            self._answer = self._answer[len(piece) :]
            got += len(piece)
        return got
