"""pip, by itself: `python -I -m capbox.tools.sdk.python.alone FOLDER WORD...`.

FOLDER is where pip lies if this Python has none of its own, else "".

Guarantees: no program is started: no build backend, no setup.py, no git, whatever an index, a wheel
or a configuration says. Does not: hold back pip's own code, which is trusted.
"""

from __future__ import annotations

import errno
import runpy
import sys

_STARTS = ("subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "pty.")


def _refuse(event: str, _: object) -> None:
    # Attack: what pip is told to build, in whatever way, is a stranger's program.
    if event.startswith(_STARTS):
        raise PermissionError(errno.EPERM, "pip may start no program here, and builds nothing")


def main() -> None:
    """Run pip with the words of the command line."""
    _, folder, *words = sys.argv
    if folder:
        sys.path.append(folder)
    sys.argv = ["pip", *words]
    sys.addaudithook(_refuse)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
