"""Registries that give other content than was asked for, never end, or collect credentials."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.attacks.packages.conftest import in_force, state
from tests.servers.replies import (
    Behaviour,
    cut_in_body,
    drip,
    drip_head,
    endless,
    informational,
    redirect,
    reply,
    silence,
)
from tests.tools.packages.making import Person, manifest, module, packed
from tests.tools.packages.serving import ROOT, routes

from capbox.tools.packages.artefact.layout import Layout
from capbox.tools.packages.artefact.package import Package, read_package
from capbox.tools.packages.installing.install import Workshop, install
from capbox.tools.packages.installing.plan import Wishes
from capbox.tools.packages.installing.searching import found_in
from capbox.tools.packages.installing.source import Access, pull
from capbox.tools.packages.problem import PackageError
from capbox.tools.packages.remote.client import Client, same_owner
from capbox.tools.packages.remote.reference import Registry, reference, repository_for
from capbox.tools.packages.remote.repository import Repository
from capbox.tools.packages.signatures.signature import SIGNATURE

if TYPE_CHECKING:
    from tests.servers.http import HttpServer

Serve = Callable[..., "HttpServer"]
PASSWORD = "alice:s3cret-of-alice"
BASIC = f"Basic {b64encode(PASSWORD.encode()).decode()}"


@pytest.fixture
def made(tmp_path: Path) -> tuple[Layout, Package]:
    """Make the package that the registry should give."""
    return packed(tmp_path, manifest())


def at(server: HttpServer, tag: str = ":0.1.0") -> str:
    """Return the place of the package in a server."""
    return f"oci://127.0.0.1:{server.port}/alice/hello{tag}"


def attempt(shop: Workshop, server: HttpServer, tag: str = ":0.1.0") -> str:
    """Install from a server for somebody who says yes; return why not. Nothing may be left."""
    before = state(shop)
    with pytest.raises(PackageError) as caught:
        install(shop, reference(at(server, tag)), Wishes(unsigned=True), Person())
    assert state(shop) == before
    return str(caught.value)


def test_an_honest_registry_is_installed_from(
    made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    """What stands beside every refusal below."""
    server = http_server(routes(*made))
    install(shop, reference(at(server)), Wishes(), Person())
    assert in_force(shop) == [("alice/hello", "0.1.0")]


@pytest.mark.parametrize("part", ["wasm", "manifest", "config"])
def test_another_blob_is_refused(
    part: str, made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    blob = getattr(made[1].artefact, part)
    evil = bytes(blob.size)
    server = http_server({**routes(*made), f"{ROOT}/blobs/{blob.digest}": reply(evil)})
    assert "its content has another digest: it was changed" in attempt(shop, server)


def test_another_package_than_the_pinned_one_is_refused(
    made: tuple[Layout, Package], tmp_path: Path, shop: Workshop, http_server: Serve
) -> None:
    evil, other = packed(tmp_path, manifest(), module("evil"))
    pinned = made[1].digest
    lying = {**routes(*made), **routes(evil, other)}
    lying[f"{ROOT}/manifests/{pinned}"] = reply(evil.read(evil.entries()[0]))
    server = http_server(lying)
    assert f"the registry gave {other.digest} instead" in attempt(shop, server, f"@{pinned}")


def test_a_package_of_another_name_or_version_is_refused(
    tmp_path: Path, shop: Workshop, http_server: Serve
) -> None:
    mallory, other = packed(tmp_path, manifest(), namespace="mallory")
    server = http_server(routes(mallory, other))
    assert "holds the package mallory/hello: expected was alice/hello" in attempt(shop, server)
    old, older = packed(tmp_path, manifest(version="0.0.1"))
    lying = routes(old, older)
    lying[f"{ROOT}/manifests/0.1.0"] = lying[f"{ROOT}/manifests/0.0.1"]
    assert "holds the version 0.0.1" in attempt(shop, http_server(lying))


@pytest.mark.parametrize("what", ["manifests/0.1.0", "wasm"])
def test_an_answer_without_end_is_left(
    what: str, made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    path = what if "/" in what else f"blobs/{made[1].artefact.wasm.digest}"
    server = http_server({**routes(*made), f"{ROOT}/{path}": endless()})
    said = attempt(shop, server)
    assert "answered with over 65,536 bytes" in said or "has more than its" in said
    assert max(one.sent for one in server.connections) < 32 << 20


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (informational(3), None),
        (informational(None), "takes too long for one answer"),
        (drip_head(0.05), "takes too long for one answer"),
        (drip(b"x", 0.05, Event()), "takes too long for one answer"),
        (silence, "takes too long for one answer"),
    ],
    ids=["some hints", "hints without end", "a head without end", "a body without end", "silence"],
)
def test_an_answer_that_takes_its_time_is_left(
    behaviour: Behaviour, said: str | None, http_server: Serve
) -> None:
    """Nobody waits for one who is never silent: not for a head, a body, or a token."""
    server = http_server({"/x": behaviour, "/y": reply(b"here")})
    with Client(Registry("127.0.0.1", server.port), seconds=0.6) as client:
        if said is None:
            assert asked(client, "/x") == b"at last"
        else:
            with pytest.raises(PackageError, match=said):
                asked(client, "/x")
        assert asked(client, "/y") == b"here"


def test_a_token_that_takes_its_time_is_not_waited_for(http_server: Serve) -> None:
    table: dict[str, Behaviour] = {"/token": drip_head(0.05)}
    server = http_server(table)
    challenge = f'Bearer realm="{server.url("/token")}"'
    table["/x"] = reply(b"", status=401, headers=[("WWW-Authenticate", challenge)])
    with (
        Client(Registry("127.0.0.1", server.port), seconds=0.6) as client,
        pytest.raises(PackageError, match="takes too long for one answer"),
    ):
        asked(client, "/x")


def asked(client: Client, path: str) -> bytes:
    """Return the body of an answer."""
    with client.ask("GET", path) as response:
        return client.body(response)


SAFE = "/$()@:"
WORDS = "good.example/$(touch${IFS}/tmp/x)/alice/hello"


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ("alice/hello", True),
        (WORDS, False),
        ("a\nb/alice/hello", False),
        ("\u202egpj.evil/alice/hello", False),
        ("alice/hello:0.1.0", False),
        ("x@y/alice/hello", False),
    ],
)
def test_a_place_that_nobody_can_type_is_not_found(
    listed: str, found: bool, made: tuple[Layout, Package], http_server: Serve
) -> None:
    """Where a package is, is there to be pasted."""
    table = {
        path.replace(ROOT, f"/v2/{quote(listed, safe=SAFE)}"): one
        for path, one in routes(*made).items()
    }
    table[f"/v2/{quote(listed, safe=SAFE)}/tags/list"] = reply(b'{"tags": ["0.1.0"]}')
    table["/v2/_catalog"] = reply(json.dumps({"repositories": [listed]}).encode())
    server = http_server(table)
    place = f"oci://127.0.0.1:{server.port}"
    sources = [one.source for one in found_in(place, (), Access()).matches]
    assert sources == ([f"{place}/alice/hello:0.1.0"] if found else [])


@pytest.mark.slow
def test_an_answer_that_unpacks_is_not_unpacked(
    made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    """A usual client unpacks this to 64 MB, and then looks at its length."""
    import httpx2

    bomb = gzip.compress(bytes(64 << 20))
    path = f"{ROOT}/blobs/{made[1].artefact.wasm.digest}"
    packed_up = reply(bomb, headers=[("Content-Encoding", "gzip")])
    server = http_server({**routes(*made), path: packed_up})
    assert len(httpx2.get(server.url(path), trust_env=False).content) == 64 << 20
    assert "answered with something packed (gzip)" in attempt(shop, server)


def test_an_answer_that_breaks_off_is_no_package(
    made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    wasm = made[1].artefact.wasm
    broken = cut_in_body(made[0].path(wasm).read_bytes())
    server = http_server({**routes(*made), f"{ROOT}/blobs/{wasm.digest}": broken})
    assert "broke off" in attempt(shop, server)


def test_a_signature_that_the_registry_hides_is_missed(
    made: tuple[Layout, Package], tmp_path: Path, shop: Workshop, http_server: Serve
) -> None:
    install(shop, made[0].folder, Wishes(), Person())
    layout, package = packed(tmp_path, manifest(version="0.2.0"))
    honest = routes(layout, package)
    hiding = {path: one for path, one in honest.items() if not path.endswith(".sig")}
    assert "is not signed, but alice is known" in attempt(shop, http_server(hiding), ":0.2.0")


# --- where credentials go ----------------------------------------------------------------------


def challenged(scheme: str) -> Behaviour:
    """Ask for credentials."""
    return reply(b"", status=401, headers=[("WWW-Authenticate", scheme)])


def seen(server: HttpServer) -> set[str]:
    """Return the credentials that came to a server."""
    return {value for one in server.requests for value in one.values("authorization")}


def knowing(password: str | None = PASSWORD) -> Access:
    """Return access with credentials."""
    return Access(lambda registry: password)


def test_a_realm_that_is_not_the_registrys_gets_no_password(
    made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    collector = http_server({"*": reply(b'{"token": "t"}')})
    realm = collector.url("/token")
    server = http_server({"*": challenged(f'Bearer realm="{realm}",service="r"')})
    with pytest.raises(PackageError, match=r"has its tokens given by .* which is not its own"):
        pull(reference(at(server)), tmp_path, knowing())
    assert not collector.connections and seen(server) == set()


@pytest.mark.parametrize(
    ("registry", "url", "own"),
    [
        ("ghcr.io", "https://ghcr.io/token", True),
        ("ghcr.io", "https://GHCR.io:443/token", True),
        ("registry-1.docker.io", "https://auth.docker.io/token", True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True),
        ("ghcr.io", "http://ghcr.io/token", False),
        ("ghcr.io", "https://evil.io/token", False),
        ("ghcr.io", "https://ghcr.io.evil.example/token", False),
        ("ghcr.io", "https://ghcr.io@evil.example/token", False),
        ("alice.github.io", "https://mallory.github.io/token", False),
        ("alice.co.uk", "https://mallory.co.uk/token", False),
        ("registry.internal", "https://other.internal/token", False),
        ("10.0.0.1", "https://99.0.0.1/token", False),
        ("10.0.0.1", "https://10.0.0.1/token", True),
        ("[2001:db8::1]", "https://[2001:db8::2]/token", False),
        ("localhost", "https://evil.localhost/token", False),
        ("localhost", "http://localhost/token", True),
    ],
)
def test_only_hosts_of_the_registrys_owner_get_a_password(
    registry: str, url: str, own: bool
) -> None:
    assert same_owner(url, Registry(registry)) == own


def test_its_own_realm_gets_it_and_the_registry_the_token(
    made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    """What stands beside it: how a registry with tokens is meant to work."""
    honest = routes(*made)

    def guarded(behaviour: Behaviour) -> Behaviour:
        def answer(exchange: object) -> None:
            allowed = exchange.request.values("authorization") == ["Bearer t0ken"]  # type: ignore[attr-defined]
            realm = f'Bearer realm="{server.url("/token")}",service="r",scope="s"'
            (behaviour if allowed else challenged(realm))(exchange)  # type: ignore[arg-type]

        return answer

    table: dict[str, Behaviour] = {path: guarded(one) for path, one in honest.items()}
    table["/token"] = reply(b'{"token": "t0ken"}')
    server = http_server(table)
    _, package = pull(reference(at(server)), tmp_path, knowing())
    assert package.digest == made[1].digest
    asked = [one for one in server.requests if one.path == "/token"]
    assert {one.values("authorization")[0] for one in asked} == {BASIC}
    assert asked[0].target == "/token?service=r&scope=s"


@pytest.mark.parametrize("status", [302, 307])
def test_a_redirect_takes_no_credentials_along(
    status: int, made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    """And is followed to HTTPS alone: here is none, so not at all."""
    collector = http_server({"*": reply(b"{}")})
    where = redirect(collector.url("/collect"), status)
    server = http_server({**routes(*made), f"{ROOT}/manifests/0.1.0": where})
    with pytest.raises(PackageError, match="which is not HTTPS"):
        pull(reference(at(server)), tmp_path, knowing())
    assert not collector.connections


def test_a_redirect_within_the_registry_is_followed_but_not_for_ever(
    made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    honest = routes(*made)
    there = f"{ROOT}/manifests/0.1.0"
    server = http_server({**honest, "/moved": honest[there], there: redirect("/moved")})
    assert pull(reference(at(server)), tmp_path, knowing())[1].digest == made[1].digest
    loop = http_server({**honest, there: redirect(there)})
    with pytest.raises(PackageError, match="redirects more than 5 times"):
        pull(reference(at(loop)), tmp_path, knowing())


@pytest.mark.parametrize(
    "url",
    ["http://[", "https://[::1", "https://a.example:99999999/", "ftp://a.example/", "//a.example/",
     "http://user@127.0.0.1/", "http://127.0.0.1\\@a.example/", "file:///etc/passwd"],
)  # fmt: skip
def test_an_odd_place_is_refused(
    url: str, made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    """As the target of a redirect, and as the place of tokens."""
    there = f"{ROOT}/manifests/0.1.0"
    for answer in (redirect(url), challenged(f'Bearer realm="{url}"')):
        server = http_server({**routes(*made), there: answer})
        with pytest.raises(PackageError) as caught:
            pull(reference(at(server)), tmp_path, knowing())
        assert caught.value.kind == "unreachable" and str(caught.value).isprintable()
        assert seen(server) == set()


def test_an_upload_goes_nowhere_else(made: tuple[Layout, Package], http_server: Serve) -> None:
    collector = http_server({"*": reply(b"", status=201)})
    missing = reply(b"", status=404)
    accepted = reply(b"", status=202, headers=[("Location", collector.url("/collect"))])
    table: Mapping[str, Behaviour] = {f"{ROOT}/blobs/uploads/": accepted, "*": missing}
    server = http_server(table)
    place = repository_for(f"oci://127.0.0.1:{server.port}", made[1].name)
    with (
        knowing().client(place) as client,
        pytest.raises(PackageError, match="names a place elsewhere"),
    ):
        Repository(client, place).push(*made)
    assert not collector.connections


def test_a_published_version_is_not_replaced(
    made: tuple[Layout, Package], tmp_path: Path, http_server: Serve
) -> None:
    evil, other = packed(tmp_path, manifest(), module("evil"))
    server = http_server(routes(*made))
    place = repository_for(f"oci://127.0.0.1:{server.port}", other.name)
    with (
        knowing(None).client(place) as client,
        pytest.raises(PackageError, match="is published already, as sha256:"),
    ):
        Repository(client, place).push(evil, other)
    assert {one.method for one in server.requests} == {"GET"}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("registry.example.com", "https://registry.example.com"),
        ("10.0.0.1", "https://10.0.0.1"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("localhost", "http://localhost"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]", "http://[::1]"),
    ],
)
def test_plain_http_is_for_this_machine_alone(host: str, url: str) -> None:
    assert Registry(host).url == url
    assert Client(Registry(host)).registry.url == url


def test_a_damaged_signature_in_a_registry_is_no_missing_one(
    made: tuple[Layout, Package], shop: Workshop, http_server: Serve
) -> None:
    layout, package = made
    assert package.signature is not None
    forged = replace(package.signature, signature=bytes(64)).to_bytes()
    lying = routes(*made)
    true = layout.put(package.signature.to_bytes(), SIGNATURE)
    lying[f"{ROOT}/blobs/{true.digest}"] = reply(forged)
    assert "it was changed" in attempt(shop, http_server(lying))
    assert read_package(layout).signature == package.signature
