"""What the composition root hands to the command line: the runtime, as callables not yet called.

Guarantees: building one imports and opens nothing, so that `capbox --help` answers at once. Does
not: hold a default; `capbox.app` fills every field, tests fill what they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capbox.authority.paths import HostPath, Layout
    from capbox.broker.secrets import SecretStore
    from capbox.engine.approvers.unasked import Unasked
    from capbox.engine.control.explaining import Explanation
    from capbox.engine.home import Home
    from capbox.engine.local import LocalEngine
    from capbox.engine.replay.playing import Played
    from capbox.engine.replay.replaying import Replaying
    from capbox.engine.session import Mint, Session
    from capbox.engine.settings import Settings
    from capbox.gate.approver import Approver
    from capbox.models.model import Model
    from capbox.models.open import ModelSpecError
    from capbox.models.roster import Roster
    from capbox.tools.registry import Found


@dataclass(frozen=True, slots=True)
class Entry:
    """The ways into the runtime.

    `environ` is what `--env NAME` and NO_COLOR are looked up in. `home` returns capbox's
    directories, `guests` the directory of the shipped tools. `open_engine` takes where progress
    lines go and whether to keep a worker ready, and returns an engine to be entered.
    `open_session` takes an entered engine, the settings and who is asked (None: nobody), and
    returns a session to be entered; it raises SettingsError. `open_model` takes a specification
    and a base URL, `roster` returns all models of this user; both raise SettingsError. `secrets`
    returns the store of this user's secrets. `explain` takes settings
    and an access as text, `hold` returns what a session with these settings would hold, without an
    engine; both raise SettingsError. `replaying` takes where progress lines go and who is told of a
    call, and returns what replays runs; it raises SettingsError. `trusted` returns the paths that
    config.toml marks as the operator's own, `unasked` what a session in which somebody is asked
    would be lent, with these tools, without a question; it raises SettingsError.
    """

    environ: Mapping[str, str]
    home: Callable[[], Home]
    guests: Callable[[], Path]
    open_engine: Callable[[Callable[[str], None], bool], LocalEngine]
    open_session: Callable[[LocalEngine, Settings, Approver | None], Session]
    open_model: Callable[[str, str | None], Model | ModelSpecError]
    roster: Callable[[], Roster]
    secrets: Callable[[], SecretStore]
    explain: Callable[[Settings, str], Explanation]
    hold: Callable[[Settings], tuple[Layout, Mint]]
    replaying: Callable[[Callable[[str], None], Callable[[Played], None]], Replaying]
    trusted: Callable[[], tuple[HostPath, ...]]
    unasked: Callable[[Settings, Mapping[str, Found]], Unasked]
