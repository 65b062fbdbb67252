"""One tool call from end to end: what is refused, what runs with which rights, what is recorded."""

import json

import anyio
import pytest
from tests.gate.conftest import ScriptedApprover, done, returning

from capbox.authority.decision import AuthorityId
from capbox.authority.limits import Limits
from capbox.authority.paths import GuestPath, HostPath
from capbox.engine.replay.kept import taped
from capbox.gate.approver import Answer, AskRequest, ForRun, No, Once, Stop
from capbox.gate.recording import Recording
from capbox.journal.event import RunClosed, RunId
from capbox.journal.tape import Tape
from capbox.journal.verify import Closed, verify
from capbox.messages import Denial, Effect, Spent, ToolCall, ToolFailure, ToolResult
from capbox.sandbox.spec import (
    Broken,
    Failed,
    Finished,
    Job,
    Mount,
    Outcome,
    Refused,
    Stopped,
    Touched,
)
from capbox.tools.scripted import failure, reply

READ_A = Touched("read", GuestPath("/workspace/a"), HostPath("/w/a"), 3)


def seen(mounts: tuple[Mount, ...]) -> list[tuple[str, str, str | None, list[bool]]]:
    """The parts of mounts that tests compare."""
    return [(m.guest, m.host, m.name, [r.write for r in m.rules]) for m in mounts]


async def test_a_granted_call_runs_and_its_whole_result_is_returned(desk) -> None:
    spent = Spent(wall_ms=7, memory_bytes=9)
    desk.answer = returning(Outcome(reply("text", data={"n": 1}), (READ_A,), spent=spent))
    result = await desk.call(desk.seat("read:/workspace"), "read", path="a")
    assert result == ToolResult(
        ok=True,
        content="text",
        data={"n": 1},
        effects=(Effect("read", "/workspace/a", "/w/a", 3),),
        spent=spent,
        journal="run-1",
        sources=("workspace:/workspace/a",),
    )


async def test_the_sandbox_gets_rights_limits_and_the_request(desk) -> None:
    await desk.call(desk.seat("read:/workspace"), "read", path="a")
    (job,) = desk.runner.jobs
    assert seen(job.mounts) == [("/workspace", str(desk.workspace), None, [False])]
    assert (job.run, job.limits, job.seed) == ("run-1", Limits(), b"s" * 32)
    assert (job.expires_ns, job.keeps) == (None, False)
    assert job.started_ns == int(desk.now * 1e9)
    assert json.loads(job.request) == {
        "tool": "read",
        "arguments": {"path": "/workspace/a"},
        "cwd": "/workspace",
        "env": {},
        "call": {"id": "c1", "deadline_ms": 30_000, "output_bytes_max": 1_000_000},
    }


async def test_the_intent_is_recorded_before_the_tool_runs(desk) -> None:
    seen_by_tool: list[list[str]] = []

    async def answer(job: Job) -> Outcome:
        seen_by_tool.append([str(r["kind"]) for r in desk.recorded()])
        return Outcome(reply("done"), (READ_A,))

    desk.answer = answer
    await desk.call(desk.seat("read:/workspace"), "read", path="a")
    assert seen_by_tool == [["intent"]]
    intent, outcome = desk.recorded()
    assert intent["arguments"] == {"path": "/workspace/a"}
    assert intent["digest"] == "digest-of-read"
    assert intent["rights"] == ["read /workspace by root#3"]
    assert outcome["intent"] == 1
    assert (outcome["end"], outcome["detail"]) == ("ok", "")
    assert outcome["effects"] == [
        {"action": "read", "path": "/workspace/a", "host_path": "/w/a", "bytes": 3}
    ]


async def test_a_refused_path_names_the_grant_and_the_flag(desk) -> None:
    result = await desk.call(desk.seat(), "read", path="README.md")
    assert result.denied == (
        Denial(
            "read /workspace/README.md",
            "no grant covers it",
            "read:/workspace/README.md",
            "--read README.md",
        ),
    )
    assert result.error == ToolFailure(
        "denied",
        "refused: read /workspace/README.md: no grant covers it. "
        "The missing grant: read:/workspace/README.md. "
        "This run holds: tool:read, tool:write, tool:bash. "
        "Do not try again while that is so.",
    )
    assert desk.runner.jobs == []
    assert [(r["kind"], r["what"], r["subject"]) for r in desk.recorded()] == [
        ("decision", "denial", "read /workspace/README.md")
    ]


@pytest.mark.parametrize(
    ("held", "tool", "path", "allowed"),
    [
        ("read:/workspace", "read", "a", True),
        ("read:/workspace", "read", "/workspace/a", True),
        ("read:/workspace", "read", "x/../a", True),
        ("read:/workspace/docs", "read", "docs/a", True),
        ("read:/workspace/docs", "read", "docs2/a", False),
        ("read:/workspace/docs", "read", "docs/../a", False),
        ("read:/workspace/docs", "read", ".", True),  # only the way to docs is shown there
        ("read:/workspace/docs", "read", "/", False),
        ("read:/workspace", "write", "a", False),
        ("write:/workspace/out", "write", "out/a", True),
        ("write:/workspace/out", "write", "a", False),
        ("write:/workspace/out", "write", ".", False),
        ("write:/workspace", "read", "a", True),
        ("read:/workspace", "read", ".env", False),
        ("read:/workspace/.env", "read", ".env", True),
        ("write:/workspace", "write", ".git/hooks/x", False),
        ("read:/workspace", "read", "/etc/passwd", False),
        ("read:/workspace", "read", "../../etc/passwd", False),
        ("read:/workspace", "read", "/tmp/scratch", True),
        ("read:/workspace", "read", "-rf", True),
    ],
)
async def test_a_declared_path_is_decided_before_the_call(
    desk, held: str, tool: str, path: str, allowed: bool
) -> None:
    result = await desk.call(desk.seat(held), tool, path=path)
    assert (result.ok, len(desk.runner.jobs)) == (allowed, int(allowed))
    assert (result.error is None) is allowed
    assert (len(result.denied) == 1) is not allowed


async def test_a_host_path_inside_the_workspace_is_rewritten_to_the_guests(desk) -> None:
    await desk.call(desk.seat("read:/workspace"), "read", path=f"{desk.workspace}/sub/a")
    assert json.loads(desk.runner.jobs[0].request)["arguments"] == {"path": "/workspace/sub/a"}


async def test_a_host_directory_is_seen_below_mnt(desk) -> None:
    (desk.directory / "notes").mkdir()
    seat = desk.seat(f"read:{desk.directory}/notes")
    result = await desk.call(seat, "read", path=f"{desk.directory}/notes/a")
    assert result.ok
    (job,) = desk.runner.jobs
    assert json.loads(job.request)["arguments"] == {"path": "/mnt/notes/a"}
    assert seen(job.mounts) == [("/mnt/notes", f"{desk.directory}/notes", None, [False])]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (ToolCall("c", "rm", {}), "unknown_tool"),
        (ToolCall("c", "read ", {}), "unknown_tool"),
        (ToolCall("c", "READ", {}), "unknown_tool"),
        (ToolCall("c", "../read", {}), "unknown_tool"),
        (ToolCall("c", "read\u202e", {}), "unknown_tool"),
        (ToolCall("c", "read", {}, malformed='{"path": '), "invalid_arguments"),
        (ToolCall("c", "read", {"path": 3}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": "a", "force": True}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": "a\0b"}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": "a\u202eb"}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": ""}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": float("nan")}), "invalid_arguments"),
        (ToolCall("c", "read", {"path": object()}), "invalid_arguments"),  # type: ignore[dict-item]
    ],
)
async def test_a_call_that_is_not_one_is_refused_and_recorded(
    desk, call: ToolCall, code: str
) -> None:
    result = await desk.gate.call(call, desk.seat("read:/workspace"))
    assert result.error is not None and result.error.code == code
    assert result.error.message.isprintable()
    assert desk.runner.jobs == []
    assert [r["result"] for r in desk.recorded()] == [code]


async def test_an_unknown_tool_is_told_which_there_are_and_recorded_in_short(desk) -> None:
    seat = desk.seat("read:/workspace")
    result = await desk.gate.call(ToolCall("c", "x" * 600, {}), seat)
    said = f"there is no tool {'x' * 64}; there are: bash, read, write"
    assert result.error == ToolFailure("unknown_tool", said)
    assert [r["subject"] for r in desk.recorded()] == [f"tool {'x' * 495}"]
    desk.tools.clear()
    result = await desk.gate.call(ToolCall("c", "rm", {}), seat)
    assert result.error == ToolFailure("unknown_tool", "there is no tool rm; there are: none")


@pytest.mark.parametrize(("more", "why"), [(0, "unknown: "), (1, "the arguments are longer than")])
async def test_arguments_have_a_bound(desk, more: int, why: str) -> None:
    size = 16_000_000 - len('{"more": ""}') + more
    call = ToolCall("c", "read", {"more": "x" * size})
    result = await desk.gate.call(call, desk.seat("read:/workspace"))
    assert result.error is not None and result.error.message.startswith(why)


async def test_what_is_no_number_in_json_is_none_in_arguments(desk) -> None:
    call = ToolCall("c", "read", {"path": float("nan")})
    result = await desk.gate.call(call, desk.seat("read:/workspace"))
    said = "the arguments are not JSON: Out of range float values are not JSON compliant"
    assert result.error is not None and result.error.message.startswith(said)


async def test_arguments_nested_too_deep_are_refused(desk) -> None:
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]
    call = ToolCall("c", "read", {"path": deep})  # type: ignore[dict-item]
    result = await desk.gate.call(call, desk.seat("read:/workspace"))
    assert result.error is not None and result.error.code == "invalid_arguments"


async def test_a_tool_without_its_grant_is_refused(desk) -> None:
    result = await desk.call(desk.seat("read:/workspace", tools=("tool:write",)), "read", path="a")
    assert [d.missing for d in result.denied] == ["tool:read"]
    assert desk.runner.jobs == []


async def test_a_tool_gets_no_more_than_it_requests(desk) -> None:
    seat = desk.seat(
        "write:/workspace", "env:TOKEN", "env:MODE=fast", "env:MODE=slow", "env:X uses=0"
    )
    await desk.call(seat, "read", path="a")
    await desk.call(seat, "bash", text="x")
    of_read, of_bash = desk.runner.jobs
    assert seen(of_read.mounts) == [("/workspace", str(desk.workspace), None, [False])]
    assert seen(of_bash.mounts) == [("/workspace", str(desk.workspace), None, [True])]
    assert json.loads(of_read.request)["env"] == {}
    assert json.loads(of_bash.request)["env"] == {"TOKEN": "secret", "MODE": "fast"}


async def test_no_grant_means_no_mount_and_no_variable(desk) -> None:
    await desk.call(desk.seat(), "bash", text="x")
    (job,) = desk.runner.jobs
    assert (job.mounts, json.loads(job.request)["env"]) == ((), {})


@pytest.mark.parametrize(
    ("end", "code", "message"),
    [
        (Stopped("time", "stopped after 30 s"), "time", "stopped after 30 s"),
        (Stopped("memory", "too much"), "memory", "too much"),
        (Stopped("revoked", "gone"), "revoked", "gone"),
        (Failed("exit code 2", b"panic\n"), "tool_crashed", "exit code 2: panic"),
        (Broken("its worker died"), "sandbox_failed", "its worker died"),
        (failure("not_found", "a: No such file"), "not_found", "a: No such file"),
        (Finished(b""), "tool_protocol", "its output is not one JSON object"),
        (Finished(b"hello"), "tool_protocol", "its output is not one JSON object"),
    ],
)
async def test_every_way_to_end_has_its_code(
    desk, end: Finished | Failed | Stopped | Broken, code: str, message: str
) -> None:
    desk.answer = returning(Outcome(end))
    result = await desk.call(desk.seat("read:/workspace"), "read", path="a")
    assert (result.ok, result.error) == (False, ToolFailure(code, message))
    assert desk.recorded()[-1]["detail"] == code


async def test_refusals_inside_a_call_are_explained(desk) -> None:
    refused = (
        Refused("read", "/etc/passwd", "no grant covers this path"),
        Refused("read", "/etc/passwd", "no grant covers this path"),
        Refused("write", "/workspace/a", "no grant allows writing here"),
        Refused("read", "/workspace/link", "a link leads out of the granted directory"),
        Refused("read", f"{desk.workspace}/a", "no grant covers this path"),
        Refused("write", "/tmp/pipe", "not a regular file or directory"),
        Refused("read", "/x\u202e", "no grant covers this path"),
    )
    desk.answer = returning(Outcome(reply("done"), refused=refused))
    result = await desk.call(desk.seat("read:/workspace"), "bash", text="x")
    assert result.ok
    assert result.denied == (
        Denial("read /etc/passwd", "no grant covers it", "read:/etc/passwd", "--read /etc/passwd"),
        Denial("write /workspace/a", "no grant covers it", "write:/workspace/a", "--write a"),
        Denial("read /workspace/link", "a link leads out of the granted directory", None, None),
        Denial(
            f"read {desk.workspace}/a",
            "no grant covers this path; here it is /workspace/a",
            None,
            None,
        ),
        Denial("write /tmp/pipe", "not a regular file or directory", None, None),
        Denial("read /x\\u202e", "no grant covers this path", None, None),
    )


async def test_a_failure_with_refusals_is_denied_and_one_without_is_the_tools(desk) -> None:
    refused = (Refused("read", "/workspace/.env", "excluded from the grant"),)
    desk.answer = returning(Outcome(failure("io", "cannot open"), refused=refused))
    result = await desk.call(desk.seat("read:/workspace"), "bash", text="x")
    assert result.error == ToolFailure("denied", "cannot open")
    assert [d.missing for d in result.denied] == ["read:/workspace/.env"]
    desk.answer = returning(Outcome(failure("io", "cannot open")))
    result = await desk.call(desk.seat("read:/workspace", run="run-2"), "bash", text="y")
    assert result.error == ToolFailure("io", "cannot open")


async def test_a_model_may_lower_a_limit_and_never_raise_one(desk) -> None:
    seat, call = desk.seat("read:/workspace"), ToolCall("c", "read", {"path": "a"})
    lower = await desk.gate.call(call, seat, Limits(wall_seconds=1.0))
    higher = await desk.gate.call(call, seat, Limits(wall_seconds=31.0))
    assert lower.ok and desk.runner.jobs[0].limits == Limits(wall_seconds=1.0)
    assert higher.error == ToolFailure(
        "invalid_arguments", "a limit may be lowered for a call, not raised"
    )
    assert len(desk.runner.jobs) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("read:/workspace expires=5s", "stopped: read:/workspace expires=2027-01-15T08:00:05Z has"),
        ("read:/workspace expires=9h", "stopped after 30 s"),
    ],
)
async def test_a_call_that_ends_with_a_grant_says_which_one_that_was(
    desk, text: str, message: str
) -> None:
    desk.answer = returning(Outcome(Stopped("time", "stopped after 30 s")))
    result = await desk.call(desk.seat(text), "read", path="a")
    assert result.error is not None and result.error.code == "time"
    assert result.error.message.startswith(message)


async def test_a_grant_that_a_call_does_not_use_all_along_does_not_end_it(desk) -> None:
    unused = ("fetch:https://a.example expires=5s", "env:HOME expires=5s", "tool:x expires=5s")
    await desk.call(desk.seat("read:/workspace", *unused), "read", path="a")
    assert desk.runner.jobs[0].limits.wall_seconds == Limits().wall_seconds
    assert desk.runner.jobs[0].expires_ns is None


async def test_the_deadline_is_cut_to_the_earliest_expiry(desk) -> None:
    seat = desk.seat("read:/workspace expires=5s")
    desk.now += 3
    await desk.call(seat, "read", path="a")
    assert desk.runner.jobs[0].limits.wall_seconds == pytest.approx(2.0)
    assert desk.runner.jobs[0].expires_ns == 1_800_000_005 * 10**9
    desk.now += 2
    result = await desk.call(seat, "read", path="a")
    assert not result.ok and result.denied[0].reason.startswith("expired")


async def test_uses_count_calls_that_exercised_the_grant(desk) -> None:
    seat = desk.seat("read:/workspace/a uses=2", "read:/workspace/b")
    await desk.call(seat, "bash", text="looks at nothing")
    desk.answer = returning(Outcome(reply("done"), (READ_A,)))
    results = [await desk.call(seat, "bash", text=f"reads a, {n}") for n in range(3)]
    assert all(r.ok for r in results)
    held = [[m.guest for m in job.mounts] for job in desk.runner.jobs]
    both, rest = ["/workspace/a", "/workspace/b"], ["/workspace/b"]
    assert held == [both, both, both, rest]
    refused = await desk.call(seat, "read", path="a")
    assert refused.denied[0].reason.startswith("used up")


async def test_calls_side_by_side_cannot_overrun_uses(desk) -> None:
    seat = desk.seat("read:/workspace uses=2")
    results: list[ToolResult] = []

    async def answer(job: Job) -> Outcome:
        await anyio.lowlevel.checkpoint()
        return Outcome(reply("done"), (READ_A,))

    async def one(number: int) -> None:
        results.append(await desk.call(seat, "read", path="a", text=str(number)))

    desk.answer = answer
    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)
    assert sorted(r.ok for r in results) == [False] * 6 + [True] * 2


@pytest.mark.parametrize(
    ("action", "path", "drawn"),
    [
        ("read", "/workspace/a", [["root#3", 1, 0]]),
        ("list", "/workspace/a", [["root#3", 1, 0]]),
        ("write", "/workspace/b", [["root#4", 1, 0]]),
        ("delete", "/workspace/b", [["root#4", 1, 0]]),
        ("read", "/workspace/b", [["root#4", 1, 0]]),
        # What no grant is for, or what the run does not hold, draws on nothing.
        ("write", "/tmp/a", []),
        ("write", "/workspace/a", []),
        ("read", "/workspace/c", []),
    ],
)
async def test_a_call_draws_on_the_grants_that_its_effects_need(
    desk, action: str, path: str, drawn: list[object]
) -> None:
    seat = desk.seat("read:/workspace/a uses=2", "write:/workspace/b uses=2")
    desk.answer = returning(Outcome(reply("done"), (Touched(action, GuestPath(path), None),)))
    assert (await desk.call(seat, "bash", text="x")).ok
    intent, outcome = desk.recorded()
    assert (intent["draws"], outcome.get("drawn", [])) == (["root#3", "root#4"], drawn)


async def test_what_surely_is_used_is_drawn_with_what_may_be(desk) -> None:
    grants = "read:/workspace uses=2", "env:TOKEN uses=2"
    seat = desk.seat(*grants, tools=("tool:bash uses=2", "tool:read uses=2"))
    await desk.call(seat, "bash", text="x")
    intent, outcome = desk.recorded()
    assert intent["draws"] == ["root#0", "root#2", "root#3"]
    assert intent["rights"] == ["read /workspace by root#2", "env TOKEN"]
    assert outcome["drawn"] == [["root#0", 1, 0], ["root#3", 1, 0]]


async def test_effects_that_are_not_listed_count_as_uses_of_everything(desk) -> None:
    seat = desk.seat("read:/workspace/a uses=1")
    desk.answer = returning(Outcome(reply("done"), effects_whole=False))
    result = await desk.call(seat, "bash", text="x")
    assert result.content == (
        "done\n[not every effect of this call could be read back; the list is incomplete]"
    )
    assert desk.recorded()[-1]["effects_whole"] is False
    assert not (await desk.call(seat, "read", path="a")).ok


async def test_a_tools_own_uses_count_every_call(desk) -> None:
    seat = desk.seat("read:/workspace", tools=("tool:read uses=1",))
    assert (await desk.call(seat, "read", path="a")).ok
    assert not (await desk.call(seat, "read", path="b")).ok


async def test_revoking_an_ancestor_stops_what_runs_and_refuses_what_follows(desk) -> None:
    seat = desk.seat("read:/workspace")
    child = seat.authority.attenuate(
        [m.grant for m in seat.authority.grants], id=AuthorityId("child"), now=desk.now
    )
    seat.authority = child
    results: list[ToolResult] = []
    started = anyio.Event()

    async def answer(job: Job) -> Outcome:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def one() -> None:
        results.append(await desk.call(seat, "read", path="a"))

    desk.answer = answer
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await started.wait()
        desk.gate.revoke(AuthorityId("unrelated"))
        desk.gate.revoke(AuthorityId("root"))
    results.append(await desk.call(seat, "read", path="a"))
    assert [r.error and r.error.code for r in results] == ["revoked", "denied"]
    assert results[1].denied[0].reason.startswith("revoked")


async def test_revoking_what_a_call_does_not_rest_on_leaves_it_alone(desk) -> None:
    """Not even what an earlier call of the run was lent for itself."""
    approver = ScriptedApprover(Once())
    seat = desk.seat("read:/workspace/a", ceiling=("read:/workspace",), approver=approver)
    assert (await desk.call(seat, "read", path="b")).ok
    results: list[ToolResult] = []
    started, told = anyio.Event(), anyio.Event()

    async def answer(job: Job) -> Outcome:
        started.set()
        await told.wait()
        return Outcome(reply("done"))

    async def one() -> None:
        results.append(await desk.call(seat, "read", path="a"))

    desk.answer = answer
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await started.wait()
        desk.gate.revoke(AuthorityId("unrelated"))
        desk.gate.revoke(AuthorityId("run-1/lease-1"))
        told.set()
    assert [r.error for r in results] == [None]


@pytest.mark.parametrize("term", [Once(), ForRun()])
async def test_revoking_a_lease_stops_the_call_that_rests_on_it(desk, term: Answer) -> None:
    approver = ScriptedApprover(term)
    seat = desk.seat(ceiling=("read:/workspace",), approver=approver)
    results: list[ToolResult] = []
    started = anyio.Event()

    async def answer(job: Job) -> Outcome:
        started.set()
        await anyio.sleep_forever()
        raise AssertionError

    async def one() -> None:
        results.append(await desk.call(seat, "read", path="a"))

    desk.answer = answer
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await started.wait()
        desk.gate.revoke(AuthorityId("run-1/lease-1"))
    assert [r.error and r.error.code for r in results] == ["revoked"]


async def test_a_call_that_waits_for_its_question_is_stopped_with_the_run(desk) -> None:
    asked, told = anyio.Event(), anyio.Event()

    class Slow(ScriptedApprover):
        async def ask(self, request: AskRequest) -> Answer:
            asked.set()
            await told.wait()
            return await super().ask(request)

    approver = Slow(Stop())
    seat = desk.seat(ceiling=("read:/workspace",), approver=approver)
    results: list[ToolResult] = []

    async def one(path: str) -> None:
        results.append(await desk.call(seat, "read", path=path))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one, "a")
        await asked.wait()
        tasks.start_soon(one, "b")
        await anyio.lowlevel.checkpoint()
        told.set()
    assert [r.error and r.error.code for r in results] == ["stopped_by_person"] * 2
    assert len(approver.questions) == 1


async def test_a_runner_that_breaks_its_word_is_recorded_as_broken(desk) -> None:
    async def answer(job: Job) -> Outcome:
        raise LookupError

    desk.answer = answer
    seat = desk.seat("read:/workspace uses=1")
    with pytest.raises(LookupError):
        await desk.call(seat, "read", path="a")
    _, outcome = desk.recorded()
    assert (outcome["end"], outcome["effects_whole"]) == ("broken", False)
    assert outcome["drawn"] == [["root#3", 1, 0]]


async def test_what_a_run_does_is_on_its_tape(desk) -> None:
    tape = Tape(desk.directory / "run-1.tape", 10_000, lambda: None)
    seat = desk.seat(ceiling=("read:/workspace",), approver=ScriptedApprover(Once(), No()))
    seat.recording = Recording(tape)
    assert (await desk.call(seat, "read", path="a")).ok
    marked = desk.recorded()[-1]["tape"]
    assert not (await desk.call(seat, "read", path="b")).ok
    kinds = ["run", "call", "answer", "reply", "call", "answer"]
    assert [one.kind for one in taped(desk.directory, RunId("run-1"), tape.mark())] == kinds
    assert [one.kind for one in taped(desk.directory, RunId("run-1"), marked)] == kinds[:4]


async def test_a_cancelled_call_is_recorded(desk) -> None:
    async def answer(job: Job) -> Outcome:
        scope.cancel()
        await anyio.sleep_forever()
        raise AssertionError

    desk.answer = answer
    with anyio.CancelScope() as scope:
        await desk.call(desk.seat("read:/workspace"), "read", path="a")
    _, outcome = desk.recorded()
    assert (outcome["end"], outcome["detail"]) == ("stopped", "interrupted")


async def test_state_lasts_through_a_run_for_its_tool_alone(desk) -> None:
    seat, other = desk.seat("read:/workspace"), desk.seat("read:/workspace", run="run-2")
    desk.answer = returning(Outcome(reply("done", state={"cwd": "/workspace/sub"})))
    await desk.call(seat, "bash", text="cd sub")
    await desk.call(seat, "bash", text="pwd")
    await desk.call(seat, "read", path="a")
    await desk.call(other, "bash", text="pwd")
    states = [json.loads(job.request).get("state") for job in desk.runner.jobs]
    assert states == [None, {"cwd": "/workspace/sub"}, None, None]
    desk.answer = done
    await desk.call(seat, "bash", text="says nothing of it")
    await desk.call(seat, "bash", text="pwd")
    assert json.loads(desk.runner.jobs[-1].request)["state"] == {"cwd": "/workspace/sub"}


@pytest.mark.parametrize(("more", "kept"), [(0, True), (1, False)])
async def test_too_large_a_state_is_not_kept_and_that_is_said(desk, more: int, kept: bool) -> None:
    seat, state = desk.seat("read:/workspace"), {"x": "y" * (65_536 - len('{"x": ""}') + more)}
    desk.answer = returning(Outcome(reply("done", state=state)))
    result = await desk.call(seat, "bash", text="1")
    said = "" if kept else "\n[the state of this tool was too large and was not kept]"
    assert result.content == f"done{said}"
    assert seat.states == ({"bash": state} if kept else {})


async def test_without_a_record_nothing_runs_any_more(desk) -> None:
    seat = desk.seat("read:/workspace uses=1")
    desk.journal.close()
    first = await desk.call(seat, "read", path="a")
    assert not any(desk.holdings.standing(desk.now).uses.values())  # it never started
    second = await desk.call(seat, "read", path="b")
    assert [r.error and r.error.code for r in (first, second)] == ["sandbox_failed"] * 2
    assert first.error == seat.stopped
    assert first.journal == second.journal == "run-1"
    assert desk.runner.jobs == []


async def test_the_clock_readings_of_a_call_are_kept_for_replay(desk) -> None:
    desk.answer = returning(Outcome(reply("done"), clock=b"12345678"))
    seat = desk.seat("read:/workspace")
    await desk.call(seat, "read", path="a")
    assert desk.recorded()[-1]["clock"] == "MTIzNDU2Nzg="
    seat.journal.close(RunClosed("finished", desk.now))
    assert verify(desk.journal.directory, desk.signer) == (Closed("run-1", 4),)


async def test_output_beyond_its_bound_is_cut_and_marked(desk) -> None:
    seat = desk.seat("read:/workspace", limits=Limits(output_bytes=10))
    desk.answer = returning(Outcome(reply("é" * 8)))
    result = await desk.call(seat, "read", path="a")
    assert (result.ok, result.content, result.truncated) == (True, "é" * 5, True)
