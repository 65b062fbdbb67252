"""Journal entries in words: one run in a row, one entry in a line or a few.

Guarantees: an entry of an unknown kind, or one whose blob is gone, is shown as such and ends
nothing. Does not: judge; `capbox audit verify` does.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from capbox.messages import Json, JsonObject
from capbox.store.journal import Record
from capbox.surfaces.sink import one_line

Line = tuple[str, str]
"""A line and its style."""

Told = tuple[str, str, str, list[str]]
"""An entry: its label, its headline, the headline's style, and details of a line each."""

_STYLES = {"ok": "green", "error": "yellow", "stopped": "red", "broken": "bold red"}


@dataclass(frozen=True, slots=True)
class Brief:
    """One run in a row; `started` in seconds since 1970, `outcome` "open" while it has no end."""

    run: str
    started: float | None
    outcome: str
    doing: str
    workspace: str

    def to_json(self) -> dict[str, Json]:
        """Return the object that `audit list --json` prints."""
        return {
            "run": self.run,
            "started": self.started,
            "outcome": self.outcome,
            "what": self.doing,
            "workspace": self.workspace,
        }


def brief(run: str, records: Sequence[Record]) -> Brief:
    """Return what a run was, from its readable entries."""
    contents = [record.content or {} for record in records]
    first = contents[0] if contents else {}
    last = contents[-1] if contents else {}
    closed = last.get("kind") == "closed"
    return Brief(
        run=run,
        started=_number(first.get("started")),
        outcome=_text(last, "outcome") if closed else "open",
        doing=_doing(contents),
        workspace=_text(first, "workspace"),
    )


def _doing(contents: Sequence[JsonObject]) -> str:
    called = [_text(c, "tool") for c in contents if c.get("kind") == "intent"]
    refused = sum(c.get("kind") == "decision" and c.get("what") == "denial" for c in contents)
    models = list(dict.fromkeys(_text(c, "model") for c in contents if c.get("kind") == "turn"))
    turns = sum(c.get("kind") == "turn" for c in contents)
    tools = ", ".join(dict.fromkeys(called)) or "no call"
    if models:
        what = f"{_count(turns, 'turn')} of {models[0]}, {_count(len(called), 'call')}"
    else:
        what = f"{tools} ({len(called)} calls)" if len(called) > 1 else tools
    return f"{what}, {refused} refused" if refused else what


def told(record: Record) -> Iterator[Line]:
    """Yield the lines that tell one entry."""
    content = record.content
    if content is None:
        yield (
            f"{record.seq:>4}  (its content is gone: a blob is missing or was changed)",
            "bold red",
        )
        return
    label, headline, style, details = _entry(content)
    yield f"{record.seq:>4}  {one_line(label, 20):<7} {one_line(headline, 400)}", style
    for detail in details:
        yield f"              {one_line(detail, 400)}", ""


def _entry(content: JsonObject) -> Told:
    """Return one entry in words."""
    match content.get("kind"):
        case "opened":
            return _opened(content)
        case "intent":
            arguments = json.dumps(content.get("arguments"), ensure_ascii=False)
            rights = [f"may {one}" for one in _texts(content.get("rights"))]
            label = "call" if content.get("within") is None else "invoke"
            return label, f"{_text(content, 'tool')} {arguments}", "bold", rights
        case "outcome":
            return _ended(content)
        case "decision":
            expires = _number(content.get("expires"))
            until = "" if expires is None else f" until {_time(expires)}"
            subject, result = _text(content, "subject"), _text(content, "result")
            return _text(content, "what"), f"{subject}: {result}{until}", "yellow", []
        case "lookup":
            host, grant = _text(content, "host"), _text(content, "grant")
            return "lookup", host, "magenta", [f"allowed by grant {grant}"]
        case "request":
            headline = f"{_text(content, 'method')} {_text(content, 'url')}"
            place = f"at {_text(content, 'address')}, sends {content.get('body_bytes')} bytes"
            grants = ", ".join(_texts(content.get("grants")))
            return "request", headline, "magenta", [place, f"allowed by grant {grants}"]
        case "turn":
            spent = _tokens(content.get("usage"))
            usd = _number(content.get("usd"))
            cost = "" if usd is None else f", {usd:.4f} USD"
            headline = f"{content.get('turn')} of {_text(content, 'model')}{cost}"
            return "turn", headline, "cyan", [f"stop: {_text(content, 'stop')}{spent}"]
        case "closed":
            ended = _number(content.get("ended"))
            when = "" if ended is None else f" at {_time(ended)}"
            return "closed", f"{_text(content, 'outcome')}{when}", "bold", []
        case kind:
            return str(kind), json.dumps(content), "", []


def _opened(content: JsonObject) -> Told:
    started = _number(content.get("started"))
    when = "" if started is None else f" at {_time(started)}"
    grants = _texts(content.get("authority")) or ["nothing"]
    details = [f"holds {grant}" for grant in grants]
    headline = f"{_text(content, 'workspace')} by {_text(content, 'who')}{when}"
    return "opened", headline, "bold", details


def _ended(content: JsonObject) -> Told:
    end, detail = _text(content, "end"), _text(content, "detail")
    spent = content.get("spent")
    milliseconds = spent.get("wall_ms") if isinstance(spent, dict) else None
    reason = f" ({detail})" if detail else ""
    effects = [
        f"did {one.get('action')} {one.get('path')}" + _bytes(one.get("bytes"))
        for one in _objects(content.get("effects"))
    ]
    if content.get("effects_whole") is False:
        effects.append("did perhaps more: the sandbox could not read back every effect")
    denied = [
        f"denied {one.get('access')}: {one.get('reason')}"
        for one in _objects(content.get("denied"))
    ]
    headline = f"{end}{reason} after {milliseconds} ms"
    return "ended", headline, _STYLES.get(end, ""), [*effects, *denied]


def _tokens(usage: Json) -> str:
    if not isinstance(usage, dict):
        return ""
    counts = [f"{count} {name.removesuffix('_tokens')}" for name, count in usage.items() if count]
    return f"; tokens: {', '.join(counts)}" if counts else ""


def _bytes(count: Json) -> str:
    return f", {count} bytes" if isinstance(count, int) and count else ""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _text(content: JsonObject, key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""


def _number(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _objects(value: Json) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
