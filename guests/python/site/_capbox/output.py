"""What a program prints: both streams in the order of writing, the middle left out if too long."""

import io


class Capture:
    """Keeps the beginning and the end of everything, in at most `room` bytes."""

    def __init__(self):
        self.begin(2)

    def begin(self, room):
        """Forget all."""
        self._half = max(room // 2, 1)
        self._head, self._tail = bytearray(), bytearray()
        self._total = 0

    def take(self, content):
        """Take bytes in."""
        self._total += len(content)
        free = self._half - len(self._head)
        self._head += content[:free]
        self._tail += content[free:]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def text(self):
        """Return what there is to show, and whether something was left out."""
        tail = self._tail[-self._half :]
        left_out = self._total - len(self._head) - len(tail)
        if not left_out:
            return (self._head + tail).decode(errors="replace"), False
        head = self._head.decode(errors="replace")
        head = head[: head.rfind("\n") + 1] or head
        after = tail.decode(errors="replace")
        after = after[after.find("\n") + 1 :] if "\n" in after[:-1] else after
        left_out = self._total - len(head.encode()) - len(after.encode())
        mark = f"[... {left_out:,} bytes left out ...]"
        return f"{head}{'' if head.endswith(chr(10)) else chr(10)}{mark}\n{after}", True


class _Raw(io.RawIOBase):
    def __init__(self, capture, name, before):
        self._capture = capture
        self._before = before
        self.count = 0
        self.name = name

    def writable(self):
        return True

    def write(self, content):
        content = bytes(content)
        if self._before is not None and not self._before.closed:
            self._before.flush()
        self.count += len(content)
        self._capture.take(content)
        return len(content)


def streams(capture):
    """Return what sys.stdout and sys.stderr are to be, and the counter below each.

    Lines go to `capture` whole, which is fast, and what was begun before an error comes before it.
    """
    below = _Raw(capture, "<stdout>", None)
    out = io.TextIOWrapper(below, "utf-8", "backslashreplace", line_buffering=True)
    beside = _Raw(capture, "<stderr>", out)
    error = io.TextIOWrapper(beside, "utf-8", "backslashreplace", write_through=True)
    out.mode = error.mode = "w"
    return (out, below), (error, beside)
