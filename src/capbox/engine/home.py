"""capbox's own directories: configuration, state and cache, outside every grant and workspace.

Guarantees: each is a directory of this user with mode 0700, or nothing runs; a workspace or grant
never reaches them (`guards`). Does not: look at the environment (see `capbox.app`).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from capbox.authority.paths import GrantPath, under
from capbox.authority.policy import NeverRule
from capbox.engine.settings import SettingsError


@dataclass(frozen=True, slots=True)
class Home:
    """The three directories, absolute."""

    config: Path
    state: Path
    cache: Path

    @property
    def control(self) -> Path:
        """Return the directory of control sockets: within the state, which no grant reaches."""
        return self.state / "control"

    @property
    def tools(self) -> Path:
        """Return the directory of installed tools."""
        return self.state / "tools"

    @property
    def stores(self) -> Path:
        """Return the directory of what tools keep from call to call."""
        return self.state / "stores"

    @property
    def grants(self) -> Path:
        """Return the file of approvals that were given for always."""
        return self.state / "grants.json"

    @property
    def replay(self) -> Path:
        """Return the directory of what is kept for replays."""
        return self.state / "replay"

    @property
    def copies(self) -> Path:
        """Return the directory of the trees that replays are executed on."""
        return self.cache / "replay"

    def prepare(self) -> None:
        """Make the directories, or refuse ones that another user owns or can enter."""
        for directory in (self.config, self.state, self.cache):
            try:
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                found = directory.lstat()
            except OSError as error:
                reason = f"cannot be used ({error.strerror}): set CAPBOX_HOME to another directory"
                raise SettingsError(str(directory), reason) from error
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                raise SettingsError(str(directory), "is not this user's directory: move it away")
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise SettingsError(str(directory), f"is open to others: run chmod 700 {directory}")

    def guards(self) -> tuple[NeverRule, ...]:
        """Return the rules that keep every grant away from these directories."""
        return tuple(
            NeverRule("read", GrantPath(os.path.realpath(directory)))
            for directory in (self.config, self.state, self.cache)
        )

    def refuse_inside(self, workspace: str) -> None:
        """Refuse a workspace that holds, or lies in, one of these directories."""
        for directory in (self.config, self.state, self.cache):
            own = os.path.realpath(directory)
            if under(own, workspace) or under(workspace, own):
                raise SettingsError(
                    workspace,
                    f"a workspace may not contain capbox's own directory {own}: "
                    "choose a folder below it, or set CAPBOX_HOME elsewhere",
                )
