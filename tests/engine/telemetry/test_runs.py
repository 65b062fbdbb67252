"""Runs as a log and a collector get them: events, decisions, spans, and no secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pytest_httpserver import HTTPServer

from capbox.agent import events
from capbox.agent.outcome import Cancelled
from capbox.engine.home import Home
from capbox.engine.local import LocalEngine
from capbox.engine.session import Session
from capbox.engine.settings import SettingsError
from capbox.engine.telemetry.file import LogFile, LogPlace
from capbox.engine.telemetry.log import RunLog
from capbox.engine.telemetry.spans import Spans
from capbox.engine.telemetry.tracing import Traced
from capbox.messages import AssistantMessage, ToolCall, Usage
from capbox.models.scripted import ScriptedModel

pytestmark = pytest.mark.anyio
OpenSession = Callable[..., Session]
Script = Callable[..., ScriptedModel]
SECRET = "hunter2-hunter2"
CALLS = [("read", {"path": "a.txt"}), ("write", {"path": "b.txt", "content": SECRET})]


async def told(session: Session, model: ScriptedModel) -> list[events.Event]:
    """Run to the end and return all events."""
    async with session.run(f"say {SECRET}", model) as stream:
        return [event async for event in stream]


def configure(home: Home, text: str) -> None:
    """Write the operator's configuration."""
    home.config.mkdir(parents=True, exist_ok=True)
    (home.config / "config.toml").write_text(text)


# --- the log --------------------------------------------------------------------------------------


async def test_events_and_decisions_are_lines_in_their_order(
    open_session: OpenSession, script: Script, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    async with open_session("read:/workspace", log=file) as session:
        found = await told(session, script(CALLS, "done"))
    lines = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [line.get("type", line.get("what")) for line in lines] == [
        *("run_started", "model_reply", "tool_started", "tool_finished"),
        *("tool_started", "denial", "tool_finished", "model_reply", "run_finished"),
    ]
    assert {line["run"] for line in lines} == {found[0].run}
    assert {line["kind"] for line in lines} == {"event", "decision"}


async def test_the_operator_names_the_log_and_a_flag_another(
    open_session: OpenSession, script: Script, home: Home, tmp_path: Path
) -> None:
    configure(home, f'[log]\nfile = "{tmp_path}/one"\nbytes = 1000\nkeep = 1\n')
    async with open_session() as session:
        await told(session, script("done"))
    async with open_session(log=tmp_path / "two") as session:
        await told(session, script("done"))
    assert (tmp_path / "one").exists() and (tmp_path / "two").exists()


async def test_a_log_in_the_workspace_lets_no_run_begin(
    open_session: OpenSession, script: Script, workspace: Path
) -> None:
    async with open_session(log=workspace / "log") as session:
        with pytest.raises(SettingsError, match="lies in the workspace"):
            await told(session, script("done"))


async def test_a_log_that_ends_is_said_once_and_ends_no_run(
    open_session: OpenSession, script: Script, tmp_path: Path
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    async with open_session("read:/workspace", log=folder / "log") as session:
        await told(session, script("done"))
        (folder / "log").unlink()
        (folder / "log").mkdir()
        found = await told(session, script(CALLS[:1], "done"))
    warned = [e.message for e in found if isinstance(e, events.Warned)]
    assert len(warned) == 1 and warned[0].startswith("the log ends here")
    assert isinstance(found[-1], events.RunFinished)


async def test_no_secret_that_was_sent_is_in_a_log_or_span(
    open_session: OpenSession, script: Script, tmp_path: Path
) -> None:
    memory, traced = collector(content=True)
    async with open_session() as session:
        await told(session, script("done"))
        seat = session.companions.engine.open_run(
            session._mint(()),
            session.layout,
            ceiling=None,
            approver=session._approver,
            environment={},
        ).seat
        seat.keep_secret("TOKEN", SECRET)
        log = RunLog(LogFile(LogPlace(tmp_path / "log"), "/nowhere"), seat, lambda: 0.0)
        spans = Spans(traced, seat, lambda: 0)
        for event in run_of(SECRET):
            log.tell(event)
            spans.tell(event)
    said = (tmp_path / "log").read_text() + str([s.attributes for s in memory.get_finished_spans()])
    assert SECRET not in said and "[secret:TOKEN]" in said


# --- spans ----------------------------------------------------------------------------------------


def collector(*, content: bool = False) -> tuple[InMemorySpanExporter, Traced]:
    """What keeps spans in memory, and what makes them."""
    memory, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return memory, Traced(provider.get_tracer("test"), lambda: None, content)


def run_of(text: str) -> list[events.Event]:
    """The events of a run that is cut off in the middle of a call."""
    call = ToolCall("c1", "read", {"path": text})
    reply = AssistantMessage(text, (call,))
    return [
        events.RunStarted("r1", text, "google/gemini", (), ()),
        events.ModelReply(reply, Usage(10, 5, 3, 2), 0.0, "tool_calls"),
        events.ToolStarted(call),
        events.RunFinished(Cancelled(), text, events.RunSpent(usage=Usage(10, 5, 3, 2))),
    ]


def by_name(memory: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    """The spans that ended, by name."""
    return {span.name: span for span in memory.get_finished_spans()}


async def test_a_run_its_turns_and_its_calls_are_spans_of_the_convention(
    open_session: OpenSession, script: Script
) -> None:
    memory, traced = collector()
    async with open_session("read:/workspace") as session:
        session.companions.traced = traced
        found = await told(session, script(CALLS, "done"))
    spans = memory.get_finished_spans()
    assert [span.name for span in spans] == [
        *("chat scripted", "execute_tool read", "execute_tool write", "chat scripted"),
        "invoke_agent capbox",
    ]
    run = spans[-1]
    assert run.attributes is not None and run.attributes["gen_ai.conversation.id"] == found[0].run
    assert {span.parent.span_id for span in spans[:-1] if span.parent} == {run.context.span_id}
    assert [span.kind for span in spans] == [
        SpanKind.CLIENT,
        *(SpanKind.INTERNAL,) * 2,
        SpanKind.CLIENT,
        SpanKind.INTERNAL,
    ]
    assert [span.status.status_code for span in spans] == [
        *(StatusCode.UNSET,) * 2,
        StatusCode.ERROR,
        *(StatusCode.UNSET,) * 2,
    ]
    assert (spans[2].attributes or {})["error.type"] == "denied"
    assert SECRET not in str([span.to_json() for span in spans])
    assert "alpha" not in str([span.to_json() for span in spans])


@pytest.mark.parametrize("content", [True, False])
async def test_texts_are_in_spans_only_if_the_operator_says_so(
    open_session: OpenSession, script: Script, content: bool
) -> None:
    memory, traced = collector(content=content)
    async with open_session("read:/workspace") as session:
        session.companions.traced = traced
        await told(session, script(CALLS, "done"))
    keys = {key for span in memory.get_finished_spans() for key in span.attributes or {}}
    texts = {
        *("gen_ai.input.messages", "gen_ai.output.messages"),
        *("gen_ai.tool.call.arguments", "gen_ai.tool.call.result"),
    }
    assert keys & texts == (texts if content else set())


async def test_what_is_cut_off_ends_with_the_run(open_session: OpenSession) -> None:
    memory, traced = collector()
    times = iter(range(100))
    async with open_session() as session:
        await session.call("read", {"path": "a.txt"})
        assert session._calls is not None
        spans = Spans(traced, session._calls.seat, lambda: next(times))
        for event in run_of("x"):
            spans.tell(event)
    found = by_name(memory)
    assert set(found) == {"chat gemini", "execute_tool read", "invoke_agent capbox"}
    assert (found["execute_tool read"].attributes or {})["error.type"] == "interrupted"
    run = found["invoke_agent capbox"].attributes or {}
    assert (run["error.type"], run["gen_ai.provider.name"]) == ("cancelled", "gcp.gemini")
    chat = found["chat gemini"].attributes or {}
    assert {k: v for k, v in chat.items() if k.startswith("gen_ai.usage")} == {
        "gen_ai.usage.input_tokens": 15,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.usage.cache_creation.input_tokens": 2,
    }


async def test_spans_reach_a_collector(
    open_session: OpenSession, script: Script, home: Home, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/v1/traces", method="POST").respond_with_data(b"")
    where = httpserver.url_for("/v1/traces")
    configure(home, f'[otel]\nendpoint = "{where}"\nheaders = {{ key = "k" }}\n')
    async with open_session() as session:
        await told(session, script("done"))
    ((request, _),) = httpserver.log
    assert request.headers["key"] == "k" and b"invoke_agent capbox" in request.get_data()
    assert SECRET.encode() not in request.get_data()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[otel]\nendpoint = "localhost:4318"', "endpoint is where traces go"),
        ("[otel]\nendpoint = 3", "endpoint is where traces go"),
        ('[otel]\ncontent = "yes"', "content is true or false"),
        ('[otel]\nurl = "x"', "unknown key 'url'"),
        ("[otel]\nheaders = { key = 1 }", "holds texts"),
        ('[log]\nfile = "log"', "file is an absolute path"),
        ("[log]\nkeep = 3", "file is an absolute path"),
        ('[log]\nfile = "/log"\nbytes = 3', "bytes is a whole number"),
        ('[log]\nfile = "/log"\nkeep = true', "keep is a whole number"),
    ],
)
async def test_what_cannot_be_meant_stops_everything(
    open_session: OpenSession, home: Home, engine: LocalEngine, text: str, reason: str
) -> None:
    configure(home, text)
    with pytest.raises(SettingsError, match=reason):
        open_session()


def test_nothing_of_it_is_loaded_for_the_asking() -> None:
    import subprocess

    program = (
        "import sys, capbox.engine.companions.companion, capbox.engine.companions.companions,"
        " capbox.engine.telemetry.tracing, capbox.engine.telemetry.spans;"
        "print('opentelemetry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
