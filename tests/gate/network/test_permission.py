"""What is asked, told and counted on the way to a request, and which grant it is sent under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import anyio
import pytest
from tests.gate.conftest import ScriptedApprover
from tests.gate.network.conftest import HERE, Guest, Online
from tests.servers.answers import Failure, at
from tests.servers.http import HttpServer
from tests.servers.replies import reply

from capbox.authority.grant import Grant
from capbox.authority.parse import parse_grant
from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.web.addresses import Address
from capbox.gate.approver import Answer, AskRequest, ForRun, No, Once, Stop
from capbox.gate.budget.purse import Account, Purse
from capbox.gate.manifest import Request
from capbox.sandbox.spec import Touched

pytestmark = pytest.mark.anyio
Start = Callable[..., HttpServer]
Connect = Callable[..., Online]
NAMES = {name: at("127.0.0.1") for name in ("name.test", "other.test")}


# --- what a person sees ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "sends 0 bytes"),
        (b"abc", "sends 3 bytes: abc"),
        (b"\xff", "sends 1 bytes: \ufffd"),
        (b"x" * 300, f"sends 300 bytes: {'x' * 300}"),
        (b"x" * 301, f"sends 301 bytes: {'x' * 300} ..."),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"x-a": "1", "x-b": "2"}])
async def test_a_person_sees_what_would_leave(
    body: bytes, shown: str, headers: dict[str, str], online: Connect
) -> None:
    line = online(NAMES)
    approver = ScriptedApprover(No())
    guest = line.guest(line.desk.seat(ceiling=["fetch:http://name.test"], approver=approver))
    await guest.request("http://name.test/", "POST", headers=headers, body=body)
    (question,) = approver.questions
    with_ = "with x-a: 1, x-b: 2" if headers else "with no headers"
    assert question.details == (shown, with_, "this run has read nothing")


NUMBERS = [f"/{number}" for number in range(45)]


@pytest.mark.parametrize(
    ("seen", "touched", "shown"),
    [
        (["/a"], [], "/a"),
        (["/a", "/b"], ["/b", "/c"], "/c, /b, /a"),
        (["/a,b", "/c d"], [], "'/c d', \"/a,b\""),
        (NUMBERS[:40], [], ", ".join(NUMBERS[39::-1])),
        (NUMBERS[:41], [], f"{', '.join(NUMBERS[40:0:-1])} and 1 more before"),
        (NUMBERS[:40], NUMBERS[40:], f"{', '.join(NUMBERS[44:4:-1])} and 5 more before"),
    ],
)
async def test_a_person_sees_what_was_read_last(
    seen: list[str], touched: list[str], shown: str, online: Connect
) -> None:
    line = online(NAMES)
    approver = ScriptedApprover(No())
    guest = line.guest(line.desk.seat(ceiling=["fetch:http://name.test"], approver=approver))
    guest.egress.permission.seat.note_seen(seen)
    for name in touched:
        guest.touched.append(Touched("read", GuestPath(name), None))
        guest.touched.append(Touched("write", GuestPath(f"{name}-written"), None))
    await guest.request("http://name.test/")
    assert approver.questions[0].details[-1].replace('"/c d"', "'/c d'") == (
        f"this run has read {shown}"
    )


# --- where a name leads ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grant", "leads", "reason", "more"),
    [
        ("", "127.0.0.1", "127.0.0.0/8, which {} does not name", "net=private"),
        ("net=10.0.0.0/8", "127.0.0.1", "127.0.0.0/8, which {} does not name", "net=private"),
        ("", "169.254.169.254", "169.254.169.254/32, which {} does not name", None),
        (
            "except=127.0.0.1/32 net=127.0.0.0/8",
            "127.0.0.1",
            "127.0.0.1/32, which {} leaves out",
            None,
        ),
    ],
)
async def test_a_name_that_leads_where_no_grant_does_is_refused_with_what_would_help(
    grant: str, leads: str, reason: str, more: str | None, online: Connect
) -> None:
    line = online({"name.test": at(leads)})
    text = f"fetch:http://name.test {grant}".strip()
    guest = line.guest(line.desk.seat(text, "fetch:http://name.test net=192.168.0.0/16"))
    found = await guest.request("http://name.test/x")
    (denial,) = guest.egress.permission.denied
    assert denial.access == "fetch GET http://name.test/x"
    assert denial.reason == f"name.test has an address in {reason.format(text)}"
    missing = None if more is None else f'fetch:"GET http://name.test/x" {more}'
    assert (found.missing, denial.missing) == (missing, missing)
    assert denial.flag == (None if missing is None else f"--grant '{missing}'")


async def test_an_address_that_a_tool_leaves_out_is_refused(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online({"name.test": at("127.0.0.1"), "other.test": at("127.0.0.2")})
    url, port = server.url("/", host="name.test"), server.port
    seat = line.desk.seat(f"fetch:http://name.test:{port} {HERE}")
    this, another = (f"fetch:http://name.test:{port} except=127.0.0.{n}/32" for n in (1, 2))

    def guest(*requests: str) -> Guest:
        made = line.guest(seat)
        permission, web = made.egress.permission, [parse_grant(text) for text in requests]
        asks = tuple(Request("fetch", web=one) for one in web if isinstance(one, Grant))
        manifest = replace(permission.tool.manifest, optional=asks)
        permission.tool = replace(permission.tool, manifest=manifest)
        return made

    refused = await guest(this).request(url)
    assert (refused.error, server.connections) == ("denied", ())
    assert "fetch leaves out an address of name.test" in refused.message
    assert (await guest(another).request(url)).status == 200
    assert (await guest(this, another).request(url)).status == 200  # one of them is enough


@pytest.mark.parametrize(
    ("grant", "error"), [("fetch:http://[::1]", "connect"), ("fetch:http://[::2]", "denied")]
)
async def test_an_address_in_brackets_is_no_name(grant: str, error: str, online: Connect) -> None:
    line = online({})
    found = await line.guest(line.desk.seat(f"{grant}:1")).request("http://[::1]:1/")
    assert (found.error, line.asked) == (error, [])
    assert "lookup" not in line.kinds()


# --- what is requested, and what was read ---------------------------------------------------------


@pytest.mark.parametrize(
    ("requests", "error"),
    [
        (("fetch:http://[::1]:1",), "connect"),
        (("fetch:*",), "connect"),
        (("fetch:http://[::2]:1",), "denied"),
        (("read:*",), "denied"),
    ],
)
async def test_a_request_that_the_tool_does_not_ask_for_is_refused(
    requests: tuple[str, ...], error: str, online: Connect
) -> None:
    line = online({})
    guest = line.guest(line.desk.seat("fetch:http://[::1]:1"), *requests)
    assert (await guest.request("http://[::1]:1/")).error == error
    reasons = [denial.reason for denial in guest.egress.permission.denied]
    assert reasons == ["the tool fetch does not request it"] * (error == "denied")


@pytest.mark.parametrize(
    ("name", "caveat", "error"),
    [
        (".env", "public", "denied"),
        (".env", "", "connect"),
        ("notes.txt", "public", "connect"),
        ("notes.txt", "untainted", "denied"),
    ],
)
async def test_what_the_guest_has_read_until_now_decides(
    name: str, caveat: str, error: str, online: Connect
) -> None:
    line = online({})
    guest = line.guest(line.desk.seat(f"fetch:http://[::1]:1 {caveat}".strip()))
    assert (await guest.request("http://[::1]:1/")).error == "connect"
    guest.egress.permission.reading.reached.clear()  # what that server might have said
    host = HostPath(str(line.desk.workspace / name))
    guest.touched.append(Touched("read", GuestPath(f"/workspace/{name}"), host))
    assert (await guest.request("http://[::1]:1/")).error == error


# --- what is counted ------------------------------------------------------------------------------


async def test_a_request_is_one_use(online: Connect) -> None:
    line = online({"name.test": at("127.0.0.1")})
    guest = line.guest(line.desk.seat(f"fetch:http://name.test:1 uses=2 {HERE}"))
    errors = [(await guest.request("http://name.test:1/")).error for _ in range(3)]
    assert errors == ["connect", "connect", "denied"]


@pytest.mark.parametrize("answer", [Failure(), at("10.0.0.1")])
async def test_a_name_that_was_looked_up_in_vain_is_a_use(answer: object, online: Connect) -> None:
    line = online({"name.test": answer})
    guest = line.guest(line.desk.seat("fetch:http://name.test uses=2"))
    found = [await guest.request("http://name.test/") for _ in range(3)]
    assert "used up (uses=2)" in found[2].message and line.asked == ["name.test"] * 2
    assert "used up" not in found[1].message
    assert guest.egress.permission.tally.listed(()) == (("root#3", 2, 0),)


async def test_names_are_sinks_before_they_are_looked_up(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    hosts = (f"fetch:http://{name}:{server.port} {HERE}" for name in NAMES)
    seat = line.desk.seat(*hosts)
    seat.purse = Purse((Account({"sinks": 1}),))
    guest = line.guest(seat)
    errors = [
        (await guest.request(server.url("/", host=name))).error
        for name in ("name.test", "name.test", "other.test")
    ]
    assert (errors, line.asked) == (["", "", "denied"], ["name.test"] * 2)
    (denial,) = guest.egress.permission.denied
    assert "sinks: 1 of 1 used" in denial.reason
    assert line.kinds().count("denial") == 1


async def test_what_is_sent_counts_for_the_run_before_it_is_sent(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    url = server.url("/", host="name.test")
    seat = line.desk.seat(f"fetch:{url[:-1]} {HERE}")
    size = len(url) + len("x-a") + len("data") + 10
    seat.purse = Purse((Account({"bytes_out": 2 * size + 9}),))
    guest = line.guest(seat)
    for left, error in ((size + 9, ""), (9, ""), (9, "denied")):
        found = await guest.request(url, "POST", headers={"x-a": "data"}, body=bytes(10))
        assert (found.error, seat.purse.left("bytes_out")) == (error, left)
    assert len(server.requests) == 2


# --- which grant ----------------------------------------------------------------------------------


class Waiting(ScriptedApprover):
    """Answers when everybody else waits."""

    async def ask(self, request: AskRequest) -> Answer:
        found = await super().ask(request)
        await anyio.wait_all_tasks_blocked()
        return found


async def test_of_two_grants_that_ask_the_first_is_shown_and_used(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    url = server.url("", host="name.test")
    approver = ScriptedApprover(Once(), Once())
    seat = line.desk.seat(
        f"fetch:{url} ask=each {HERE}", f"fetch:{url} ask=first {HERE}", approver=approver
    )
    for number in (1, 2):
        assert (await line.guest(seat).request(f"{url}/")).status == 200
        assert [q.grant for q in approver.questions] == [f"fetch:{url} ask=each {HERE}"] * number
    sent = [r["grants"] for r in line.desk.recorded() if r["kind"] == "request"]
    assert sent == [["root#3"]] * 2


async def test_a_run_that_was_stopped_meanwhile_sends_nothing(
    online: Connect, http_server: Start
) -> None:
    """While this request waits for its turn to be asked about, another answer stops the run."""
    server = http_server({"*": reply(b"")})
    line = online(NAMES)
    url = server.url("", host="name.test")

    for number, (held, ceiling) in enumerate(
        (([f"fetch:{url} {HERE} ask=each"], None), ([], [f"fetch:{url} {HERE}"]))
    ):
        approver = Waiting(Stop())
        run = f"run-{number}"
        seat = line.desk.seat(*held, ceiling=ceiling, approver=approver, run=run)
        errors: list[str] = []

        async def request(path: str, seat: object = seat, errors: list[str] = errors) -> None:
            found = await line.guest(seat).request(f"{url}/{path}")  # type: ignore[arg-type]
            errors.append(found.message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(request, "a")
            tasks.start_soon(request, "b")
        assert len(approver.questions) == 1
        assert [("stopped by the person" in error) for error in errors] == [True, True]
    assert (server.connections, line.asked) == ((), [])


async def test_who_waits_for_the_answer_to_the_same_question_is_not_asked_again(
    online: Connect,
) -> None:
    line = online({})
    approver = Waiting(ForRun())
    seat = line.desk.seat(ceiling=["fetch:http://[::1]:1"], approver=approver)
    errors: list[str] = []

    async def request() -> None:
        errors.append((await line.guest(seat).request("http://[::1]:1/")).error)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(request)
        tasks.start_soon(request)
    assert (errors, len(approver.questions)) == (["connect", "connect"], 1)


async def test_no_time_runs_while_a_person_answers_and_the_rest_is_left_after(
    online: Connect, http_server: Start
) -> None:
    server = http_server({"/": reply(b"")})
    line = online(NAMES)
    deadlines: list[float] = []

    class Looking(ScriptedApprover):
        async def ask(self, request: AskRequest) -> Answer:
            deadlines.append(anyio.current_effective_deadline())
            return await super().ask(request)

    resolve = line.network.resolve
    assert resolve is not None

    async def looking(host: str, port: int) -> tuple[Address, ...]:
        deadlines.append(anyio.current_effective_deadline())
        return await resolve(host, port)

    line.network.resolve = looking
    url = server.url("/", host="name.test")
    seat = line.desk.seat(ceiling=[f"fetch:{url[:-1]} {HERE}"], approver=Looking(Once()))
    guest = line.guest(seat)
    began = anyio.current_time()
    assert (await guest.request(url, waits={"timeout_ms": 60_000})).status == 200
    asked, looked = deadlines
    assert asked == float("inf")
    assert began + 60 <= looked < began + 90
