"""Kills and stops processes of the sandbox, and knows which failures that explains.

Guarantees: only workers and zygotes of this very process are hit, by a descriptor of the process
that is checked again after it was opened; a failure counts as explained only by harm that was done
while the call ran, and the death of one worker explains one call. Does not: hit what others
started.
"""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from bench.memory import children

SLACK_SECONDS = 3.0
EVERY_SECONDS = 0.4
_RECENT = 200


@dataclass(slots=True, eq=False)
class Harm:
    """One thing done to one process: it explains `worker` one call, `zygote` all of them."""

    to: str
    what: str
    pid: int
    at: float
    gone: float | None = None
    over: float | None = None

    def explains(self, code: str, begun: float) -> bool:
        """Say whether a call that began then may have failed with `code` because of this."""
        last = self.gone if self.what == "stop" else self.at
        lasted = last is None or last + SLACK_SECONDS >= begun
        return lasted and (code != "time" or self.what == "stop")


@dataclass(slots=True)
class Harmer:
    """Does harm at random times."""

    rng: random.Random
    done: list[Harm] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    async def go_on(self) -> None:
        """Do harm until cancelled."""
        while True:
            await anyio.sleep(self.rng.expovariate(1 / EVERY_SECONDS))
            self.look()
            draw = self.rng.random()
            if draw < 0.70:
                self._do("worker", "kill")
            elif draw < 0.90:
                self._do("worker", "stop", self.rng.random() < 0.7)
            elif draw < 0.97:
                self._do("zygote", "kill")
            else:
                self._do("zygote", "stop", self.rng.random() < 0.95)

    def look(self) -> None:
        """Let go on what was stopped long enough, and note what is gone."""
        now = time.monotonic()
        for harm in self.done:
            if harm.gone is None and not Path(f"/proc/{harm.pid}").exists():
                harm.gone = now
            if harm.gone is None and harm.over is not None and now >= harm.over:
                self._signal(harm, signal.SIGCONT)
                harm.gone = now
        recent = [h for h in self.done if h.gone is None or h.gone + 120 > now]
        self.done = recent[-_RECENT:]

    def relent(self) -> None:
        """Let everything go on."""
        for harm in self.done:
            if harm.what == "stop" and harm.gone is None:
                self._signal(harm, signal.SIGCONT)
                harm.gone = time.monotonic()

    def explains(self, code: str, begun: float) -> bool:
        """Say whether harm explains that a call which began then ended with `code`, and note it."""
        self.look()
        for harm in sorted(self.done, key=lambda h: h.at):
            if harm.explains(code, begun):
                if harm.to == "worker":
                    self.done.remove(harm)
                return True
        return False

    def _do(self, to: str, what: str, ends: bool = False) -> None:
        zygotes = zygotes_of(os.getpid())
        pids = zygotes if to == "zygote" else [pid for z in zygotes for pid in children(z)]
        busy = {harm.pid for harm in self.done if harm.gone is None}
        pids = sorted(set(pids) - busy)
        if not pids:
            return
        now = time.monotonic()
        over = now + self.rng.uniform(0.05, 3.0) if ends else None
        harm = Harm(to, what, self.rng.choice(pids), now, over=over)
        if self._signal(harm, signal.SIGKILL if what == "kill" else signal.SIGSTOP):
            self.done.append(harm)
            name = f"{to}s {'killed' if what == 'kill' else 'stopped'}"
            self.counts[name] = self.counts.get(name, 0) + 1

    def _signal(self, harm: Harm, number: signal.Signals) -> bool:
        try:
            pidfd = os.pidfd_open(harm.pid)
        except OSError:
            return False
        try:
            zygotes = zygotes_of(os.getpid())
            ours = zygotes if harm.to == "zygote" else [p for z in zygotes for p in children(z)]
            if harm.pid not in ours:
                return False
            signal.pidfd_send_signal(pidfd, number)
        except OSError:
            return False
        finally:
            os.close(pidfd)
        return True


def zygotes_of(parent: int) -> list[int]:
    """Return the zygotes among the children of a process."""
    found = []
    for pid in children(parent):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"capbox.sandbox.process.zygote" in command:
            found.append(pid)
    return found
