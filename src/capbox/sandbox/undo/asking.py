"""The parent's answers to a worker that is about to change something: "saved", or why not.

Guarantees: saves only what a mount of the call lets it write, by the name that the parent itself
finds beneath that mount; a worker learns nothing but whether it may go on. Does not: make a worker
ask. One that was taken over can change what it was granted without: its effects then name paths of
which nothing was saved, and the index says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property

from anyio import CancelScope, to_thread

from capbox.authority.paths import GuestPath, HostPath
from capbox.messages import Json, JsonObject
from capbox.sandbox.effects import READ_ACTIONS
from capbox.sandbox.judge import CHANGE, Judge
from capbox.sandbox.spec import (
    Answer,
    Finished,
    Job,
    Mount,
    Outcome,
    Serve,
    UnderWay,
    is_staged,
    is_temporary,
)
from capbox.sandbox.undo.keeper import Keeper
from capbox.sandbox.undo.state import Heavy
from capbox.sandbox.undo.walk import is_name, joined

NOT_GRANTED = "no grant of this call covers it"


def _any(_host: str) -> str:
    return ""


def _nothing(_host: HostPath) -> None:
    """Tell nobody."""


class Saving:
    """One call of a run whose changes are kept; `keeper` None: of one that keeps nothing."""

    def __init__(
        self,
        keeper: Keeper | None,
        job: Job,
        call: int,
        may_change: Callable[[str], str] = _any,
        told: Callable[[HostPath], None] = _nothing,
    ) -> None:
        """Answer for `job`; `may_change` says of a path on the host why it may not be changed.

        `told` learns what is about to change, before the worker may go on.
        """
        self._may_change = may_change
        self._prepared: dict[str, str] = {}  # replacements, by what they are to replace
        self._keeper = keeper
        self._told = told
        self._call = call
        self._mounts = job.mounts

    @cached_property
    def _places(self) -> dict[GuestPath, tuple[Mount, Judge]]:
        """Return the mounts with their judges, made for a call that changes something."""
        return {mount.guest: (mount, Judge(mount.rules)) for mount in self._mounts}

    def beside(self, serve: Serve) -> Serve:
        """Return what answers these questions, and hands all others to `serve`."""

        async def answered(header: JsonObject, body: bytes, under_way: UnderWay) -> Answer:
            if "save" not in header or self._keeper is None:
                return await serve(header, body, under_way)
            refusal = self._refusal(header["save"])
            if refusal:
                return {"saved": refusal}, b""
            try:
                return {"saved": self._answer(self._keeper, header["save"], inline=True)}, b""
            except Heavy:
                # Copying takes its time: neither the call's, nor that of other calls.
                keeper, asked = self._keeper, header["save"]
                with under_way.paused():
                    reason = await to_thread.run_sync(
                        lambda: self._answer(keeper, asked, inline=False)
                    )
                return {"saved": reason}, b""

        return answered

    async def ended(self, outcome: Outcome) -> Outcome:
        """Note how the call left what it changed; not even a cancellation keeps it from that."""
        keeper = self._keeper
        if keeper is not None:
            changed = [
                place
                for touched in outcome.touched
                if touched.action not in READ_ACTIONS and touched.host is not None
                if (place := self._place(touched.host)) is not None
            ]
            finished = isinstance(outcome.end, Finished)
            if not keeper.many(self._call):
                keeper.end(self._call, changed, finished=finished)
                return outcome
            # Attack: a worker asks for a hundred thousand names, and nobody else is served.
            with CancelScope(shield=True):
                await to_thread.run_sync(lambda: keeper.end(self._call, changed, finished=finished))
        return outcome

    def _answer(self, keeper: Keeper, asked: Json, *, inline: bool) -> str:
        match asked:
            case ["change", str(guest), str(name)] if mount := self._granted(guest, name):
                self._told(HostPath(joined(mount.host, name)))
                return keeper.save(self._call, mount.host, name, inline=inline)
            case ["remove", str(guest), str(name)] if mount := self._granted(guest, name):
                return keeper.remove(self._call, mount.host, name)
            case ["rename", str(guest), str(old), str(new), str(staged)] if mount := self._granted(
                guest, old, new
            ):
                if not is_staged(staged):
                    return NOT_GRANTED
                self._told(HostPath(joined(mount.host, new)))
                names = old, new, f"{old.rpartition('/')[0]}/{staged}".lstrip("/")
                return keeper.rename(self._call, mount.host, names, inline=inline)
            case ["void"]:
                return keeper.void(self._call)
            case _:
                return NOT_GRANTED

    def _refusal(self, asked: Json) -> str:
        """Say why a path of those that are asked for may not be changed; "" for none."""
        match asked:
            case ["change" | "remove", str(guest), str(name)] if mount := self._granted(
                guest, name
            ):
                names: tuple[str, ...] = (name,)
            case ["rename", str(guest), str(old), str(new), _] if mount := self._granted(
                guest, old, new
            ):
                names = (old, new)
            case _:
                return ""
        paths = (self._counted(joined(mount.host, name)) for name in names)
        return next(filter(None, map(self._may_change, paths)), "")

    def _counted(self, path: str) -> str:
        """Return as which file `path` counts: what is prepared beside a file counts as that file.

        Attack: a guest gives all its files names that only replacements have.
        """
        folder, _, base = path.rpartition("/")
        target = base.removesuffix(".tmp").partition("-")[2].partition("-")[2]
        if not is_temporary(path) or not target:
            return path
        file = f"{folder}/{target}"
        before = self._prepared.get(file)
        if before not in (None, path) and os.path.lexists(before or ""):
            return path
        self._prepared[file] = path
        return file

    def _granted(self, guest: str, *names: str) -> Mount | None:
        """Return the mount at `guest` if all names may be changed in it."""
        place = self._places.get(GuestPath(guest))
        if place is None or not all(map(is_name, names)):
            return None
        mount, judge = place
        if mount.name is not None:
            # What a single file is replaced by is prepared beside it.
            own = all(n == mount.name or is_temporary(n, mount.name) for n in names)
            return mount if own and "/" not in "".join(names) and judge.may_write() else None
        return mount if all(judge.verdict(name)[CHANGE] for name in names) else None

    def _place(self, host: str) -> tuple[str, str] | None:
        """Return the root and the name of a host path that the worker says it has changed."""
        roots = (mount.host for mount in self._mounts)
        for root in sorted(roots, key=len, reverse=True):
            name = host.removeprefix(f"{root.rstrip('/')}/")
            if name != host and is_name(name):
                return root, name
        return None
