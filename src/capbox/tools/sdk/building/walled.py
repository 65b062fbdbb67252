"""A compiler behind a wall: `python -I -m capbox.tools.sdk.building.walled PLAN PROGRAM WORD...`.

PLAN is JSON: `{"read": [PATH], "write": [PATH], "tcp": BOOL}`; what is read may be executed too.

Guarantees: the program, and all that it starts, opens nothing else, and is not started where the
wall does not go up. Does not: hide names, bound memory or time, or keep it from UDP.
"""

from __future__ import annotations

import json
import os
import stat
import sys

from capbox.sandbox.lockdown import landlock, privileges

_NO_FOLDER = 1 | 2 | 4 | 1 << 14 | 1 << 15  # linux/landlock.h: what a rule of a file may say
_READ = landlock.READ | landlock.EXECUTE


def main() -> None:
    """Put up the wall and become the program."""
    _, plan, *command = sys.argv
    given = json.loads(plan)
    rules = [(path, _READ) for path in given["read"]]
    rules += [(path, _READ | landlock.WRITE) for path in given["write"]]
    places = []
    for path, rights in rules:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there, or not for this user, needs no rule
        folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        places.append((opened, rights if folder else rights & _NO_FOLDER))
    privileges.restrict()
    landlock.confine(places, tcp=given["tcp"])
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main()
