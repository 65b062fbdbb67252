"""The fake server: a loopback HTTP server that replies from a plan in the real wire formats.

    with FakeLlm(plan) as server:
        ...  # base URL for Anthropic and Google: server.url, for OpenAI: server.url + "/v1"

Guarantees: it listens on 127.0.0.1 only, on the standard library only; which reply a request gets
depends on the request alone, so clients can be killed and resumed; each fault strikes once.
Does not: check keys (any will do, none is refused), or limit how many connect.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Final, Self, assert_never

from capbox.messages import JsonObject
from capbox.models.fake_llm.anthropic_wire import AnthropicWire
from capbox.models.fake_llm.dialect import Received, Refusal, Turn, model_in
from capbox.models.fake_llm.faults import (
    Cut,
    ErrorEvent,
    Fault,
    MalformedEvent,
    Overflow,
    Refused,
    Slow,
    Spoiled,
    Stall,
    spoiled,
)
from capbox.models.fake_llm.google_wire import GoogleWire
from capbox.models.fake_llm.openai_wire import OpenAIWire
from capbox.models.fake_llm.plan import Plan
from capbox.models.fake_llm.responses_wire import ResponsesWire
from capbox.models.script import Heard, chosen

Dialect = AnthropicWire | OpenAIWire | ResponsesWire | GoogleWire

LOOPBACK: Final = "127.0.0.1"
_BODY_BYTES_MAX = 64_000_000
_REMEMBERED = 100
_POLL_SECONDS = 0.02
_GOOGLE: Final = re.compile(r"/v1(beta)?/models/[^/]+:(streamGenerateContent|generateContent)")
# OpenAI's SDK adds only /chat/completions to a base URL, with or without its /v1.
_DIALECTS: Final[Mapping[str, Dialect]] = {
    "/v1/messages": AnthropicWire(),
    "/v1/chat/completions": OpenAIWire(),
    "/chat/completions": OpenAIWire(),
    "/v1/responses": ResponsesWire(),
    "/responses": ResponsesWire(),
}
# Who asks for the list of models shows by its key which list it wants.
_LISTS: Final[Mapping[str, Dialect]] = {
    "x-api-key": AnthropicWire(),
    "x-goog-api-key": GoogleWire(),
    "authorization": OpenAIWire(),
}
_LIST_PATHS: Final = frozenset({"/v1/models", "/models", "/v1beta/models"})


def _dialect(path: str) -> Dialect | None:
    return GoogleWire() if _GOOGLE.fullmatch(path) else _DIALECTS.get(path)


class FakeLlm:
    """A running server, from `with` to the end of the block; `received` holds its last requests."""

    def __init__(self, plan: Plan, *, port: int = 0) -> None:
        """Bind the port (0: any free one); nothing is answered before `with`.

        Raises:
            OSError: the port is taken.
        """
        self.received: deque[Received] = deque(maxlen=_REMEMBERED)
        self._plan = plan
        self._script = tuple(planned.reply for planned in plan)
        self._spent: Counter[int] = Counter()
        self._lock = Lock()
        self._stopping = Event()
        self._http = _LoopbackServer((LOOPBACK, port), self)
        self._thread = Thread(target=self._http.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def url(self) -> str:
        """Return the address, without a path."""
        return f"http://{LOOPBACK}:{self._http.server_port}"

    def __enter__(self) -> Self:
        """Start answering, on threads of its own."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop answering; stalled replies end now."""
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the server stops; True when it did within `seconds`."""
        return self._stopping.wait(seconds)

    def turn(self, request: Received, heard: Heard) -> tuple[Turn, Fault | None] | Refusal:
        """Return the reply to a request, and the fault that strikes it."""
        number = chosen(self._script, heard)
        if number is None:
            return Refusal(
                400, f"the script holds {len(self._plan)} replies, and this asks for one more"
            )
        planned = self._plan[number]
        with self._lock:
            self.received.append(request)
            left = planned.faults[self._spent[number] :]
            self._spent[number] += 1
        reply, fault = planned.reply, left[0] if left else None
        if isinstance(fault, Spoiled):
            reply, fault = spoiled(reply, fault.how), None
        # Twice in a conversation, if a fault came in its place: each time with ids of its own.
        own = f"{number}_{heard.replies}" if not reply.numbered else f"{heard.replies}"
        return Turn(reply, own, request.body, model_in(request)), fault


class _LoopbackServer(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], fake: FakeLlm) -> None:
        super().__init__(address, _Connection)
        self.fake = fake

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is part of every test of faults."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _LoopbackServer

    def do_POST(self) -> None:
        """Answer one request."""
        path = self.path.partition("?")[0]
        dialect = _dialect(path)
        body = self._body()
        if dialect is None:
            return self._json(404, {"error": {"message": f"no such path: {self.path}"}})
        if body is None:
            return self._json(400, dialect.error(400, "the body is not a JSON object"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(path, headers, body)
        turn = dialect.refusal(request) or self.server.fake.turn(request, dialect.heard(request))
        if isinstance(turn, Refusal):
            return self._json(turn.status, dialect.error(turn.status, turn.message))
        if isinstance(turn[1], Slow) and self.server.fake.wait(turn[1].seconds):
            self.close_connection = True
            return None
        if dialect.streams(request):
            return self._stream(dialect, *turn)
        return self._whole(dialect, *turn)

    def do_GET(self) -> None:
        """Answer with the list of models; there is nothing else to get."""
        if self.path.partition("?")[0] in _LIST_PATHS:
            keys = (dialect for name, dialect in _LISTS.items() if self.headers.get(name))
            dialect = next(keys, None)
            if dialect is None:
                return self._json(401, {"error": {"message": "no key was sent"}})
            return self._json(200, dialect.models())
        self._json(404, {"error": {"message": f"no such path: {self.path}"}})

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: standard output holds one line, the address."""

    def _body(self) -> JsonObject | None:
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > _BODY_BYTES_MAX:
            self.close_connection = True
            return None
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            return None
        return body if isinstance(body, dict) else None

    def _json(self, status: int, body: JsonObject, retry_after: float | None = None) -> None:
        payload = json.dumps(body).encode()
        self._head(status, "application/json", retry_after)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _head(self, status: int, content_type: str, retry_after: float | None = None) -> None:
        # 529 is Anthropic's own status, which the standard library has no phrase for.
        known = status in HTTPStatus.__members__.values()
        self.send_response(status, None if known else "Overloaded")
        self.send_header("content-type", content_type)
        if retry_after is not None:
            # The header holds whole seconds (RFC 9110, 10.2.3); both providers add milliseconds.
            self.send_header("retry-after", str(ceil(retry_after)))
            self.send_header("retry-after-ms", f"{retry_after * 1000:g}")

    def _refused(self, dialect: Dialect, fault: Refused) -> None:
        body = dialect.error(fault.status, "scripted fault")
        self._json(fault.status, body, fault.retry_after_seconds)

    def _whole(self, dialect: Dialect, turn: Turn, fault: Fault | None) -> None:
        match fault:
            case Refused():
                return self._refused(dialect, fault)
            case Overflow():
                return self._json(400, dialect.overflow())
            case ErrorEvent() | MalformedEvent():
                return self._refused(dialect, Refused(500))
            case Cut():
                self._head(200, "application/json")
                self.send_header("content-length", "1000000")
                self.end_headers()
                self.wfile.write(b'{"id"')
                self.close_connection = True
                return None
            case Stall():
                self.server.fake.wait(fault.seconds)
            case Slow() | Spoiled() | None:
                pass
            case _:
                assert_never(fault)
        return self._json(200, dialect.whole(turn))

    def _stream(self, dialect: Dialect, turn: Turn, fault: Fault | None) -> None:
        events = dialect.events(turn)
        half = len(events) // 2
        match fault:
            case Refused():
                return self._refused(dialect, fault)
            case Overflow():
                return self._json(400, dialect.overflow())
            case Cut():
                return self._events(events[:half], ends=False)
            case MalformedEvent():
                return self._events((*events[:half], dialect.broken_event(), *events[half:]))
            case ErrorEvent():
                return self._events((*events[:half], dialect.error_event()))
            case Stall():
                return self._events(events, pause_at=half, pause_seconds=fault.seconds)
            case Slow() | Spoiled() | None:
                return self._events(events)
            case _:
                assert_never(fault)

    def _events(
        self,
        events: tuple[bytes, ...],
        *,
        ends: bool = True,
        pause_at: int = -1,
        pause_seconds: float = 0.0,
    ) -> None:
        self._head(200, "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(events):
            if number == pause_at and self.server.fake.wait(pause_seconds):
                break
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        else:
            if ends:
                self.wfile.write(b"0\r\n\r\n")
                return
        # A chunked body without its last chunk: what a dropped connection looks like.
        self.close_connection = True
