"""What is missing is asked for while the guest waits, and nothing leaves before the answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.network.conftest import HERE, Guest, Online
from tests.servers.answers import at
from tests.servers.http import HttpServer
from tests.servers.replies import redirect, reply

from capbox.authority.paths import GuestPath
from capbox.gate.approver import Answer, For, ForRun, No, Once, Stop
from capbox.gate.asking import ASKS_MAX
from capbox.sandbox.spec import Touched

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAMES = {name: at("127.0.0.1") for name in ("name.test", "other.test", "s3cret.name.test")}


class Watching(ScriptedApprover):
    """Also notes which names were looked up, and what was recorded, when it was asked."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(*answers)
        self.line: Online | None = None
        self.known: list[tuple[list[str], list[str]]] = []

    async def ask(self, request: object) -> Answer:
        assert self.line is not None
        self.known.append((self.line.asked, self.line.kinds()))
        return await super().ask(request)  # type: ignore[arg-type]


def asked(
    line: Online, port: int, *answers: Answer, grants: tuple[str, ...] = (), ceiling: str = ""
) -> tuple[Guest, Watching]:
    """A call whose missing grants are asked for, within a ceiling of every name under .test."""
    approver = Watching(*answers)
    approver.line = line
    hosts = ("name.test", "other.test", "*.name.test")
    limit = [f"fetch:http://{host}:{port} {HERE} {ceiling}".strip() for host in hosts]
    return line.guest(line.desk.seat(*grants, ceiling=limit, approver=approver)), approver


async def test_nothing_is_looked_up_or_sent_before_a_yes(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"ok")})
    line = online(NAMES)
    guest, approver = asked(line, server.port, No(), Once())
    for host, error in (("s3cret.name.test", "denied"), ("name.test", "")):
        assert (await guest.request(server.url("/", host=host))).error == error
    assert [names for names, _ in approver.known] == [[], []]
    assert line.asked == ["name.test"]
    assert len(server.connections) == 1
    assert line.kinds() == [
        *("ask", "answer", "denial", "ask", "answer", "lease", "lookup", "request"),
    ]
    assert approver.known[1][1][-1] == "ask"  # the question is on record before it is put
    assert guest.pauses == ["begin", "end"] * 2


@pytest.mark.parametrize("caveat", ["ask=first", "ask=each"])
async def test_a_grant_that_asks_looks_nothing_up_before_a_yes(
    caveat: str, online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"ok")})
    line = online(NAMES)
    approver = Watching(No(), Once(), Once())
    approver.line = line
    grant = f"fetch:http://*.name.test:{server.port} {HERE} {caveat}"
    guest = line.guest(line.desk.seat(grant, approver=approver))
    url = server.url("/", host="s3cret.name.test")
    # A wildcard's owner sees every question for a name below it (CVE-2025-55284).
    assert (await guest.request(url)).error == "denied"
    assert (line.asked, server.connections) == ([], ())
    seat = guest.egress.permission.seat
    seat.refused.clear()
    found = [(await guest.request(url)).error for _ in range(2)]
    assert (found, len(approver.questions)) == (["", ""], 2 if caveat == "ask=first" else 3)
    assert approver.known[1][0] == []


async def test_a_grant_that_does_not_ask_is_used_before_one_that_does(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"ok")})
    line = online(NAMES)
    url = server.url("", host="name.test")
    seat = line.desk.seat(
        f"fetch:{url} {HERE} ask=each", f"fetch:{url} {HERE}", approver=ScriptedApprover()
    )
    assert (await line.guest(seat).request(f"{url}/")).status == 200


@pytest.mark.parametrize(
    ("answer", "same", "below", "other_method", "next_call"),
    [
        (Once(), "denied", "denied", "denied", "denied"),
        (ForRun(), "", "", "denied", ""),
        (For(60), "", "", "denied", ""),
    ],
)
async def test_an_answer_is_a_lease_of_what_was_shown(
    answer: Answer,
    same: str,
    below: str,
    other_method: str,
    next_call: str,
    online: Connect,
    http_server: Start,
) -> None:
    server = http_server({"*": reply(b"ok")})
    line = online(NAMES)
    guest, approver = asked(line, server.port, answer, *[No()] * 4)
    url = server.url("/v1", host="name.test")
    assert (await guest.request(url)).status == 200
    assert approver.questions[0].grant == f'fetch:"GET http://name.test:{server.port}"'
    assert (await guest.request(url)).error == same
    assert (await guest.request(f"{url}/x")).error == below
    assert (await guest.request(url, "POST")).error == other_method
    assert (await guest.request(server.url("/v1", host="other.test"))).error == "denied"
    later = line.guest(guest.egress.permission.seat)
    assert (await later.request(url)).error == next_call
    if isinstance(answer, For):
        line.desk.now += 60
        assert (await later.request(url)).error == "denied"


async def test_what_is_shown_is_what_will_happen(online: Connect, http_server: Start) -> None:
    server = http_server({"*": reply(b"ok")})
    line = online(NAMES)
    guest, approver = asked(line, server.port, No(), No())
    guest.touched.append(Touched("read", GuestPath("/workspace/.env"), None, 3))
    guest.touched.append(Touched("write", GuestPath("/workspace/out"), None, 3))
    guest.egress.permission.seat.note_seen([f"/workspace/{n}" for n in range(50)])
    url = server.url("/a%20b?q=\u202e", host="name.test")
    assert (await guest.request(url, "POST", body=b"seven77")).error == "denied"
    plain = server.url("/a%20b?q=x", host="name.test")
    headers = {"x-data": "secret"}
    found = await guest.request(plain, "POST", headers=headers, body=b"seven77")
    assert found.error == "denied"
    (question,) = approver.questions
    assert question.effect.endswith(f"wants to fetch POST {plain}")
    sends, headers, read = question.details
    assert (sends, headers) == ("sends 7 bytes: seven77", "with x-data: secret")
    assert read.startswith("this run has read /workspace/.env, /workspace/49, ")
    assert "and 11 more before" in read and "/workspace/out" not in read
    assert question.tool == "fetch" and "127.0.0.1" not in str(question)


async def test_no_question_that_no_answer_could_grant(online: Connect, http_server: Start) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    guest, approver = asked(line, server.port)
    for url in (
        "http://elsewhere.test/",
        server.url("/", host="name.test.").replace("http", "https"),
        server.url("/"),
        "http://169.254.169.254/",
        f"http://localhost:{server.port}/",
        server.url("/", host="user@name.test"),
    ):
        assert (await guest.request(url)).error == "denied", url
    assert (approver.questions, line.asked) == ([], [])


async def test_a_no_is_remembered_and_questions_are_few(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"*": reply(b"")})
    line = online(NAMES)
    guest, approver = asked(line, server.port, *[No()] * ASKS_MAX)
    url = server.url("", host="name.test")
    for _ in range(3):
        assert (await guest.request(f"{url}/0")).error == "denied"
    assert len(approver.questions) == 1
    for number in range(20):
        assert (await guest.request(f"{url}/{number}")).error == "denied"
    assert (len(approver.questions), server.connections) == (ASKS_MAX, ())


async def test_a_redirect_is_asked_for_by_itself(online: Connect, http_server: Start) -> None:
    other = http_server({"/": reply(b"theirs")})
    server = http_server({"/": redirect(other.url("/", host="other.test"))})
    line = online(NAMES)
    guest, approver = asked(
        line, other.port, No(), grants=(f"fetch:http://name.test:{server.port} {HERE}",)
    )
    assert (await guest.request(server.url("/", host="name.test"))).error == "denied"
    assert approver.questions[0].effect.endswith(f"GET {other.url('/', host='other.test')}")
    assert other.connections == ()


async def test_after_a_stop_nothing_more_is_sent_or_asked(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    held = f"fetch:http://name.test:{server.port} {HERE}"
    guest, approver = asked(line, server.port, Stop(), grants=(held,))
    assert (await guest.request(server.url("/", host="other.test"))).error == "denied"
    for host in ("name.test", "s3cret.name.test"):
        assert (await guest.request(server.url("/", host=host))).error == "denied", host
    assert (len(approver.questions), server.connections) == (1, ())


async def test_a_lease_keeps_the_ceilings_caveats(online: Connect, http_server: Start) -> None:
    server = http_server({"*": reply(b"")})
    line = online({**NAMES, "name.test": at("127.0.0.2")})
    guest, approver = asked(line, server.port, ForRun(), ForRun(), ceiling="uses=1")
    # A yes does not lift what the ceiling says of addresses, or how often.
    assert (await guest.request(server.url("/", host="name.test"))).error == "denied"
    assert (await guest.request(server.url("/", host="other.test"))).error == ""
    assert (await guest.request(server.url("/", host="other.test"))).error == "denied"
    assert len(approver.questions) == 2
