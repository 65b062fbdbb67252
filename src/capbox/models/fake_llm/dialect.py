"""What the wire formats have in common, as the server sees them.

A dialect is pure: it reads a request's JSON and writes a reply's bytes. Does not: know faults,
sockets or scripts as files.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from capbox.messages import Json, JsonObject, Usage
from capbox.models.script import Heard, ScriptedReply

MODEL = "some-model"
"""The one model on the list of models; any other name is answered too."""

_CHARACTERS_PER_TOKEN = 4
_PIECES = 6


@dataclass(frozen=True, slots=True)
class Received:
    """One request: its path, its headers in lower case, its JSON."""

    path: str
    headers: Mapping[str, str]
    body: JsonObject


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request the real provider would refuse too."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply about to be written: `number` is in its ids, and no other's of a conversation."""

    reply: ScriptedReply
    number: str
    request: JsonObject
    model: str

    def call_id(self, prefix: str, place: int) -> str:
        """Return the id of a call, its own or one that no other call has."""
        return self.reply.tool_calls[place].id or f"{prefix}_{self.number}_{place}"

    @property
    def usage(self) -> Usage:
        """Return the scripted token counts, or counts estimated by length."""
        if self.reply.usage is not None:
            return self.reply.usage
        said = self.reply.text + self.reply.thinking
        said += "".join(call.name + call.arguments for call in self.reply.tool_calls)
        return Usage(
            input_tokens=1 + len(json.dumps(self.request)) // _CHARACTERS_PER_TOKEN,
            output_tokens=1 + len(said) // _CHARACTERS_PER_TOKEN,
        )


def pieces(text: str) -> Iterator[str]:
    """Split text as a stream does, into a few pieces; nothing for no text."""
    size = max(1, -(-len(text) // _PIECES))
    for start in range(0, len(text), size):
        yield text[start : start + size]


def messages_in(body: JsonObject) -> tuple[JsonObject, ...]:
    """Return the conversation of a request, without what is not an object."""
    return objects(body.get("messages"))


def heard_in(system: Json, others: Iterable[JsonObject], replies: int) -> Heard:
    """Return what a request tells: its system prompt, and all messages but the model's own."""
    said = (text for message in others for text in _texts(message))
    return Heard("\n".join(_texts(system)), "\n".join(said), replies)


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def model_in(request: Received) -> str:
    """Return the model that a request names, in its body or in its path."""
    named = request.body.get("model")
    if isinstance(named, str):
        return named
    return request.path.rpartition("/")[2].partition(":")[0]


def objects(value: Json) -> tuple[JsonObject, ...]:
    """Return the objects of a JSON list; nothing for anything else."""
    if not isinstance(value, list):
        return ()
    return tuple(item for item in value if isinstance(item, dict))
