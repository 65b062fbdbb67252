"""What a program in a capbox sandbox can ask of its host: `fetch` and `invoke`.

Both need a grant that a person gave; without one they raise `Denied`, which says which is missing.
"""

import json as _json
import os as _os

_DEVICE = "/dev/capbox"
_READ_BYTES = 256 << 10
_fd = None


class HostError(OSError):
    """The host could not do it: no such address, no answer in time, a bound."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Denied(HostError, PermissionError):
    """No grant allows it."""


class Response:
    """The answer to a request; its body is read whole, once."""

    def __init__(self, url, status, headers, content):
        self.url, self.status, self.headers, self.content = url, status, headers, content

    def __repr__(self):
        return f"<Response {self.status} {self.url}, {len(self.content):,} bytes>"

    @property
    def ok(self):
        """Say whether the status is below 400."""
        return self.status < 400

    @property
    def text(self):
        """Return the body as text, in the charset that the answer names (UTF-8 if none)."""
        kind = self.headers.get("content-type", "")
        _, _, charset = kind.partition("charset=")
        try:
            return self.content.decode(charset.split(";")[0].strip(" \"'") or "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self):
        """Return the body's JSON. Raises ValueError."""
        return _json.loads(self.content)


def fetch(url, method="GET", *, headers=None, body=None, json=None, redirects=5, timeout=None):
    """Send a request and return its Response.

    `body` is bytes or text, `json` a value to send instead, `timeout` seconds of silence.

    Raises Denied without a fetch: grant for it, HostError for what goes wrong on the way.
    """
    sent = dict(headers or {})
    if json is not None:
        body = _json.dumps(json)
        sent.setdefault("content-type", "application/json")
    content = body.encode() if isinstance(body, str) else bytes(body or b"")
    asked = {
        "method": method,
        "url": url,
        "headers": [[name, str(value)] for name, value in sent.items()],
        "redirects": redirects,
        "decode": True,
    }
    if timeout is not None:
        asked["timeout_ms"] = max(1, int(timeout * 1000))
    (handle, _), head = _asked("http", ["request", _json.dumps(asked)], content)
    head = _json.loads(head)
    _raise(head)
    got = bytearray()
    try:
        while True:
            (count, _), piece = _asked("http", ["read", handle, _READ_BYTES])
            if len(piece) > count:
                _raise(_json.loads(piece[count:]))
            if not count:
                break
            got += piece[:count]
    finally:
        _asked("http", ["close", handle])
    headers = {}
    for name, value in head["headers"]:
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Response(head["url"], head["status"], headers, bytes(got))


def invoke(name, /, **arguments):
    """Call a function of the program that runs this sandbox, and return the text that it says.

    Raises Denied without an invoke: grant for it, HostError if it fails.
    """
    _, told = _asked("invoke", ["call", name], _json.dumps(arguments).encode())
    told = _json.loads(told)
    _raise(told)
    return told["content"]


def functions():
    """Return what may be invoked: name, description, input_schema and grants of each."""
    _, told = _asked("invoke", ["list"])
    told = _json.loads(told)
    _raise(told)
    return told["functions"]


def _raise(told):
    error = told.get("error")
    if error is None:
        return
    kind = Denied if error["code"] == "denied" else HostError
    raise kind(error["code"], error["message"])


def _asked(kind, operation, content=b""):
    """Put one question to the host; return its numbers and its bytes."""
    global _fd
    if _fd is None:
        _fd = _os.open(_DEVICE, _os.O_RDWR)
    question = _json.dumps({kind: operation}).encode() + b"\n" + content
    if _os.write(_fd, question) != len(question):
        raise HostError("invalid", "the host took a part of the question only")
    pieces = []
    while piece := _os.read(_fd, _READ_BYTES):
        pieces.append(piece)
    head, _, rest = b"".join(pieces).partition(b"\n")
    return _json.loads(head)[kind], rest


class _Opener:
    """What urllib.request.urlopen works with here."""

    addheaders = ()

    def open(self, request, data=None, timeout=None):
        """Send a request of urllib; return a response as it does. Raises HTTPError, URLError."""
        import io
        from email.message import Message
        from urllib.error import HTTPError, URLError
        from urllib.request import Request
        from urllib.response import addinfourl

        if isinstance(request, str):
            request = Request(request, data)
        elif data is not None:
            request.data = data
        limit = timeout if isinstance(timeout, (int, float)) else None
        sent = dict(request.header_items())
        if request.data is not None and not request.has_header("Content-type"):
            sent["content-type"] = "application/x-www-form-urlencoded"
        try:
            got = fetch(
                request.full_url,
                request.get_method(),
                headers=sent,
                body=request.data,
                timeout=limit,
            )
        except HostError as error:
            raise URLError(str(error)) from error
        headers = Message()
        for name, value in got.headers.items():
            headers[name] = value
        if got.status >= 400:
            raise HTTPError(got.url, got.status, "", headers, io.BytesIO(got.content))
        response = addinfourl(io.BytesIO(got.content), headers, got.url, got.status)
        response.reason = ""
        return response
