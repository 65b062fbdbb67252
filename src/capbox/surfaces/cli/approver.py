"""The approver at a terminal: shows what a call would do, and takes one answer.

Guarantees: what is shown is the gate's canonical, neutralised effect, cut so that all of it is seen
at once, with nothing written below it before it is answered; whatever is not a clear yes (an empty
line, the end of the input, three words it does not know) is no; text typed before the question was
shown is not its answer. Does not: grant; the gate lends within the operator's ceiling.
"""

from __future__ import annotations

from typing import assert_never

from capbox.agent.outcome import Limit, sentence
from capbox.authority.access import ToolAccess
from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.engine.approvers.answers import read_answer
from capbox.gate.approver import (
    Always,
    Answer,
    AskRequest,
    ByRule,
    For,
    ForRun,
    ForUses,
    No,
    Once,
    Stop,
    Yes,
    neutral,
)
from capbox.surfaces.cli.screen import Line
from capbox.surfaces.cli.terminal import Terminal
from capbox.surfaces.sink import visible

_MINUTES_DEFAULT = 10
_MINUTES_MAX = 24 * 60
_TRIES = 3
# Together at most 20 rows of a window of 24 by 80: what a model makes long enough to scroll the
# effect away is not read. The gate cuts the arguments too, before they are neutralised.
_PATH_CHARACTERS = 200
_GRANT_CHARACTERS = 300
_ARGUMENTS_CHARACTERS = 440
_DETAIL_CHARACTERS = 158
_VALUES_CHARACTERS = 560
_VALUES_MORE = 240
_USES_MAX = 1_000
_UNCLEAR = No("the answer was not understood", by="nobody")
_UNSHOWN = No(
    "too long to be shown here: only no or stop; capbox approve, elsewhere, shows all of it",
    by="nobody",
)
_OUT_OF_RANGE = No("the number was out of range", by="nobody")
_GIVEN_UP = No("no answer was understood, which counts as no", by="nobody")
_MISTYPED = {
    _UNCLEAR: "not understood: o, u 3, t 30, r, always, n or s",
    _OUT_OF_RANGE: f"not so many: 1 to {_USES_MAX} uses, 1 to {_MINUTES_MAX} minutes",
}
_EACH = No("this grant asks for each request (ask=each): o, n or s", by="nobody")
_KEYS_EACH = "[o]nce  [n]o  no, [s]top: "
_KEYS = "[o]nce  [u]ses (u 3)  [t]ime (t 30: min)  [r]un  [always]  [n]o  no, [s]top: "


class TerminalApprover:
    """Asks the person at `terminal`."""

    def __init__(self, terminal: Terminal) -> None:
        """Ask there."""
        self._terminal = terminal

    async def ask(self, request: AskRequest) -> Answer:
        """Show the request and return the answer; `No` for anything unclear."""
        answer: Answer = _UNCLEAR
        shown, each = _shown_whole(request), _asks_each(request)
        async with self._terminal.question(_block(request)) as question:
            keys = _KEYS_EACH if each else _KEYS
            for left in reversed(range(_TRIES)):
                line = await self._terminal.answer(question, keys, fresh=True)
                if line is None:
                    return No("nobody answered", by="nobody")
                answer = parse_answer(line)
                if isinstance(answer, Yes) and not shown:
                    answer = _UNSHOWN
                if each and isinstance(answer, Yes) and not isinstance(answer, Once):
                    answer = _EACH  # the next request is asked about all the same
                mistyped = _MISTYPED.get(answer) if isinstance(answer, No) else None
                if mistyped is not None and left:
                    tries = "1 more try" if left == 1 else f"{left} more tries"
                    question.say(f"  {mistyped} ({tries})", "yellow")
                    continue
                answer = answer if mistyped is None else _GIVEN_UP
                question.say(f"  {_told(answer)}", "dim")
                if answer not in (_UNSHOWN, _EACH):
                    break
        return answer


def _block(request: AskRequest) -> tuple[Line, ...]:
    """Return what is shown above the prompt."""
    # The access and the path on this machine are cut apart, so that each keeps both its ends.
    parts = request.effect.partition(neutral(str(request.access)))
    valued = _valued(request)
    # The values of a function's sinks are what a yes is about: never cut, or not to be approved.
    most = (_PATH_CHARACTERS, _VALUES_CHARACTERS if valued else _PATH_CHARACTERS, _PATH_CHARACTERS)
    effect = "".join(_cut(*one) for one in zip(parts, most, strict=True))
    arguments = _cut(request.arguments, _ARGUMENTS_CHARACTERS - (valued and _VALUES_MORE))
    one = "request" if request.details else "call"
    grant = _cut(request.grant, _GRANT_CHARACTERS)
    return (
        ("", ""),
        (effect, "bold yellow"),
        *((f"  arguments  {arguments}", "") for _ in request.arguments[:1]),
        *((f"  {_cut(detail, _DETAIL_CHARACTERS)}", "") for detail in request.details),
        (f"  {_longer(request, one)}  {grant}", ""),
        *(((f"  {_UNSHOWN.reason}"), "bold yellow") for _ in (0,) if not _shown_whole(request)),
    )


def _longer(request: AskRequest, one: str) -> str:
    if _asks_each(request):
        return f"held, and to be confirmed for each {one}:"
    return f"once allows this one {one}; longer allows"


def _asks_each(request: AskRequest) -> bool:
    """Say whether a grant that is held has each of its requests confirmed."""
    grant = parse_grant(request.grant)
    return isinstance(grant, Grant) and grant.asks is not None and grant.asks.each


def _valued(request: AskRequest) -> bool:
    """Say whether this is about a function, by the values of its sinks."""
    return isinstance(request.access, ToolAccess) and bool(request.access.arguments)


def _shown_whole(request: AskRequest) -> bool:
    """Say whether every value that a yes would approve is seen.

    Attack: of forty recipients the one in the middle is a stranger.
    """
    shown = visible(neutral(str(request.access)))
    return not _valued(request) or len(shown) <= _VALUES_CHARACTERS


def _cut(text: str, characters_max: int) -> str:
    # Before it is cut: a tag character of one column is spelt with ten.
    return cut_in_the_middle(visible(text), characters_max)


def cut_in_the_middle(text: str, characters_max: int) -> str:
    """Return `text` with its beginning and its end, and a mark for what is left out between."""
    if len(text) <= characters_max:
        return text
    mark = f" [... {len(text)} characters, cut here ...] "
    kept = characters_max - len(mark)
    return text[: kept - kept // 2] + mark + text[len(text) - kept // 2 :]


def parse_answer(line: str) -> Answer:
    """Return what a typed line means."""
    word, _, rest = line.strip().lower().partition(" ")
    if word in ("t", "time"):
        return _for_minutes(rest.strip())
    if word in ("u", "uses"):
        count = _number(rest.strip(), _USES_MAX)
        return ForUses(count) if isinstance(count, int) else count
    if word == "always" and rest:
        count = _number(rest.strip(), _USES_MAX)
        return Always(count) if isinstance(count, int) else count
    if rest:
        return _UNCLEAR
    if "=" in word:
        spelt = read_answer(word)  # as for capbox approve
        return _UNCLEAR if isinstance(spelt, str) else spelt
    match word:
        case "o" | "once":
            return Once()
        case "r" | "run":
            return ForRun()
        case "always":  # spelt out: it outlives the run
            return Always()
        case "s" | "stop":
            return Stop()
        case "n" | "no" | "":
            return No()
        case _:
            return _UNCLEAR


def _for_minutes(text: str) -> Answer:
    if not text:
        return For(_MINUTES_DEFAULT * 60)
    minutes = _number(text, _MINUTES_MAX)
    return For(minutes * 60) if isinstance(minutes, int) else minutes


def _number(text: str, most: int) -> int | No:
    if not (text.isascii() and text.isdecimal()) or not 0 < len(text) <= 4:
        return _UNCLEAR
    return int(text) if 0 < int(text) <= most else _OUT_OF_RANGE


def _told(answer: Answer) -> str:
    match answer:
        case Once():
            return "yes, once"
        case ForRun():
            return "yes, until the run ends"
        case ForUses(count):
            return f"yes, {count} uses"
        case Always(int(count)):
            return f"yes, {count} uses, in this folder and in later runs (capbox grants list)"
        case Always():
            return "yes, always in this folder (capbox grants list)"
        case ByRule(grant):
            return f"yes, by the rule {grant}"
        case For(seconds):
            return f"yes, for {seconds // 60} min"
        case No(reason):
            return f"no: {reason}"
        case Stop():
            return "no; the run ends"
        case _:
            assert_never(answer)


async def ask_for_more(terminal: Terminal, limit: Limit) -> bool:
    """Ask whether a run that met `limit` may spend as much again."""
    line = await terminal.ask(f"{sentence(limit)}. As much again? [y/N] ", fresh=True)
    return (line or "").lower() in ("y", "yes")
