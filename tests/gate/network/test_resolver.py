"""The system's own resolver, in a network of its own: what it says is checked, and said once."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.servers.namespace import Namespace

PROGRAM = """
import json, sys
from pathlib import Path
from tempfile import TemporaryDirectory
import anyio
from capbox.broker.network import Network
from capbox.journal.head import Signer
from capbox.journal.log import Journal
from tests.gate.conftest import Desk
from tests.gate.network.conftest import Online
from tests.servers.answers import Alias, Failure, at
from tests.servers.dns import DnsServer
from tests.servers.http import HttpServer
from tests.servers.replies import redirect, reply

PUBLIC, SECOND = "93.184.216.34", "2606:2800:220:1::1"
INSIDE, METADATA = "10.0.0.1", "169.254.169.254"
TABLE = {
    "public.test": at(PUBLIC, SECOND), "rebind.test": [at(PUBLIC), at(INSIDE)],
    "dual.test": at(PUBLIC, INSIDE), "six.test": at(PUBLIC, "fd00::1"),
    "mapped.test": at("::ffff:10.0.0.1"), "inside.test": at(INSIDE), "cloud.test": at(METADATA),
    "alias.test": Alias("inside.test"), "home.test": at("127.0.0.1"), "none.test": Failure(),
}
HOSTS = [*TABLE, "rebind.test", "granted-not.test", "localhost", INSIDE, METADATA, "hosts.test"]

async def tried(desk):
    line = Online(desk, None, Network(), desk.tools["read"])
    granted = [f"fetch:http://{host}" for host in (*TABLE, "hosts.test")]
    seat = desk.seat(*granted, "fetch:http://intranet.test net=10.0.0.0/8")
    guest, said = line.guest(seat), {}
    for number, host in enumerate([*HOSTS, "intranet.test"]):
        found = await guest.request(f"http://{host}/")
        said[f"{number} {host}"] = found.error or found.answer["address"]
    away = await guest.request("http://public.test/away")
    return said | {"redirect": away.error}

with (
    TemporaryDirectory() as place,
    DnsServer({**TABLE, "intranet.test": at(INSIDE)}, port=53) as names,
    HttpServer({"/": reply(b""), "/away": redirect(f"http://{METADATA}/")}, host=PUBLIC, port=80),
    HttpServer({"/": reply(b"")}, host=INSIDE, port=80) as inside,
    HttpServer({"/": reply(b"")}, host=METADATA, port=80) as cloud,
    HttpServer({"/": reply(b"")}, port=80) as home,
):
    (Path(place) / "desk").mkdir()
    signer = Signer(b"k" * 32)
    journal = Journal(Path(place) / "journal", signer)
    said = anyio.run(tried, Desk(Path(place) / "desk", journal, signer))
    journal.close()
    print(json.dumps({
        "said": said,
        "reached": [len(s.connections) for s in (inside, cloud, home)],
        "asked": sorted({q.name for q in names.questions}),
    }))
"""


def test_what_the_systems_resolver_says_is_checked_before_it_is_dialled(
    namespace: Callable[..., Namespace],
) -> None:
    place = namespace(
        *("93.184.216.34", "2606:2800:220:1::1", "10.0.0.1", "169.254.169.254", "fd00::1"),
        hosts="127.0.0.1 localhost hosts.test\n",
    )
    done = place.run(PROGRAM)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    said = {key.partition(" ")[2] or key: value for key, value in found["said"].items()}
    # The first answer was public and was dialled; the second one is the next request's.
    assert [v for k, v in found["said"].items() if k.endswith("rebind.test")] == [
        "93.184.216.34:80",
        "denied",
    ]
    del said["rebind.test"]
    assert said == {
        "public.test": "93.184.216.34:80",
        "dual.test": "denied",
        "six.test": "denied",
        "mapped.test": "denied",
        "inside.test": "denied",
        "cloud.test": "denied",
        "alias.test": "denied",
        "home.test": "denied",
        "none.test": "dns",
        "granted-not.test": "denied",
        "localhost": "denied",
        "10.0.0.1": "denied",
        "169.254.169.254": "denied",
        "hosts.test": "denied",
        "intranet.test": "10.0.0.1:80",
        "redirect": "denied",
    }
    assert found["reached"] == [1, 0, 0]
    assert "granted-not.test" not in found["asked"]
