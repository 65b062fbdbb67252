"""`capbox chat`: a conversation with a model, turn by turn, contained.

Guarantees: each turn holds what `capbox resume` would give it; at a terminal the person types below
and is asked in that place; without one each line of standard input is a turn. Does not: ask anybody
unless both ends are a terminal, or with `--no-ask`.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TextIO

import typer

from capbox.surfaces.cli.commands.call import asked_elsewhere
from capbox.surfaces.cli.commands.run import (
    NEWEST,
    Order,
    Resume,
    attached_files,
    no_model,
    opened_model,
)
from capbox.surfaces.cli.commands.words.chosen import with_skill
from capbox.surfaces.cli.commands.words.placed import Typed, placed, placed_again, whence
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import usage
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
from capbox.surfaces.cli.screen import Screen

if TYPE_CHECKING:
    from capbox.agent.outcome import Limit
    from capbox.engine.local import LocalEngine
    from capbox.engine.sessions.conversation import Conversation
    from capbox.engine.settings import Settings
    from capbox.models.model import Model
    from capbox.surfaces.cli.talk.deeds import Deeds
    from capbox.surfaces.cli.talk.live import Live
    from capbox.surfaces.cli.talk.showing.status import Status
    from capbox.surfaces.cli.talk.turns import Company, Turns
    from capbox.surfaces.cli.talk.unfolded import Calls
    from capbox.surfaces.cli.terminal import Terminal

Cli = Callable[[Sequence[str]], Awaitable[None]]


@grouped
def chat(
    ctx: typer.Context,
    *,
    model: ModelFlags,
    budget: BudgetFlags,
    grants: GrantFlags,
    named: words.Named = None,
    work: WorkFlags,
    skill: words.SkillName = None,
    bounds: BoundFlags,
    limit: words.RunLimits = None,
    lend: LendFlags,
    resume: Resume = None,
) -> int:
    """Talk with a model that works, contained.

    It may do what these flags grant and what you approve on the way. /help lists what can be
    typed besides messages. Without a terminal each line of standard input is a turn.

    Exit codes: 0 left, 130 left by Ctrl-C, 2 usage; without a terminal that of the last turn, as
    of capbox run.
    """
    import anyio

    order = Order(
        task="", model=model, budget=budget, work=work, grants=grants, bounds=bounds, limit=limit,
        shape=ShapeFlags(), lend=lend, named=named, skill=skill, resume=resume,
    )  # fmt: skip
    entry: Entry = ctx.obj
    talks = _is_terminal()
    if lend.ask and not talks:
        raise usage("--ask needs a terminal for the answer")
    plan = _Plan(entry, order, _settings(entry, order), ctx)
    return anyio.run(_at_terminal if talks else _piped, plan)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one `capbox chat` is to do."""

    entry: Entry
    order: Order
    settings: Settings
    ctx: typer.Context
    model: Model | None = None

    def with_model(self, settings: Settings) -> _Plan:
        """Return the plan with the model that `settings` name, if they name one."""
        spec = settings.model
        if spec is None and self.order.resume is None:
            raise no_model()
        model = spec and opened_model(self.entry, "--model", spec, self.order.model.base_url)
        return replace(self, settings=settings, model=model or None)


def _is_terminal() -> bool:
    from capbox.surfaces.cli.terminal import is_terminal

    return is_terminal() and sys.stdout is not None and sys.stdout.isatty()


def _settings(entry: Entry, order: Order) -> Settings:
    """Return what flags and the workspace say; a session that goes on is looked for there."""
    made = order.settings(entry.environ)
    old = made.wording
    wording = replace(old, style=order.work.style or old.style, skill=order.skill)
    return replace(made, wording=wording)


async def _at_terminal(plan: _Plan) -> int:
    from capbox.surfaces.cli.approver import TerminalApprover, ask_for_more
    from capbox.surfaces.cli.talk.files import completions
    from capbox.surfaces.cli.talk.live import Live
    from capbox.surfaces.cli.talk.paper import ChatScreen, ChatTerminal
    from capbox.surfaces.cli.talk.person import TerminalPerson
    from capbox.surfaces.cli.talk.prompt.editor import Editor, Typing
    from capbox.surfaces.cli.talk.prompt.history import history_of
    from capbox.surfaces.cli.talk.showing.status import Status
    from capbox.surfaces.cli.talk.showing.telling import Telling
    from capbox.surfaces.cli.talk.turns import Company

    entry, status = plan.entry, Status()
    typing = Typing(
        line=lambda text: live.line(text),
        interrupt=lambda empty: live.interrupt(empty),
        end=lambda: live.end(),
        complete=lambda before: completions(before, lambda: live.reader()),
        status=status.line,
        live=lambda columns: telling.live(columns),
    )
    history = history_of(entry.home().state, plan.settings.workspace)
    editor = Editor(typing, history, plain=Screen(sys.stdout, sys.stderr, entry.environ).plain)
    screen = ChatScreen(editor, entry.environ)
    terminal = None if plan.order.lend.ask is False else ChatTerminal(screen, editor)
    telling = Telling(screen, status, editor.redraw)
    live = Live(screen, status, telling, editor)

    async def more(limit: Limit) -> bool:
        return terminal is not None and await ask_for_more(terminal, limit)

    company = Company()
    if terminal is not None:
        person = TerminalPerson(terminal).ask
        company = Company(approver=TerminalApprover(terminal), ask_more=more, ask_user=person)
    plan = await _begun(plan, screen, terminal)
    company = replace(
        company, approver=asked_elsewhere(plan.order.lend.ask_remote, company.approver)
    )
    status.model = "" if plan.model is None else plan.model.name
    setting = _Setting(plan, screen, status, telling.calls, live.note, screen.paper)
    with editor.early(), with_skill(entry, plan.settings) as shown:

        async def opened(live: Live) -> None:
            async with entry.open_engine(_once(screen), True) as engine:
                with ExitStack() as stack:
                    live.turns = await _turns(
                        plan, shown, company, engine=engine, screen=screen, stack=stack
                    )
                    live.deeds = setting.deeds(live.turns)
                    _greet(live.turns, status, screen)
                    live.note()
                    await live.work()

        code = await live.serve(opened)
    if live.turns is not None and live.turns.on_record:
        screen.say(f"capbox chat --resume {live.turns.talk.id} goes on", "dim")
    return code


async def _piped(plan: _Plan) -> int:
    from capbox.surfaces.cli.narration import Narration
    from capbox.surfaces.cli.talk.piped import Piped
    from capbox.surfaces.cli.talk.showing.status import Status
    from capbox.surfaces.cli.talk.turns import Company

    entry, status = plan.entry, Status()
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    plan = await _begun(plan, screen, None)
    company = Company(approver=asked_elsewhere(plan.order.lend.ask_remote, None))
    with with_skill(entry, plan.settings) as shown:
        async with entry.open_engine(_once(screen), True) as engine:
            with ExitStack() as stack:
                turns = await _turns(
                    plan, shown, company, engine=engine, screen=screen, stack=stack
                )
                _going_on_told(turns, screen)
                piped = Piped(screen, Narration(screen), status, turns)
                setting = _Setting(plan, screen, status, piped.calls, lambda: None, None)
                piped.deeds = setting.deeds(turns)
                return await piped.serve()


def _once(screen: Screen) -> Callable[[str], None]:
    """Return what says each line once: each turn is lent the same again, and would say so."""
    said: set[str] = set()

    def say(line: str) -> None:
        if line not in said:
            said.add(line)
            screen.say(line, "dim")

    return say


async def _begun(plan: _Plan, screen: Screen, terminal: Terminal | None) -> _Plan:
    """Return the plan with the settings of the first turn, and the model if one is named.

    After the opening question, if there is one.
    """
    entry, order, settings = plan.entry, plan.order, plan.settings
    typed = Typed(order.named, order.grants.given, order.amounts)
    if order.resume is not None:
        return plan.with_model(whence(entry, settings, typed))
    settings, held = placed(entry, settings, typed, screen.say)
    plan = plan.with_model(settings)
    if held:
        return plan
    if terminal is None:
        if order.lend.ask_remote is None and settings.policy is None:
            screen.say("nothing is granted; --read . or --write . grants this folder", "yellow")
        return plan
    from capbox.surfaces.cli.opening import Remembered, opened

    home = entry.home()
    home.prepare()
    remembered = Remembered(home.state / "folders.json")
    return replace(plan, settings=await opened(settings, remembered, terminal))


async def _turns(
    plan: _Plan,
    settings: Settings,
    company: Company,
    *,
    engine: LocalEngine,
    screen: Screen,
    stack: ExitStack,
) -> Turns:
    """Return the turns of the session, which is held until `stack` is left."""
    from capbox.surfaces.cli.talk.turns import Turns

    talk = await _talk(plan, engine, settings)
    stack.callback(talk.held.release)
    if not talk.new:
        typed = Typed(plan.order.named, True, plan.order.amounts)
        settings = placed_again(plan.entry, settings, typed, talk, screen.say)
    flags = plan.order.model
    return Turns(
        plan.entry,
        engine,
        talk,
        settings,
        plan.model or opened_model(plan.entry, "--model", talk.model, flags.base_url),
        company,
        lambda line: screen.say(line, "yellow"),
        fallbacks=tuple(
            opened_model(plan.entry, "--fallback", one) for one in flags.fallback or ()
        ),
        effort=flags.effort,
        attached=attached_files(plan.order.work.attach or ()),
        plans=talk.restored.plans,
        last_run=talk.after,
    )


async def _talk(plan: _Plan, engine: LocalEngine, settings: Settings) -> Conversation:
    from capbox.engine.sessions.holder import CHAT

    resume = plan.order.resume
    if resume is None:
        from capbox.engine.sessions.conversation import begun

        return begun(engine.home.state, CHAT)
    from capbox.engine.sessions.resuming import resumed

    typed = None if resume == NEWEST else resume
    return await resumed(engine.sessions, typed, settings.workspace, CHAT)


def _greet(turns: Turns, status: Status, screen: Screen) -> None:
    from capbox.surfaces.cli.talk.showing.status import walls_told

    walls = turns.engine.walls
    status.walls = walls_told(walls.landlock, walls.seccomp)
    _going_on_told(turns, screen)
    screen.say("/help lists the commands; Ctrl-C stops a turn, Ctrl-D leaves", "dim")
    screen.say("")


def _going_on_told(turns: Turns, screen: Screen) -> None:
    """Tell what is there of a session that goes on, and what it holds."""
    talk = turns.talk
    if not talk.new:
        holds = ", ".join(text for text, _ in turns.holding()) or "nothing"
        screen.say(f"session {talk.id}: {len(talk.history)} messages; it holds: {holds}", "dim")
        if talk.unanswered or talk.asked:
            words = " ".join((talk.unanswered or talk.asked).split())[:60]
            screen.say(f"not answered yet: {words}", "dim")


@dataclass(frozen=True, slots=True)
class _Setting:
    """What commands of a chat need beside its turns; `paper` is where they print, if not as is."""

    plan: _Plan
    screen: Screen
    status: Status
    calls: Calls
    changed: Callable[[], None]
    paper: TextIO | None

    def deeds(self, turns: Turns) -> Deeds:
        """Return the commands."""
        from capbox.surfaces.cli.commands.sessions.listing import forked
        from capbox.surfaces.cli.talk.deeds import Deeds

        return Deeds(
            turns, self.screen, self.status, self.calls, self._cli, self._document,
            partial(forked, self.plan.ctx), self.changed,
        )  # fmt: skip

    async def _cli(self, given: Sequence[str]) -> None:
        from anyio import to_thread

        await to_thread.run_sync(self._run, given)

    def _run(self, given: Sequence[str]) -> None:
        with ExitStack() as stack:
            if self.paper is not None:
                stack.enter_context(redirect_stdout(self.paper))
                stack.enter_context(redirect_stderr(self.paper))
            command = self.plan.ctx.find_root().command
            command.main(
                list(given), prog_name="capbox", standalone_mode=False, obj=self.plan.entry
            )

    def _document(self, session: str, shape: str) -> str:
        from capbox.surfaces.cli.commands.sessions.listing import document

        return document(self.plan.ctx, session, shape)
