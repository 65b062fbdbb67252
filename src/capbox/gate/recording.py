"""What the gate keeps of a run for a replay: what was asked for, answered, heard and replied.

Guarantees: what is kept is what the model, the guest or a person saw, without the secrets that the
run knows; a record from which one was taken says so (`redacted`). Does not: keep what a call said
or asked for that saw a variable of the host (`private`), or the bodies of requests; decide; or hold
up a call that cannot be kept: its tape ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass, field
from hashlib import sha256

from capbox.authority.access import Access
from capbox.authority.limits import Limits
from capbox.broker.redact import Redactor
from capbox.gate.approver import Answer
from capbox.gate.protocol import DEPTH_MAX, deeper
from capbox.journal.tape import Tape
from capbox.messages import Json, JsonObject, ToolCall
from capbox.sandbox.spec import Answer as Served
from capbox.sandbox.spec import Broken, Failed, Finished, Outcome, Serve, Stopped, UnderWay

HEARD = ("http", "invoke")
"""What a guest asks for outside its sandbox, of the network and of the program's functions."""


@dataclass(slots=True, eq=False)
class Recording:
    """The tape of one run (None: nothing is kept). `header` says what the run holds as it begins;
    `clock_ns` is nanoseconds since 1970; `redactor` knows the secrets of the run, so far.
    """

    tape: Tape | None = None
    header: Callable[[], JsonObject] = field(default=dict)
    clock_ns: Callable[[], int] = field(default=lambda: 0)
    redactor: Callable[[], Redactor] = field(default=lambda: Redactor({}))
    moment_ns: int | None = None
    _begun: bool = False

    def asked(self, call: ToolCall, limits: Limits | None, before: int, *, counting: bool) -> None:
        """Keep a call as it was asked for, before anything is decided.

        The journal has `before` entries; `counting`: the same call is refused in the end.
        """
        if self.tape is None:
            return
        if not self._begun:
            self._begun = True
            self.tape.append({"kind": "run", **self.header()})
        # What is nested deeper than any tool takes is refused, and a trap for whoever reads it.
        deep = deeper(call.arguments, DEPTH_MAX)
        arguments = None if deep else call.arguments
        given: Json = {"name": call.name, "arguments": arguments, "malformed": call.malformed}
        clean = self.redactor().json(given)
        record: JsonObject = {
            "kind": "call",
            "before": before,
            "id": call.id,
            "limits": None if limits is None else astuple(limits),
            "counting": counting,
            "at": self.clock_ns(),
        }
        if not self.tape.append({**record, "asked": clean, "redacted": deep or clean != given}):
            self.tape.append({**record, "asked": None, "redacted": True})  # it is no JSON

    def answered(self, access: Access, answer: Answer) -> None:
        """Keep what somebody, or a rule, said when asked for an access, and when (`moment_ns`)."""
        if self.tape is not None:
            told: JsonObject = {"word": type(answer).__name__, "said": asdict(answer)}
            at = self.moment_ns = self.clock_ns()
            self.tape.append({"kind": "answer", "at": at, "access": str(access), **told})

    def beside(self, serve: Serve, intent: int, *, private: bool = False) -> Serve:
        """Return what hands everything to `serve`, and keeps what came from outside the sandbox."""
        tape = self.tape
        if tape is None:
            return serve

        async def heard(header: JsonObject, body: bytes, under_way: UnderWay) -> Served:
            answer, content = await serve(header, body, under_way)
            kind = next((one for one in HEARD if one in header), None)
            if kind is not None:
                redactor, asked = self.redactor(), header[kind]
                private_ = private or deeper(asked, DEPTH_MAX)
                operation = None if private_ else redactor.json(asked)
                sent = b"" if private_ else _clean(body, redactor)
                record: JsonObject = {
                    "kind": kind,
                    "intent": intent,
                    "operation": operation,
                    "sent": sha256(sent).hexdigest(),
                    "answer": answer.get(kind),
                    "redacted": sent != body or operation != asked,
                }
                tape.append(record, b"" if private_ else content)
            return answer, content

        return heard

    def ended(self, outcome: Outcome, intent: int, *, private: bool = False) -> str:
        """Keep what the tool replied; return the mark of the tape, for the record."""
        if self.tape is None:
            return ""
        match outcome.end:
            case Finished(stdout):
                word, text, body = "finished", "", stdout
            case Failed(reason, stderr):
                word, text, body = "failed", reason, stderr
            case Stopped(bound, message):
                word, text, body = "stopped", bound, message.encode()
            case Broken(reason):
                word, text, body = "broken", reason, b""
        redactor = self.redactor()
        clean = b"" if private else _clean(body, redactor)
        said = "" if private else redactor.text(text)
        changed = private or clean != body or said != text
        record: JsonObject = {"kind": "reply", "intent": intent, "end": word, "text": said}
        self.tape.append({**record, "redacted": changed}, clean)
        return self.tape.mark()

    def mark(self) -> str:
        """Return the mark of the tape; "" without one."""
        return "" if self.tape is None else self.tape.mark()


def _clean(content: bytes, redactor: Redactor) -> bytes:
    stream = redactor.stream()
    return stream.feed(content) + stream.finish()
