"""A network of its own for a program of a test: public addresses on loopback, DNS by our server.

    result = Namespace(addresses=("93.184.216.34",)).run("import socket; ...")

The program runs in a new network and mount namespace in which nothing but loopback exists, with the
given addresses on it and `nameserver` as the only resolver; there it may bind port 53 and every
other one. So the system's own resolver (getaddrinfo) and real public addresses can be tested
without a packet that leaves the machine.

Guarantees: the machine's own files and network are untouched. Where namespaces are not allowed
`why_not` says why, as a reason to skip. As root a plain namespace is used; as another user one with
a user namespace around it, in which the program is root over nothing but this namespace.
Does not: hide files.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = Path(__file__).with_name("namespace_launcher.py")
CANNOT = 125
"""What the launcher exits with when it could not make the namespace."""


@dataclass(frozen=True, slots=True)
class Namespace:
    """What a program finds: `addresses` of this machine, and who resolves names.

    `hosts` is the whole /etc/hosts; `credentials` are arguments of `subprocess` that change the
    user, `python` is an interpreter this user can start.
    """

    addresses: tuple[str, ...] = ()
    nameserver: str = "127.0.0.1"
    hosts: str = "127.0.0.1 localhost\n::1 localhost\n"
    python: str = sys.executable
    credentials: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def run(
        self, program: str, *arguments: str, timeout_seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Run a Python program in there to its end; it can import `tests` and `capbox`.

        Raises:
            OSError: namespaces are not allowed here.
        """
        done = self._launched([self.python, "-c", program, *arguments], timeout_seconds)
        if done.returncode == CANNOT:
            raise OSError(done.stderr.strip())
        return done

    def why_not(self) -> str:
        """Return why there are no namespaces here, "" if there are."""
        done = self._launched([self.python, "-c", "import tests.servers.loopback"], 60)
        return "" if done.returncode == 0 else done.stderr.strip()

    def _launched(
        self, command: list[str], timeout_seconds: float
    ) -> subprocess.CompletedProcess[str]:
        # The launcher's text, not its file: an ordinary user need not be able to read ours.
        start = [self.python, "-I", "-c", LAUNCHER.read_text(encoding="utf-8")]
        options = [",".join(self.addresses), self.nameserver, self.hosts]
        return subprocess.run(
            [*start, *options, *command],
            cwd="/",
            env={**self.environment, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_seconds,
            **self.credentials,
        )
