"""Ways to a service inside, which no grant names: by spelling, by name, by redirect, by rebinding.

127.0.0.2 stands for it where a connection must be possible, beside the clouds' metadata address.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.attacks.network.conftest import INSIDE, Attack, Make, Naive, World
from tests.servers.answers import disguises
from tests.servers.http import HttpServer
from tests.servers.replies import Behaviour, redirect

pytestmark = pytest.mark.anyio
FRIEND = "fetch:http://friend.test:1..65535 net=127.0.0.1/32"
# A careless operator: every address there is, and names that may lead to this machine.
ANY_ADDRESS = "fetch:http://[0.0.0.0/0]:1..65535"
ANY_SIX = "fetch:http://[::/0]:1..65535"


def spellings(address: str) -> list[str]:
    """Every way to write an IPv4 address that some parser reads."""
    a, b, c, d = map(int, address.split("."))
    number = (a << 24) + (b << 16) + (c << 8) + d
    return [
        address,
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{(b << 16) + (c << 8) + d}",
        f"{a}.{b}.{(c << 8) + d}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"{a:#x}.{b}.{c}.{d}",
        f"{address}.",
        address.replace(".", "\u3002"),
        address.replace("1", "\uff11").replace("2", "\u2461"),
        address.replace(".", "%2e"),
        f"%{ord(address[0]):x}{address[1:]}",
        *(f"[{one}]" for one in disguises(address).values()),
        f"[::ffff:{address}]",
        f"[::ffff:{address}%25lo]",
    ]


def naive_spelling(world: World) -> None:
    """A list of texts that are forbidden, before a parser that knows more of them."""
    for host in spellings(INSIDE)[1:9]:
        if INSIDE not in host:
            world.get(world.url(host, of=world.inside))


async def spelling(world: World) -> None:
    hosts = [*spellings(INSIDE), *spellings("169.254.169.254"), "[::1]", "0.0.0.0", "0", "127.1"]
    urls = [world.url(host, of=world.inside) for host in hosts]
    script = "\n".join(f"curl -s -S '{url}'; wget -q -O - '{url}'" for url in urls[:45])
    rest = "\n".join(f"curl -s -S '{url}'" for url in urls[45:])
    await world.run([FRIEND, ANY_ADDRESS, ANY_SIX], script, rest, url=urls[1])


def naive_name(world: World) -> None:
    """The name is on the list, wherever it leads."""
    world.get(world.url("inside.test", of=world.inside))


async def name(world: World) -> None:
    grants = [f"fetch:http://{host}.test:1..65535 net=127.0.0.1/32" for host in ("inside", "dual")]
    urls = [world.url(host, of=world.inside) for host in ("inside.test", "dual.test")]
    await world.run(grants, *(f"curl '{url}'" for url in urls), url=urls[0])


def naive_rebinding(world: World) -> None:
    """The address is checked, and looked up again to connect."""
    if world.lookup("rebind.test") == "127.0.0.1":
        world.get(world.url("rebind.test", of=world.inside))


async def rebinding(world: World) -> None:
    url = world.url("rebind.test", of=world.inside)
    await world.run(
        ["fetch:http://rebind.test:1..65535 net=127.0.0.1/32"],
        f"for i in 1 2 3 4; do curl -s --retry 2 '{url}'; done",
        url=url,
    )


def naive_redirect(world: World) -> None:
    """The first URL is checked, and the client follows wherever it is sent."""
    world.get(world.url("friend.test", "/away", of=world.friend), follow=True)


async def redirected(world: World) -> None:
    base = world.url("friend.test", "", of=world.friend)
    await world.run(
        [FRIEND, ANY_ADDRESS],
        *(f"curl -s -L '{base}{path}'; wget -q -O - '{base}{path}'" for path in AWAY),
        url=f"{base}/away",
    )
    assert len(world.friend.connections) > len(AWAY)


def away(inside: HttpServer) -> Mapping[str, Behaviour]:
    """Redirects of a granted server to the service inside."""
    return {
        "/away": redirect(inside.url()),
        "/number": redirect(inside.url(host="2130706434")),
        "/name": redirect(inside.url(host="inside.test")),
        "/relative": redirect(f"//{INSIDE}:{inside.port}/"),
        "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
        "/twice": redirect("/away", 307),
    }


AWAY = ("/away", "/number", "/name", "/relative", "/metadata", "/twice")
ATTACKS: dict[str, tuple[Naive, Attack]] = {
    "another spelling of the address": (naive_spelling, spelling),
    "a granted name that leads inside": (naive_name, name),
    "a name that leads inside the second time": (naive_rebinding, rebinding),
    "a redirect from a granted server": (naive_redirect, redirected),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_it_reaches_inside_from_a_naive_client_and_not_from_here(
    attack: str, world: Make
) -> None:
    naive, real = ATTACKS[attack]
    bitten, safe = world("naive", away), world("safe", away)
    naive(bitten)
    assert bitten.harm == "the service inside was reached"
    await real(safe)
    assert safe.harm == "", safe.output
