"""In a network of its own the system's resolver asks our server, and public addresses are ours."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import OrdinaryUser
from tests.servers.namespace import Namespace

ADDRESSES = ("93.184.216.34", "2606:2800:220:1::1")
PROGRAM = """
import json, socket, sys
from urllib.request import urlopen
from tests.servers.answers import at
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer
from tests.servers.replies import reply

def system(name):
    return sorted({found[4][0] for found in socket.getaddrinfo(name, 80)})

def body(host):
    return urlopen(f"http://{host}/").read().decode()

def reachable(address):
    try:
        socket.create_connection((address, 80), 5).close()
    except OSError as error:
        return type(error).__name__
    return "reached"

first, second = sys.argv[1:]
table = {"rebind.test": [at(first, second), at("127.0.0.1")], "site.test": at(first)}
with (
    DnsServer(table, port=53) as names,
    HttpServer({"/": reply(b"four")}, host=first, port=80),
    HttpServer({"/": reply(b"six")}, host=second, port=80),
):
    print(json.dumps({
        "resolved": [system("rebind.test"), system("rebind.test")],
        "bodies": [body("site.test"), body(f"[{second}]")],
        "elsewhere": [reachable("8.8.8.8"), reachable(first)],
        "localhost": "127.0.0.1" in system("localhost"),
        "asked": sorted({question.name for question in names.questions}),
    }))
"""
EXPECTED = {
    "resolved": [sorted(ADDRESSES), ["127.0.0.1"]],
    "bodies": ["four", "six"],
    "elsewhere": ["OSError", "reached"],
    "localhost": True,
    "asked": ["rebind.test", "site.test"],
}


def test_the_systems_resolver_asks_our_server(namespace: Callable[..., Namespace]) -> None:
    before = Path("/etc/resolv.conf").read_bytes()
    done = namespace(*ADDRESSES).run(PROGRAM, *ADDRESSES)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == EXPECTED
    assert Path("/etc/resolv.conf").read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="the test above ran as an ordinary user")
def test_an_ordinary_user_may_do_so_too(
    namespace: Callable[..., Namespace], ordinary_user: OrdinaryUser
) -> None:
    made = namespace(*ADDRESSES, python=ordinary_user.python, credentials=ordinary_user.credentials)
    done = made.run(PROGRAM, *ADDRESSES)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == EXPECTED


def test_where_it_cannot_be_made_it_says_why() -> None:
    impossible = Namespace(addresses=("not an address",))
    assert impossible.why_not() != ""


def test_the_exit_code_and_output_are_the_programs_own(
    namespace: Callable[..., Namespace],
) -> None:
    done = namespace().run("import sys; print(sys.argv[1]); sys.exit(7)", "word")
    assert (done.returncode, done.stdout, done.stderr) == (7, "word\n", "")
