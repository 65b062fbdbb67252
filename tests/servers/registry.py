"""The registry of Debian (`docker-registry`), on loopback, with an empty folder for its blobs.

Guarantees: it listens when the block begins, on a port of its own, and is gone with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

PROGRAM = "docker-registry"
_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
_SETTINGS = """\
version: 0.1
log: {{level: info}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:0"}}
"""


def is_there() -> bool:
    """Say whether the program is installed."""
    found = shutil.which(PROGRAM) is not None
    # `.ci/run` sets it, and takes care that the program is there.
    assert found or "CAPBOX_TESTS_WHOLE" not in os.environ, f"{PROGRAM} is missing"
    return found


class DockerRegistry:
    """A running registry; use as a context manager."""

    def __init__(self, folder: Path) -> None:
        """Keep what is pushed below `folder`."""
        self._folder = folder
        self.port = 0

    def __enter__(self) -> Self:
        settings = self._folder / "registry.yml"
        settings.write_text(_SETTINGS.format(root=self._folder / "registry"))
        self._running = subprocess.Popen(
            [PROGRAM, "serve", str(settings)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
        )
        assert self._running.stderr is not None
        said = []
        for line in self._running.stderr:
            said.append(line)
            found = _LISTENING.search(line)
            if found:
                self.port = int(found[1])
                break
        else:
            raise RuntimeError("".join(said))
        # What it says later must go somewhere: a full pipe would stop it.
        self._drain = subprocess.Popen(
            ["cat"], stdin=self._running.stderr, stdout=subprocess.DEVNULL
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._running.terminate()
        self._running.wait()
        self._drain.wait()
        assert self._running.stderr is not None
        self._running.stderr.close()

    @property
    def place(self) -> str:
        """Return it as `capbox pkg push` takes it."""
        return f"oci://localhost:{self.port}"

    @property
    def kept(self) -> Path:
        """Return the folder in which it keeps what is pushed."""
        return self._folder / "registry"
