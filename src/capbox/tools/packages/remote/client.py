"""One registry over HTTP: requests, answers up to a bound, tokens; nothing of packages.

Guarantees: nothing comes from environment variables; an answer is never unpacked, is read no
further than its bound and takes no longer than its deadline, head and redirects included;
credentials go to the registry and, for a token, to its own domain, and nowhere else; a redirect is
followed for reading alone, to HTTPS (or within this machine). Does not: trust what it reads:
digests are checked where it is kept.
"""

from __future__ import annotations

import re
import socket
from base64 import b64encode
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from math import inf
from threading import Timer
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from capbox.authority.web.suffixes import is_public_suffix
from capbox.messages import JsonObject
from capbox.tools.packages.artefact.artefact import parsed
from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.reference import Registry

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 60.0
ANSWER_SECONDS = 60.0
ANSWER_SECONDS_MAX = 1_800.0
BYTES_A_SECOND_MIN = 50_000
ANSWER_BYTES_MAX = 1 << 20
_REDIRECTS_MAX = 5
_MOVED = (301, 302, 303, 307, 308)
_UNAUTHORISED = 401
_PARAMETER = re.compile(r'([a-z]+)="([^"]*)"')
_ERROR_CHARACTERS_MAX = 300


class Client:
    """Use as a context manager. `credentials` gives `user:password`; None: nobody's.

    It is asked with this registry, when this registry wants some.
    """

    def __init__(
        self,
        registry: Registry,
        credentials: Callable[[Registry], str | None] = lambda registry: None,
        authorities: Iterable[str] = (),
        *,
        seconds: float = ANSWER_SECONDS,
        altogether: float = inf,
    ) -> None:
        """Speak to `registry`; `authorities` are files with further certificate authorities.

        `seconds` is what an answer may take, beside what its bytes do, and `altogether` is what all
        of them may, from when the client is entered.
        """
        self.registry = registry
        self._credentials = credentials
        self._authorities = tuple(authorities)
        self._authorization: str | None = None
        self._seconds = seconds
        self._altogether, self._end = altogether, inf
        self._late = False
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        import httpx2

        context = httpx2.create_ssl_context(trust_env=False)
        for file in self._authorities:
            context.load_verify_locations(file)
        self._http = httpx2.Client(
            verify=context,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
            headers={"User-Agent": "capbox", "Accept-Encoding": "identity"},
        )
        self._end = monotonic() + self._altogether
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    @property
    def spent(self) -> bool:
        """Say whether there is no time left for an answer."""
        return monotonic() >= self._end

    @contextmanager
    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: Callable[[], Iterator[bytes]] | None = None,
        size: int = 0,
    ) -> Generator[httpx2.Response]:
        """Send a request, with a token if one is asked for; the body of its answer is not read.

        `path` begins with a slash, or is a URL of the registry; `size` is how many bytes are sent
        or wanted. Raises PackageError, also in the block: its deadline counts there.
        """
        with self._deadline(size), self._asked(method, self._own(path), headers, content) as found:
            yield found

    @contextmanager
    def _asked(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        content: Callable[[], Iterator[bytes]] | None,
    ) -> Generator[httpx2.Response]:
        with self._answer(method, url, headers, content) as first:
            if first.status_code != _UNAUTHORISED:
                yield first
                return
            self._authorization = self._authorized(first.headers.get("www-authenticate", ""))
        with self._answer(method, url, headers, content) as second:
            if second.status_code == _UNAUTHORISED:
                raise self._error(f"refuses these credentials, or asks for some: {self._fix}")
            yield second

    def pieces(self, response: httpx2.Response, most: int) -> Iterator[bytes]:
        """Yield the body of an answer, at most `most` bytes and one piece. Raises PackageError."""
        import httpx2

        # Attack: a body of some kilobytes that unpacks to gigabytes.
        encoding = response.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise self._error(f"answered with something packed ({shown(encoding)})")
        read = 0
        try:
            for piece in response.iter_raw():
                read += len(piece)
                yield piece
                if read > most:
                    return
        except httpx2.HTTPError as error:
            raise self._error(f"broke off ({type(error).__name__})") from error

    def body(self, response: httpx2.Response, most: int = ANSWER_BYTES_MAX) -> bytes:
        """Return the body of an answer. Raises PackageError if it is longer."""
        content = b"".join(self.pieces(response, most))
        if len(content) > most:
            raise self._error(f"answered with over {most:,} bytes")
        return content

    def document(self, response: httpx2.Response) -> JsonObject:
        """Return the JSON object of an answer. Raises PackageError."""
        return parsed(self.body(response), f"the answer of {self.registry}")

    def failure(self, response: httpx2.Response, what: str) -> PackageError:
        """Return the error of an answer that was not expected, with what the registry says."""
        said = self.body(response).decode(errors="replace")
        text = shown(" ".join(said.split())[:_ERROR_CHARACTERS_MAX])
        return self._error(f"{what}: it answered {response.status_code} {text}".rstrip())

    @contextmanager
    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        content: Callable[[], Iterator[bytes]] | None,
    ) -> Generator[httpx2.Response]:
        import httpx2

        given = dict(headers or {})
        for _ in range(_REDIRECTS_MAX + 1):
            own = _origin(url) == self.registry.url
            if own and self._authorization is not None:
                given["Authorization"] = self._authorization
            elif not own:
                # Attack: a redirect that collects the token.
                given.pop("Authorization", None)
            body = content() if content else None
            try:
                request = self._http.build_request(
                    method, url, headers=given, content=body, extensions={"trace": self._note}
                )
                response = self._http.send(request, stream=True)
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                raise self._error(f"cannot be reached ({_why(error)})") from error
            try:
                if response.status_code not in _MOVED or method not in ("GET", "HEAD"):
                    yield response
                    return
                url = self._next(url, response.headers.get("location", ""))
            finally:
                response.close()
        raise self._error(f"redirects more than {_REDIRECTS_MAX} times")

    def _own(self, path: str) -> str:
        """Return a URL of this registry. Raises PackageError for one elsewhere."""
        url = self._joined(self.registry.url + "/", path)
        # Attack: an upload that the registry sends elsewhere, with the credentials for itself.
        if _origin(url) != self.registry.url:
            raise self._error(f"names a place elsewhere: {shown(url)}")
        return url

    def _next(self, url: str, location: str) -> str:
        """Return where a redirect leads. Raises PackageError."""
        found = self._joined(url, location)
        # Attack: a public registry that has this machine ask for what only it can reach.
        if _origin(found) != self.registry.url and urlsplit(found).scheme != "https":
            raise self._error(f"redirects to {shown(found)}, which is not HTTPS")
        return found

    def _joined(self, base: str, path: str) -> str:
        """Return a URL that a registry gave. Raises PackageError for one that is none."""
        try:
            found = urljoin(base, path)
            urlsplit(found).port  # noqa: B018 - read here, where it may fail
        except ValueError as error:
            raise self._error(f"names a place that is no URL: {shown(path)}") from error
        return found

    def _authorized(self, challenge: str) -> str:
        """Return the header that a registry asks for. Raises PackageError."""
        credentials = self._credentials(self.registry)
        basic = None if credentials is None else b64encode(credentials.encode()).decode()
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic":
            if basic is None:
                raise self._error(f"asks for credentials: {self._fix}")
            return f"Basic {basic}"
        given = dict(_PARAMETER.findall(rest))
        if kind.lower() != "bearer" or "realm" not in given:
            raise self._error("asks for credentials in a way that is not known")
        return f"Bearer {self._token(given, basic)}"

    def _token(self, given: Mapping[str, str], basic: str | None) -> str:
        """Ask for a token (distribution specification, token authentication)."""
        import httpx2

        realm = self._joined(self.registry.url, given["realm"])
        # Attack: a registry whose realm is the place of somebody who collects passwords.
        if not same_owner(realm, self.registry):
            raise self._error(f"has its tokens given by {shown(realm)}, which is not its own")
        query = {word: given[word] for word in ("service", "scope") if word in given}
        headers = {} if basic is None else {"Authorization": f"Basic {basic}"}
        try:
            with self._http.stream(
                "GET", realm, params=query, headers=headers, extensions={"trace": self._note}
            ) as response:
                document = self.document(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._error(f"gives no token ({_why(error)})") from error
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,16384}", token):
            raise self._error("gives no token: its credentials are refused")
        return token

    @contextmanager
    def _deadline(self, size: int) -> Generator[None]:
        """End every connection when the block takes longer than `size` bytes may.

        Attack: 100 Continue without end, or a line of the head each half second: no silence is
        long enough for a timeout.
        """
        seconds = self._seconds + size / BYTES_A_SECOND_MIN
        left = self._end - monotonic()
        self._late = left <= 0
        if self._late:
            raise self._error("")
        timer = Timer(min(seconds, ANSWER_SECONDS_MAX, left), self._give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _note(self, event: str, info: Mapping[str, object]) -> None:
        """Keep a connection that was made (httpx2, extension "trace")."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            made = info["return_value"]
            found = made.get_extra_info("socket") if hasattr(made, "get_extra_info") else None
            self._sockets += [found] if isinstance(found, socket.socket) else []
            if self._late:
                self._give_up()

    def _give_up(self) -> None:
        self._late = True
        # What there is now: whoever reads goes on at the first, and may connect anew meanwhile.
        for one in tuple(self._sockets):
            with suppress(OSError):
                # Not that of an SSL socket, which would take its state from under who reads.
                socket.socket.shutdown(one, socket.SHUT_RDWR)

    @property
    def _fix(self) -> str:
        return f"--login {self.registry}=SECRET"

    def _error(self, reason: str) -> PackageError:
        if self._late:
            spent = f"takes longer than {self._altogether:,.0f} seconds"
            reason = spent if self.spent else "takes too long for one answer"
        return PackageError(str(self.registry), reason, kind="unreachable")


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL as `Registry.url` has them, and its user, if any."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    netloc = parts.netloc.lower()
    return f"{parts.scheme}://{netloc.removesuffix(f':{usual}') if usual else netloc}"


def same_owner(url: str, registry: Registry) -> bool:
    """Say whether a URL is of the registry, or over HTTPS of a host in its registered domain.

    Raises ValueError for what is no URL.
    """
    parts = urlsplit(url)
    if _origin(url) == registry.url:
        return True
    if parts.scheme != "https" or "@" in parts.netloc or registry.local:
        return False
    return _domain(parts.hostname or "") == _domain(registry.host)


def _domain(host: str) -> str:
    """Return the part of a name that somebody registered: `docker.io` of `auth.docker.io`."""
    with suppress(ValueError):
        # Attack: 99.0.0.1 as a neighbour of 10.0.0.1, both below `0.1`.
        return str(ip_address(host.strip("[]")))
    words = host.split(".")
    for start in range(len(words)):
        rest = ".".join(words[start + 1 :])
        if rest and is_public_suffix(rest):
            return ".".join(words[start:])
    return host


def _why(error: Exception) -> str:
    return shown(str(error)) or type(error).__name__
