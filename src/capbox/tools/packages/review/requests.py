"""What a tool requests, compared: whether one request covers another, and what an update adds.

Guarantees: structural, on parsed values, by the rules of `authority.grant`; what cannot be decided
is taken for wider; what a package requests is little enough to be read, and is kept as it was
accepted. Does not: grant; a request is only what a tool may be given of what a run holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capbox.authority.grant import EnvSelector, Grant, PathSelector
from capbox.authority.paths import under
from capbox.gate.manifest import Manifest, Request, parse_request
from capbox.tools.packages.names import shown
from capbox.tools.packages.problem import PackageError

NOTHING = "nothing"
REQUESTS_MAX = 50
CHARACTERS_MAX = 300
"""Of one request. As many as a person reads: the tools of capbox have at most four, of 60."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What requests became: those that are new, and pairs of before and after."""

    added: tuple[Request, ...] = ()
    removed: tuple[Request, ...] = ()
    widened: tuple[tuple[Request, Request], ...] = ()
    narrowed: tuple[tuple[Request, Request], ...] = ()

    @property
    def wider(self) -> bool:
        """Say whether anything is requested that was not."""
        return bool(self.added or self.widened)


def text(request: Request) -> str:
    """Return a request as a manifest has it; `parse_request` reads it back as the same value."""
    if request.web is not None:
        return str(request.web)
    if request.path is not None:
        return f"{request.kind}:{PathSelector(request.path)}"
    if request.kind == "env" and request.name is not None:
        return str(Grant("env", EnvSelector(request.name)))
    return f"{request.kind}:{request.name or '*'}"


def texts(requests: Iterable[Request]) -> list[str]:
    """Return requests as texts."""
    return [text(request) for request in requests]


def check(manifest: Manifest, subject: str) -> None:
    """Refuse requests that nobody could read, or that no record could keep. Raises PackageError."""
    requests = manifest.requests
    # Attack: 2,500 requests, one of them long, so that `fetch:*` scrolls past among 70 MB.
    if len(requests) > REQUESTS_MAX:
        reason = f"it requests {len(requests):,} things, and at most {REQUESTS_MAX} can be reviewed"
        raise PackageError(subject, reason, "request what covers them: read:/workspace, fetch:*")
    for request in requests:
        written = text(request)
        if len(written) > CHARACTERS_MAX:
            reason = f"a request has over {CHARACTERS_MAX} characters: {shown(written)}"
            raise PackageError(subject, reason)
        # What accepts it is written into a record, which would be no record.
        if not _is_kept(written, request):
            reason = f"it requests {shown(written)} by allowed_outbound_hosts, which is not kept"
            raise PackageError(
                subject, reason, "request it by [requests], as fetch:https://HOST or fetch:*"
            )


def _is_kept(written: str, request: Request) -> bool:
    try:
        return parse_request(written, "") == request
    except ValueError:
        return False


def covers(wide: Request, narrow: Request) -> bool:
    """Say whether `narrow` asks for nothing that `wide` does not.

    To write is not to read: what a run may only read, a tool that requests `write:` does not get.
    """
    if wide.kind != narrow.kind:
        return False
    if wide.web is not None:
        return narrow.web is not None and wide.web.covers(narrow.web)
    if wide.path is not None:
        return narrow.path is not None and under(narrow.path, wide.path)
    return wide.name in (None, narrow.name)


def within(request: Request, others: Iterable[Request]) -> bool:
    """Say whether one of `others` covers the request."""
    return any(covers(other, request) for other in others)


def difference(before: tuple[Request, ...], after: tuple[Request, ...]) -> Difference:
    """Compare what was requested with what is requested now."""
    new = tuple(r for r in dict.fromkeys(after) if not within(r, before))
    gone = tuple(r for r in dict.fromkeys(before) if not within(r, after))
    widened = tuple((old, r) for r in new for old in before if covers(r, old))
    narrowed = tuple((old, r) for old in gone for r in after if covers(old, r))
    grown, shrunk = {r for _, r in widened}, {old for old, _ in narrowed}
    replaced = {old for old, _ in widened}
    return Difference(
        added=tuple(r for r in new if r not in grown),
        removed=tuple(r for r in gone if r not in shrunk | replaced),
        widened=widened,
        narrowed=narrowed,
    )


def chosen(manifest: Manifest, only: Iterable[str], subject: str) -> tuple[Request, ...]:
    """Read the part of its requests that a person accepts; `nothing` accepts none.

    Raises PackageError: the tool does not request that, so it would never get it.
    """
    found: list[Request] = []
    for one in only:
        if one == NOTHING:
            continue
        try:
            request = parse_request(one, "--only")
        except ValueError as error:
            raise PackageError(subject, str(error), kind="usage") from error
        if not within(request, manifest.requests):
            asked = ", ".join(texts(manifest.requests)) or NOTHING
            raise PackageError(
                subject, f"it does not request {one}", f"it requests: {asked}", kind="usage"
            )
        found.append(request)
    return tuple(dict.fromkeys(found))


def reduced(requests: Iterable[Request]) -> tuple[Request, ...]:
    """Return the same without what another of them covers."""
    found: list[Request] = []
    for one in dict.fromkeys(requests):
        if not within(one, found):
            found = [other for other in found if not covers(one, other)]
            found.append(one)
    return tuple(found)


def kept(accepted: tuple[Request, ...], requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """Return the part of `requests` that is accepted, each as narrow as either says."""
    inner = [r for r in requests if within(r, accepted)]
    outer = [r for r in accepted if within(r, requests)]
    return tuple(dict.fromkeys((*inner, *outer)))
