"""A run told to a person: the model's text as it comes, a line a tool call, a summary.

Guarantees: the model's text goes to standard output, everything else to standard error; nothing
that a model or a tool wrote reaches a terminal unneutralised. Does not: decide or store anything.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from capbox.agent import events, incidents
from capbox.agent.machine.recovery import RECOVERIES_MAX
from capbox.agent.outcome import BudgetUsedUp, Completed, Outcome, Refused, sentence, word
from capbox.agent.report import Report
from capbox.messages import Denial, Effect, ToolCall, ToolResult
from capbox.sandbox.effects import READ_ACTIONS
from capbox.surfaces.cli.denials import climbed, show_denials
from capbox.surfaces.cli.screen import Screen
from capbox.surfaces.cli.talk.lines import told_lines
from capbox.surfaces.sink import one_line

_ARGUMENT_CHARACTERS = 60
_EFFECTS_SHOWN = 20
RAISED_BY = {
    "turn_limit": "--budget turns=N",
    "tool_call_limit": "--budget calls=N",
    "time_limit": "--budget seconds=S",
    "token_limit": "--budget tokens=N",
    "budget_exceeded": "--budget usd=N",
}
_MAIN = ("path", "script", "pattern", "command", "url", "query", "question")


class Narration:
    """Tells the events of one run on `screen`."""

    def __init__(self, screen: Screen) -> None:
        """Start with nothing told."""
        self._screen = screen
        self._streamed = False
        self._climbed: list[Denial] = []

    def tell(self, event: events.Event) -> None:
        """Show one event."""
        screen = self._screen
        match event:
            case events.TextDelta(text):
                screen.stream(text)
                self._streamed = True
            case events.ModelReply(message):
                if not self._streamed and message.text:
                    screen.stream(message.text)
                self._streamed = False
                screen.end_line()
            case events.ToolFinished(call, result):
                for line in told_lines(call, result) or (call_line(call, result),):
                    screen.say(*line)
                self._climbed += climbed(call.arguments, result.denied)
            case events.Warned(message):
                screen.say(f"note: {message}", "yellow")
            case events.LimitAsked(limit, granted):
                screen.say(f"{sentence(limit)}: {'more' if granted else 'no more'}", "yellow")
            case incidents.ReplyTakenBack(reason):
                self._streamed = False
                screen.end_line()
                screen.say(f"that reply broke off and does not count: {reason}", "yellow")
            case _:
                self._tell_incident(event)

    def _tell_incident(self, event: events.Event) -> None:
        """Show what did not go as planned, or what a person did, in a line."""
        line = incident_line(event)
        if line is not None:
            self._screen.say(line, "yellow")

    def sum_up(self, report: Report) -> None:
        """Show what the run changed, what it was refused, what it used, where it is on record."""
        screen, finished = self._screen, report.finished
        changes = changed(report.effects)
        screen.end_line()
        screen.say("")
        for line in changes[:_EFFECTS_SHOWN]:
            screen.say(line, "green")
        if len(changes) > _EFFECTS_SHOWN:
            screen.say(f"... and {len(changes) - _EFFECTS_SHOWN} changes more")
        show_denials(report.denied, screen, self._climbed)
        if finished is None:
            screen.say("interrupted", "red")
        else:
            done = isinstance(finished.outcome, Completed)
            why = "" if done else f": {sentence(finished.outcome)}"
            screen.say(f"{word(finished.outcome)}{why}", "bold green" if done else "bold red")
            flag = raised_by(finished.outcome)
            if flag is not None:
                screen.say(f"to give it more, add: {flag}", "bold")
            if isinstance(finished.outcome, Refused) and finished.outcome.missing is not None:
                missing = shlex.quote(finished.outcome.missing)
                screen.say(f"to allow it, add: --grant {missing}", "bold")
            screen.say(used(finished.spent), "dim")
        screen.say(f"on record: capbox audit show {report.run}", "dim")


def incident_line(event: events.Event) -> str | None:
    """Return what did not go as planned, or what a person did, in a line; None: neither."""
    match event:
        case incidents.Retrying(attempt, seconds, kind, reason):
            return f"asking again in {seconds:.1f} s (try {attempt}, {kind}): {reason}"
        case incidents.Recovering(problem, attempt):
            most = f"{attempt} of {RECOVERIES_MAX}"
            return f"no usable reply ({problem}); asked to go on ({most})"
        case incidents.FellBack(failed, model, reason):
            return f"{failed} gave up, {model} goes on: {reason}"
        case incidents.Steered(text):
            return f"you said: {text}"
        case incidents.Paused():
            return "paused"
        case incidents.Resumed():
            return "going on"
        case incidents.StopRefused(text):
            return f"not done yet: {text}"
        case incidents.Compressed() as done:
            tokens = f"{done.before_tokens} to about {done.after_tokens} tokens"
            return f"summed up what came before: {tokens} a request"
        case incidents.CompressionFailed(reason, given_up):
            return f"could not sum up: {reason}" + ("; not tried again" if given_up else "")
        case _:
            return None


def raised_by(outcome: Outcome) -> str | None:
    """Return the flag that gives a run more; None: none does, or its sentence names the place."""
    # The day's budget, or that of a run above, has the same word and is not this run's.
    return None if isinstance(outcome, BudgetUsedUp) else RAISED_BY.get(word(outcome))


def call_line(call: ToolCall, result: ToolResult) -> tuple[str, str]:
    """Return a tool call and its end in one line, and the style of that line."""
    name, took = one_line(call.name, 30), f"{result.spent.wall_ms} ms"
    head = f"  {name:<6} {main_argument(call)}".rstrip()
    code = (result.data or {}).get("exit_code")
    if result.ok:
        refused = f", {len(result.denied)} refused" if result.denied else ""
        exited = f"exit {code}" if isinstance(code, int) and code else "ok"
        return f"{head}  {exited}, {took}{refused}", "yellow" if refused else "dim"
    error = result.error
    if result.denied:
        return f"{head}  denied: {result.denied[0].access}", "red"
    if error is None:
        return f"{head}  failed, {took}", "red"
    return f"{head}  {error.code}: {one_line(error.message, 120)}", "red"


def main_argument(call: ToolCall) -> str:
    """Return the argument by which a person knows a call, on one line."""
    if call.malformed is not None:
        return "(arguments that are not JSON)"
    named = [call.arguments[key] for key in _MAIN if key in call.arguments]
    texts = [value for value in (*named, *call.arguments.values()) if isinstance(value, str)]
    return one_line(texts[0], _ARGUMENT_CHARACTERS) if texts else ""


def changed(effects: Sequence[Effect]) -> list[str]:
    """Return a line for each path that was changed, in the order of the first change."""
    totals: dict[tuple[str, str], int] = {}
    for effect in effects:
        if effect.action not in READ_ACTIONS and not effect.path.startswith("/tmp/"):  # noqa: S108
            key = (effect.action, effect.path)
            totals[key] = totals.get(key, 0) + effect.bytes
    return [
        f"{action:<8} {one_line(path, 200)}" + (f"  {size(count)}" if count else "")
        for (action, path), count in totals.items()
    ]


def size(count: int) -> str:
    """Return a number of bytes for a person."""
    if count < 1_000:
        return f"{count} B"
    return f"{count / 1_000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def used(spent: events.RunSpent) -> str:
    """Return what a run used, as one line."""
    money = "price unknown" if spent.usd is None else f"{spent.usd:.4f} USD"
    seconds = f"{spent.wall_ms / 1_000:.1f} s"
    turns = f"{spent.turns} turn{'' if spent.turns == 1 else 's'}"
    calls = f"{spent.tool_calls} tool call{'' if spent.tool_calls == 1 else 's'}"
    return f"{turns}, {calls}, {spent.usage.total} tokens, {money}, {seconds}"
