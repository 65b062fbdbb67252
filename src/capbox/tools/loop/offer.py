"""The tools of one run's loop, made for that run.

    tools = LoopTools(Person(ask), Planning(), Waiting(30.0, time.time))
    tools.tools()     # by name, as the gate takes them

Guarantees: each goes through the gate like any function, requests nothing and reaches nothing.
Further ones, of other parts (`recall`, `skill`), are added as functions of `access` none or read.
Does not: decide which are offered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from capbox.authority.limits import SECONDS_MAX
from capbox.gate.runner import Tool
from capbox.tools.functions.function import Function, FunctionError, function_of
from capbox.tools.loop.asking import Asking
from capbox.tools.loop.finding import Finding
from capbox.tools.loop.notes import Notes
from capbox.tools.loop.planning import Planning, PlanTool
from capbox.tools.loop.runner import LoopRunner
from capbox.tools.loop.waiting import Waiting

PATIENT = ("ask_user", "plan")
NAMES = ("ask_user", "brief", "plan", "sleep", "todo", "tool_search")
FURTHER = ("recall", "skill")
"""Those that other parts bring."""


@dataclass(frozen=True, slots=True)
class LoopTools:
    """What the tools of one run work on. `finding` None: all of its tools are offered anyway.

    `further` are tools that other parts bring, by name.
    """

    asking: Asking
    planning: Planning
    waiting: Waiting
    notes: Notes = field(default_factory=Notes)
    finding: Finding | None = None
    further: Mapping[str, Function] = field(default_factory=dict)

    def tools(self) -> dict[str, Tool]:
        """Return them by name, with one runner behind them."""
        functions = {function.manifest.name: function for function in map(loop_tool, self._calls())}
        functions.update(self.further)
        runner = LoopRunner(functions, PATIENT)
        return {name: function.tool(runner) for name, function in functions.items()}

    def _calls(self) -> tuple[Callable[..., object], ...]:
        plan = PlanTool(self.asking.person, self.planning)
        calls = (self.asking.ask_user, plan.plan, self.notes.todo, self.notes.brief)
        more = () if self.finding is None else (self.finding.tool_search,)
        return (*calls, self.waiting.sleep, *more)


def loop_tool(call: Callable[..., object]) -> Function:
    """Return a callable of capbox's own as a tool of the loop: what it is told, its hints say."""
    made = function_of(call, effect="none", sinks={}, timeout=SECONDS_MAX)
    if isinstance(made, FunctionError):
        raise TypeError(f"{made.subject}: {made.message}")
    return made
