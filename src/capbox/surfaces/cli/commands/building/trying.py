"""`capbox tool test|run`: the cases of a tool's manifest, and one call of it.

Guarantees: a case has a workspace of its own that is gone afterwards, and nothing outside of it
unless a person says so with --grant. Does not: keep what a case wrote.
"""

from __future__ import annotations

import shlex
import sys
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.messages import Json
from capbox.surfaces.cli.commands.building.project import Folder, failed, told, workshop_of
from capbox.surfaces.cli.commands.call import called, called_with, exit_code, own_tool, printed
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import BoundFlags, GrantFlags, LendFlags, ShapeFlags
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.sink import one_line

if TYPE_CHECKING:
    from capbox.engine.local import LocalEngine
    from capbox.messages import ToolResult
    from capbox.tools.registry import Found
    from capbox.tools.sdk.cases import Case


_LINE_MAX = 1_200


@dataclass(frozen=True, slots=True)
class _Tried:
    """A case and what came of it: `skipped` says what it needs, `complaints` what is otherwise."""

    case: Case
    complaints: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def described(self) -> Json:
        return {
            "name": self.case.name,
            "outcome": self.outcome,
            "complaints": list(self.complaints),
            "needs": list(self.skipped),
        }

    @property
    def outcome(self) -> str:
        return "skipped" if self.skipped else "failed" if self.complaints else "passed"


def test(
    ctx: typer.Context,
    folder: Folder = Path(),
    *,
    grant: words.Grants = None,
    as_json: words.AsJson = False,
) -> int:
    """Run the [[tests]] of the manifest in DIR (default: this folder).

    Each in an empty workspace. A case that wants more than that is skipped without --grant.
    """
    import anyio

    from capbox.tools.sdk.cases import cases_of
    from capbox.tools.sdk.project import manifest_text

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    found = own_tool(f"{folder}/", entry, screen)
    if found is None:
        raise usage(f"{folder} is not the folder of a tool")
    with told():
        cases = cases_of(manifest_text(folder), str(folder / "tool.toml"))
    if not cases:
        raise failed(f"{folder}/tool.toml has no [[tests]]: docs/writing-tools.md shows one")
    tried = anyio.run(_try_all, entry, screen, found, cases, frozenset(grant or ()))
    if as_json:
        screen.json([one.described() for one in tried])
    else:
        _show(tried, folder, screen)
    return 1 if any(one.outcome == "failed" for one in tried) else 0


async def _try_all(
    entry: Entry, screen: Screen, found: Found, cases: Iterable[Case], granted: frozenset[str]
) -> list[_Tried]:
    engine = entry.open_engine(screen.say, False)
    engine.own = (found,)
    tried: list[_Tried] = []
    async with engine:
        for case in cases:
            missing = tuple(grant for grant in case.beyond if grant not in granted)
            if missing:
                tried.append(_Tried(case, skipped=missing))
                continue
            result = await _try(case, found.manifest.name, entry, engine)
            tried.append(_Tried(case, case.expected.complaints(result)))
    return tried


async def _try(case: Case, name: str, entry: Entry, engine: LocalEngine) -> ToolResult:
    from capbox.engine.settings import Settings

    with _workspace(case) as workspace:
        settings = Settings(workspace=workspace, grants=case.grants, environ=entry.environ)
        async with entry.open_session(engine, settings, None) as session:
            return await session.call(name, case.arguments)


@contextmanager
def _workspace(case: Case) -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="capbox-case-") as place:
        workspace = Path(place).resolve()
        for path, text in case.files.items():
            target = workspace / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        yield workspace


def _show(tried: list[_Tried], folder: Path, screen: Screen) -> None:
    for one in tried:
        style = {"passed": "green", "failed": "red"}.get(one.outcome, "yellow")
        screen.line(f"{one.outcome}  {one_line(one.case.name, _LINE_MAX)}", style)
        for complaint in one.complaints:
            screen.line(f"        {one_line(complaint, _LINE_MAX)}")
        for grant in one.skipped:
            # Attack: a path with a quote in it, and behind that a command for whoever pastes it.
            screen.line(f"        needs --grant {shlex.quote(grant)}")
    counts = [sum(one.outcome == word for one in tried) for word in ("passed", "failed", "skipped")]
    screen.say(f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")
    if not counts[1]:
        screen.say(f"next: capbox tool run {shlex.quote(str(folder))} KEY=VALUE", "bold")


@grouped
def run(
    ctx: typer.Context,
    typed: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DIR] ARGS", help="As for capbox call; DIR is this folder."),
    ] = None,
    *,
    grants: GrantFlags,
    bounds: BoundFlags,
    limit: words.CallLimits = None,
    budget: words.CallBudget = None,
    shape: ShapeFlags,
    lend: LendFlags,
    unconfined: Annotated[
        bool,
        typer.Option(
            "--unconfined",
            help="For debugging a Python tool: OUTSIDE of the sandbox, with all that you may do.",
        ),
    ] = False,
) -> int:
    """Call the tool in DIR (default: this folder), contained, with what these flags grant.

    The same as `capbox call ./DIR ARGS`.
    """
    entry: Entry = ctx.obj
    given = list(typed or ())
    folder = given.pop(0) if given and Path(given[0]).is_dir() else "."
    if unconfined:
        if grants.given:
            raise usage("--unconfined takes no grants: nothing is held back there")
        return run_outside(entry, Path(folder), given, shape)
    settings = called_with(entry, grants, bounds, limit=limit, budget=budget, lend=lend)
    return called(entry, f"{folder}/", given, settings, shape=shape, lend=lend)


def run_outside(entry: Entry, folder: Path, typed: list[str], shape: ShapeFlags) -> int:
    """Run a Python tool without the sandbox, and say so."""
    from capbox.messages import ToolCall, ToolFailure, ToolResult
    from capbox.surfaces.cli.arguments import ArgumentsError, parse_arguments, read_texts
    from capbox.tools.sdk.building.keeping import in_use
    from capbox.tools.sdk.project import read_manifest, read_project
    from capbox.tools.sdk.python.unconfined import run_unconfined

    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    with told():
        project = read_project(folder)
        manifest = read_manifest(folder)
    if project.language != "python":
        raise usage(f"--unconfined is for tools in Python; this one is in {project.language}")
    texts = read_texts(typed)
    if isinstance(texts, ArgumentsError):
        raise usage(texts.message)
    arguments = parse_arguments(typed, manifest.schema.document, texts)
    if isinstance(arguments, ArgumentsError):
        raise usage(arguments.message)
    if complaints := manifest.complaints(arguments, characters=0):
        raise usage("; ".join(complaints))
    screen.say(
        f"UNCONFINED: {project.source} runs outside of the sandbox. It can read, change and send "
        "whatever you can; nothing is decided on, nothing is recorded.",
        "bold red",
    )
    with told():
        workshop = workshop_of(entry, screen)
        with in_use(workshop.place):
            reply = run_unconfined(project, manifest, arguments, workshop, entry.environ)
    error = None if reply.ok else ToolFailure(reply.code, reply.message)
    result = ToolResult(ok=reply.ok, content=reply.content, data=reply.data, error=error)
    printed(ToolCall("call-1", manifest.name, arguments), result, screen, shape.word)
    return exit_code(result)
