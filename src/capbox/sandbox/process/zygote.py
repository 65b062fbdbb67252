"""The zygote: a small program that loads engine and compiled guests, and forks workers from them.

It is executed fresh with an empty environment, so no key of the parent is in its memory, and it
runs no guest (a process that has cannot be forked safely, measured). Guarantees: when the parent
dies, the zygote sees the socket close, leaves, and its workers are killed with it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import sys

import wasmtime

from capbox.messages import JsonObject
from capbox.sandbox.component.code import Code, load_code
from capbox.sandbox.engine import EngineKey, make_engine
from capbox.sandbox.process import wire, worker
from capbox.sandbox.process.frames import Birth, parse_birth

_STACK_BYTES_MIN = 8 << 20  # a guest's stack lies on ours: on a small one recursion is a crash
_ENDED_MAX = 1_000


class Zygote:
    """One engine, the guests loaded into it, and the socket to the parent."""

    def __init__(self, parent: socket.socket, key: EngineKey) -> None:
        self._parent = parent
        self._engine = make_engine(key)
        self._codes: dict[str, Code] = {}
        self._ended: dict[int, int] = {}

    def serve(self) -> None:
        """Answer the parent until it hangs up."""
        while True:
            header, _, fds = wire.receive(self._parent, fds_max=1)
            match header:
                case {"birth": birth}:
                    self._fork(parse_birth(birth), fds)
                case {"ended": int(pid)}:
                    self._reap(pid)
                    wire.send(self._parent, {"status": self._ended.pop(pid, None)})
                case _:
                    raise wire.Hangup("no such command")

    def _fork(self, birth: Birth, fds: list[int]) -> None:
        """Fork a worker on the socket that came along; answer its pid and pidfd, or an error."""
        answer: JsonObject
        pidfd: list[int] = []
        zygote = os.getpid()
        try:
            if not fds:
                raise OSError("no descriptor is free for the worker's socket")
            code = self._loaded(birth)
            child = os.fork()
            if child == 0:
                self._become_worker(zygote, fds[0], code, birth)
            self._ended.pop(child, None)  # a number used again: that end was another's
            answer = {"pid": child}
            if hasattr(os, "pidfd_open"):
                pidfd.append(os.pidfd_open(child))
        except (OSError, wasmtime.WasmtimeError) as error:
            answer = {"error": str(error)}
        wire.send(self._parent, answer, fds=pidfd)
        for fd in (*fds, *pidfd):
            os.close(fd)
        self._reap()

    def _loaded(self, birth: Birth) -> Code:
        code = self._codes.get(birth.digest)
        if code is None:
            code = self._codes[birth.digest] = load_code(self._engine, birth.compiled)
            gc.collect()
            gc.freeze()
        return code

    def _become_worker(self, zygote: int, fd: int, code: Code, birth: Birth) -> None:
        try:
            self._parent.close()
            worker.main(zygote, fd, self._engine, code, birth)
        finally:
            os._exit(1)  # whatever happened: a second zygote must not come out of this

    def _reap(self, wanted: int | None = None) -> None:
        """Note how workers ended; for the one that is `wanted`, wait half a second at most."""
        for _ in range(50):
            while True:
                try:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    return
                if pid == 0:
                    break
                self._ended[pid] = status
                if len(self._ended) > _ENDED_MAX:
                    self._ended.pop(next(iter(self._ended)))
            if wanted is None or wanted in self._ended:
                return
            select.select([], [], [], 0.01)


def main() -> None:
    """Serve on the socket whose number is the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if 0 <= soft < _STACK_BYTES_MIN:
        roomy = _STACK_BYTES_MIN if hard < 0 else min(_STACK_BYTES_MIN, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (roomy, hard))
    _die_of_faults()
    parent = socket.socket(fileno=int(sys.argv[1]))
    key = EngineKey(sys.argv[2] == "1", int(sys.argv[3]))
    try:
        Zygote(parent, key).serve()
    except wire.Hangup:
        os._exit(0)


def _die_of_faults() -> None:
    """End at once on a fault that is not a guest's, with the signal's number as exit status.

    Needs to come before the engine, whose own signal actions pass on to these what is no trap of
    a guest. Without them it puts the default action back and returns: the first SIGSEGV that
    another process sends would be lost, and the guest go on in a worker that cannot trap any more.
    """
    library = ctypes.CDLL(None)
    for fault in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE):
        library.signal(int(fault), ctypes.cast(library._exit, ctypes.c_void_p))


if __name__ == "__main__":
    main()
