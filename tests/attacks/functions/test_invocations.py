"""Scripts that call functions nobody let them call: each does where frames are obeyed, none here.

The naive parent is as one is written first: it looks the name up, reads the JSON, calls. Beside it
stands the same attack from a real script, in a real sandbox, at a real gate.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from capbox.agent.events import Event, ToolFinished
from capbox.box import Box
from capbox.engine.local import LocalEngine
from capbox.journal.event import RunId
from capbox.messages import Json, ToolResult
from capbox.models.script import ScriptedCall, ScriptedReply
from capbox.models.scripted import ScriptedModel
from capbox.store.journal import read

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
ALICE, EVIL = "alice@example.com", "mallory@evil.test"


@dataclass
class Mailbox:
    """What went out of a program."""

    sent: list[str] = field(default_factory=list)

    def send(self, to: str, text: str = "") -> str:
        """Send a mail."""
        self.sent.append(to)
        return f"sent to {to}"


@dataclass
class NaiveParent:
    """Serves frames as one is written first: one table of functions, grants looked up once.

    The model's calls are checked by name, a script's are the program's own business.
    """

    functions: dict[str, Callable[..., str]]
    granted: frozenset[str] = frozenset()

    def model(self, name: str, **arguments: str) -> str:
        """Call for a model."""
        return self.functions[name](**arguments) if name in self.granted else "refused"

    def worker(self) -> Callable[[bytes], str]:
        """Return what serves one guest, with the grants of the moment at which it starts."""
        granted = self.granted

        def serve(frame: bytes) -> str:
            asked = json.loads(frame)
            # Whoever looks at the log sees what comes first.
            shown = re.search(r'"to": *"([^"]*)"', frame.decode())
            if "send" in granted and shown is not None and shown[1] != ALICE:
                return "refused"
            return self.functions[asked["name"]](**asked["arguments"])

        return serve


def framed(arguments: str, name: str = "send") -> bytes:
    """Return a frame as a worker would write it."""
    return f'{{"name": "{name}", "arguments": {arguments}}}'.encode()


def test_a_naive_parent_sends_without_a_grant_what_the_model_may_not() -> None:
    mail = Mailbox()
    parent = NaiveParent({"send": mail.send})
    assert parent.model("send", to=EVIL) == "refused"
    parent.worker()(framed(f'{{"to": "{EVIL}"}}'))
    assert mail.sent == [EVIL]


@pytest.mark.parametrize(
    "arguments",
    [f'{{"to": "{ALICE}", "to": "{EVIL}"}}', f'{{"\\u0074o": "{EVIL}"}}'],
    ids=["given twice", "escaped"],
)
def test_a_naive_parent_sends_to_whom_its_log_does_not_show(arguments: str) -> None:
    mail = Mailbox()
    NaiveParent({"send": mail.send}, frozenset({"send"})).worker()(framed(arguments))
    assert mail.sent == [EVIL]


def test_a_naive_parent_goes_on_after_a_revocation_and_serves_other_boxes_functions() -> None:
    mail = Mailbox()
    parent = NaiveParent({"send": mail.send, "pay": lambda: mail.send("paid")}, frozenset({"send"}))
    serve = parent.worker()
    parent.granted = frozenset()
    serve(framed(f'{{"to": "{ALICE}"}}'))
    serve(framed("{}", "pay"))
    assert mail.sent == [ALICE, "paid"]


# --- the same from a script -----------------------------------------------------------------------


@dataclass
class Program:
    """Two programs' boxes in one engine; `other` has a function that `box` has not."""

    engine: LocalEngine
    work: Path
    mail: Mailbox = field(default_factory=Mailbox)
    waiting: anyio.Event = field(default_factory=anyio.Event)
    ended: list[str] = field(default_factory=list)

    def box(self, *grants: str) -> Box:
        """A box with these grants, whose functions send, wait, and call the box again."""
        box = Box(engine=self.engine, workspace=self.work, grants=grants)
        mail = self.mail

        @box.tool(effect="send", sinks={"to": "email"})
        def send(to: str, text: str = "") -> str:
            """Send a mail."""
            return mail.send(to, text)

        @box.tool(effect="none", timeout=60)
        async def wait() -> str:
            """Wait for ever."""
            self.waiting.set()
            try:
                await anyio.sleep_forever()
            finally:
                self.ended.append("wait")
            return ""

        @box.tool(effect="none", timeout=60)
        async def again(depth: int) -> str:
            """Run a script that calls this."""
            script = f"invoke again '{{\"depth\": {depth - 1}}}'" if depth else "echo bottom"
            result = await box.call("bash", script=script)
            return result.content if result.ok else str(result.error)

        return box


@pytest.fixture
async def program(engine: LocalEngine, tmp_path: Path) -> AsyncIterator[Program]:
    """A program over an empty workspace."""
    (tmp_path / "work").mkdir()
    yield Program(engine, tmp_path / "work")


async def by_script(box: Box, script: str) -> ToolResult:
    """Run one script as the principal."""
    async with box:
        return await box.call("bash", script=script)


FRAMES = {
    "no grant": (f'{{"to": "{EVIL}"}}', 126),
    "given twice": (f'{{"to": "{ALICE}", "to": "{EVIL}"}}', 2),
    "escaped": (f'{{"to": "{ALICE}", "\\u0074o": "{EVIL}"}}', 2),
    "a name before": (f'{{"to": "{ALICE} <{EVIL}>"}}', 2),
    "other case": ('{"to": "mallory@EVIL.test"}', 126),
    "a list": (f'{{"to": ["{ALICE}", "{EVIL}"]}}', 2),
    "one more field": (f'{{"to": "{ALICE}", "bcc": "{EVIL}"}}', 2),
    "nothing": ("{}", 2),
    "deep": ('{"to": ' + "[" * 70 + "]" * 70 + "}", 2),
}


async def test_no_frame_gets_past_the_grant(program: Program) -> None:
    lines = [f"invoke send '{frame}'; echo {name}=$?" for name, (frame, _) in FRAMES.items()]
    lines += [f'invoke send \'{{"to": "{ALICE}"}}\' >/dev/null; echo good=$?']
    result = await by_script(program.box(f"invoke:send arg.to={ALICE}"), "\n".join(lines))
    ends = dict(re.findall(r"^([a-z ]+)=([0-9]+)$", result.content, re.MULTILINE))
    assert ends == {**{name: str(end) for name, (_, end) in FRAMES.items()}, "good": "0"}
    assert program.mail.sent == [ALICE]


async def test_a_model_that_may_not_call_has_no_script_call_for_it(program: Program) -> None:
    box = program.box("tool:bash", "tool:wait")
    given = json.dumps({"to": EVIL})
    calls = (
        ScriptedCall("send", given),
        ScriptedCall("bash", json.dumps({"script": f"invoke send '{given}'"})),
        ScriptedCall("bash", json.dumps({"script": f"echo '{given}' | xargs -0 invoke send"})),
    )
    model = ScriptedModel("hostile", (ScriptedReply(tool_calls=calls), ScriptedReply("Done.")))
    async with box:
        events: list[Event] = [event async for event in box.run("x", model=model)]
    results = [event.result for event in events if isinstance(event, ToolFinished)]
    assert [[d.missing for d in one.denied] for one in results] == [
        [f"tool:send arg.to={EVIL}"],
        [f"invoke:send arg.to={EVIL}"],
        [f"invoke:send arg.to={EVIL}"],
    ]
    assert program.mail.sent == []


async def test_a_script_calls_no_function_of_another_box(program: Program) -> None:
    other = Box(engine=program.engine, workspace=program.work, grants=["invoke:pay"])

    @other.tool(effect="send")
    def pay() -> str:
        """Pay."""
        program.mail.sent.append("paid")
        return "paid"

    async with other, program.box("invoke:send") as box:
        refused = await box.call("bash", script="invoke pay; echo $?; invoke --list | jq -r .name")
        allowed = await other.call("bash", script="invoke pay")
    assert refused.content.splitlines()[1:] == ["2", "send"]
    assert "there is no tool pay" in refused.content
    assert (allowed.content.strip(), program.mail.sent) == ("paid", ["paid"])


async def test_nothing_is_called_once_the_box_is_revoked(program: Program) -> None:
    results = list[ToolResult]()
    good = f'invoke send \'{{"to": "{ALICE}"}}\''
    async with program.box("invoke:wait", "invoke:send") as box:

        async def called() -> None:
            script = f"invoke wait; {good}; echo after > after.txt"
            results.append(await box.call("bash", script=script))

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(called)
                await program.waiting.wait()
                box.revoke()
        again = await box.call("bash", script=good)
    (result,) = results
    assert result.error is not None and result.error.code == "revoked"
    assert not again.ok and (program.mail.sent, program.ended) == ([], ["wait"])
    assert not (program.work / "after.txt").exists()
    assert ("call", "wait()") in {(e.action, e.path) for e in result.effects}
    assert kinds(program.engine, result) == ["intent", "intent", "outcome", "outcome"]


def kinds(engine: LocalEngine, result: ToolResult) -> list[Json]:
    """What is on record up to the end of the first call, decisions left out."""
    records = read(engine.home.state / "journal", RunId(result.journal or ""))
    found = [(record.content or {})["kind"] for record in records]
    return [kind for kind in found if kind in ("intent", "outcome")][:4]


async def test_a_function_that_calls_the_box_is_bounded_by_its_call(program: Program) -> None:
    async with program.box("invoke:again") as box:
        with anyio.fail_after(60):
            result = await box.call("bash", script="invoke again '{\"depth\": 3}'")
    assert result.content.strip() == "bottom"
