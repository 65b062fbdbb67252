"""`plan`: while it is on, only tools that read are run, until the person accepts a plan.

Guarantees: kept where calls go to the gate (`refusal`), so no words of a model get around it; only
a person ends it, or the operator's word that it ends without one. Does not: grant: accepting a plan
takes this one bound away, and gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from capbox.gate.manifest import Manifest
from capbox.tools.loop.person import Person, Question, Silent
from capbox.tools.loop.told import Told, Unable

PLAN_CHARACTERS_MAX = 20_000
ACCEPT, REFUSE = "accept", "refuse"
_ALLOWED = ("none", "read")


@dataclass(slots=True, eq=False)
class Planning:
    """Whether a run only plans (`on`); `alone`: without a person a plan needs nobody's yes."""

    on: bool = False
    alone: bool = False

    def refusal(self, manifest: Manifest) -> str | None:
        """Say why a tool is not run now; None: it may be."""
        if not self.on or manifest.access in _ALLOWED:
            return None
        return (
            f"this run only plans, and {manifest.name} may change something, so it was not run. "
            "Look with tools that only read; then call plan with action exit and the whole plan "
            "as text, which the person accepts or not"
        )


@dataclass(frozen=True, slots=True)
class PlanTool:
    """The tool that turns `planning` on and off, the latter with a yes of `person`."""

    person: Person
    planning: Planning

    async def plan(self, action: Literal["enter", "exit"], text: str = "") -> Told | Unable:
        """Think before you act: enter, look around with tools that read, exit with a plan.

        From enter on every tool that may change something is refused. Exit shows your plan to the
        person; only when they accept it you can act. Use it for work that is large, or hard to
        undo.

        Args:
            action: enter or exit.
            text: With exit, the whole plan: what you will change, where, and how you check it.
        """
        if action == "enter":
            self.planning.on = True
            return Told("From now on only tools that read are run. End with plan, action exit.")
        if not self.planning.on:
            return Unable("not_planning", "plan was not entered, so there is nothing to leave")
        if not text.strip() or len(text) > PLAN_CHARACTERS_MAX:
            most = f"at most {PLAN_CHARACTERS_MAX} characters"
            return Unable("invalid_arguments", f"text: the whole plan is expected, {most}")
        return await self._exit(text)

    async def _exit(self, text: str) -> Told | Unable:
        if self.person.asked is None and self.planning.alone:
            self.planning.on = False
            return Told("Nobody is there; the operator lets plans go on without a yes. Go on.")
        answer = await self.person.answer(Question(text, (ACCEPT, REFUSE), plan=True))
        if isinstance(answer, Silent):
            ending = "The run goes on planning: end it with the plan as your answer"
            return Unable("nobody", f"the plan was not accepted: {answer.reason}. {ending}.")
        if answer.text == ACCEPT:
            self.planning.on = False
            return Told("The person accepted the plan. Do it.", waited=answer.waited)
        said = "" if answer.text == REFUSE else f": {answer.text}"
        more = "The run goes on planning; change the plan and exit again"
        return Unable("refused", f"the person did not accept the plan{said}. {more}.")
