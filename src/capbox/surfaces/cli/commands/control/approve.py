"""`capbox approve`: the questions of runs in other terminals or programs, and answering one.

Guarantees: an answer carries the fingerprint of the effect that was listed, so it cannot be for
another; what is shown is the gate's neutralised text. Does not: grant; the gate of that run lends
within its ceiling.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from capbox.messages import Json, JsonObject
from capbox.surfaces.cli.commands.control.ps import asked_all
from capbox.surfaces.cli.entry import Entry
from capbox.surfaces.cli.failures import CommandFailure, usage
from capbox.surfaces.cli.flags.words import AsJson
from capbox.surfaces.cli.screen import Screen

_MARK_CHARACTERS = 12


def approve(
    ctx: typer.Context,
    question: Annotated[
        str | None, typer.Argument(metavar="[QUESTION]", help="As listed: ID.EFFECT")
    ] = None,
    answer: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ANSWER]", help="once, uses=N, for=10m, run, always, no, stop"),
    ] = None,
    *,
    as_json: AsJson = False,
) -> int:
    """List what runs ask for, or answer it.

    As in: capbox approve 5b1f09aa.2c7d41e09b3a once. Runs ask at their own terminal, and here at
    the same time; the first answer counts. `run` and `call` wait for it where --ask-remote says so.

    Exit codes: 0 ok, 1 the question does not wait any more, 2 usage, 5 its process does not answer.
    """
    from capbox.engine.approvers.answers import read_answer

    entry: Entry = ctx.obj
    screen = Screen(sys.stdout, sys.stderr, entry.environ)
    if question is not None and not answer:
        raise usage("what is the answer? once, uses=N, for=10m, run, always, no or stop")
    text = _typed(answer or [])
    problem = None if text is None else read_answer(text)
    if isinstance(problem, str):
        raise usage(problem)
    waiting = _waiting(entry)
    if question is None or text is None:
        return _list(screen, waiting, as_json=as_json)
    name, dot, mark = question.partition(".")
    if not dot or len(mark) < _MARK_CHARACTERS:
        raise usage(f"{question} is not ID.EFFECT, as capbox approve lists it")
    found = [(socket, one) for socket, one in waiting if one.get("question") == name]
    if not found:
        raise CommandFailure("not_found", f"no question {name} waits; see: capbox approve", 1)
    socket, one = found[0]
    if not str(one.get("effect")).startswith(mark):
        raise CommandFailure("not_found", f"question {name} is about another effect by now", 1)
    return _answer(entry, screen, socket, one, text)


def _typed(words: list[str]) -> str | None:
    """Return an answer in one word: who has typed `t 30` at a terminal does so here too."""
    match words:
        case []:
            return None
        case ["u" | "uses", count]:
            return f"uses={count}"
        case ["t" | "time", minutes]:
            return f"for={minutes}m"
        case ["always", count]:
            return f"always={count}"
        case [word]:
            return {"o": "once", "r": "run", "n": "no", "s": "stop", "t": "for=10m"}.get(word, word)
        case _:
            return " ".join(words)


def _answer(entry: Entry, screen: Screen, socket: str, one: JsonObject, answer: str) -> int:
    from capbox.engine.control.client import ask_one

    request: JsonObject = {
        "do": "answer",
        "question": one["question"],
        "effect": one["effect"],
        "answer": answer,
    }
    reply = ask_one(entry.home().control, socket, request)
    if reply is None:
        raise CommandFailure("not_found", "the process that asked is gone", 1)
    if reply.problem is not None:
        silent = not reply.message
        code = "sandbox_failed" if silent else "not_found"
        raise CommandFailure(code, reply.problem, 5 if silent else 1)
    screen.line(f"answered: {answer}")
    return 0


def _waiting(entry: Entry) -> list[tuple[str, JsonObject]]:
    found: list[tuple[str, JsonObject]] = []
    for reply in asked_all(entry, {"do": "questions"}):
        listed = reply.message.get("questions")
        for one in listed if isinstance(listed, list) else []:
            if isinstance(one, dict):
                found.append((reply.name, one))
    return found


def _list(screen: Screen, waiting: list[tuple[str, JsonObject]], *, as_json: bool) -> int:
    if as_json:
        listed: list[Json] = [one for _, one in waiting]
        screen.json({"questions": listed})
        return 0
    for _, one in waiting:
        screen.line(f"{one['question']}.{str(one['effect'])[:_MARK_CHARACTERS]}", "bold")
        screen.paragraph(f"  run {one['run']}: {one['wants']}", hang=2)
        if one["arguments"]:
            screen.paragraph(f"  arguments {one['arguments']}", hang=2)
        details = one["details"]
        for detail in details if isinstance(details, list) else []:
            screen.paragraph(f"  {detail}", hang=2)
        screen.paragraph(f"  once allows this alone; longer allows {one['grant']}", hang=2)
    if not waiting:
        screen.say("nothing is asked for", "dim")
    return 0
