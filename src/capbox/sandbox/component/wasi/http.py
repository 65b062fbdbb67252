"""wasi:http as a client: a request is gathered, handed to the parent whole, and its response read.

Guarantees: this process has no socket; every request goes where `capbox_http` goes, to be decided
and recorded by the parent, redirects left to the component. Does not: serve requests, or have
trailers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from capbox.messages import Json
from capbox.sandbox.component.side import Misuse
from capbox.sandbox.component.wasi.below import Below
from capbox.sandbox.component.wasi.streams import (
    NONE,
    OK,
    InputStream,
    OutputStream,
    Pollable,
    Result,
)

BODY_BYTES_MAX = 32 << 20
FIELDS_MAX = 1_000
_NS_PER_MS = 1_000_000
_FAILED: Result = ("err", None)
# What the parent says went wrong, as wasi:http says it.
_ERRORS: dict[str, Result] = {
    **{"denied": ("HTTP-request-denied", None), "dns": ("DNS-error", (NONE, NONE))},
    **{"connect": ("connection-refused", None), "tls": ("TLS-protocol-error", None)},
    **{"timeout": ("connection-timeout", None)},
}
Option = tuple[str, object]


@dataclass(slots=True, eq=False)
class Fields:
    """Headers in order."""

    entries: list[tuple[str, bytes]] = field(default_factory=list)

    def of(self, name: str) -> list[bytes]:
        """Return the values of one."""
        return [value for key, value in self.entries if key.lower() == name.lower()]

    def without(self, name: str) -> list[tuple[str, bytes]]:
        """Return the others."""
        return [entry for entry in self.entries if entry[0].lower() != name.lower()]


@dataclass(slots=True, eq=False)
class Body:
    """What is sent along; `done` once the component has said that it is whole."""

    content: bytearray = field(default_factory=bytearray)
    done: bool = False
    future: Future | None = None


@dataclass(slots=True, eq=False)
class Request:
    """A request that is being made."""

    headers: Fields
    method: Option = ("get", None)
    path: Option = NONE
    scheme: Option = NONE
    authority: Option = NONE
    body: Body | None = None


@dataclass(slots=True, eq=False)
class Options:
    """How long to wait, in nanoseconds."""

    connect: Option = NONE
    first_byte: Option = NONE
    between_bytes: Option = NONE


@dataclass(slots=True, eq=False)
class Response:
    """A response, and the parent's number of it; its body can be had once."""

    status: int
    headers: Fields
    handle: int
    consumed: bool = False


@dataclass(slots=True, eq=False)
class Future:
    """A request that was handed over, and its result as soon as there is one."""

    request: Request
    options: Options | None
    answer: Result | None = None
    taken: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class IncomingBody:
    """The body of a response."""

    handle: int


@dataclass(frozen=True, slots=True, eq=False)
class Trailers:
    """What comes after a body: nothing."""


class Http:
    """The functions of wasi:http/types and wasi:http/outgoing-handler."""

    def __init__(self, below: Below) -> None:
        self._below = below

    def new_fields(self) -> Fields:
        """Return headers without any."""
        return Fields()

    def fields_from_list(self, entries: list[tuple[str, bytes]]) -> Result:
        """Return these headers."""
        return "ok", Fields(entries)

    def fields_get(self, fields: Fields, name: str) -> list[object]:
        """Return the values of one header."""
        return list(fields.of(name))

    def fields_has(self, fields: Fields, name: str) -> bool:
        """Say whether it is there."""
        return bool(fields.of(name))

    def fields_set(self, fields: Fields, name: str, values: list[bytes]) -> Result:
        """Give a header these values."""
        return self._changed(fields, [*fields.without(name), *((name, v) for v in values)])

    def fields_delete(self, fields: Fields, name: str) -> Result:
        """Remove a header."""
        return self._changed(fields, fields.without(name))

    def fields_append(self, fields: Fields, name: str, value: bytes) -> Result:
        """Add a header."""
        return self._changed(fields, [*fields.entries, (name, value)])

    def fields_entries(self, fields: Fields) -> list[object]:
        """Return all headers."""
        return list(fields.entries)

    def fields_clone(self, fields: Fields) -> Fields:
        """Return a copy."""
        return Fields(list(fields.entries))

    def new_outgoing_request(self, headers: Fields) -> Request:
        """Return a request with these headers."""
        return Request(headers)

    def outgoing_request_method(self, request: Request) -> Option:
        """Return its method."""
        return request.method

    def outgoing_request_set_method(self, request: Request, method: Option) -> Result:
        """Set its method."""
        request.method = method
        return OK

    def outgoing_request_path_with_query(self, request: Request) -> Option:
        """Return its path."""
        return request.path

    def outgoing_request_set_path_with_query(self, request: Request, path: Option) -> Result:
        """Set its path."""
        request.path = path
        return OK

    def outgoing_request_scheme(self, request: Request) -> Option:
        """Return its scheme."""
        return request.scheme

    def outgoing_request_set_scheme(self, request: Request, scheme: Option) -> Result:
        """Set its scheme."""
        request.scheme = scheme
        return OK

    def outgoing_request_authority(self, request: Request) -> Option:
        """Return its host and port."""
        return request.authority

    def outgoing_request_set_authority(self, request: Request, authority: Option) -> Result:
        """Set its host and port."""
        request.authority = authority
        return OK

    def outgoing_request_headers(self, request: Request) -> Fields:
        """Return its headers."""
        return request.headers

    def outgoing_request_body(self, request: Request) -> Result:
        """Return its body, once."""
        if request.body is not None:
            return _FAILED
        request.body = Body()
        return "ok", request.body

    def outgoing_body_write(self, body: Body) -> Result:
        """Return the stream that writes the body."""

        def gathered(content: bytes) -> None:
            if len(body.content) + len(content) > BODY_BYTES_MAX:
                raise Misuse(f"it sends more than {BODY_BYTES_MAX >> 20} MB in one request")
            body.content += content

        return "ok", OutputStream(-1, sink=gathered)

    def outgoing_body_finish(self, body: Body, trailers: Option) -> Result:
        """Take the body as whole, and send what waits for it."""
        body.done = True
        if body.future is not None:
            self._send(body.future)
        return OK

    def new_request_options(self) -> Options:
        """Return options that bound nothing."""
        return Options()

    def request_options_set_connect_timeout(self, options: Options, wait: Option) -> Result:
        """Bound the wait for a connection."""
        options.connect = wait
        return OK

    def request_options_set_first_byte_timeout(self, options: Options, wait: Option) -> Result:
        """Bound the wait for the response."""
        options.first_byte = wait
        return OK

    def request_options_set_between_bytes_timeout(self, options: Options, wait: Option) -> Result:
        """Bound each silence in the response."""
        options.between_bytes = wait
        return OK

    def request_options_connect_timeout(self, options: Options) -> Option:
        """Return the bound of the wait for a connection."""
        return options.connect

    def request_options_first_byte_timeout(self, options: Options) -> Option:
        """Return the bound of the wait for the response."""
        return options.first_byte

    def request_options_between_bytes_timeout(self, options: Options) -> Option:
        """Return the bound of each silence."""
        return options.between_bytes

    def outgoing_handler_handle(self, request: Request, options: Option) -> Result:
        """Send a request as soon as its body is whole."""
        given = options[1] if isinstance(options[1], Options) else None
        future = Future(request, given)
        if request.body is None or request.body.done:
            self._send(future)
        else:
            request.body.future = future
        return "ok", future

    def future_incoming_response_subscribe(self, future: Future) -> Pollable:
        """Return what is ready when the response is."""
        return Pollable()

    def future_incoming_response_get(self, future: Future) -> Option:
        """Return the response, once."""
        if future.answer is None:
            return NONE
        answer = _FAILED if future.taken else ("ok", future.answer)
        future.taken = True
        return "some", answer

    def incoming_response_status(self, response: Response) -> int:
        """Return the status."""
        return response.status

    def incoming_response_headers(self, response: Response) -> Fields:
        """Return the headers."""
        return response.headers

    def incoming_response_consume(self, response: Response) -> Result:
        """Return the body, once."""
        if response.consumed:
            return _FAILED
        response.consumed = True
        return "ok", IncomingBody(response.handle)

    def incoming_body_stream(self, body: IncomingBody) -> Result:
        """Return the stream that reads the body."""

        def received(count: int) -> bytes:
            found = self._below.received(body.handle, count)
            if count and not found:
                # A component may let go of it late, or never; the parent keeps only so many open.
                self._below("capbox_http.close", body.handle)
            return found

        return "ok", InputStream(-1, source=received)

    def incoming_body_finish(self, body: IncomingBody) -> Trailers:
        """End the body."""
        self._below("capbox_http.close", body.handle)
        return Trailers()

    def future_trailers_subscribe(self, trailers: Trailers) -> Pollable:
        """Return what is ready when the trailers are."""
        return Pollable()

    def future_trailers_get(self, trailers: Trailers) -> Option:
        """Return that there are none."""
        return "some", ("ok", ("ok", NONE))

    def types_http_error_code(self, failure: object) -> Option:
        """Return what went wrong with a body's stream: an error of ours says it in words."""
        return NONE

    def dropped(self, thing: object) -> None:
        """End a response whose body nobody will read: only so many may be open."""
        if isinstance(thing, IncomingBody) or (isinstance(thing, Response) and not thing.consumed):
            self._below("capbox_http.close", thing.handle)

    def _changed(self, fields: Fields, entries: list[tuple[str, bytes]]) -> Result:
        if len(entries) > FIELDS_MAX:
            raise Misuse(f"it makes more than {FIELDS_MAX} headers")
        fields.entries = entries
        return OK

    def _send(self, future: Future) -> None:
        request = future.request
        content = b"" if request.body is None else bytes(request.body.content)
        handle, text = self._below.sent(json.dumps(_head(request, future.options)), content)
        future.answer = _answered(handle, text)


def _head(request: Request, options: Options | None) -> Json:
    """Return the head of a request as the parent takes it: it judges every word of that."""
    method, scheme = request.method, request.scheme[1]
    chosen = _word(scheme).lower() if isinstance(scheme, tuple) else "https"
    head: dict[str, Json] = {
        "method": _word(method) if method[0] == "other" else method[0].upper(),
        "url": f"{chosen}://{request.authority[1] or ''}{request.path[1] or '/'}",
        "headers": [[name, value.decode("latin-1")] for name, value in request.headers.entries],
        "redirects": 0,
        "decode": False,
    }
    waits = () if options is None else _waits(options)
    head.update({k: max(1, w // _NS_PER_MS) for k, (_, w) in waits if isinstance(w, int)})
    return head


def _word(variant: tuple[object, ...]) -> str:
    """Return a case, or what it says if it is `other`."""
    name, other = variant
    return str(other) if name == "other" else str(name)


def _waits(options: Options) -> tuple[tuple[str, Option], ...]:
    return ("connect_timeout_ms", options.connect), ("timeout_ms", options.first_byte)


def _answered(handle: int, text: str) -> Result:
    """Return the response, or what went wrong, from what the parent says."""
    match json.loads(text):
        case {"status": int(status), "headers": [*headers]}:
            pairs = [(str(n), str(v).encode("latin-1", "replace")) for n, v in headers]
            return "ok", Response(status, Fields(pairs), handle)
        case {"error": {"code": str(code), "message": str(message)}}:
            return "err", _ERRORS.get(code, ("internal-error", ("some", message)))
        case _:
            return "err", ("internal-error", NONE)
