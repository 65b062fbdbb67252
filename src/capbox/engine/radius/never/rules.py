"""What must never be possible, as a file that a build can hold a configuration against.

    never = ["read **/.env", "write ~/.ssh/**", "fetch *.example.com", "flow secret -> web"]

    rule   = ("read" | "write") glob     ~/ or /: of this machine; NAME or **/: anywhere; else
                                         of the workspace. What is below a match is meant too
           | "fetch" [ METHODS ] host    * | NAME | *.NAME (at any depth) | an address
           | "flow" source "->" sink     secret variable files untrusted any;
                                         web function control outside workspace any
           | ("env" | "secret" | "tool" | "invoke" | "model") glob
           | quantity ">" number         money tokens seconds turns calls requests files
           | "lint" code

Guarantees: a rule that is not understood refuses the file, with its place; nothing is skipped.
Does not: look at any authority; `verdicts` does.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from capbox.authority.exclusions import Globs
from capbox.authority.paths import HostPath, hostile_character
from capbox.authority.web.addresses import address_of
from capbox.authority.web.places import ANY_HOST, is_host_name
from capbox.engine.radius.ends import SinkKind, SourceKind
from capbox.engine.radius.lints import CODES
from capbox.engine.radius.reach import Base, Watch
from capbox.engine.settings import SettingsError

Quantity = Literal["money", "tokens", "seconds", "turns", "calls", "requests", "files"]
NameKind = Literal["env", "secret", "tool", "invoke", "model"]
ANY: Final = "any"
_SOURCES: Final = (*get_args(SourceKind), ANY)
_SINKS: Final = (*get_args(SinkKind), ANY)
_RULES_MAX = 200
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?")
# Of a rule, unlike a grant, a method that does not exist forbids nothing: the registered ones
# (RFC 9110 and IANA) and what caches are told. Any other is forbidden by a rule without methods.
_METHODS: Final = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY", "PURGE", "ACL"),
        *("PROPFIND", "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT"),
        *("BIND", "UNBIND", "REBIND", "LINK", "UNLINK", "CHECKIN", "CHECKOUT", "UNCHECKOUT"),
        *("UPDATE", "MERGE", "LABEL", "MKACTIVITY", "MKCALENDAR", "MKREDIRECTREF"),
        *("MKWORKSPACE", "ORDERPATCH", "PRI", "UPDATEREDIRECTREF"),
    }
)


@dataclass(frozen=True, slots=True)
class FileRule:
    """No such file may be read (or written)."""

    text: str
    watch: Watch


@dataclass(frozen=True, slots=True)
class HostRule:
    """No request to such a host; no `methods`: by any method."""

    text: str
    methods: tuple[str, ...]
    host: str


@dataclass(frozen=True, slots=True)
class FlowRule:
    """No flow between such ends that nothing cuts."""

    text: str
    source: str
    sink: str


@dataclass(frozen=True, slots=True)
class NameRule:
    """No grant of this action on such a name."""

    text: str
    action: NameKind
    glob: str


@dataclass(frozen=True, slots=True)
class MostRule:
    """No more than this much."""

    text: str
    quantity: Quantity
    most: float


@dataclass(frozen=True, slots=True)
class LintRule:
    """No such warning."""

    text: str
    code: str


Rule = FileRule | HostRule | FlowRule | NameRule | MostRule | LintRule


@dataclass(frozen=True, slots=True)
class RuleError:
    """A text that is no rule: `place` is the index of the character where it goes wrong."""

    text: str
    place: int
    message: str


def read_rules(file: Path, home: HostPath | None) -> tuple[Rule, ...]:
    """Read the file; `home` is what `~` means. Raises SettingsError."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"--assert {file}", f"cannot be read: {error}") from error
    unknown = sorted(set(document) - {"never"})
    if unknown:
        raise SettingsError(f"--assert {file}", f"unknown key {unknown[0]!r}; there is: never")
    lines = document.get("never")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines) or not lines:
        # An empty list would pass for a check.
        raise SettingsError(f"--assert {file}", 'never is a list of rules: ["flow secret -> web"]')
    if len(lines) > _RULES_MAX:
        raise SettingsError(f"--assert {file}", f"more than {_RULES_MAX} rules")
    rules: list[Rule] = []
    for number, line in enumerate(lines, 1):
        rule = parse_rule(line, home)
        if isinstance(rule, RuleError):
            where = f"rule {number}, {line!r}, character {rule.place + 1}"
            raise SettingsError(f"--assert {file}", f"{where}: {rule.message}")
        rules.append(rule)
    return tuple(rules)


def parse_rule(text: str, home: HostPath | None) -> Rule | RuleError:
    """Return the rule that `text` says."""
    hostile = hostile_character(text)
    if hostile is not None:
        return RuleError(text, hostile, "control and bidi characters are refused")
    word, _, rest = text.partition(" ")
    place, rest = len(word) + 1, rest.strip()
    if word in ("read", "write"):
        return _file(text, word == "write", rest, home)
    if word == "fetch":
        return _host(text, rest)
    if word == "flow":
        return _flow(text, rest)
    action = next((kind for kind in get_args(NameKind) if kind == word), None)
    if action is not None:
        if not rest or " " in rest:
            return RuleError(text, place, f"{word} takes one name, in which * and ? may stand")
        return NameRule(text, action, rest)
    if word == "lint":
        known = f"there is no such warning; there are: {', '.join(CODES)}"
        return LintRule(text, rest) if rest in CODES else RuleError(text, place, known)
    return _most(text, word, rest)


def _file(text: str, write: bool, glob: str, home: HostPath | None) -> Rule | RuleError:
    place = len("write " if write else "read ")
    if glob == "~" or glob.startswith("~/"):
        if home is None:
            return RuleError(text, place, "there is no HOME here, which ~ would mean")
        glob = home.rstrip("/") + glob[1:]
    host = glob.startswith("/")
    parts = glob.removeprefix("/").split("/")
    parts = parts[:-1] if len(parts) > 1 and parts[-1] == "" else parts
    if not parts[0] or any(part in ("", ".", "..") for part in parts):
        return RuleError(text, place, "a glob is such as **/.env, src/*.py, ~/.ssh/** or /etc/**")
    if any("**" in part and part != "**" for part in parts) or glob.endswith("\\"):
        return RuleError(text, place, "** stands for whole components only: a/**/b")
    while len(parts) > 1 and parts[-1] == "**":
        parts = parts[:-1]  # a match covers what is below, and the directory itself
    joined = "/".join(parts)
    base: Base = "/" if host else "workspace"
    if parts[0] == "**" or (not host and "/" not in glob.rstrip("/")):
        base = "anywhere"
    pattern = joined if base == "anywhere" else f"/{joined}"
    return FileRule(text, Watch(write, base, Globs([pattern])))


def _host(text: str, rest: str) -> Rule | RuleError:
    place = len("fetch ")
    methods, _, host = rest.rpartition(" ")
    listed = tuple(methods.split(",")) if methods else ()
    for method in listed:
        if method not in _METHODS:
            every = f"every method is: fetch {host}"
            return RuleError(
                text, place, f"{method!r} is no method; as in: fetch POST,PUT *; {every}"
            )
    name = host.lower().removeprefix("*.")
    if host == ANY_HOST or is_host_name(name):
        return HostRule(text, listed, host.lower())
    if address_of(host.strip("[]")) is None:
        return RuleError(text, place, "fetch takes * or a host: api.example.com, *.example.com")
    return HostRule(text, listed, host.strip("[]"))


def _flow(text: str, rest: str) -> Rule | RuleError:
    source, arrow, sink = (part.strip() for part in rest.partition("->"))
    if not arrow:
        return RuleError(text, len("flow "), "a flow is SOURCE -> SINK: flow secret -> web")
    if source not in _SOURCES:
        known = ", ".join(_SOURCES)
        return RuleError(text, len("flow "), f"no such source: {source!r}; there are: {known}")
    if sink not in _SINKS:
        known = ", ".join(_SINKS)
        place = text.index("->") + 3
        return RuleError(text, place, f"no such sink: {sink!r}; there are: {known}")
    return FlowRule(text, source, sink)


def _most(text: str, word: str, rest: str) -> Rule | RuleError:
    quantity = next((one for one in get_args(Quantity) if one == word), None)
    if quantity is None:
        known = " ".join(("read write fetch flow", *get_args(NameKind), "lint"))
        numbers = " ".join(get_args(Quantity))
        return RuleError(text, 0, f"a rule begins with one of: {known}; or with one of: {numbers}")
    sign, _, number = rest.partition(">")
    if sign.strip() or ">" not in rest or number.startswith("="):
        return RuleError(text, len(word) + 1, f"{word} takes > and a number: {word} > 5")
    if _NUMBER.fullmatch(number.strip()) is None:
        return RuleError(
            text, text.index(">") + 1, "after > a number is expected, such as 5 or 0.5"
        )
    return MostRule(text, quantity, float(number.strip()))
