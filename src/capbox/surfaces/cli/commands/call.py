"""`capbox call`: one tool call, under exactly what its flags grant.

Guarantees: one JSON object with `--json`, whatever happens to the call; the exit code says which
kind of end it was. Does not: ask anybody without `--ask`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.engine.budgets.texts import read_flags
from capbox.messages import JsonObject, ToolCall, ToolFailure, ToolResult
from capbox.surfaces.cli.arguments import ArgumentsError, parse_arguments, read_texts
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import BoundFlags, GrantFlags, LendFlags, ShapeFlags
from capbox.surfaces.cli.flags.settings import refuse_run_keys, settings_of, spending
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.engine.session import Session
    from capbox.engine.settings import Settings
    from capbox.gate.approver import Approver
    from capbox.tools.registry import Found


_USAGE = frozenset({"unknown_tool", "invalid_arguments"})


@dataclass(slots=True, eq=False)
class _Asked:
    """The call, and how far it has come for when it is interrupted.

    `words` followed the tool's name; `texts` are what they want read: files, standard input.
    """

    made: ToolCall
    words: list[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    session: Session | None = None

    @property
    def run(self) -> str | None:
        """Return the run it is recorded in, if there is one yet."""
        return None if self.session is None else self.session.calls_run


@grouped
def call(
    ctx: typer.Context,
    tool: Annotated[
        str, typer.Argument(metavar="TOOL", help="See: capbox tool list; or ./DIR of one.")
    ],
    typed: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARGS",
            help="ARGS_JSON; - for that on standard input; or KEY=VALUE, KEY=@FILE (its text).",
        ),
    ] = None,
    *,
    grants: GrantFlags,
    bounds: BoundFlags,
    limit: words.CallLimits = None,
    budget: words.CallBudget = None,
    shape: ShapeFlags,
    lend: LendFlags,
) -> int:
    """Call one tool, contained.

    It may do what these flags grant, and nothing else.

    Exit codes: 0 ok, 1 tool error, 2 usage, 3 denied, 4 stopped by a bound, 5 the sandbox failed,
    130 interrupted.
    """
    entry: Entry = ctx.obj
    settings = called_with(entry, grants, bounds, limit=limit, budget=budget, lend=lend)
    return called(entry, tool, typed or [], settings, shape=shape, lend=lend)


def called_with(
    entry: Entry,
    grants: GrantFlags,
    bounds: BoundFlags,
    *,
    limit: Sequence[str] | None,
    budget: Sequence[str] | None,
    lend: LendFlags,
) -> Settings:
    """Return the settings of one call. Raises SettingsError."""
    refuse_run_keys(limit)
    settings = settings_of(grants, entry.environ, bounds, limit, lend)
    return spending(settings, read_flags(budget or (), keys=words.CALL_BUDGET_KEYS))


def called(
    entry: Entry,
    tool: str,
    typed: list[str],
    settings: Settings,
    *,
    shape: ShapeFlags,
    lend: LendFlags,
) -> int:
    """Make one call, show its result, and return the exit code."""
    shaped = shape.word
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    approver = asked_elsewhere(lend.ask_remote, _approver(screen) if lend.ask else None)
    asked = _Asked(ToolCall("call-1", tool, {}), typed)
    try:
        result = _result(entry, settings, approver, screen, asked)
    except KeyboardInterrupt:
        result = _interrupted(entry, asked)
        printed(asked.made, result, screen, shaped)
        raise
    printed(asked.made, result, screen, shaped)
    return exit_code(result)


def _result(
    entry: Entry, settings: Settings, approver: Approver | None, screen: Screen, asked: _Asked
) -> ToolResult:
    import anyio

    # Not within the event loop: there the first Ctrl-C would not end the reading.
    texts = read_texts(asked.words)
    if isinstance(texts, ArgumentsError):
        return _misread(texts)
    asked.texts = texts
    return anyio.run(_call, entry, settings, approver, screen, asked)


def _interrupted(entry: Entry, asked: _Asked) -> ToolResult:
    from capbox.surfaces.cli.commands.interrupted import interrupted

    # What it had done is on record; the promised object is due all the same.
    return interrupted(entry.home().state / "journal", asked.run)


def printed(made: ToolCall, result: ToolResult, screen: Screen, shaped: str) -> None:
    """Write a result in the shape that was asked for."""
    match shaped:
        case "json":
            screen.json(result.to_json())
        case "stream":
            _stream(made, result, screen)
        case _:
            show(result, screen, made.arguments)


def exit_code(result: ToolResult) -> int:
    """Return the exit code of `capbox call` for this result."""
    from capbox.sandbox.spec import BOUNDS

    code = result.error.code if result.error is not None else ""
    if result.ok:
        return 0
    if code in _USAGE:
        return 2
    if code == "sandbox_failed":
        return 5
    if code in ("budget_exceeded", "budget_unreadable"):
        return 4
    if code in BOUNDS and code != "interrupted":  # a person is no bound
        return 4
    return 3 if result.denied or code == "stopped_by_person" else 1


async def _call(
    entry: Entry,
    settings: Settings,
    approver: Approver | None,
    screen: Screen,
    asked: _Asked,
) -> ToolResult:
    from capbox.surfaces.cli.commands.places import explained, placed

    name, engine = asked.made.name, entry.open_engine(screen.say, False)
    own = own_tool(name, entry, screen)
    if own is not None:
        name, engine.own = own.manifest.name, (own,)
    async with engine:
        tool = engine.tools.get(name)
        schema: JsonObject = tool.manifest.schema.document if tool is not None else {}
        arguments = parse_arguments(asked.words, schema, asked.texts)
        if isinstance(arguments, ArgumentsError):
            return _misread(arguments)
        asked.made = ToolCall("call-1", name, arguments)
        async with entry.open_session(engine, settings, approver) as session:
            asked.session = session
            if tool is None:
                return await session.call(name, arguments)
            arguments = placed(arguments, tool.manifest, session.layout)
            if isinstance(arguments, ArgumentsError):
                return _misread(arguments)
            asked.made = ToolCall("call-1", name, arguments)
            result = await session.call(name, arguments)
            return explained(result, arguments, tool.manifest, session.layout)


def own_tool(name: str, entry: Entry, screen: Screen) -> Found | None:
    """Return the tool of a folder if `name` is the path of one: `./hello`, or no tool's name.

    One that is older than its sources is told as such. Raises CommandFailure for a folder that has
    none.
    """
    from capbox.tools.available import available
    from capbox.tools.folder import is_folder, load_folder
    from capbox.tools.registry import RegistryError
    from capbox.tools.sdk.building.sources import outdated

    folder = Path(name)
    plain = "/" not in name and name not in (".", "..")
    known = plain and is_folder(folder) and available(entry.guests(), entry.home().tools).tools
    if plain and (known is False or name in known):
        return None
    found = load_folder(folder)
    if isinstance(found, RegistryError):
        raise usage(f"{found.where}: {found.message}")
    reason, fix = outdated(Path(found.module.path), found.module.digest)
    if reason:
        screen.say(f"{found.manifest.module} {reason}; {fix}", "yellow")
    return found


def _misread(error: ArgumentsError) -> ToolResult:
    failure = ToolFailure("invalid_arguments", error.message)
    return ToolResult(ok=False, content="", error=failure)


def asked_elsewhere(seconds: float | None, beside: Approver | None) -> Approver | None:
    """Return who is asked where `capbox approve` may answer too, for so long."""
    if seconds is None:
        return beside
    from capbox.engine.approvers.queue import QueueApprover

    return QueueApprover(seconds, beside=beside)


def _approver(screen: Screen) -> Approver:
    from capbox.surfaces.cli.approver import TerminalApprover
    from capbox.surfaces.cli.terminal import Terminal, is_terminal

    if not is_terminal():
        raise usage("--ask needs a terminal for the answer")
    return TerminalApprover(Terminal(screen))


def _stream(made: ToolCall, result: ToolResult, screen: Screen) -> None:
    from capbox.agent.events import ToolFinished, ToolStarted

    screen.json(ToolStarted(made).to_json())
    screen.json(ToolFinished(made, result).to_json())


def show(result: ToolResult, screen: Screen, arguments: JsonObject) -> None:
    """Print a result for a person: its content, and apart from it what went wrong."""
    from capbox.surfaces.cli.denials import climbed, show_denials

    screen.result(result.content)
    if result.truncated:
        screen.say("not everything is shown; --output BYTES raises the bound of output", "yellow")
    if result.error is not None and result.error.code != "denied":
        screen.say(f"{result.error.code}: {result.error.message}", "red")
    show_denials(result.denied, screen, climbed(arguments, result.denied))
