"""What a compiler may open: the tool's folder, itself, its caches, and what every program needs.

Guarantees: where the kernel has Landlock, nothing else of the person's is read while a stranger's
source is compiled, by whatever word of the source; where it has none, that is said each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from capbox.sandbox.lockdown.landlock import abi
from capbox.tools.sdk.building.toolchain import INTERPRETER, Workshop, run
from capbox.tools.sdk.project import Project

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"),
    "/home/linuxbrew/.linuxbrew",
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/dev/zero", "/dev/random", "/dev/urandom"),
)
_NETWORK = (
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/run/systemd/resolve"),
    "/etc/gitconfig",
)
_NONE = (
    "this kernel has no Landlock: the compiler, and what the source lets it do, can read whatever "
    "you can. Look through a stranger's source before you build it"
)


@dataclass(frozen=True, slots=True)
class Walls:
    """Where a compiler works for `project`, whose scratch folder it may write in, and what else."""

    project: Project
    workshop: Workshop
    scratch: Path
    landlock: int = field(default_factory=abi)

    def warn(self) -> None:
        """Say so where there is no wall."""
        if not self.landlock:
            self.workshop.say(_NONE)

    def run(
        self,
        command: list[str],
        *,
        reads: Iterable[Path] = (),
        writes: Iterable[Path] = (),
        tcp: bool = False,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Run a step in the tool's folder and return what it printed. Raises BuildError.

        `more` are variables. What is written may be read, and what is read may be executed.
        """
        folder = self.project.folder
        for path in (*writes, home := self.scratch / "home", temporary := self.scratch / "tmp"):
            path.mkdir(parents=True, exist_ok=True)
        if self.landlock:
            plan = {
                "read": [*_SYSTEM, *self._network(), *map(str, (*reads, folder.resolve()))],
                "write": [*map(str, (*writes, self.scratch)), "/dev/null"],
                "tcp": tcp,
            }
            program = "capbox.tools.sdk.building.walled"
            command = [*INTERPRETER, "-m", program, json.dumps(plan), *command]
            # What it looks for in the person's home it cannot open: to some that is an error.
            more = {"HOME": str(home), "TMPDIR": str(temporary), **more}
        where = str(self.project.source)
        return run(command, self.workshop, where=where, folder=folder, **more)

    def _network(self) -> list[str]:
        environ = self.workshop.environ
        certificates = (environ.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return [*_NETWORK, *filter(None, certificates)]
