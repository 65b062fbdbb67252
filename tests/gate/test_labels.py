"""What a run has read, over its calls: those that ended, and those beside the new one."""

import anyio
import pytest

from capbox.authority.paths import GuestPath, HostPath
from capbox.authority.values.label import NOTHING, Source
from capbox.gate.rights.labels import Context
from capbox.messages import ToolResult
from capbox.sandbox.effects import MANY
from capbox.sandbox.spec import Finished, Job, Outcome, Touched
from capbox.tools.scripted import reply

SPECS = HostPath("/w/specs")


def touched(action: str, path: str, host: str | None = None) -> Touched:
    return Touched(action, GuestPath(path), None if host is None else HostPath(host))


@pytest.mark.parametrize(
    ("effect", "sources"),
    [
        (touched("read", "/workspace/a", "/w/a"), {"workspace:/workspace/a"}),
        (touched("list", "/workspace", "/w"), {"workspace:/workspace"}),
        (
            touched("read", "/workspace/.env", "/w/.env"),
            {"workspace:/workspace/.env", "secret:/workspace/.env"},
        ),
        (
            touched("read", "/mnt/.aws/x", "/home/u/.aws/x"),
            {"workspace:/mnt/.aws/x", "secret:/mnt/.aws/x"},
        ),
        (touched("read", "/mnt/X.env", "/X.env"), {"workspace:/mnt/X.env"}),
        (touched("write", "/workspace/.env", "/w/.env"), set()),
        (touched("create", "/workspace/a", "/w/a"), set()),
        (touched("read", "/tmp/a", "/s/a"), set()),
        (touched("read", MANY), {"workspace:*", "secret:/mnt/.env", "workspace:/mnt/.env"}),
    ],
)
def test_effects_that_read_are_sources(effect: Touched, sources: set[str], desk) -> None:
    context = Context()
    (right,) = (m.right(()) for m in desk.seat("read:/mnt/.env").authority.grants if m.grant.path)
    reading = context.begin(context.possible([(right, HostPath("/mnt/.env"))]), ())
    found = context.end(reading, Outcome(Finished(b""), (effect,)))
    assert set(map(str, found)) == sources
    assert context.now() == found


def test_what_the_operator_marked_is_trusted_and_what_lies_beside_it_is_not() -> None:
    context = Context((SPECS,))
    effects = tuple(
        touched("read", f"/workspace{name}", f"/w{name}") for name in ("/specs/a", "/specs2")
    )
    found = context.end(context.begin(NOTHING, ()), Outcome(Finished(b""), effects))
    assert {s.name: s.untrusted for s in found} == {
        "/workspace/specs/a": False,
        "/workspace/specs2": True,
    }


def test_a_list_of_effects_that_is_not_whole_counts_as_all_that_could_be_read(desk) -> None:
    context = Context()
    (right,) = (m.right(()) for m in desk.seat("read:/mnt/.env").authority.grants if m.grant.path)
    reading = context.begin(context.possible([(right, HostPath("/mnt/.env"))]), ("HOME",))
    found = context.end(reading, Outcome(Finished(b""), effects_whole=False))
    assert set(map(str, found)) == {"workspace:/mnt/.env", "secret:/mnt/.env", "secret:HOME"}


def test_a_call_beside_another_is_decided_as_if_that_had_read_all_it_may(desk) -> None:
    context = Context()
    (right,) = (m.right(()) for m in desk.seat("read:/mnt/.env").authority.grants if m.grant.path)
    reader = context.begin(context.possible([(right, HostPath("/mnt/.env"))]), ())
    sender = context.begin(NOTHING, ())
    assert Source("secret", "/mnt/.env") in context.now(sender)
    assert context.now(reader) == frozenset()
    context.end(reader, Outcome(Finished(b"")))
    assert context.now(sender) == frozenset()


@pytest.mark.anyio
async def test_a_tool_that_must_stay_untainted_is_refused_while_another_reads(desk) -> None:
    results = dict[str, ToolResult]()
    reading, told = anyio.Event(), anyio.Event()

    async def answer(job: Job) -> Outcome:
        reading.set()
        await told.wait()
        return Outcome(reply("done"))

    desk.answer = answer
    seat = desk.seat("read:/workspace", "tool:bash untainted", tools=("tool:read",))
    async with anyio.create_task_group() as tasks:

        async def read() -> None:
            results["read"] = await desk.call(seat, "read", path="a")

        tasks.start_soon(read)
        await reading.wait()
        results["bash"] = await desk.call(seat, "bash")
        told.set()
    assert results["read"].ok
    refused = results["bash"].error
    assert refused is not None and "untrusted data (workspace:/workspace)" in refused.message
    desk.answer = done
    assert (await desk.call(seat, "bash")).ok  # nothing was read in the end


async def done(job: Job) -> Outcome:
    """Read nothing."""
    return Outcome(reply("done"))
