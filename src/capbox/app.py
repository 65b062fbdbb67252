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
    from capbox.authority.paths import Layout
    from capbox.authority.policy import NeverRule
    from capbox.authority.values.kinds import Value
    from capbox.broker.network import Network
    from capbox.broker.secrets import SecretStore
    from capbox.engine.approvers.unasked import Unasked
    from capbox.engine.control.explaining import Explanation
    from capbox.engine.home import Home
    from capbox.engine.local import LocalEngine
    from capbox.engine.operator import Operator
    from capbox.engine.principal import Asked
    from capbox.engine.replay.opening import Written
    from capbox.engine.replay.playing import Played
    from capbox.engine.replay.replaying import Replaying
    from capbox.engine.session import Mint, Session
    from capbox.engine.settings import Settings
    from capbox.gate.approver import Approver
    from capbox.gate.manifest import Manifest
    from capbox.gate.runner import Tool
    from capbox.models.roster import Roster
    from capbox.sandbox.process.frames import Walls
    from capbox.tools.functions.function import Function
    from capbox.tools.registry import Found

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
        trusted=operator.trusted_paths(Path.home()),
        keeps=operator.keeps,
        tapes=operator.tapes,
    )


def session(
    engine: LocalEngine,
    settings: Settings,
    *,
    approver: Approver | None = None,
    functions: Mapping[str, Tool] | None = None,
) -> Session:
    """Return a session, not yet open, that holds what `settings` grant and nothing else.

    With an `approver` or a policy, what is missing may be lent within a ceiling (`ceiling_of`).
    `functions` are tools of this session alone; each needs a grant.
    Raises SettingsError, naming the word at fault. The operator's rules are those of this moment.
    """
    from dataclasses import replace
    from functools import partial

    from capbox.engine.budgets.given import within
    from capbox.engine.budgets.purses import Purses
    from capbox.engine.grounding import grounds, refuse_misfits
    from capbox.engine.session import Session
    from capbox.journal.tables.spending import Day

    own, operator = functions or {}, operator_of(engine.home)
    settings = within(settings, operator.budget)
    if settings.environ is None:
        settings = replace(settings, environ=os.environ)
    asked, never, minted = _granting(engine.home, settings)
    tools = {**own, **engine.tools}
    refuse_misfits(asked.grants, tools)

    def ground(task: str) -> frozenset[Value]:
        return grounds((task, *operator.grounded), settings.directory, asked.grants, tools)

    day = Day(engine.home.state / "spending.db", operator.day, time.time) if operator.day else None
    purses = Purses(settings, day, engine.report)
    opened = partial(Session, engine, settings, asked.layout, minted, functions=own, ground=ground,
                 purses=purses, operator=operator, hold=partial(granting, engine.home))  # fmt: skip
    from capbox.engine.presets import implied, named

    asks = approver is not None or settings.policy is not None
    if not asks and not named(settings.preset).automatic:
        return opened()
    from capbox.engine.approvers.choice import choose

    manifests = implied(tools, None, settings.tools)
    ceiling = ceiling_of(settings, operator, asked, manifests, never)
    front = choose(settings, operator, asked, ceiling, approver)
    return opened(ceiling=front.ceiling, approver=front.approver, board=front.board)


def granting(home: Home, settings: Settings) -> tuple[Layout, Mint]:
    """Return what a session with `settings` holds: its layout, and what mints it with more grants.

    Raises SettingsError, naming the word at fault. The operator's rules are those of this moment.
    """
    from capbox.engine.budgets.given import within

    asked, _, minted = _granting(home, within(settings, operator_of(home).budget))
    return asked.layout, minted


def unasked(home: Home, settings: Settings, tools: Mapping[str, Found]) -> Unasked:
    """Return what a session in which somebody is asked is lent unasked. Raises SettingsError."""
    from capbox.engine.approvers.choice import choose
    from capbox.engine.approvers.unasked import unasked as lent
    from capbox.engine.presets import implied
    from capbox.engine.stored.grants import StoredGrants

    asked, never, _ = _granting(home, settings)
    operator = operator_of(home)
    digests = {name: found.digest for name, found in tools.items()}
    ceiling = ceiling_of(settings, operator, asked, implied(tools, None, settings.tools), never)
    front = choose(settings, operator, asked, ceiling, None)
    return lent(
        front.approver, front.ceiling, StoredGrants(home.grants, time.time), asked.layout, digests
    )


def _granting(home: Home, settings: Settings) -> tuple[Asked, tuple[NeverRule, ...], Mint]:
    from capbox.engine.principal import Asked, resolve

    asked = resolve(settings)
    home.refuse_inside(asked.layout.workspace)
    never = (*home.guards(), *operator_rules(home))

    def minted(extra: tuple[Grant, ...]) -> Authority:
        return mint(Asked((*asked.grants, *extra), asked.layout), settings, never)

    minted(())  # what cannot be granted is refused here, not at the first call
    return asked, never, minted


def functions(engine: LocalEngine, own: Mapping[str, Function]) -> dict[str, Tool]:
    """Return functions of the embedding program as tools. Raises SettingsError for a taken name."""
    from capbox.engine.settings import SettingsError
    from capbox.tools.functions.runner import FunctionRunner

    taken = next((name for name in own if name in engine.tools), None)
    if taken is not None:
        raise SettingsError(taken, "is the name of a tool that capbox brings")
    runner = FunctionRunner(own)
    return {name: function.tool(runner) for name, function in own.items()}


def ceiling_of(
    settings: Settings,
    operator: Operator,
    asked: Asked,
    manifests: Mapping[str, Manifest],
    never: tuple[NeverRule, ...],
) -> Authority:
    """Mint what an answer may lend at most. Raises SettingsError.

    What the operator says; if nothing, the workspace, and public hosts where the preset has them.
    Grants of the session's own (`--ceiling`) narrow that, or stand where the operator is silent.
    """
    from capbox.authority.authority import AuthorityError
    from capbox.authority.decision import AuthorityId
    from capbox.authority.grant import Grant, NameSelector
    from capbox.engine.approvers.choice import ceiling_grants, default_ceiling
    from capbox.engine.presets import named
    from capbox.engine.principal import Asked
    from capbox.engine.settings import SettingsError

    chosen = named(settings.preset)
    offered = chosen.offered(manifests)
    tools = tuple(Grant("tool", NameSelector(name)) for name in offered)
    functions = tuple(name for name in offered if manifests[name].is_function)
    texts = operator.ceiling or settings.ceiling
    if chosen.automatic and not texts:
        raise SettingsError(
            f"--preset {settings.preset}",
            "says yes to all that may be lent, so it needs to be told what: "
            'ceiling = ["write:/workspace"] in config.toml, or --ceiling write:/workspace',
        )
    grants = default_ceiling(web=chosen.web, functions=functions)
    if texts:
        where = "config.toml: ceiling" if operator.ceiling else "--ceiling"
        grants = ceiling_grants(settings, texts, where)
    minted = mint(Asked((*grants, *tools), asked.layout), settings, never)
    if not (operator.ceiling and settings.ceiling):
        return minted
    narrower = (*ceiling_grants(settings, settings.ceiling, "--ceiling"), *tools)
    found = minted.attenuate(narrower, id=AuthorityId(os.urandom(8).hex()), now=time.time())
    if isinstance(found, AuthorityError):
        raise SettingsError("--ceiling", f"{found.grant}: is more than the ceiling of config.toml")
    return found


def explain(home: Home, settings: Settings, access: str) -> Explanation:
    """Return what a run under `settings` would be told of an access. Raises SettingsError."""
    from capbox.authority.decision import Standing
    from capbox.engine.control.explaining import explain as explained
    from capbox.engine.control.explaining import implied, read_access
    from capbox.tools.available import available

    asked, _, minted = _granting(home, settings)
    wanted = read_access(access, asked.layout)
    tools = implied(wanted, available(GUESTS, home.tools), settings.preset, asked.grants)
    return explained(minted(tools), wanted, asked.layout, Standing(time.time()))


def remint(written: Written, now: float) -> Authority:
    """Mint once more what a recorded run held at `now`; what is replayed under it sees a copy.

    Raises SettingsError.
    """
    from dataclasses import replace

    from capbox.authority.authority import Authority, AuthorityError
    from capbox.engine.settings import SettingsError

    minted = Authority.root(
        written.grants,
        limits=written.limits,
        budget=written.budget,
        never=written.never,
        id=written.id,
        now=now,
    )
    if isinstance(minted, AuthorityError):
        raise SettingsError(str(minted.grant or ""), minted.message)
    return replace(minted, lineage=written.lineage)


def replaying(
    home: Home, report: Callable[[str], None], told: Callable[[Played], None]
) -> Replaying:
    """Return what replays runs of `home`; `told` gets each call. Raises SettingsError."""
    from capbox.engine.replay.replaying import Replaying
    from capbox.sandbox.lockdown.walls import probe

    search = operator_of(home).search
    settings = {} if search is None else {"search": search}
    return Replaying(home, GUESTS, probe(), remint, settings, report, told)


def operator_of(home: Home) -> Operator:
    """Return the operator's configuration of this moment. Raises SettingsError."""
    from capbox.engine.operator import read_operator

    return read_operator(home.config / "config.toml")


def secret_store(home: Home | None = None) -> SecretStore:
    """Return the secrets of `home` (None: this user's); nothing is opened yet."""
    from capbox.broker.secrets import SecretStore

    return SecretStore((home or home_of(os.environ)).state)


def roster(home: Home | None = None, secrets: SecretStore | None = None) -> Roster:
    """Return the models of `home` (None: this user's), with the keys of `secrets` (None: its)."""
    from capbox.models.roster import Roster

    where = home or home_of(os.environ)
    store = secrets or secret_store(where)
    return Roster(os.environ, store.get, lambda: operator_of(where).catalog)


def operator_rules(home: Home) -> tuple[NeverRule, ...]:
    """Return the operator's never rules of `config.toml`. Raises SettingsError."""
    from capbox.engine.operator import read_rules

    return read_rules(home.config / "config.toml", Path.home())


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
        open_model=lambda spec, base_url: roster().open(spec, base_url),
        roster=roster,
        secrets=secret_store,
        explain=lambda settings, access: explain(home_of(os.environ), settings, access),
        hold=lambda settings: granting(home_of(os.environ), settings),
        replaying=lambda report, told: replaying(home_of(os.environ), report, told),
        unasked=lambda settings, tools: unasked(home_of(os.environ), settings, tools),
        trusted=lambda: operator_of(home_of(os.environ)).trusted_paths(Path.home()),
    )
    return run_command_line(entry, sys.argv[1:])
