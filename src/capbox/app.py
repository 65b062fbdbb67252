"""The composition root: reads the environment once, mints root authority, starts the command line.

Guarantees: it is the only module that reads environment variables and the only one that mints
authority from nothing (`mint`); whatever a workspace contains, it is not asked here.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

# Nothing else here: until `main` runs, Ctrl-C ends in a traceback.
if TYPE_CHECKING:
    from capbox.authority.authority import Authority
    from capbox.authority.grant import Grant
    from capbox.authority.policy import NeverRule
    from capbox.broker.network import Network
    from capbox.broker.secrets import SecretStore
    from capbox.engine.home import Home
    from capbox.engine.local import LocalEngine
    from capbox.engine.principal import Asked
    from capbox.engine.session import Session
    from capbox.engine.settings import Settings
    from capbox.gate.approver import Approver
    from capbox.models.model import Model
    from capbox.models.open import ModelSpecError
    from capbox.sandbox.process.frames import Walls

GUESTS = Path(__file__).parent / "guests"


def home_of(environ: Mapping[str, str]) -> Home:
    """Return capbox's directories: below CAPBOX_HOME if set, else where the platform keeps such."""
    # Imported where it is used, as everything slow is: `capbox --help` answers at once.
    from capbox.engine.home import Home

    moved = environ.get("CAPBOX_HOME")
    if moved:
        root = Path(moved).expanduser().absolute()
        return Home(root / "config", root / "state", root / "cache")
    import platformdirs

    dirs = platformdirs.PlatformDirs("capbox", appauthor=False)
    return Home(Path(dirs.user_config_dir), Path(dirs.user_state_dir), Path(dirs.user_cache_dir))


def mint(asked: Asked, settings: Settings, never: tuple[NeverRule, ...]) -> Authority:
    """Mint a root authority. Raises SettingsError, naming the grant at fault."""
    from capbox.authority.authority import Authority, AuthorityError
    from capbox.authority.decision import AuthorityId
    from capbox.authority.policy import never_in
    from capbox.engine.settings import SettingsError

    minted = Authority.root(
        asked.grants,
        limits=settings.limits,
        budget=settings.budget,
        never=never_in(never, asked.layout),
        id=AuthorityId(os.urandom(8).hex()),
        now=time.time(),
    )
    if isinstance(minted, AuthorityError):
        raise SettingsError(str(minted.grant or ""), minted.message)
    return minted


def local_engine(
    report: Callable[[str], None] | None = None,
    *,
    home: Home | None = None,
    walls: Walls | None = None,
    spares: bool = True,
    network: Network | None = None,
) -> LocalEngine:
    """Return a local engine, not yet open; `report` gets progress lines.

    `home` None is this user's, `walls` None are the ones this kernel has, `network` None is the
    system's, with the authorities of `config.toml` and the secrets of this user.
    Raises SettingsError for a configuration that cannot be read.
    """
    from capbox.authority.limits import Limits
    from capbox.sandbox.engine import EngineKey
    from capbox.sandbox.handles import ZygoteHandle

    # First of all: it loads wasmtime while this process loads the rest.
    key = EngineKey(fuel=False, stack_bytes=Limits().stack_bytes)
    zygotes = [ZygoteHandle(key.clamped())]
    from capbox.broker.network import Network
    from capbox.engine.local import LocalEngine
    from capbox.engine.operator import read_operator
    from capbox.engine.settings import SettingsError

    where = home or home_of(os.environ)
    try:
        operator = read_operator(where.config / "config.toml")
    except SettingsError:
        for zygote in zygotes:
            zygote.release()
        raise
    secrets = secret_store(where)
    return LocalEngine(
        where,
        GUESTS,
        report or _say_nothing,
        walls=walls,
        spares=spares,
        zygotes=zygotes,
        network=network or Network(authorities=operator.ca_files, secret=secrets.get),
        settings={} if operator.search is None else {"search": operator.search},
        keeps=operator.keeps,
    )


def session(
    engine: LocalEngine, settings: Settings, *, approver: Approver | None = None
) -> Session:
    """Return a session, not yet open, that holds what `settings` grant and nothing else.

    With an `approver`, what is missing inside the workspace may be lent, and nothing beyond.
    Raises SettingsError, naming the word at fault. The operator's rules are those of this moment.
    """
    from dataclasses import replace

    from capbox.authority.grant import Grant, NameSelector, PathSelector
    from capbox.authority.paths import WORKSPACE, GrantPath
    from capbox.authority.web.places import ANY_HOST, FetchSelector
    from capbox.engine.principal import Asked, resolve
    from capbox.engine.session import Session

    if settings.environ is None:
        settings = replace(settings, environ=os.environ)
    asked = resolve(settings)
    engine.home.refuse_inside(asked.layout.workspace)
    never = (*engine.home.guards(), *operator_rules(engine.home))

    def minted(extra: tuple[Grant, ...]) -> Authority:
        return mint(Asked((*asked.grants, *extra), asked.layout), settings, never)

    minted(())  # what cannot be granted is refused here, not at the first call
    ceiling = None
    if approver is not None:
        everything = Grant("write", PathSelector(GrantPath(WORKSPACE)))
        web = (
            Grant("fetch", FetchSelector((), scheme, ANY_HOST, (1, 65_535)))
            for scheme in ("http", "https")
        )
        tools = (Grant("tool", NameSelector(name)) for name in engine.tools)
        ceiling = mint(Asked((everything, *web, *tools), asked.layout), settings, never)
    return Session(engine, settings, asked.layout, minted, ceiling=ceiling, approver=approver)


def secret_store(home: Home | None = None) -> SecretStore:
    """Return the secrets of `home` (None: this user's); nothing is opened yet."""
    from capbox.broker.secrets import SecretStore

    return SecretStore((home or home_of(os.environ)).state)


def model(
    spec: str, base_url: str | None = None, *, secrets: SecretStore | None = None
) -> Model | ModelSpecError:
    """Open the model that `spec` names, with the key for it.

    That is PROVIDER_API_KEY of the environment; if it is not set, the secret of this name in
    `secrets` (None: this user's store).
    """
    from capbox.broker.secrets import SecretError
    from capbox.models.open import ModelSpecError, open_model
    from capbox.models.providers.endpoint import PROVIDERS

    provider = spec.partition("/")[0]
    key = None
    if provider in PROVIDERS:
        name = f"{provider.upper()}_API_KEY"
        try:
            key = os.environ.get(name) or (secrets or secret_store()).get(name)
        except SecretError as error:
            return ModelSpecError(spec, str(error))
    return open_model(spec, base_url=base_url, api_key=key)


def operator_rules(home: Home) -> tuple[NeverRule, ...]:
    """Return the operator's never rules of `config.toml`. Raises SettingsError."""
    from capbox.engine.operator import read_operator

    file = home.config / "config.toml"
    lines = read_operator(file).never
    return tuple(dict.fromkeys(rule for line in lines for rule in _rules(line, file)))


def _rules(line: str, file: Path) -> tuple[NeverRule, NeverRule]:
    """Read one rule, as written and with links resolved, as the paths of grants are."""
    from dataclasses import replace

    from capbox.authority.paths import GrantPath, HostPath, PathRefusal
    from capbox.authority.policy import parse_never
    from capbox.engine.settings import SettingsError

    rule = parse_never(line, HostPath(str(Path.home())))
    if isinstance(rule, PathRefusal):
        raise SettingsError(str(file), f"{line!r}: {rule.reason}")
    # Attack: ~/vault is a link to /data/vault, and the grant names /data/vault.
    return rule, replace(rule, path=GrantPath(os.path.realpath(rule.path)))


def _say_nothing(line: str) -> None:
    """Drop a progress line."""


def main() -> int:
    """Run the command line on this process's arguments and return its exit code."""
    try:
        from capbox.surfaces.cli.entry import Entry
        from capbox.surfaces.cli.program import main as run_command_line
    except KeyboardInterrupt:
        return 130

    entry = Entry(
        environ=os.environ,
        home=lambda: home_of(os.environ),
        guests=lambda: GUESTS,
        open_engine=lambda report, spares: local_engine(report, spares=spares),
        open_session=lambda engine, settings, approver: session(
            engine, settings, approver=approver
        ),
        open_model=model,
        secrets=secret_store,
    )
    return run_command_line(entry, sys.argv[1:])
