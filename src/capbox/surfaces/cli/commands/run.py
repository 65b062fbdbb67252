"""`capbox run`: one task for a model, told as it happens.

Guarantees: standard output holds the model's text, or one JSON object, or one event a line, and
nothing else; Ctrl-C ends the run and still reports it, a second one ends everything at once.
Does not: ask anybody unless both ends are a terminal, or with `--no-ask`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capbox.surfaces.cli.commands.call import asked_elsewhere
from capbox.surfaces.cli.commands.words.chosen import task_of, with_skill, worded
from capbox.surfaces.cli.commands.words.piped import material_piped, standard_input, task_piped
from capbox.surfaces.cli.commands.words.placed import Typed, placed, placed_again, whence
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags import words
from capbox.surfaces.cli.flags.grouped import grouped
from capbox.surfaces.cli.flags.groups import (
    BoundFlags,
    BudgetFlags,
    GrantFlags,
    LendFlags,
    ModelFlags,
    ShapeFlags,
    WorkFlags,
)
from capbox.surfaces.cli.flags.settings import budget_of, settings_of, spending
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from anyio.abc import TaskStatus

    from capbox.agent.events import Event
    from capbox.agent.loop import AskMore
    from capbox.agent.report import Report
    from capbox.engine.instructions.attaching import Attached
    from capbox.engine.local import LocalEngine
    from capbox.engine.session import Session
    from capbox.engine.sessions.conversation import Conversation
    from capbox.engine.settings import Settings
    from capbox.gate.approver import Approver
    from capbox.models.model import Model
    from capbox.surfaces.cli.narration import Narration
    from capbox.surfaces.cli.terminal import Terminal
    from capbox.tools.loop.person import AskPerson

NEWEST = "last"
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar=f"ID|{NEWEST}",
        help="Go on with this session, or the newest one here (see capbox resume).",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody typed to have a task done.

    `resume` is what to go on with: the beginning of a session's id, or `NEWEST`; None: nothing.
    """

    task: str
    model: ModelFlags
    budget: BudgetFlags
    work: WorkFlags
    grants: GrantFlags
    bounds: BoundFlags
    limit: Sequence[str] | None
    shape: ShapeFlags
    lend: LendFlags
    named: str | None = None
    skill: str | None = None
    resume: str | None = None
    stdin: bool | None = None

    @property
    def amounts(self) -> Mapping[str, float]:
        """Return what was said of the budget. Raises SettingsError."""
        return budget_of(self.budget, self.limit)

    def settings(self, environ: Mapping[str, str]) -> Settings:
        """Return the settings that the flags alone describe. Raises SettingsError."""
        made = settings_of(self.grants, environ, self.bounds, self.limit, self.lend)
        made = replace(spending(made, self.amounts), model=self.model.model)
        return self.work.settings(made)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one `capbox run` is to do.

    `terminal` is there if somebody may be asked; `bare`: nothing is granted.
    """

    order: Order
    task: str
    settings: Settings
    screen: Screen
    shape: str
    terminal: Terminal | None
    bare: bool
    model: Model | None = None
    fallbacks: tuple[Model, ...] = ()
    attached: tuple[Attached, ...] = ()


@grouped
def run(
    ctx: typer.Context,
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="What to do, in words; - reads them.")
    ] = "",
    *,
    model: ModelFlags,
    budget: BudgetFlags,
    grants: GrantFlags,
    named: words.Named = None,
    work: WorkFlags,
    skill: words.SkillName = None,
    bounds: BoundFlags,
    limit: words.RunLimits = None,
    shape: ShapeFlags,
    lend: LendFlags,
    resume: Resume = None,
    stdin: words.Stdin = None,
) -> int:
    """Give a task to a model, contained.

    It may do what these flags grant, and nothing else.

    At a terminal without a grant it opens with one question, and asks for what is missing
    later. Exit codes: 0 done, 1 the model failed, 2 usage, 3 refused, 4 stopped by a limit
    or revoked, 5 the sandbox failed, 130 interrupted.
    """
    order = Order(
        task=task, model=model, budget=budget, work=work, grants=grants, bounds=bounds, limit=limit,
        shape=shape, lend=lend, named=named, skill=skill, resume=resume,
        stdin=stdin,
    )  # fmt: skip
    return carried_out(ctx.obj, order)


def carried_out(entry: Entry, order: Order) -> int:
    """Do what was ordered, and return the exit code. Raises what `program` explains."""
    import anyio

    shape, screen = order.shape.word, Screen(sys.stdout, sys.stderr, entry.environ)
    if order.task == "-":
        order = replace(order, task=task_piped(standard_input()), stdin=False)
    settings, bare = order.settings(entry.environ), False
    typed = Typed(order.named, order.grants.given, order.amounts)
    if order.resume is None:
        settings, held = placed(entry, settings, typed, screen.say)
        bare = not held
    else:
        settings = whence(entry, settings, typed)
    settings = worded(settings, order.work.style, order.skill, order.task or order.resume or "")
    piped = material_piped(standard_input(), order.stdin, screen.say)
    settings = replace(settings, wording=replace(settings.wording, piped=piped))
    plan = _Plan(
        order,
        task_of(settings.wording, order.task),
        settings,
        screen,
        shape,
        _terminal(screen, order.lend.ask, asks_by_default=shape == "text"),
        bare,
        fallbacks=tuple(opened_model(entry, "--fallback", s) for s in order.model.fallback or ()),
        attached=attached_files(order.work.attach or ()),
    )
    if settings.model is not None or order.resume is None:
        plan = replace(plan, model=_model(entry, settings.model, order.model.base_url))
    return anyio.run(_run, entry, plan)


def _model(entry: Entry, spec: str | None, base_url: str | None) -> Model:
    if spec is None:
        raise no_model()
    return opened_model(entry, "--model", spec, base_url)


def no_model() -> CommandFailure:
    """Return what is raised where no model is named."""
    named = "--model PROVIDER/NAME (as anthropic/...) or scripted:FILE.json"
    return usage(f"which model? {named}; see: capbox models, and capbox login PROVIDER for a key")


def opened_model(entry: Entry, flag: str, spec: str, base_url: str | None = None) -> Model:
    """Return the model that was typed behind a flag. Raises CommandFailure."""
    from capbox.models.open import ModelSpecError

    opened = entry.open_model(spec, base_url)
    if isinstance(opened, ModelSpecError):
        raise usage(f"{flag}: {opened}")
    return opened


def attached_files(files: Sequence[Path]) -> tuple[Attached, ...]:
    """Return what was typed behind `--attach`. Raises SettingsError."""
    if not files:
        return ()
    from capbox.engine.instructions.attaching import attached

    return tuple(map(attached, files))


def _terminal(screen: Screen, ask: bool | None, *, asks_by_default: bool) -> Terminal | None:
    from capbox.surfaces.cli.terminal import Terminal, is_terminal

    if ask and not is_terminal():
        raise usage("--ask needs a terminal for the answer")
    wanted = asks_by_default if ask is None else ask
    return Terminal(screen) if wanted and is_terminal() else None


async def _run(entry: Entry, plan: _Plan) -> int:
    if plan.order.resume is None:
        plan = replace(plan, settings=await _opened(entry, plan))
    approver: Approver | None = None
    if plan.terminal is not None:
        from capbox.surfaces.cli.approver import TerminalApprover

        approver = TerminalApprover(plan.terminal)
    approver = asked_elsewhere(plan.order.lend.ask_remote, approver)
    with with_skill(entry, plan.settings) as settings:
        return await _within(entry, replace(plan, settings=settings), approver)


async def _within(entry: Entry, plan: _Plan, approver: Approver | None) -> int:
    from capbox.agent.outcome import exit_code

    async with entry.open_engine(plan.screen.say, True) as engine:
        with ExitStack() as stack:
            talk = await _resumed(entry, engine, plan, stack)
            if talk is not None:
                plan = _going_on(entry, engine, plan, talk)
            async with entry.open_session(engine, plan.settings, approver) as session:
                report = await _follow(session, plan, talk)
    return 130 if report.finished is None else exit_code(report.finished.outcome)


async def _resumed(
    entry: Entry, engine: LocalEngine, plan: _Plan, stack: ExitStack
) -> Conversation | None:
    """Return the session to go on with, held until `stack` is left."""
    resume = plan.order.resume
    if resume is None:
        return None
    from capbox.engine.sessions.resuming import resumed

    typed = None if resume == NEWEST else resume

    what = f"capbox resume {plan.task}".strip()
    talk = await resumed(engine.sessions, typed, plan.settings.workspace, what)
    stack.callback(talk.held.release)
    return talk


def _going_on(entry: Entry, engine: LocalEngine, plan: _Plan, talk: Conversation) -> _Plan:
    """Return the plan with what the session brings: its workspace, its grants, its model."""
    from capbox.engine.sessions.resuming import GO_ON, settings_with

    typed = Typed(plan.order.named, True, plan.order.amounts)
    asked = placed_again(entry, plan.settings, typed, talk, plan.screen.say)
    settings, lost = settings_with(asked, talk.restored, engine.tools, entry.hold)
    for note in lost:
        plan.screen.say(note, "yellow")
    back = ", ".join([*settings.grants[: len(talk.restored.grants)]]) or "nothing"
    plan.screen.say(f"session {talk.id}: {len(talk.history)} messages; it holds: {back}", "dim")
    model = plan.model or _model(entry, talk.model, plan.order.model.base_url)
    task = plan.task or talk.unanswered or talk.asked or GO_ON
    return replace(plan, settings=settings, model=model, task=task)


async def _opened(entry: Entry, plan: _Plan) -> Settings:
    """Return the settings, after the opening question if there is one."""
    if plan.bare and plan.terminal is not None:
        from capbox.surfaces.cli.opening import Remembered, opened

        home = entry.home()
        home.prepare()
        return await opened(plan.settings, Remembered(home.state / "folders.json"), plan.terminal)
    asked = plan.order.lend.ask_remote is not None or plan.settings.policy is not None
    if plan.bare and plan.shape == "text" and not asked:  # else more may be lent, or is already
        plan.screen.say(
            "nothing is granted, so no file can be read or written; "
            "--read . or --write . grants this folder",
            "yellow",
        )
    return plan.settings


async def _follow(session: Session, plan: _Plan, talk: Conversation | None) -> Report:
    import anyio

    from capbox.agent.report import Report
    from capbox.surfaces.cli.narration import Narration

    report, narration = Report(), Narration(plan.screen)
    if plan.model is None:
        raise no_model()
    if plan.attached:
        from capbox.engine.instructions.attaching import left_out

        for line in left_out(plan.attached, plan.model):
            plan.screen.say(line, "yellow")
    more, user = _ask_more(plan), _ask_user(plan)
    run = session.run(
        plan.task, plan.model, ask_more=more, ask_user=user, conversation=talk,
        fallbacks=plan.fallbacks, attached=plan.attached, effort=plan.order.model.effort,
    )  # fmt: skip
    async with anyio.create_task_group() as tasks:
        await tasks.start(_watch_interrupts, session, plan.screen)
        async with run as stream:
            async for event in stream:
                report.add(event)
                _show(event, plan, narration)
        tasks.cancel_scope.cancel()
    if plan.shape == "json":
        plan.screen.json(report.to_json())
    elif plan.shape == "text":
        narration.sum_up(report)
    return report


def _show(event: Event, plan: _Plan, narration: Narration) -> None:
    if plan.shape == "stream":
        plan.screen.json(event.to_json())
    elif plan.shape == "text":
        narration.tell(event)


def _ask_more(plan: _Plan) -> AskMore | None:
    from capbox.agent.outcome import Limit
    from capbox.surfaces.cli.approver import ask_for_more

    terminal = plan.terminal
    if terminal is None:
        return None

    async def ask(limit: Limit) -> bool:
        return await ask_for_more(terminal, limit)

    return ask


def _ask_user(plan: _Plan) -> AskPerson | None:
    from capbox.surfaces.cli.talk.person import TerminalPerson

    return None if plan.terminal is None else TerminalPerson(plan.terminal).ask


async def _watch_interrupts(
    session: Session, screen: Screen, *, task_status: TaskStatus[None]
) -> None:
    """End the run at the first Ctrl-C, this program at the second."""
    import anyio

    with anyio.open_signal_receiver(signal.SIGINT) as signals:
        first = True
        task_status.started()
        async for _ in signals:
            if not first:
                # Workers die with their parent, and the journal is an honest open prefix.
                os._exit(130)
            first = False
            # The run ends, so nobody waits for an answer; and the way out below writes nothing.
            screen.give_up()
            screen.say("interrupting; Ctrl-C once more ends everything at once", "yellow")
            session.interrupt()
