"""A worker and a zygote as the parent sees them: start, ask, kill, and let go.

Guarantees: a worker is killed by a descriptor of its process where the kernel has them, so never a
stranger with its number; commands to a zygote are never mixed up, whoever is cancelled; every error
path closes what it opened. Does not know what a call means, or which worker serves it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import anyio

from capbox.messages import JsonObject
from capbox.sandbox.channel import Channel
from capbox.sandbox.engine import EngineKey
from capbox.sandbox.process.frames import Birth
from capbox.sandbox.process.wire import Hangup

_ANSWER_SECONDS_MAX = 20.0
_DEATH_SECONDS_MAX = 2.0
# A worker leaves with the number of a fault as its exit status, see the zygote.
_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class SandboxError(Exception):
    """The sandbox cannot run anything: its zygote died or could not start."""


@dataclass(slots=True, eq=False)
class WorkerHandle:
    """A worker process: its socket, its descriptors, and which rights it is locked for."""

    pid: int
    pidfd: int
    channel: Channel
    effects_fd: int = -1
    rights: Hashable = None
    run: str = ""
    _released: bool = field(default=False)

    def kill(self) -> None:
        """End the process at once; its list of effects stays readable."""
        if self._released:
            return
        try:
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    async def end(self) -> bool:
        """Kill the process and wait for its death; False if it hangs in the kernel."""
        self.kill()
        with anyio.move_on_after(_DEATH_SECONDS_MAX, shield=True):
            await self.channel.drained()
            return True
        return False

    def release(self) -> None:
        """Kill the process and close everything held for it."""
        self.kill()
        if not self._released:
            self._released = True
            for fd in (self.pidfd, self.effects_fd):
                if fd >= 0:
                    os.close(fd)
            self.channel.close()


class ZygoteHandle:
    """One zygote process for one engine; it forks unlocked workers with their guest parked."""

    def __init__(self, key: EngineKey) -> None:
        self.key = key
        self._turn = anyio.Lock()
        self._gone = False
        ours, theirs = socket.socketpair()
        with theirs:
            # An empty environment: no key of the parent may be in the memory of a process with
            # guests. A session of its own: Ctrl-C in the terminal is the parent's to act on.
            command = [sys.executable, "-I", "-m", "capbox.sandbox.process.zygote"]
            arguments = [str(theirs.fileno()), str(int(key.fuel)), str(key.stack_bytes)]
            self._channel = Channel(ours)  # closed with this object, if it never comes to be
            self._child = subprocess.Popen(
                command + arguments,
                env={},
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Say whether the process runs and answers."""
        return not self._gone and self._child.poll() is None

    async def fork(self, birth: Birth) -> WorkerHandle:
        """Return a new, unlocked worker. Raises SandboxError."""
        ours, theirs = socket.socketpair()
        with ExitStack() as unwanted:
            unwanted.callback(ours.close)
            with theirs:
                answer, fds = await self._ask(birth.header(), [theirs.fileno()])
            pid = answer.get("pid")
            if not isinstance(pid, int):
                raise SandboxError(f"no worker could be started: {answer.get('error')}")
            unwanted.pop_all()
        return WorkerHandle(pid, fds[0] if fds else -1, Channel(ours))

    async def how_it_ended(self, pid: int) -> str:
        """Return words for how the dead worker `pid` ended, for the operator."""
        try:
            answer, _ = await self._ask({"ended": pid})
        except SandboxError as error:
            return str(error)
        match answer:
            case {"status": int(status)} if os.WIFSIGNALED(status):
                return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
            case {"status": int(status)} if os.WEXITSTATUS(status) in _FAULTS:
                return f"a fault: {signal.Signals(os.WEXITSTATUS(status)).name}"
            case {"status": int(status)}:
                return f"exit status {os.WEXITSTATUS(status)}"
            case _:
                return "nobody knows how"

    def kill(self) -> None:
        """End the zygote; the kernel ends its workers with it."""
        self._gone = True
        self._child.kill()

    def release(self) -> None:
        """End the zygote and close everything held for it; nobody may be waiting for an answer."""
        self._child.kill()
        self._child.wait()
        self._channel.close()

    async def _ask(
        self, header: JsonObject, fds: Sequence[int] = ()
    ) -> tuple[JsonObject, list[int]]:
        # Shielded: after a cancellation half way, the next one would take this answer for its own.
        with anyio.CancelScope(shield=True):
            async with self._turn:
                error = "it does not answer"
                with anyio.move_on_after(_ANSWER_SECONDS_MAX):
                    try:
                        await self._channel.send(header, fds=fds)
                        answer, _, got = await self._channel.receive(fds_max=1)
                        return answer, got
                    except Hangup as hangup:
                        error = str(hangup)
        self.kill()
        raise SandboxError(f"the zygote is gone: {error}")
