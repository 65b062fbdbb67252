"""Runs a call of a replay: in the sandbox, on the copied tree, all else from the record.

Guarantees: a guest sees the copy alone; what it asks of the network is answered from the record and
never sent; functions of a program are not called. Does not: decide (the gate did) or compare.
"""

from __future__ import annotations

import json
import os
import stat
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from capbox.authority.paths import GuestPath, HostPath
from capbox.engine.replay.recorded import Recorded, objects
from capbox.gate.recording import HEARD
from capbox.messages import Json, JsonObject
from capbox.sandbox.run import Sandbox
from capbox.sandbox.spec import (
    Answer,
    Broken,
    Failed,
    Finished,
    Job,
    Mount,
    Outcome,
    Serve,
    Stopped,
    Touched,
    UnderWay,
)

_CODE = {"code": "network", "message": "a replay has no answer to this"}


@dataclass(slots=True, eq=False)
class ReplayRunner:
    """The `Runner` of a replay. `call` is the one that goes on, `verbatim` says that its outcome is
    taken from the record. `moved` leads from a host path to its copy.

    Afterwards `outcome` is what came of it, `unheard` the first thing that it asked of the
    network otherwise than it had: what was, and what is.
    """

    sandbox: Sandbox
    moved: Callable[[str], str]
    call: Recorded = field(default_factory=lambda: Recorded({}))
    verbatim: bool = False
    outcome: Outcome | None = None
    unheard: tuple[str, str] | None = None
    _next: int = 0

    def begin(self, call: Recorded, *, verbatim: bool) -> None:
        """Run this call next."""
        self.call, self.verbatim = call, verbatim
        self.unheard, self.outcome, self._next = None, None, 0

    async def run(self, job: Job, cut: Callable[[Outcome], None], serve: Serve) -> Outcome:
        """Run one call; `serve` leads to a network, and is not used."""
        if self.verbatim:
            self.outcome = recorded_outcome(self.call)
            return self.outcome
        clock = b64decode(str(self.call.of("outcome").get("clock") or ""))
        mounts = tuple(m for mount in job.mounts if (m := self._mount(mount)) is not None)
        there = replace(job, mounts=mounts, replay=clock or None, keeps=False)
        outcome = self.outcome = await self.sandbox.call(there, cut, self._answered)
        touched = tuple(replace(one, host=self._host(one.host)) for one in outcome.touched)
        return replace(outcome, touched=touched)

    def stop_run(self, run: str) -> None:
        """End every call of the run."""
        self.sandbox.stop_run(run)

    def _mount(self, mount: Mount) -> Mount | None:
        """Return the mount as it lies in the copy, where a name may be a folder now, or none."""
        host = mount.host if mount.name is None else f"{mount.host.rstrip('/')}/{mount.name}"
        folder, _, name = self.moved(host).rpartition("/")
        if _is_folder(f"{folder}/{name}"):
            return replace(mount, host=HostPath(f"{folder}/{name}"), name=None)
        if not _is_folder(folder):
            return None
        return replace(mount, host=HostPath(folder), name=name)

    def _host(self, path: HostPath | None) -> HostPath | None:
        root = self.moved("/")
        if path is None or not path.startswith(f"{root}/"):
            return path
        return HostPath(path.removeprefix(root))

    async def _answered(self, header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
        """Answer what was asked of the network, or of a function, as it was answered then."""
        kind = next((one for one in HEARD if one in header), "http")
        asked, number = header.get(kind), self._next
        self._next += 1
        if number < len(self.call.heard):
            heard = self.call.heard[number]
            then = heard.header.get("operation")
            same = heard.kind == kind and heard.header.get("sent") == sha256(body).hexdigest()
            if same and _lasting(then) == _lasting(asked):
                return {kind: heard.header.get("answer")}, heard.body
            was = _shown(str(heard.kind), then)
        else:
            was = "nothing more"
        self.unheard = self.unheard or (was, _shown(kind, asked))
        return {kind: 0 if kind == "invoke" else [0, 0]}, json.dumps({"error": _CODE}).encode()

    @property
    def unasked(self) -> bool:
        """Say whether the last call left answers of the record unused."""
        return not self.verbatim and self._next < len(self.call.heard)


def recorded_outcome(call: Recorded) -> Outcome:
    """Return the outcome that the record has."""
    outcome = call.of("outcome")
    touched = tuple(
        Touched(
            str(one.get("action")),
            GuestPath(str(one.get("path"))),
            HostPath(str(one.get("host_path"))) if one.get("host_path") is not None else None,
        )
        for one in objects(outcome.get("effects"))
        if one.get("action") != "fetch"
    )
    header, body = ({}, b"") if call.reply is None else (call.reply.header, call.reply.body)
    text = str(header.get("text"))
    end: Finished | Failed | Stopped | Broken
    match header.get("end"):
        case "finished":
            end = Finished(body)
        case "failed":
            end = Failed(text, body)
        case "stopped":
            end = Stopped(text, body.decode(errors="replace"))
        case _:
            end = Broken(text)
    return Outcome(end, touched, effects_whole=outcome.get("effects_whole") is True)


def _lasting(operation: Json) -> Json:
    """Return what was asked for, without how long its guest would wait: that is the clock's."""
    match operation:
        case ["request", str(text)]:
            try:
                head = json.loads(text)
                return {key: head[key] for key in head if not key.endswith("timeout_ms")}
            except (ValueError, TypeError):
                return text
        case _:
            return operation


def _shown(kind: str, operation: Json) -> str:
    match operation:
        case [str(what), *names] if kind == "invoke":
            return " ".join(("invoke", *map(str, names))) if names else f"{what} of functions"
        case ["request", str(text)]:
            try:
                head = json.loads(text)
                return f"{head['method']} {head['url']}"
            except (ValueError, KeyError, TypeError):
                return text[:200]
        case [str(what), *_]:
            return f"{what} of a response"
        case _:
            return "nothing more"


def _is_folder(path: str) -> bool:
    """Say whether there is a folder, and no link on the way to it."""
    try:
        if os.path.realpath(path) != path:
            return False
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
