"""How a registry is asked: with what it wants to have, and up to a bound."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.servers.replies import Behaviour, drip_head, in_turn, reply
from tests.tools.packages.making import manifest, packed
from tests.tools.packages.serving import routes

from capbox.tools.packages.installing.searching import FOUND_MAX, Search, found_in
from capbox.tools.packages.installing.source import Access
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.client import Client
from capbox.tools.packages.remote.reference import Registry

if TYPE_CHECKING:
    from tests.servers.http import HttpServer

Serve = Callable[..., "HttpServer"]
PASSWORD = "bob:pass word"
BASIC = f"Basic {b64encode(PASSWORD.encode()).decode()}"


def client(server: HttpServer, password: str | None = PASSWORD) -> Client:
    """Return a client of a server."""
    return Client(Registry("127.0.0.1", server.port), lambda registry: password)


def body(server: HttpServer, password: str | None = PASSWORD) -> bytes:
    """Ask a server for /x and return what it says."""
    with client(server, password) as asking, asking.ask("GET", "/x") as response:
        return asking.body(response)


def wants(challenge: str) -> Behaviour:
    """Ask for credentials once, and then answer."""
    refusal = reply(b"", status=401, headers=[("WWW-Authenticate", challenge)])
    return in_turn(refusal, reply(b"here"))


def test_a_registry_that_wants_a_password_gets_it(http_server: Serve) -> None:
    server = http_server({"/x": wants('Basic realm="r"')})
    assert body(server) == b"here"
    assert [one.values("authorization") for one in server.requests] == [[], [BASIC]]


def test_one_that_wants_nothing_gets_nothing(http_server: Serve) -> None:
    server = http_server({"/x": reply(b"here")})
    assert body(server) == b"here"
    (request,) = server.requests
    assert request.values("authorization") == [] == request.values("cookie")
    assert request.values("user-agent") == ["capbox"]
    assert request.values("accept-encoding") == ["identity"]


@pytest.mark.parametrize(
    ("challenge", "password", "token", "said"),
    [
        ('Basic realm="r"', None, None, "asks for credentials: --login 127.0.0.1"),
        ("Digest realm=r", PASSWORD, None, "in a way that is not known"),
        ("", PASSWORD, None, "in a way that is not known"),
        ('Bearer realm="{own}/token"', PASSWORD, reply(b"{}"), "gives no token"),
        ('Bearer realm="{own}/token"', PASSWORD, reply(b"no"), "is not JSON"),
        ('Bearer realm="{own}/token"', None, reply(b'{"token": "a\\nb"}'), "gives no token"),
        ('Bearer realm="{own}/token"', None, reply(b'{"token": 1}'), "gives no token"),
    ],
)
def test_what_a_registry_asks_for_and_does_not_get_is_told(
    challenge: str,
    password: str | None,
    token: Behaviour | None,
    said: str,
    http_server: Serve,
) -> None:
    table: dict[str, Behaviour] = {"/token": token} if token else {}
    server = http_server(table)
    refusal = challenge.format(own=server.url("").rstrip("/"))
    table["/x"] = reply(b"", status=401, headers=[("WWW-Authenticate", refusal)])
    with pytest.raises(PackageError, match=said):
        body(server, password)


def test_a_password_that_is_wrong_is_told_once(http_server: Serve) -> None:
    refusal = reply(b"", 401, [("WWW-Authenticate", 'Basic realm="r"')])
    server = http_server({"/x": refusal})
    with pytest.raises(PackageError, match="refuses these credentials"):
        body(server)
    assert len(server.requests) == 2


def test_nobody_there_is_told() -> None:
    with (
        Client(Registry("127.0.0.1", 1)) as asking,
        pytest.raises(PackageError, match=r"127.0.0.1:1: cannot be reached"),
        asking.ask("GET", "/x"),
    ):
        pass


def test_an_answer_that_is_too_long_is_refused(http_server: Serve) -> None:
    server = http_server({"/x": reply(b"x" * 100)})
    with (
        client(server) as asking,
        asking.ask("GET", "/x") as response,
        pytest.raises(PackageError, match="answered with over 99 bytes"),
    ):
        asking.body(response, 99)


def test_a_registry_is_searched_for_packages_alone(tmp_path: Path, http_server: Serve) -> None:
    """It holds images too, something damaged, and a package of another name than its place has."""
    layout, package = packed(tmp_path, manifest(description="Greets.\u202e\nOnce."))
    table = routes(layout, package)
    listed = b'{"repositories": ["library/ubuntu", "alice/hello", "Not A Name", "bob/gone"]}'
    table["/v2/_catalog"] = reply(listed)
    table["/v2/alice/hello/tags/list"] = reply(b'{"tags": ["0.1.0", "latest", "0.0.9-rc.1"]}')
    table["/v2/library/ubuntu/tags/list"] = reply(b'{"tags": ["22.04"]}')
    table["/v2/library/ubuntu/manifests/22.04"] = reply(b'{"schemaVersion": 2}')
    server = http_server(table)
    place = f"oci://127.0.0.1:{server.port}"
    (found,) = found_in(place, (), Access()).matches
    assert (found.name, found.version) == ("alice/hello", "0.1.0")
    assert found.description == "Greets.\\u202e Once."
    assert found.source == f"{place}/alice/hello:0.1.0"
    assert found_in(place, ("HELLO", "alice"), Access()) == Search((found,))
    assert found_in(place, ("weather",), Access()) == Search(())
    wasm = package.artefact.wasm.digest
    assert not any(wasm in one.path for one in server.requests), "no module was fetched"


@pytest.mark.slow
def test_a_search_has_an_end_and_keeps_what_it_found(tmp_path: Path, http_server: Serve) -> None:
    """Attack: a registry of fifty packages that gives each answer just in time."""
    layout, package = packed(tmp_path, manifest())
    table = routes(layout, package)
    table["/v2/_catalog"] = reply(b'{"repositories": ["alice/hello", "bob/slow", "carol/slow"]}')
    table["/v2/alice/hello/tags/list"] = reply(b'{"tags": ["0.1.0"]}')
    table["/v2/bob/slow/tags/list"] = drip_head(0.05)
    server = http_server(table)
    place = f"oci://127.0.0.1:{server.port}"
    search = found_in(place, (), Access(), seconds=4)
    assert [one.name for one in search.matches] == ["alice/hello"]
    assert search.unfinished == "the search ended after 4 seconds"
    assert not any("carol" in one.path for one in server.requests)
    with pytest.raises(PackageError, match="takes longer than 1 seconds") as slow:
        found_in(place, ("bob",), Access(), seconds=1)
    assert slow.value.kind == "unreachable"
    with pytest.raises(PackageError, match="takes longer than 0 seconds"):
        found_in(place, (), Access(), seconds=0)


def test_of_many_packages_some_are_asked_for_and_that_is_said(http_server: Serve) -> None:
    listed = [f"alice/t{number}" for number in range(FOUND_MAX + 1)]
    catalogue = json.dumps({"repositories": listed}).encode()
    server = http_server({"/v2/_catalog": reply(catalogue)})
    search = found_in(f"oci://127.0.0.1:{server.port}", (), Access())
    assert search == Search((), "only 50 of 51 packages were asked for")


def test_a_registry_that_lists_nothing_is_told(http_server: Serve) -> None:
    server = http_server({"/v2/_catalog": reply(b'{"errors": ["denied"]}', status=403)})
    with pytest.raises(PackageError, match="does not list its packages: it answered 403"):
        found_in(f"oci://127.0.0.1:{server.port}", (), Access())
