"""The zygote, with a watch in every worker: `bench.profile` starts it instead of the real one.

It runs the real program; only a few functions that others call are wrapped, to note when they were
called. Each call becomes one JSON line on the descriptor that is the first argument: moments in
nanoseconds (CLOCK_MONOTONIC, as in the parent), and number and nanoseconds of each host function,
during the call and (`ahead`) by the next guest before its request.
Does not: go into the installed package, or change a wall. The watch costs about 1 us a host call.
"""

from __future__ import annotations

import json
import os
import select
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic_ns
from typing import Any

import wasmtime

from capbox.sandbox.process import wire, zygote
from capbox.sandbox.raw import RawFunctions
from capbox.sandbox.wasi.host import Host

Function = Callable[..., Any]


class Watch:
    """What one worker notes about the call at hand."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at: dict[str, int] = {}
        self._functions: dict[str, list[int]] = {}
        self._ahead: dict[str, list[int]] = {}

    def receive(self, real: Function, peer: Any, *more: Any, **named: Any) -> Any:
        """Note when a request can be read, and when it has been."""
        poll = select.poll()
        poll.register(peer, select.POLLIN)
        parked = monotonic_ns()
        poll.poll()
        readable = monotonic_ns()
        received = real(peer, *more, **named)
        if "request" in received[0]:
            self._write(parked)
            self._at = {"readable": readable, "received": monotonic_ns()}
            self._functions, self._ahead = {}, {}
        return received

    def pack(self, real: Function, *given: Any) -> bytes:
        """Note when the report is ready; the parent may have it before `send` returns."""
        packed: bytes = real(*given)
        self._at["report packed"] = monotonic_ns()
        return packed

    def send(self, real: Function, peer: Any, header: Any, *more: Any, **named: Any) -> None:
        """Note when the report has been sent."""
        real(peer, header, *more, **named)
        if "end" in header:
            self._at["reported"] = monotonic_ns()

    def noted(self, real: Function, name: str, *given: Any, **named: Any) -> Any:
        """Note when a function of the worker was entered and left."""
        self._at[f"{name}:"] = monotonic_ns()
        try:
            return real(*given, **named)
        finally:
            self._at[name] = monotonic_ns()

    def define(self, real: Function, functions: Any, linker: Any, name: Any, *given: Any,
               body: Function, **named: Any) -> None:  # fmt: skip
        """Define a host function that is timed from the request on."""
        label = name[1]

        def timed(*arguments: int) -> int:
            entered = monotonic_ns()
            try:
                result: int = body(*arguments)
                return result
            finally:
                self._spent(label, entered)

        real(functions, linker, name, *given, body=timed, **named)

    def _spent(self, label: str, entered: int) -> None:
        """Count one host function; a parked guest waited in its own for the request."""
        since = max(entered, self._at.get("received", 0))
        functions = self._ahead if "reported" in self._at else self._functions
        spent = functions.setdefault(label, [0, 0])
        spent[0] += 1
        spent[1] += monotonic_ns() - since

    def _write(self, parked: int) -> None:
        """Write the line of the last call, now that its worker was ready for this one."""
        if "reported" in self._at:
            line = {
                "at": {**self._at, "parked": parked},
                "functions": self._functions,
                "ahead": self._ahead,
            }
            os.write(self._fd, json.dumps(line).encode() + b"\n")


def install(watch: Watch) -> None:
    """Wrap what the worker calls by these names."""
    wire.receive = partial(watch.receive, wire.receive)
    wire.pack = partial(watch.pack, wire.pack)
    wire.send = partial(watch.send, wire.send)
    _wrap(watch, wasmtime.InstancePre, "instantiate")
    _wrap(watch, Host, "begin")
    _wrap(watch, Host, "finish")
    define = RawFunctions.define
    RawFunctions.define = lambda *a, **n: watch.define(define, *a, **n)  # type: ignore[method-assign]


def _wrap(watch: Watch, owner: type, name: str) -> None:
    real = getattr(owner, name)
    setattr(owner, name, lambda *a, **n: watch.noted(real, name, *a, **n))


if __name__ == "__main__":
    install(Watch(int(sys.argv.pop(1))))
    zygote.main()
