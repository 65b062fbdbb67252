"""What was said in a session, for a screen, as Markdown, or as JSON.

Guarantees: a message keeps its number everywhere, from 1, which is what `--at` counts; in Markdown
no text of a model or a tool ends the block that holds it. Does not: neutralise for a terminal; the
screen does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, assert_never

from capbox.messages import AssistantMessage, Json, Message, SummaryMessage, ToolMessage
from capbox.messages import UserMessage as Person
from capbox.store.codec import encode

if TYPE_CHECKING:
    from capbox.store.sessions import StoredMessage, StoredSession

    Said = tuple[StoredMessage, ...]
_CONTENT_CHARACTERS = 2_000


def as_document(one: StoredSession, said: Said, runs: Sequence[str]) -> dict[str, Json]:
    """Return the documented JSON object of a whole session."""
    listed: list[Json] = [
        {"number": m.seq + 1, "run": m.run, "at": m.at, **json.loads(encode(m.message))}
        for m in said
    ]
    # The messages themselves stand in the place of how many there are.
    return {**one.to_json(), "runs": list(runs), "messages": listed}


def told(one: StoredSession, said: Said, runs: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines that show a session, each with its style."""
    yield f"{one.id}  {_flat(one.title)}", "bold"
    yield f"workspace {_flat(one.workspace)}, model {_flat(one.model)}", ""
    if one.tags:
        yield f"tags {', '.join(one.tags)}", ""
    if one.parent is not None:
        yield f"forked from {one.parent} at {one.place}", ""
    for run in runs:
        yield f"run {run}", "dim"
    for message in said:
        yield "", ""
        yield f"{message.seq + 1:>5}  {_who(message.message)}  {_when(message.at)}", "bold"
        for line in _shortened(_text(message.message)).splitlines():
            yield f"       {line}", ""


def markdown(one: StoredSession, said: Said) -> str:
    """Return a session as a Markdown document."""
    parts = [f"# {_flat(one.title)}", f"Session {one.id}, {_when(one.created)}, {one.model}"]
    for message in said:
        parts.append(f"## {message.seq + 1}. {_who(message.message)}")
        text = _text(message.message)
        if text:
            apart = not isinstance(message.message, Person | AssistantMessage)
            parts.append(_fenced(text) if apart else _quoted(text))
    return "\n\n".join(parts) + "\n"


def _who(message: Message) -> str:
    match message:
        case Person():
            return "person"
        case AssistantMessage():
            return "model"
        case ToolMessage(name=name, is_error=failed):
            return f"tool {_flat(name)}" + (" (failed)" if failed else "")
        case SummaryMessage():
            return "summary"
        case _:
            assert_never(message)


def _text(message: Message) -> str:
    match message:
        case Person(text):
            return text
        case AssistantMessage(text, calls):
            asked = [
                f"-> {_flat(c.name)} {c.malformed or json.dumps(c.arguments, ensure_ascii=False)}"
                for c in calls
            ]
            return "\n".join(filter(None, (text, *asked)))
        case ToolMessage(content=text, sources=sources) | SummaryMessage(text, _, sources):
            return "\n".join(filter(None, (text, f"[from {', '.join(sources)}]" * bool(sources))))
        case _:
            assert_never(message)


def _shortened(text: str) -> str:
    left = len(text) - _CONTENT_CHARACTERS
    return text if left <= 0 else f"{text[:_CONTENT_CHARACTERS]}\n[... {left} characters more]"


def _fenced(text: str) -> str:
    # Attack: a tool's result ends the block that shows it, and goes on as the person's words.
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}\n{text}\n{fence}"


def _quoted(text: str) -> str:
    # A fence that is never closed, or a heading, ends with the quotation.
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())


def _flat(text: str) -> str:
    return " ".join(text.split())


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
