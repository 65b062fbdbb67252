"""The approvals that were given for always, in `grants.json` of the state directory.

Guarantees: nothing inside a workspace can name or change them; each counts only in the workspace
and for the thing that it was given for, by device, inode and birth; what is counted (`uses=`,
`bytes=`, `rate=`) goes on counting where its last run stopped, and what ends by itself is never
kept, so no restart brings either back; a file that cannot be read is kept as it is, reported, and
neither used nor written. Does not: lend; a session does, from its ceiling.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from capbox.authority.decision import GrantId
from capbox.authority.grant import Grant
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.paths import Layout
from capbox.engine.stored.binding import Bound, bound_by, bound_folder
from capbox.engine.stored.counted import Claims, Count, Counts, count_of
from capbox.gate.approver import AskRequest
from capbox.journal.counting import Used
from capbox.store.own_file import OwnFile

GRANTS_MAX = 500
_VERSION = 1
_ENDS = "it ends by itself, and a restart would begin anew"


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """One approval. `bound` is None for what is no file; `digest` is set for a tool alone.

    `run` is the run in whose journal the answer is, `given` its time; `count` is of a counted one.
    """

    id: str
    grant: Grant
    workspace: Bound
    bound: Bound | None
    digest: str | None
    run: str
    given: float
    count: Count | None = None

    def problem(self, layout: Layout, digests: Mapping[str, str]) -> str | None:
        """Say why it does not count for a session on `layout` with these tools, if so."""
        if bound_folder(layout.workspace) != self.workspace:
            return "this folder is another one than it was given for"
        found = bound_by(self.grant, layout)
        if isinstance(found, str):
            return found
        if found != self.bound:
            return "there is something else now than what it was given for"
        if self.digest is not None and self.digest != digests.get(str(self.grant.selector)):
            return "the tool was changed since"
        return None

    def to_json(self) -> dict[str, object]:
        """Return what the file holds of it."""
        return {
            "id": self.id,
            "grant": str(self.grant),
            "workspace": _plain(self.workspace),
            "bound": None if self.bound is None else _plain(self.bound),
            "digest": self.digest,
            "run": self.run,
            "given": self.given,
            **({} if self.count is None else {"count": self.count.to_json()}),
        }


class StoredGrants:
    """The file of approvals; `clock` gives seconds since 1970."""

    def __init__(
        self, path: Path, clock: Callable[[], float], counts: Counts | None = None
    ) -> None:
        """Use this file, which need not exist; without `counts` nothing counted is kept or lent."""
        self._file = OwnFile(path)
        self._clock = clock
        self._counts = counts
        self.claims = Claims(path)

    def all(self) -> tuple[StoredGrant, ...] | str:
        """Return every approval, or why the file cannot be used."""
        try:
            text = self._file.read()
            if text is None:
                return ()
            document = json.loads(text)
            if document["version"] != _VERSION or set(document) != {"version", "grants"}:
                return f"{self._file.path} is of another version; it is kept, and not used"
            return tuple(_entry(one) for one in document["grants"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            return f"{self._file.path} cannot be read ({error}); it is kept, and not used"

    def of(self, layout: Layout) -> tuple[StoredGrant, ...] | str:
        """Return the approvals that were given for a workspace at this path."""
        found = self.all()
        if isinstance(found, str):
            return found
        return tuple(one for one in found if one.workspace.path == layout.workspace)

    def keep(self, request: AskRequest, layout: Layout, lease: GrantId | None = None) -> str | None:
        """Keep the grant that was shown in `request`; returns why it is not kept, if so.

        One that is counted is held by the run that asked, as the grant `lease`.
        """
        grant = parse_grant(request.grant)
        workspace = bound_folder(layout.workspace)
        if isinstance(grant, GrantError) or workspace is None:
            return f"not kept: {grant}"
        if grant.expires is not None:
            return f"not kept: {_ENDS}"
        if grant.counted and (self._counts is None or lease is None):
            return "not kept: nobody counts here"
        bound = bound_by(grant, layout)
        if isinstance(bound, str):
            return f"not kept: {bound}"
        digest = request.tool_digest if grant.action in ("tool", "invoke") else None
        name = f"g{secrets.token_hex(4)}"
        count = Count(Used(), request.run, lease) if grant.counted else None
        entry = StoredGrant(
            name, grant, workspace, bound, digest, request.run, self._clock(), count
        )
        try:
            if count is not None:
                self.claims.claim(name)
        except OSError as error:
            return f"not kept: {error}"
        return self._change(lambda kept: (*(k for k in kept if not _same(k, entry)), entry))

    def hold(self, one: StoredGrant, run: str, name: GrantId) -> Used | str:
        """Have `run` hold a counted approval as `name`; return what is used, or why it may not."""
        if self._counts is None:
            return "it is counted, and nobody counts here"
        try:
            if not self.claims.claim(one.id):
                return "another run holds it, and it is counted"
            # What was read before that may be what the other run changed.
            kept = self.all()
            if isinstance(kept, str):
                return kept
            count = next((k.count for k in kept if k.id == one.id), None)
            settled = "it is gone" if count is None else self._counts.settled(count)
            if isinstance(settled, str):
                return settled
            if not settled.left(one.grant):
                return "it is used up"
            taken = replace(one, count=replace(settled, run=run, name=name))
        except OSError as error:
            return str(error)
        problem = self._change(lambda kept: tuple(taken if k.id == one.id else k for k in kept))
        return problem or settled.used

    def remove(self, name: str) -> bool | str:
        """Forget an approval; False if there is none of this id, a text: why it cannot be."""
        known = self.all()
        if isinstance(known, str):
            return known
        found = next((one for one in known if one.id == name), None)
        problem = self._change(lambda kept: tuple(one for one in kept if one.id != name))
        if problem is None and found is not None and found.count is not None:
            with suppress(OSError):  # it is forgotten all the same
                self.claims.forget(name)
        return problem or found is not None

    def _change(
        self, changed: Callable[[tuple[StoredGrant, ...]], tuple[StoredGrant, ...]]
    ) -> str | None:
        try:
            with self._file.locked():
                kept = self.all()
                if isinstance(kept, str):
                    return kept
                entries = changed(kept)
                if len(entries) > GRANTS_MAX:
                    return f"not kept: there are {GRANTS_MAX} already; see capbox grants remove"
                document = {"version": _VERSION, "grants": [one.to_json() for one in entries]}
                self._file.replace(json.dumps(document, indent=1) + "\n")
        except OSError as error:
            return f"{self._file.path} cannot be written: {error.strerror}"
        return None


def _same(one: StoredGrant, other: StoredGrant) -> bool:
    # Each that is counted has a count of its own.
    return not one.grant.counted and (one.grant, one.workspace.path) == (
        other.grant,
        other.workspace.path,
    )


def _plain(bound: Bound) -> dict[str, object]:
    return {
        "path": bound.path,
        "device": bound.device,
        "inode": bound.inode,
        "born": bound.born,
    }


def _entry(one: Mapping[str, object]) -> StoredGrant:
    expected = {"id", "grant", "workspace", "bound", "digest", "run", "given"}
    if set(one) - {"count"} != expected:
        raise ValueError(f"an entry has {', '.join(sorted(expected))}")
    name, digest, run, given = one["id"], one["digest"], one["run"], one["given"]
    grant = parse_grant(str(one["grant"]))
    if isinstance(grant, GrantError):
        raise ValueError(f"{one['grant']!r} is no grant: {grant.message}")
    if grant.expires is not None:
        raise ValueError(f"{one['grant']!r}: {_ENDS}")
    if bool(grant.counted) != ("count" in one):
        raise ValueError(f"{one['grant']!r} is not counted as it should be")
    count = count_of(one["count"]) if "count" in one else None
    if not isinstance(name, str) or not isinstance(run, str) or not isinstance(given, int | float):
        raise ValueError("id and run are texts, given is a time")
    if not (digest is None or isinstance(digest, str)):
        raise ValueError("digest is a text or null")
    bound = None if one["bound"] is None else _bound(one["bound"])
    if (bound is None) != (grant.path is None):
        raise ValueError(f"{one['grant']!r} is not bound as it should be")
    if grant.action in ("tool", "invoke") and digest is None:
        raise ValueError(f"{one['grant']!r} has no digest")
    place = _bound(one["workspace"])
    return StoredGrant(name, grant, place, bound, digest, run, float(given), count)


def _bound(value: object) -> Bound:
    if not isinstance(value, dict) or {*value, "born"} != {"path", "device", "inode", "born"}:
        raise ValueError("path, device, inode and born are expected")
    path, device, inode = value["path"], value["device"], value["inode"]
    if not (isinstance(path, str) and isinstance(device, int) and isinstance(inode, int)):
        raise ValueError("path is a text, device and inode are numbers")
    born = value.get("born")
    if not (born is None or isinstance(born, int)):
        raise ValueError("born is a number or null")
    return Bound(path, device, inode, born)
