"""What is kept for a replay: all that was asked, answered, heard and replied, without secrets."""

from contextlib import nullcontext
from dataclasses import astuple
from hashlib import sha256
from pathlib import Path

import pytest
from tests.gate.conftest import NOW, Desk, ScriptedApprover

from capbox.authority.access import ReadAccess
from capbox.authority.limits import Limits
from capbox.authority.paths import GrantPath
from capbox.broker.redact import Redactor
from capbox.engine.replay.kept import taped
from capbox.gate.approver import For, ForUses
from capbox.gate.recording import Recording
from capbox.journal.event import RunId
from capbox.journal.tape import Tape
from capbox.messages import Json, JsonObject, ToolCall
from capbox.sandbox.spec import Answer, Broken, Failed, Finished, Outcome, Stopped, UnderWay

RUN = RunId("20260101-000000-run")
SECRET, HIDDEN = "hunter2-hunter2", "[secret:TOKEN]"
MOMENT = UnderWay(lambda: (), nullcontext)


@pytest.fixture
def tape(tmp_path: Path) -> Tape:
    """A tape that has not begun."""
    return Tape(tmp_path / f"{RUN}.tape", 100_000, lambda: None)


@pytest.fixture
def recording(tape: Tape) -> Recording:
    """A recording of a run that knows a secret."""
    return Recording(
        tape, lambda: {"holds": "much"}, lambda: 7, lambda: Redactor({"TOKEN": SECRET})
    )


def kept(tmp_path: Path, tape: Tape) -> list[tuple[JsonObject, bytes]]:
    """Read back what is on the tape."""
    return [(one.header, one.body) for one in taped(tmp_path, RUN, tape.mark())]


def asked(recording: Recording, arguments: Json, **more: object) -> None:
    """Ask for a call with this `path`."""
    call = ToolCall("c1", "read", {"path": arguments}, malformed="{")
    recording.asked(call, more.get("limits"), 3, counting=more.get("counting", False))


def test_a_call_is_kept_as_it_was_asked_for(
    recording: Recording, tape: Tape, tmp_path: Path
) -> None:
    asked(recording, "a", counting=True)
    asked(recording, SECRET, limits=Limits(fuel=5))
    asked(recording, float("nan"))
    same = {"kind": "call", "before": 3, "id": "c1", "limits": None, "counting": False, "at": 7}
    given = {"name": "read", "arguments": {"path": "a"}, "malformed": "{"}
    clean = {"name": "read", "arguments": {"path": HIDDEN}, "malformed": "{"}
    limits = list(astuple(Limits(fuel=5)))
    assert kept(tmp_path, tape) == [
        ({"kind": "run", "holds": "much", "size": 0}, b""),
        ({**same, "counting": True, "asked": given, "redacted": False, "size": 0}, b""),
        ({**same, "limits": limits, "asked": clean, "redacted": True, "size": 0}, b""),
        ({**same, "asked": None, "redacted": True, "size": 0}, b""),
    ]


def test_an_answer_is_kept_with_what_it_says(
    recording: Recording, tape: Tape, tmp_path: Path
) -> None:
    recording.answered(ReadAccess(GrantPath("/workspace/a")), ForUses(3))
    told = {"word": "ForUses", "said": {"count": 3}}
    header = {"kind": "answer", "at": 7, "access": "read /workspace/a", **told, "size": 0}
    assert kept(tmp_path, tape) == [(header, b"")]


@pytest.mark.parametrize(
    ("url", "body", "clean_url", "sent", "redacted"),
    [
        ("u", b"b", "u", b"b", False),
        (SECRET, b"b", HIDDEN, b"b", True),
        ("u", SECRET.encode(), "u", HIDDEN.encode(), True),
    ],
)
async def test_what_the_network_answered_is_kept_without_what_was_sent(
    recording: Recording,
    tape: Tape,
    tmp_path: Path,
    url: str,
    body: bytes,
    clean_url: str,
    sent: bytes,
    redacted: bool,
) -> None:
    async def serve(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        assert under_way is MOMENT
        return {"http": header.get("http"), "more": 1}, body + b"!"

    heard = recording.beside(serve, 4)
    assert await heard({"http": url}, body, MOMENT) == ({"http": url, "more": 1}, body + b"!")
    assert await heard({"save": url}, body, MOMENT) == ({"http": None, "more": 1}, body + b"!")
    about = {"kind": "http", "intent": 4, "operation": clean_url, "answer": url, "size": 1}
    digest, size = sha256(sent).hexdigest(), len(body) + 1
    record = {**about, "sent": digest, "redacted": redacted, "size": size}
    assert kept(tmp_path, tape) == [(record, body + b"!")]


@pytest.mark.parametrize(
    ("end", "word", "text", "body", "redacted"),
    [
        (Finished(b"out", b"err"), "finished", "", b"out", False),
        (Finished(SECRET.encode() + b"!"), "finished", "", HIDDEN.encode() + b"!", True),
        (Failed("exit code 2", b"err"), "failed", "exit code 2", b"err", False),
        (Failed(SECRET, b"err"), "failed", HIDDEN, b"err", True),
        (Stopped("time", "too long"), "stopped", "time", b"too long", False),
        (Broken("it died"), "broken", "it died", b"", False),
    ],
)
def test_what_a_tool_replied_is_kept_under_the_mark_that_is_returned(
    recording: Recording,
    tape: Tape,
    tmp_path: Path,
    end: Finished | Failed | Stopped | Broken,
    word: str,
    text: str,
    body: bytes,
    redacted: bool,
) -> None:
    assert recording.mark() == ""
    mark = recording.ended(Outcome(end), 4)
    assert mark == recording.mark() == tape.mark() != ""
    about = {"kind": "reply", "intent": 4, "end": word, "text": text, "redacted": redacted}
    assert kept(tmp_path, tape) == [({**about, "size": len(body)}, body)]


async def test_without_a_tape_nothing_is_kept_and_nothing_is_in_the_way() -> None:
    async def serve(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        raise AssertionError

    recording = Recording()
    asked(recording, "a")
    recording.answered(ReadAccess(GrantPath("/workspace/a")), ForUses(3))
    assert recording.beside(serve, 4) is serve
    assert recording.ended(Outcome(Finished(b"")), 4) == recording.mark() == ""


def test_a_run_without_secrets_is_kept_as_it_is(tape: Tape, tmp_path: Path) -> None:
    recording = Recording(tape)
    asked(recording, SECRET)
    recording.ended(Outcome(Finished(SECRET.encode())), 4)
    begun, call, reply = kept(tmp_path, tape)
    assert begun == ({"kind": "run", "size": 0}, b"")
    assert (call[0]["at"], call[0]["redacted"]) == (0, False)
    assert reply[1] == SECRET.encode()


@pytest.mark.parametrize("private", [True, False])
async def test_of_what_may_not_be_kept_only_that_it_was_is_on_the_tape(
    recording: Recording, tape: Tape, tmp_path: Path, private: bool
) -> None:
    """A call that saw a variable of the host; a worker that was taken over, with a deep frame."""
    asked: Json = ["request", "value-of-a-variable"]
    for _ in range(0 if private else 600):
        asked = [asked]

    async def serve(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        return {"http": 1}, b"value-of-a-variable"

    heard = recording.beside(serve, 4, private=private)
    assert await heard({"http": asked}, b"value-of-a-variable", MOMENT) == (
        {"http": 1},
        b"value-of-a-variable",
    )
    recording.ended(Outcome(Finished(b"value-of-a-variable")), 4, private=True)
    (request, body), (reply, said) = kept(tmp_path, tape)
    assert (request["operation"], request["redacted"], body) == (None, True, b"")
    assert (reply["redacted"], said) == (True, b"")
    assert b"variable" not in (tmp_path / f"{RUN}.tape").read_bytes()


async def test_a_lease_for_a_while_lasts_from_the_moment_on_record(desk: Desk, tape: Tape) -> None:
    for kept_on, ends in ((None, NOW + 60), (tape, NOW - 5 + 60)):
        approver = ScriptedApprover(For(60))
        seat = desk.seat(ceiling=("read:/workspace",), approver=approver, run=f"run-{int(ends)}")
        # Between the answer and the lease the gate looks at its clock again.
        seat.recording = Recording(kept_on, clock_ns=lambda: int((desk.now - 5) * 1e9))
        assert (await desk.call(seat, "read", path="a")).ok
        assert [m.expires_ms for m in seat.leases[0].grants] == [ends * 1000]
