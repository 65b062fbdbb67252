"""Both ends of a flow: what a run can know, and where it can put it.

Guarantees: every grant of a live authority that opens a source or a sink is one here, under its
own text. Does not: look at the content of anything; what an ordinary file holds is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from capbox.authority.access import ReadAccess, WriteAccess, flag_for
from capbox.authority.authority import FileRight
from capbox.authority.exclusions import PROTECTED, compiled
from capbox.authority.grant import EnvSelector, Grant, SecretSelector
from capbox.authority.paths import WORKSPACE, under
from capbox.authority.web.places import FetchAccess, FetchSelector
from capbox.engine.radius.cuts import Label, told
from capbox.engine.radius.hosts import shared_by
from capbox.engine.radius.reach import Count, Reach, shown
from capbox.engine.radius.subject import Subject

SourceKind = Literal["secret", "variable", "files", "untrusted"]
SinkKind = Literal["web", "function", "control", "outside", "workspace"]

# Of a variable's name: what credentials are called.
_CREDENTIAL = re.compile(
    r"TOKEN|SECRET|PASSW(OR)?D|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_KEY$|^KEY$"
    r"|_PAT$|_DSN$|DATABASE_URL|CONNECTION_STRING|AUTH|COOKIE|SESSION",
    re.IGNORECASE,
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Source:
    """What a run can know. `flag` is what would have to be left out, "" if nothing single.

    `secret` is how grave it is, by its name; `labels` are what the gate knows of it.
    """

    kind: SourceKind
    name: str
    detail: str
    grant: str
    flag: str
    labels: frozenset[Label]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Sink:
    """Where a run can put what it knows.

    `open` says whom that may reach beyond one known party; `acts_with` are the secrets with which
    its requests change something there.
    """

    kind: SinkKind
    name: str
    detail: str
    grant: Grant
    open: str = ""
    acts_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsableSecret:
    """A secret that the host adds to requests: no guest reads it. `by` are the grants to use it."""

    name: str
    origin: str
    grant: str
    by: tuple[str, ...]


def sources(subject: Subject, found: Reach) -> tuple[Source, ...]:
    """Return what a run can know, the most secret first."""
    return (*_secret_files(subject, found), *_variables(subject), *_files(subject, found))


def untrusted(subject: Subject, found: Reach) -> Source | None:
    """Return whatever strangers may have written that the run can read; None if there is none."""
    web = any(isinstance(m.grant.selector, FetchSelector) for m in subject.live)
    names = ["web pages"] if web else []
    nothing = (Count(), Count())
    read = [r for r in subject.rights if found.by_grant.get(r.grant, nothing)[0].files]
    names += ["files"] if any(subject.strange(right) for right in read) else []
    names += ["results of functions"] if subject.functions else []
    if not names:
        return None
    marked = "some paths are" if subject.trusted else "no path is"
    detail = f"may hold words for the model; {marked} marked as the operator's own"
    return Source("untrusted", ", ".join(names), detail, "", "", frozenset({"untrusted"}))


def sinks(subject: Subject) -> tuple[Sink, ...]:
    """Return where a run can put something."""
    secrets = tuple(usable_secrets(subject))
    web = [_web(m.grant, secrets) for m in subject.live if m.grant.action == "fetch"]
    functions = [_function(m.grant) for m in subject.functions]
    return (*web, *functions, *_written(subject))


def usable_secrets(subject: Subject) -> Iterator[UsableSecret]:
    """Yield the secrets that requests may carry, and which grants let a request go there."""
    fetches = [m.grant for m in subject.live if isinstance(m.grant.selector, FetchSelector)]
    for minted in subject.live:
        selector = minted.grant.selector
        if isinstance(selector, SecretSelector):
            by = tuple(str(g) for g in fetches if _reaches(g, selector))
            yield UsableSecret(selector.name, str(selector.origin), str(minted.grant), by)


def is_credential(name: str) -> bool:
    """Say whether a variable is called as credentials are."""
    return _CREDENTIAL.search(name) is not None


def sized(count: Count) -> str:
    """Return a count in words: `1 file, 6 bytes`."""
    return f"{count.files:,} file{'' if count.files == 1 else 's'}, {amount(count.bytes)}"


def amount(size: int) -> str:
    """Return a number of bytes in words."""
    for unit, bound in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= bound:
            return f"{size / bound:,.1f} {unit}"
    return f"{size} byte{'' if size == 1 else 's'}"


def _secret_files(subject: Subject, found: Reach) -> Iterator[Source]:
    for right, minted in subject.named_secrets():
        count = found.by_grant.get(right.grant, (Count(), Count()))[0]
        detail = sized(count) if count.files else "not there yet"
        labels = frozenset({"secret", *_tainted(subject, right)})
        flag = _file_flag(right, subject)
        grant = told(minted.grant)
        yield Source("secret", shown(right.path), detail, grant, flag, labels, secret=True)


def _variables(subject: Subject) -> Iterator[Source]:
    for minted in subject.live:
        selector = minted.grant.selector
        if isinstance(selector, EnvSelector):
            secret = is_credential(selector.name)
            detail = "called as credentials are" if secret else "a variable of this machine"
            # A value that the grant itself sets is the principal's own word to the guest.
            labels: frozenset[Label] = frozenset({"secret"} if selector.value is None else set())
            flag, grant = f"--env {selector.name}", told(minted.grant)
            yield Source("variable", selector.name, detail, grant, flag, labels, secret)


def _files(subject: Subject, found: Reach) -> Iterator[Source]:
    named = {right.grant for right, _ in subject.named_secrets()}
    plain = [right for right in subject.rights if right.grant not in named]
    known = subject.by_id()
    for right in plain:
        count = found.by_grant.get(right.grant, (Count(), Count()))[0]
        # A part of what another grant reads is not one more thing to know.
        part = any(under(right.path, o.path) and right.path != o.path for o in plain)
        if count.files and not part:
            grant, flag = told(known[right.grant].grant), _file_flag(right, subject)
            yield Source(
                "files", _place(right), sized(count), grant, flag, _tainted(subject, right)
            )


def _tainted(subject: Subject, right: FileRight) -> frozenset[Label]:
    """Return the label of what is read by `right`, if it surely gets one."""
    return frozenset({"untrusted"} if subject.taints(right) else set())


def _place(right: FileRight) -> str:
    name = shown(right.path)
    return "this folder" if name == "." else name


def _file_flag(right: FileRight, subject: Subject) -> str:
    access = WriteAccess(right.path) if right.write else ReadAccess(right.path)
    return flag_for(access, subject.layout)


def _web(grant: Grant, secrets: tuple[UsableSecret, ...]) -> Sink:
    selector = grant.selector
    if not isinstance(selector, FetchSelector):
        return Sink("web", str(grant), "", grant)
    wild = selector.host.startswith("*.")
    where = f"any host below {selector.host[2:]}" if wild else selector.host
    carried = tuple(dict.fromkeys(s.name for s in secrets if str(grant) in s.by))
    parts = [", ".join(selector.methods) or "any method", where]
    parts += ["any path"] if selector.path is None else []
    parts += [f"with secret {name}" for name in carried]
    opened = where if wild else shared_by(selector) or ""
    changes = not selector.methods or not set(selector.methods) <= _READING
    return Sink("web", str(grant), ", ".join(parts), grant, opened, carried if changes else ())


def _function(grant: Grant) -> Sink:
    arguments = ", ".join(str(c) for c in grant.caveats if c.key.startswith("arg."))
    by = "called by scripts" if grant.action == "invoke" else "called by the model"
    detail = f"the program's own function, {by}, {arguments or 'any arguments'}"
    return Sink("function", str(grant), detail, grant)


def _written(subject: Subject) -> Iterator[Sink]:
    known = subject.by_id()
    for right in subject.rights:
        grant = known[right.grant].grant
        if not right.write:
            continue
        if compiled(PROTECTED).matches(right.anchor):
            detail = "git, an editor, a shell or another agent acts upon it later"
            yield Sink("control", shown(right.path), detail, grant)
        elif under(right.path, WORKSPACE):
            yield Sink("workspace", _place(right), "files that may be passed on", grant)
        else:
            yield Sink("outside", right.path, "outside of the workspace", grant)


def _reaches(grant: Grant, secret: SecretSelector) -> bool:
    """Say whether a request to the secret's origin is covered, whatever its method and path."""
    selector = grant.selector
    if not isinstance(selector, FetchSelector):
        return False
    path = selector.path or "/"
    method = selector.methods[0] if selector.methods else "GET"
    access = FetchAccess(method, secret.origin, path, selector.query or "")
    return selector.selects(access) and not grant.leaves_out(access)
