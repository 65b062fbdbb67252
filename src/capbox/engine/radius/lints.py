"""Grants that are wider than whoever gave them may think, each with one that would be narrower.

Guarantees: a proposed grant parses and mints. Does not: refuse anything; `never` rules and
`--assert` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from capbox.authority.exclusions import PROTECTED, compiled
from capbox.authority.grant import EnvSelector, Grant, SecretSelector
from capbox.authority.paths import under
from capbox.authority.web.addresses import LOOPBACK, within
from capbox.authority.web.places import FetchSelector, is_loopback
from capbox.engine.radius.cuts import flag_of, granted, narrowed, narrower, told
from capbox.engine.radius.ends import is_credential, usable_secrets
from capbox.engine.radius.flows import Flow, Level, on_one_host
from capbox.engine.radius.hosts import shared_by
from capbox.engine.radius.reach import shown
from capbox.engine.radius.subject import Subject
from capbox.gate.rights.files import host_path

CODES: Final = (
    *("trifecta", "wildcard-host", "shared-host", "plain-http", "control-file", "wide-write"),
    *("program-path", "credential-variable", "idle-secret", "no-expiry"),
)
_EXPIRY = "expires=1h"


@dataclass(frozen=True, slots=True)
class Lint:
    """One warning: `grant` is the one at fault ("" if it takes several), `mend` a narrower one.

    `flag` is how the mending one is typed. Both are "" where no single grant mends it.
    """

    code: str
    level: Level
    says: str
    grant: str = ""
    mend: str = ""
    flag: str = ""


def lints(subject: Subject, flows: Sequence[Flow]) -> tuple[Lint, ...]:
    """Return every warning, the gravest first."""
    found = [*_trifecta(flows)]
    for minted in subject.live:
        grant = minted.grant
        if isinstance(grant.selector, FetchSelector):
            found += _of_web(grant, grant.selector, subject)
        if isinstance(grant.selector, EnvSelector):
            found += _of_variable(grant, grant.selector, subject)
    found += [*_of_files(subject), *_idle(subject), *_endless(subject)]
    order: dict[Level, int] = {"high": 0, "medium": 1, "low": 2}
    return tuple(sorted(found, key=lambda lint: (order[lint.level], CODES.index(lint.code))))


def _trifecta(flows: Sequence[Flow]) -> Iterator[Lint]:
    """Private data, words of strangers and a way out: together they are a leak on request."""
    leaving = [f for f in flows if f.sink.kind in ("web", "function") and not f.steers]
    leaving = [f for f in leaving if not f.cut_by and f.level != "low"]
    if not leaving:
        return
    worst = leaving[0]
    secret = any(f.source.secret for f in leaving)
    # A web page or a file of the workspace can ask for what the same run holds.
    says = (
        f"private data ({worst.source.name}), untrusted words and a way out "
        f"({worst.sink.name}) in one run; take away any one of the three"
    )
    cut = worst.cuts[0] if worst.cuts else None
    mend, flag = (cut.grant or "", cut.flag) if cut else ("", "")
    level: Level = "high" if secret else "medium"
    yield Lint("trifecta", level, says, str(worst.sink.grant), mend, flag)


def _of_web(grant: Grant, selector: FetchSelector, subject: Subject) -> Iterator[Lint]:
    if selector.host.startswith("*."):
        says = (
            f"every host one label below {selector.host[2:]} is covered; the first label alone "
            "can carry data out, in the lookup of its name"
        )
        yield _mended("wildcard-host", "medium", says, grant, on_one_host(grant, subject.mints))
    shared = shared_by(selector)
    if shared is not None:
        says = f"{selector.host} serves {shared}: what goes there may go to a stranger"
        yield _mended("shared-host", "medium", says, grant, _tenant(grant, selector, subject))
    if selector.scheme == "http" and not _is_this_machine(selector):
        says = "http is read and changed by anybody on the way"
        secure = granted(str(grant).replace("http://", "https://", 1), subject.mints)
        yield _mended("plain-http", "medium", says, grant, secure)


def _is_this_machine(selector: FetchSelector) -> bool:
    network = selector.network
    return is_loopback(selector.host) or (
        network is not None and any(within(network, own) for own in LOOPBACK)
    )


def _tenant(grant: Grant, selector: FetchSelector, subject: Subject) -> Grant | None:
    """Return the grant for one customer's part, `mine` in its path; None where no path says so."""
    if selector.host.startswith("*.") or (selector.path is not None and not selector.below):
        return None
    place = f"//{selector.host}"
    old = f"{place}{'' if selector.path is None else '/*'}"
    return narrower(str(grant).replace(old, f"{place}/mine/*", 1), grant, subject.mints)


def _of_variable(grant: Grant, selector: EnvSelector, subject: Subject) -> Iterator[Lint]:
    if not is_credential(selector.name):
        return
    hosts = [
        m.grant.selector
        for m in subject.live
        if isinstance(m.grant.selector, FetchSelector) and m.grant.selector.scheme == "https"
    ]
    exact = [s for s in hosts if s.network is None and not s.host.startswith("*.")]
    says = "every script can read this variable; as a secret: no tool would see its value"
    mend = None
    if len(exact) == 1:
        ports = "" if exact[0].ports == (443, 443) else f":{exact[0].ports[0]}"
        text = f"secret:{selector.name}@https://{exact[0].host}{ports}"
        mend = granted(text, subject.mints)
    yield _mended("credential-variable", "medium", says, grant, mend)


def _of_files(subject: Subject) -> Iterator[Lint]:
    known, machine = subject.by_id(), subject.machine
    for right in subject.rights:
        if not right.write:
            continue
        grant, host = known[right.grant].grant, host_path(right.path, subject.layout)
        reading = granted(f"read:{grant.selector}", subject.mints)
        if compiled(PROTECTED).matches(right.anchor):
            says = f"{shown(right.path)} is acted upon later by git, an editor, a shell or an agent"
            yield _mended("control-file", "high", says, grant, reading)
        if host == "/" or (machine.home is not None and under(machine.home, host)):
            says = f"all of {host} may be changed: the whole home directory is in it"
            yield _mended("wide-write", "high", says, grant, reading)
        programs = [p for p in machine.programs if under(p, host) or under(host, p)]
        if programs:
            says = f"{programs[0]} is where your shell looks for programs"
            yield _mended("program-path", "high", says, grant, reading)


def _idle(subject: Subject) -> Iterator[Lint]:
    for secret in usable_secrets(subject):
        if not secret.by:
            says = f"no grant lets a request go to {secret.origin}, so this secret is never used"
            mend = granted(f'fetch:"GET {secret.origin}"', subject.mints)
            yield Lint("idle-secret", "low", says, secret.grant, *_texts(mend))


def _endless(subject: Subject) -> Iterator[Lint]:
    """One warning for all that reaches beyond the workspace and never ends."""
    beyond = [
        minted.grant
        for minted in subject.live
        if minted.grant.expires is None
        and (
            isinstance(minted.grant.selector, FetchSelector | SecretSelector)
            or minted in subject.functions
        )
    ]
    if not beyond:
        return
    others = f", and {len(beyond) - 1} more" if len(beyond) > 1 else ""
    says = f"has no end of its own{others}: it lasts as long as the run"
    mend = narrowed(beyond[0], _EXPIRY, subject.mints)
    yield _mended("no-expiry", "low", says, beyond[0], mend)


def _mended(code: str, level: Level, says: str, grant: Grant, mend: Grant | None) -> Lint:
    return Lint(code, level, says, told(grant), *_texts(mend))


def _texts(mend: Grant | None) -> tuple[str, str]:
    return ("", "") if mend is None else (str(mend), flag_of(mend))
