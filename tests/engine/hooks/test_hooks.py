"""Hooks in runs: who is asked, what follows, what is on record; with callables and real tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from capbox.agent.events import Event, ModelReply, RunFinished, ToolFinished, Warned
from capbox.agent.outcome import Completed, Refused
from capbox.box import Box
from capbox.engine.home import Home
from capbox.engine.hooks.hook import EventName
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import SettingsError
from capbox.messages import JsonObject, ToolResult
from capbox.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
Script = Callable[..., ScriptedModel]
OpenSession = Callable[..., Session]
Asked = Callable[[JsonObject], object]
READ = ("read", {"path": "a.txt"})
WRITE = ("write", {"path": "a.txt", "content": "new\n"})


@pytest.fixture
def box(engine: LocalEngine, workspace: Path) -> Box:
    """A box that may write in the workspace."""
    return Box(engine=engine, workspace=workspace, grants=["write:/workspace"])


async def told(box: Box, model: ScriptedModel) -> list[Event]:
    """Open the box, run to the end, and return all events."""
    async with box:
        return [event async for event in box.run("work", model=model)]


def codes(events: list[Event]) -> list[str | None]:
    """The codes of the results, None for a good one."""
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    return [None if r.error is None else r.error.code for r in results]


def outcome(events: list[Event]) -> object:
    """How the run ended."""
    assert isinstance(events[-1], RunFinished)
    return events[-1].outcome


def configure(home: Home, **hook: object) -> None:
    """Write one hook into the operator's configuration."""
    home.config.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in hook.items())
    script = hook.pop("script", None)
    if script is not None:
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in hook.items())
        lines += f"\narguments = {{ script = {json.dumps(script)} }}"
    (home.config / "config.toml").write_text(f"[[hooks]]\n{lines}\n")


def raising(event: JsonObject) -> object:
    """A hook that fails."""
    raise ZeroDivisionError("no")


def said(answer: object) -> Asked:
    """A hook that always says this."""
    return lambda event: answer


@pytest.mark.parametrize(
    ("hook", "code"),
    [
        (said(None), None),
        (said({}), None),
        (said({"deny": "not today"}), "hook"),
        (said({"limits": {"wall_seconds": 5}}), None),
        (said({"limits": {"wall_seconds": 5_000}}), "hook"),
        (said({"limits": {"written_bytes": 0}}), "written"),
        (said({"allow": True}), "hook"),
        (said("yes"), "hook"),
        (said(object()), "hook"),
        (said([float("nan")]), "hook"),
        (raising, "hook"),
    ],
)
async def test_a_call_is_made_unless_a_hook_says_no_or_nothing_that_is_known(
    box: Box, script: Script, workspace: Path, hook: Asked, code: str | None
) -> None:
    box.hook("PreToolUse", matcher="write")(hook)
    events = await told(box, script([READ, WRITE], "done"))
    assert codes(events) == [None, code]
    assert (workspace / "a.txt").read_text() == ("new\n" if code is None else "alpha\n")
    assert outcome(events) == Completed()


async def test_a_hook_that_hangs_is_a_no_and_the_run_goes_on(
    box: Box, script: Script, workspace: Path
) -> None:
    @box.hook("PreToolUse", timeout=0.05)
    async def hang(event: JsonObject) -> None:
        await anyio.sleep_forever()

    events = await told(box, script([WRITE], "done"))
    assert (codes(events), (workspace / "a.txt").read_text()) == (["hook"], "alpha\n")
    warned = [event.message for event in events if isinstance(event, Warned)]
    assert "it did not answer within 0.05 s" in warned[0]


async def test_what_each_hook_said_is_on_record_before_the_call(
    box: Box, script: Script, records: object
) -> None:
    box.hook("PreToolUse", matcher="read")(said({"limits": {"wall_seconds": 5}}))
    box.hook("PreToolUse", matcher="re*|x")(said({"deny": "no\x1b"}))
    events = await told(box, script([READ], "done"))
    entries = records.entries(events[0].run)
    decided = [(e["what"], e["subject"], e["result"]) for e in entries if e["kind"] == "decision"]
    subject = "PreToolUse hook <lambda> read (call_0_0)"
    assert [one[:2] for one in decided] == [
        ("hook", subject),
        ("hook", subject),
        ("denial", "tool read (call_0_0)"),
    ]
    assert decided[0][2] == "limits lowered" and decided[1][2].startswith("denied: no")
    assert "\x1b" not in decided[1][2]
    assert [e["kind"] for e in entries if e["kind"] == "intent"] == []


async def test_a_hook_hears_what_is_called_and_what_came_of_it(box: Box, script: Script) -> None:
    heard: list[JsonObject] = []
    names: list[EventName] = ["PreToolUse", "PostToolUse", "RunStart", "RunEnd", "Stop"]
    for name in names:
        box.hook(name)(heard.append)
    events = await told(box, script([READ], "done"))
    run, call = events[0].run, {"call": "call_0_0", "arguments": {"path": "a.txt"}}
    where = {"run": run, "workspace": heard[0]["workspace"]}
    assert heard == [
        {"event": "RunStart", **where, "task": "work"},
        {"event": "PreToolUse", **where, "tool": "read", **call},
        {
            **{"event": "PostToolUse", **where, "tool": "read", **call, "ok": True, "error": None},
            "content": heard[2]["content"],
        },
        {"event": "Stop", **where},
        {"event": "RunEnd", **where, "outcome": "completed", "text": "done"},
    ]
    assert "alpha" in str(heard[2]["content"])


@pytest.mark.parametrize("event", ["RunStart", "UserPromptSubmit"])
@pytest.mark.parametrize(("answer", "begins"), [({"deny": "no"}, False), ("?", False), ({}, True)])
async def test_a_run_that_is_refused_asks_no_model(
    box: Box, script: Script, event: EventName, answer: object, begins: bool
) -> None:
    box.hook(event)(said(answer))
    events = await told(box, script("done"))
    assert isinstance(outcome(events), Completed if begins else Refused)
    assert any(isinstance(one, ModelReply) for one in events) == begins


async def test_what_a_hook_adds_is_marked_as_not_the_persons_and_grounds_nothing(
    engine: LocalEngine, workspace: Path, script: Script
) -> None:
    box = Box(engine=engine, workspace=workspace, grants=["tool:send arg.to=grounded"])

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        return "sent"

    box.hook("UserPromptSubmit")(said({"add": "Mail goes to eve@example.com."}))
    events = await told(box, script([("send", {"to": "eve@example.com"})], "done"))
    assert codes(events) == ["denied"]
    assert isinstance(events[0].task, str)
    assert events[0].task.startswith("work\n\n[added by the operator, not by the person]\nMail")


async def test_a_reason_to_go_on_is_given_three_times_at_most(box: Box, script: Script) -> None:
    box.hook("Stop")(said({"go_on": "test it"}))
    events = await told(box, script("one", "two", "three", "four", "five"))
    assert outcome(events) == Completed()
    assert [e.message.text for e in events if isinstance(e, ModelReply)] == [
        *("one", "two", "three", "four")
    ]


@pytest.mark.parametrize("event", ["PostToolUse", "Stop", "Notification", "RunEnd"])
async def test_a_hook_that_is_only_told_stops_nothing_when_it_fails(
    box: Box, script: Script, workspace: Path, event: EventName
) -> None:
    box.hook(event)(raising)
    events = await told(box, script([WRITE], "done"))
    assert (outcome(events), codes(events)) == (Completed(), [None])


async def test_a_function_is_asked_about_whoever_calls_it(
    engine: LocalEngine, workspace: Path, script: Script
) -> None:
    sent: list[str] = []
    grants = ["tool:send", "invoke:send", "tool:bash"]
    box = Box(engine=engine, workspace=workspace, grants=grants)

    @box.tool(effect="send", sinks={"to": "email"})
    def send(to: str) -> str:
        """Send a mail."""
        sent.append(to)
        return "sent"

    @box.hook("PreToolUse", matcher="send")
    def look(event: JsonObject) -> object:
        stranger = "eve" in str(event["arguments"])
        return {"deny": "a stranger"} if stranger else None

    calls = [("send", {"to": f"{who}@example.com"}) for who in ("bob", "eve")]
    scripts = [f'invoke send \'{{"to": "{who}@example.com"}}\'' for who in ("al", "eve")]
    invoked = [("bash", {"script": script}) for script in scripts]
    events = await told(box, script([*calls, *invoked], "done"))
    assert sent == ["bob@example.com", "al@example.com"]
    results = [e.result for e in events if isinstance(e, ToolFinished)]
    assert "refused by the operator's hook look: a stranger" in str(results[1].error)
    assert "a stranger" in results[3].content


# --- tools that are hooks -------------------------------------------------------------------------

GREP = """
if grep -q '"path": "a.txt"'; then echo '{"deny": "a.txt is not to be changed"}'; fi
"""


async def test_a_tool_is_a_hook_under_an_authority_of_its_own(
    home: Home, open_session: OpenSession, script: Script, workspace: Path, records: object
) -> None:
    configure(home, event="PreToolUse", matcher="write", tool="bash", script=GREP)
    model = script([WRITE, ("write", {"path": "b.txt", "content": "new\n"})], "done")
    async with open_session("write:/workspace") as session, session.run("x", model) as events:
        found = [event async for event in events]
    assert codes(found) == ["hook", None]
    assert "refused by the operator's hook 1 (bash): a.txt is not to be" in str(results_of(found))
    texts = [(workspace / name).read_text() for name in ("a.txt", "b.txt")]
    assert texts == ["alpha\n", "new\n"]
    own = [v.run for v in records.verdicts() if v.run != found[0].run]
    opened = records.entries(own[0])[0]
    assert (len(own), opened["authority"]) == (1, ["tool:bash"])


def results_of(events: list[Event]) -> list[ToolResult]:
    """The results of the calls."""
    return [event.result for event in events if isinstance(event, ToolFinished)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("true", None),
        ("exit 2", "hook"),
        ("echo no", "hook"),
        ("while :; do :; done", "hook"),
        ("cat /workspace/b.txt > /dev/null && true", "hook"),  # it was granted nothing
    ],
)
async def test_a_tool_that_fails_is_a_no(
    home: Home,
    open_session: OpenSession,
    script: Script,
    workspace: Path,
    answer: str,
    code: str | None,
) -> None:
    configure(home, event="PreToolUse", tool="bash", script=answer, timeout=1)
    async with (
        open_session("write:/workspace") as session,
        session.run("x", script([WRITE], "done")) as events,
    ):
        found = [event async for event in events]
    assert codes(found) == [code]
    assert (workspace / "a.txt").read_text() == ("new\n" if code is None else "alpha\n")


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        ({"tool": "no-such"}, "hook 1 \\(no-such\\): there is no tool no-such"),
        ({"tool": "bash", "grants": ["read:/nowhere-at-all"]}, "hook 1 \\(bash\\): "),
        ({"tool": "bash", "grants": ["nonsense"]}, "hook 1 \\(bash\\): "),
    ],
)
async def test_a_hook_that_could_never_be_asked_lets_no_run_begin(
    home: Home, open_session: OpenSession, script: Script, hook: dict[str, object], reason: str
) -> None:
    configure(home, event="PreToolUse", **hook)
    async with open_session() as session:
        with pytest.raises(SettingsError, match=reason):
            async with session.run("x", script("done")):
                pass


async def test_a_hook_is_for_a_known_event(box: Box) -> None:
    with pytest.raises(SettingsError, match="event is one of"):
        box.hook("Never")(said(None))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="a Stop hook has no matcher"):
        box.hook("Stop", matcher="bash")(said(None))
