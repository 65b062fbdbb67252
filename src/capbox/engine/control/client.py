"""The other end of control sockets: what runs on this machine for this user, and ending it.

Guarantees: a process that hangs holds nobody up beyond a deadline, and is named; one that is gone
is told apart from it. Does not: start or need an engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from capbox.engine.control.place import Place
from capbox.engine.control.wire import WireError, asked
from capbox.messages import JsonObject

ANSWER_SECONDS_MAX = 3.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the process behind the socket `name` answered, or why there is no answer."""

    name: str
    message: JsonObject
    problem: str | None = None

    @property
    def pid(self) -> str:
        """Return the number of the process, as it is known to itself."""
        return self.name.partition("-")[0]


def ask_all(directory: Path, request: JsonObject) -> Iterator[Reply]:
    """Put a request to every process that listens. Raises OSError for an unusable directory."""
    try:
        place = Place(directory)
    except FileNotFoundError:
        return
    with place:
        for name in place.names():
            reply = _ask(place, name, request)
            if reply is not None:
                yield reply


def ask_one(directory: Path, name: str, request: JsonObject) -> Reply | None:
    """Put a request to one process; None if it is gone. Raises OSError like `ask_all`."""
    with Place(directory) as place:
        return _ask(place, name, request)


def _ask(place: Place, name: str, request: JsonObject) -> Reply | None:
    try:
        connection = place.connected(name, ANSWER_SECONDS_MAX)
        if connection is None:
            return None
        with connection:
            message = asked(connection, request, ANSWER_SECONDS_MAX)
    except (TimeoutError, BlockingIOError):
        return Reply(name, {}, f"did not answer within {ANSWER_SECONDS_MAX:g} s")
    except (WireError, OSError) as error:
        return Reply(name, {}, str(error))
    said = message.get("error")
    return Reply(name, message, said if isinstance(said, str) else None)
