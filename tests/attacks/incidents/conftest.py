"""A place for each side of an incident; outside of /tmp, which to tools is their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.attacks.incidents.place import Place
from tests.attacks.network.conftest import NAMES, World
from tests.furnished import furnished
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer
from tests.servers.replies import redirect, reply

from capbox.engine.home import Home

AUTHORIZE = b'{"authorization_endpoint": "file:/x$(touch MARKER)"}'


@pytest.fixture
def place(
    http_server: Callable[..., HttpServer],
    dns_server: Callable[..., DnsServer],
    cache: Path,
    ordinary_user: object,
) -> Iterator[Callable[[str], Place]]:
    """Make a place: a project with a file and a secret, beside it what is none of its business."""
    root = Path(tempfile.mkdtemp(prefix="capbox-incident-", dir="/var/tmp")).resolve()

    def made(name: str) -> Place:
        above = root / name
        (above / "ws").mkdir(parents=True)
        (above / "ws" / "notes.txt").write_text("nothing in here\n")
        home = furnished(above / "home", cache)
        authorize = AUTHORIZE.replace(b"MARKER", str(above / "a-command-ran").encode())
        routes: Mapping[str, object] = {
            "/open": redirect("file:///etc/hostname"),
            "/authorize": reply(authorize),
        }
        world = World(
            dns_server(NAMES),
            http_server({"*": reply(b"friendly"), **routes}),
            http_server({"*": reply(b"thanks")}),
            http_server({"*": reply(b"from inside")}, host="127.0.0.2"),
            above / "ws",
            Home(home / "config", home / "state", home / "cache"),
        )
        return Place(world, ordinary_user)

    yield made
    shutil.rmtree(root)
