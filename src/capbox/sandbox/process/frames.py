"""The typed messages between parent and worker, written and read in one place.

`Birth` goes to the zygote, `Assignment` fixes a worker's rights for life, `Request` starts one
call, `Report` ends it. Workers trust the parent. The parent trusts no report: a worker that a guest
took over writes what it likes, so every field is bounded, and anything else is a `Hangup`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field

from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import Json, JsonObject, Spent
from capbox.sandbox.process.wire import Hangup
from capbox.sandbox.spec import (
    BOUNDS,
    Broken,
    Failed,
    Finished,
    Mount,
    Refused,
    Rule,
    Stopped,
    stopped,
)
from capbox.sandbox.wasi.call import READINGS_MAX, REFUSED_MAX, STDERR_BYTES_MAX, CallBounds

_NUMBERS = CallBounds.__slots__[:-2]  # of a call's bounds, all but its recorded inputs
_COUNT_MAX = 1 << 62  # what the journal's database can hold
_TEXT_CHARACTERS_MAX = 4_096
BODY_BYTES_MAX = STDERR_BYTES_MAX + 8 * READINGS_MAX  # of a report, besides its output


@dataclass(frozen=True, slots=True)
class Walls:
    """Which walls a worker must put up before it serves. Absent ones are named by `doctor`."""

    landlock: bool
    seccomp: bool
    openat2: bool
    memfd: bool


@dataclass(frozen=True, slots=True)
class Birth:
    """What a worker is from its birth on; a guest of `shipped` code is parked before the lock."""

    digest: str
    compiled: HostPath
    shipped: bool
    fuel: bool
    memory_bytes: int
    openat2: bool
    export: str = ""

    def header(self) -> JsonObject:
        """Return the frame's header."""
        return {"birth": astuple(self)}


def parse_birth(value: Json) -> Birth:
    """Return the birth. Raises Hangup on anything else."""
    match value:
        case [str(digest), str(path), bool(a), bool(fuel), int(memory), bool(b), str(export)]:
            return Birth(digest, HostPath(path), a, fuel, memory, b, export)
        case _:
            raise Hangup("bad birth")


@dataclass(frozen=True, slots=True)
class Assignment:
    """A worker's rights; its descriptors travel beside it: effect log, then one per mount."""

    mounts: tuple[Mount, ...]
    walls: Walls
    open_files: int
    keeps: bool = False  # whether the parent is to save what is changed, before it is

    def header(self) -> JsonObject:
        """Return the frame's header."""
        return {"assignment": astuple(self)}


def parse_assignment(header: JsonObject) -> Assignment:
    """Return the assignment. Raises Hangup on anything else."""
    match header.get("assignment"):
        case [[*mounts], [bool(a), bool(b), bool(c), bool(d)], int(open_files), bool(keeps)]:
            return Assignment(tuple(map(_mount, mounts)), Walls(a, b, c, d), open_files, keeps)
        case _:
            raise Hangup("bad assignment")


@dataclass(frozen=True, slots=True)
class Request:
    """One call: its bounds and recorded inputs, and the guest's standard input and arguments."""

    bounds: CallBounds
    fuel: int | None
    stdin: bytes
    argv: tuple[str, ...] = ()

    def frame(self) -> tuple[JsonObject, bytes]:
        """Return header and body."""
        bounds, replay = self.bounds, self.bounds.replay
        numbers = (getattr(bounds, name) for name in _NUMBERS)
        inputs = (bounds.seed.hex(), self.fuel, None if replay is None else len(replay))
        header: JsonObject = {"request": (*numbers, *inputs), "argv": self.argv}
        return header, (replay or b"") + self.stdin


def parse_request(header: JsonObject, body: bytes) -> Request:
    """Return the request. Raises Hangup on anything else."""
    match header.get("request"), header.get("argv"):
        case (
            [*numbers, str(seed), (int() | None) as fuel, (int() | None) as replayed],
            [*words],
        ) if len(numbers) == len(_NUMBERS):
            replay = None if replayed is None else body[:replayed]
            a, b, c, d, e, f, g = map(_count, numbers)
            bounds = CallBounds(a, b, c, d, e, f, g, bytes.fromhex(seed), replay)
            return Request(bounds, fuel, body[replayed or 0 :], tuple(map(str, words)))
        case _:
            raise Hangup("bad request")


@dataclass(frozen=True, slots=True)
class Report:
    """How a call ended, as the worker says; `cut` when the parent had to end it instead."""

    end: Finished | Failed | Stopped | Broken
    refused: tuple[Refused, ...] = ()
    spent: Spent = field(default_factory=Spent)
    clock: bytes = b""
    cut: bool = False

    def frame(self) -> tuple[JsonObject, bytes]:
        """Return header and body."""
        stdout = self.end.stdout if isinstance(self.end, Finished) else b""
        stderr = self.end.stderr if isinstance(self.end, Finished | Failed) else b""
        header: JsonObject = {
            "end": _end_fields(self.end),
            "refused": tuple(map(astuple, self.refused)),
            "spent": astuple(self.spent),
            "lengths": (len(stdout), len(stderr)),
        }
        return header, stdout + stderr + self.clock


def parse_report(header: JsonObject, body: bytes) -> Report:
    """Return what a worker reported. Raises Hangup on anything malformed or out of bounds."""
    match header:
        case {
            "end": [str(kind), str(text)],
            "refused": [*refused],
            "spent": [wall_ms, fuel, memory, output],
            "lengths": [first, second],
        } if len(refused) <= REFUSED_MAX:
            till, until = _count(first), _count(first) + _count(second)
            metered = None if fuel is None else _count(fuel)
            if len(body) - until > 8 * READINGS_MAX:
                raise Hangup("bad report: too many clock readings")
            return Report(
                end=_end(kind, _clean(text), body[:till], body[till:until]),
                refused=tuple(map(_refused, refused)),
                spent=Spent(_count(wall_ms), metered, _count(memory), _count(output)),
                clock=body[until:],
                cut=kind == "broken",
            )
        case _:
            raise Hangup("bad report")


def _end_fields(end: Finished | Failed | Stopped | Broken) -> tuple[str, str]:
    match end:
        case Finished():
            return "finished", ""
        case Failed(reason):
            return "failed", reason
        case Stopped(bound):
            return "stopped", bound
        case Broken(reason):
            return "broken", reason


def _end(
    kind: str, text: str, stdout: bytes, stderr: bytes
) -> Finished | Failed | Stopped | Broken:
    match kind:
        case "finished":
            return Finished(stdout, stderr)
        case "failed":
            return Failed(text, stderr)
        case "stopped" if text in BOUNDS and text not in ("revoked", "interrupted"):
            return stopped(text)
        case "broken":
            return Broken(text)
        case _:
            raise Hangup("bad report: no such end")


def _refused(value: Json) -> Refused:
    match value:
        case ["read" | "write" as action, str(path), str(reason)]:
            return Refused(action, _clean(path), _clean(reason))
        case _:
            raise Hangup("bad report: refused")


def _mount(value: Json) -> Mount:
    match value:
        case [str(guest), str(host), [*rules], (str() | None) as name, (int() | None) as most]:
            return Mount(GuestPath(guest), HostPath(host), tuple(map(_rule, rules)), name, most)
        case _:
            raise Hangup("bad assignment: mount")


def _rule(value: Json) -> Rule:
    match value:
        case [bool(write), [*hidden], [*protected], str(anchor)]:
            return Rule(write, tuple(map(str, hidden)), tuple(map(str, protected)), anchor)
        case _:
            raise Hangup("bad assignment: rule")


def _count(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _COUNT_MAX:
        raise Hangup("bad frame: not a count")
    return value


def _clean(text: str) -> str:
    # Half a surrogate pair is valid JSON, but no one who encodes the text later expects one.
    return text[:_TEXT_CHARACTERS_MAX].encode(errors="replace").decode()
