"""`--login`: a registry's password goes to the registry that a person typed, and to no other."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.servers.replies import Behaviour, reply
from tests.tools.packages.making import manifest, packed
from tests.tools.packages.serving import routes

from capbox.surfaces.cli.entry import Entry

if TYPE_CHECKING:
    from tests.servers.http import HttpServer
    from tests.surfaces.cli.conftest import Done

Serve = Callable[..., "HttpServer"]
PASSWORD = "alice:pass-for-ghcr"
BASIC = f"Basic {b64encode(PASSWORD.encode()).decode()}"
ASKING = reply(b"", 401, [("WWW-Authenticate", 'Basic realm="r"')])
PIN = """\
version = 1
[[package]]
name = "alice/hello"
version = "0.1.0"
digest = "sha256:{digest}"
source = "oci://127.0.0.1:{port}/alice/hello:0.1.0"
key = ""
"""


@pytest.fixture(autouse=True)
def ghcr(entry: Entry) -> None:
    """A person has a password for a registry of theirs."""
    entry.home().prepare()
    entry.secrets().set("GHCR", PASSWORD)


def seen(server: HttpServer) -> set[str]:
    """Return the credentials that came to a server."""
    return {value for one in server.requests for value in one.values("authorization")}


@pytest.mark.attack
@pytest.mark.parametrize(
    ("login", "said"),
    [
        (("GHCR",), "--login GHCR: no registry is typed here, so say which one it is for"),
        (("ghcr.io=GHCR",), "asks for credentials: --login 127.0.0.1:"),
        (("ghcr.io=GHCR", "localhost:{port}=GHCR"), "asks for credentials: --login 127.0.0.1:"),
    ],
)
def test_the_registry_of_a_strangers_lock_file_gets_no_password(
    login: tuple[str, ...], said: str, pkg: Callable[..., Done], work: Path, http_server: Serve
) -> None:
    stranger = http_server({"*": ASKING})
    (work / "capbox.lock").write_text(PIN.format(digest="0" * 64, port=stranger.port))
    flags = [word for one in login for word in ("--login", one.format(port=stranger.port))]
    done = pkg("install", "--locked", "--yes", *flags)
    assert done.code in (1, 2) and said in done.err
    assert seen(stranger) == set()


@pytest.mark.attack
@pytest.mark.parametrize("named", [(), ("alice/hello",)])
def test_the_registry_of_an_installed_package_gets_no_password_of_another(
    named: tuple[str, ...],
    pkg: Callable[..., Done],
    work: Path,
    tmp_path: Path,
    http_server: Serve,
) -> None:
    table: dict[str, Behaviour] = routes(*packed(tmp_path, manifest()))
    stranger = http_server(table)
    place = f"oci://127.0.0.1:{stranger.port}/alice/hello:0.1.0"
    assert pkg("install", place, "--yes").code == 0
    table.clear()
    table["*"] = ASKING
    done = pkg("update", *named, "--login", "GHCR")
    assert done.code == 2 and "no registry is typed here" in done.err
    done = pkg("update", *named, "--login", "ghcr.io=GHCR")
    assert done.code == 1 and f"asks for credentials: --login 127.0.0.1:{stranger.port}" in done.err
    assert seen(stranger) == set()


def test_a_registry_that_is_named_beside_its_secret_gets_it(
    pkg: Callable[..., Done], work: Path, http_server: Serve
) -> None:
    """What stands beside the refusals."""
    own = http_server({"*": ASKING})
    host, flags = f"127.0.0.1:{own.port}", ("--yes", "--login")
    (work / "capbox.lock").write_text(PIN.format(digest="0" * 64, port=own.port))
    done = pkg("install", "--locked", *flags, f"{host}=GHCR")
    assert done.code == 1 and "refuses these credentials" in done.err
    assert seen(own) == {BASIC}


@pytest.mark.parametrize(
    "typed",
    [
        ("install", "{place}/alice/hello", "--yes"),
        ("verify", "{place}/alice/hello"),
        ("pull", "{place}/alice/hello"),
        ("search", "--in", "{place}"),
        ("push", "{package}", "{place}"),
        ("update", "alice/hello", "--from", "{place}/alice/hello"),
    ],
)
def test_a_registry_that_is_typed_gets_what_is_named_alone(
    typed: tuple[str, ...],
    pkg: Callable[..., Done],
    work: Path,
    tmp_path: Path,
    http_server: Serve,
) -> None:
    folder = packed(tmp_path, manifest())[0].folder
    assert pkg("install", folder, "--yes").code == 0
    own = http_server({"*": ASKING})
    place = f"oci://127.0.0.1:{own.port}"
    words = [one.format(place=place, package=folder) for one in typed]
    assert pkg(*words, "--login", "ghcr.io=GHCR").code == 1
    assert seen(own) == set()
    done = pkg(*words, "--login", "GHCR")
    assert done.code == 1 and "refuses these credentials" in done.err
    assert seen(own) == {BASIC}
