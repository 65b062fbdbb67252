"""The device: what is a question goes to the parent as it is, and nothing else does."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import dataclass, field

import pytest

from capbox.messages import Json, JsonObject
from capbox.sandbox.process.device import Device
from capbox.sandbox.process.http import HEAD_BYTES_MAX
from capbox.sandbox.spec import INVOKED_BYTES_MAX


@dataclass
class Parent:
    """The parent's end: keeps what it was asked, and answers."""

    answer: JsonObject = field(default_factory=lambda: {"http": [1, 0]})
    content: bytes = b""
    asked: list[tuple[JsonObject, bytes]] = field(default_factory=list)

    def exchange(self, header: JsonObject, body: bytes) -> tuple[JsonObject, bytes]:
        """Answer one question."""
        self.asked.append((header, body))
        return self.answer, self.content


def write(device: Device, question: bytes) -> int:
    """Write a question in one piece."""
    return device.write([memoryview(question)])


def read(device: Device, *sizes: int) -> bytes:
    """Read into buffers of these sizes."""
    buffers = [memoryview(bytearray(size)) for size in sizes]
    got = device.read(buffers)
    return b"".join(map(bytes, buffers))[:got]


LONGEST = b'{"http": "' + b"x" * (HEAD_BYTES_MAX - 12) + b'"}'
ASKED: dict[str, tuple[bytes, Json, bytes]] = {
    "a request": (b'{"http": ["request", "{}"]}\nbody', ["request", "{}"], b"body"),
    "a body with line ends": (b'{"http": 1}\na\nb\n', 1, b"a\nb\n"),
    "no body": (b'{"http": ["close", 1]}', ["close", 1], b""),
    "a list of functions": (b'{"invoke": ["list"]}\n', ["list"], b""),
    "odd inside": (b'{"http": {"save": 1}}', {"save": 1}, b""),
    "the longest head": (LONGEST, "x" * (HEAD_BYTES_MAX - 12), b""),
    "the longest arguments": (
        b'{"invoke": 1}\n' + bytes(INVOKED_BYTES_MAX),
        1,
        bytes(INVOKED_BYTES_MAX),
    ),
}
REFUSED: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", errno.EINVAL),
    "a line without a question": (b"\n", errno.EINVAL),
    "no JSON": (b"GET / HTTP/1.1", errno.EINVAL),
    "bytes": (bytes(range(256)), errno.EINVAL),
    "a question in UTF-16": ('{"http": 1}'.encode("utf-16-le"), errno.EINVAL),
    "half a question": (b'{"http": [', errno.EINVAL),
    "a list": (b'["http"]', errno.EINVAL),
    "a text": (b'"http"', errno.EINVAL),
    "nothing asked": (b"{}", errno.EINVAL),
    "a question of a worker": (b'{"save": ["a"]}', errno.EINVAL),
    "the report of a worker": (b'{"end": {"ok": true}}', errno.EINVAL),
    "two questions": (b'{"http": 1, "invoke": 1}', errno.EINVAL),
    "a question and what is none": (b'{"http": 1, "save": 1}', errno.EINVAL),
    "nested too deep": (b'{"http": ' + b"[" * 100_000, errno.EINVAL),
    "a head too long": (LONGEST + b" ", errno.E2BIG),
    "arguments too long": (b'{"invoke": 1}\n' + bytes(INVOKED_BYTES_MAX + 1), errno.E2BIG),
}


@pytest.mark.parametrize("question", ASKED)
def test_a_question_goes_to_the_parent_as_it_is(question: str) -> None:
    text, operation, body = ASKED[question]
    parent = Parent()
    assert write(Device(parent.exchange), text) == len(text)
    [(header, content)] = parent.asked
    assert (list(header.values()), content) == ([operation], body)


@pytest.mark.parametrize("question", REFUSED)
def test_what_is_no_question_is_refused_and_asks_nothing(question: str) -> None:
    text, code = REFUSED[question]
    parent = Parent()
    device = Device(parent.exchange)
    with pytest.raises(OSError) as refused:
        write(device, text)
    assert (refused.value.errno, parent.asked, read(device, 99)) == (code, [], b"")


def test_a_question_in_pieces_is_one_question() -> None:
    parent = Parent()
    pieces = [memoryview(piece) for piece in (b'{"ht', b'tp": 1}', b"\nbo", b"dy")]
    assert Device(parent.exchange).write(pieces) == 16
    assert parent.asked == [({"http": 1}, b"body")]


@pytest.mark.parametrize("sizes", [(99,), (1,) * 99, (3, 0, 5, 99), (0, 99)])
def test_an_answer_is_read_in_any_pieces_once_and_then_ends(sizes: tuple[int, ...]) -> None:
    device = Device(Parent({"http": [7, 0]}, b"the body").exchange)
    write(device, b'{"http": 1}')
    whole = read(device, *sizes)
    assert (whole, read(device, 99)) == (b'{"http": [7, 0]}\nthe body', b"")


def test_the_last_question_counts_and_a_refused_one_leaves_the_answer_before() -> None:
    parent = Parent({"http": [1, 0]}, b"one")
    device = Device(parent.exchange)
    write(device, b'{"http": 1}')
    parent.content = b"two"
    write(device, b'{"http": 2}')
    with pytest.raises(OSError, match="not a question"):
        write(device, b"garbage")
    assert read(device, 99).endswith(b"\ntwo")


def test_another_guest_reads_nothing_of_the_answer() -> None:
    device = Device(Parent(content=b"for the first guest").exchange)
    write(device, b'{"http": 1}')
    read(device, 5)
    device.restart()
    assert read(device, 99) == b""


def test_of_an_answer_a_guest_sees_only_what_an_import_would_tell_it() -> None:
    parent = Parent({"http": [1, 0], "waited_ns": 5, "deadline_ns": 7, "save": "secret"})
    device = Device(parent.exchange)
    write(device, b'{"http": 1}')
    head, _, _ = read(device, 999).partition(b"\n")
    assert json.loads(head) == {"http": [1, 0]}


def test_what_the_parent_cannot_do_is_the_guests_error_and_no_answer() -> None:
    def gone(header: JsonObject, body: bytes) -> tuple[JsonObject, bytes]:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    device = Device(gone)
    with pytest.raises(PermissionError):
        write(device, b'{"http": 1}')
    assert read(device, 99) == b""
