"""The operator's answers, written down: a `[policy]` table in TOML, outside of every workspace.

    [policy]
    allow = ["read:/workspace", 'fetch:"GET https://api.example.com/*" rate=10/min']
    ask = ["write:/workspace"]
    deny = ["read:/workspace/private"]
    unmatched = "deny"

Guarantees: deny wins over allow, allow over ask; what no rule matches is no, or asked where
`unmatched = "ask"`; asking without a person is no. `allow` lends the rule's own grant, within the
ceiling, and never what `deny` names (see `denial`). Anything unknown in the file refuses all of it,
with its line. Does not: grant by itself; a rule only answers what is asked.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from capbox.authority.access import Access, ReadAccess, WriteAccess
from capbox.authority.caveats import ExceptPlaces
from capbox.authority.grant import Grant
from capbox.authority.parse import GrantError, parse_grant
from capbox.authority.policy import NeverRule
from capbox.authority.web.places import FetchAccess, FetchSelector
from capbox.engine.approvers.automatic import AutoApprover
from capbox.engine.settings import SettingsError
from capbox.gate.approver import Answer, Approver, AskRequest, ByRule, No

_LISTS = ("allow", "ask", "deny")
_KEYS = (*_LISTS, "unmatched")


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, as parsed grants; `unmatched` is for what none of them names."""

    allow: tuple[Grant, ...] = ()
    ask: tuple[Grant, ...] = ()
    deny: tuple[Grant, ...] = ()
    unmatched: Literal["deny", "ask"] = "deny"

    def decide(self, access: Access) -> Grant | Literal["ask"] | str:
        """Return the grant to lend, "ask", or the reason of a no."""
        denied = next((rule for rule in self.deny if _forbids(rule, access)), None)
        if denied is not None:
            return f"the operator's policy denies {denied}"
        allowed = next((rule for rule in self.allow if rule.selects(access)), None)
        if allowed is not None:
            return allowed
        if self.unmatched == "ask" or any(rule.selects(access) for rule in self.ask):
            return "ask"
        return "no rule of the operator's policy allows it"


class PolicyApprover:
    """Answers by a policy; what it says to ask goes to `person`, if there is one."""

    def __init__(self, policy: Policy, person: Approver | None) -> None:
        """Answer by these rules."""
        self._policy = policy
        self._person = person

    @property
    def unasked(self) -> tuple[Grant, ...]:
        """Return what it may lend with nobody asked."""
        policy = self._policy
        passed_on = policy.ask or policy.unmatched == "ask"
        further = self._person if passed_on and isinstance(self._person, AutoApprover) else None
        return policy.allow + (() if further is None else further.unasked)

    async def ask(self, request: AskRequest) -> Answer:
        """Return the answer of the first rule that counts."""
        decided = self._policy.decide(request.access)
        if isinstance(decided, Grant):
            return ByRule(str(decided))
        if decided != "ask":
            return No(decided, by="rule")
        if self._person is None:
            return No("the operator's policy has it asked, and nobody is there", by="rule")
        return await self._person.ask(request)


def read_policy(file: Path) -> Policy:
    """Read a file that holds one `[policy]` table. Raises SettingsError."""
    try:
        with file.open(encoding="utf-8") as opened:
            found = os.fstat(opened.fileno())
            if found.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(found.st_mode) & 0o022:
                raise SettingsError(str(file), "somebody else owns it or may write it: not used")
            text = opened.read()
        document = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(str(file), f"cannot be read: {error}") from error
    unknown = sorted(set(document) - {"policy"})
    if unknown or "policy" not in document:
        what = f"unknown key {unknown[0]!r}" if unknown else "there is no [policy]"
        raise SettingsError(str(file), f"{line_of(text, unknown[0] if unknown else '')}{what}")
    return policy_of(document["policy"], file, text)


def policy_of(table: object, file: Path, text: str) -> Policy:
    """Return the policy of a parsed table; `file` and its `text` are for messages.

    Raises SettingsError.
    """
    if not isinstance(table, dict):
        raise SettingsError(str(file), "[policy] is a table")
    for key in sorted(set(table) - set(_KEYS)):
        known = ", ".join(_KEYS)
        place = line_of(text, key)
        raise SettingsError(str(file), f"{place}[policy] has no key {key!r}; there are: {known}")
    unmatched = table.get("unmatched", "deny")
    if unmatched not in ("deny", "ask"):
        where = line_of(text, "unmatched")
        raise SettingsError(str(file), f'{where}unmatched is "deny" or "ask", not {unmatched!r}')
    allow, ask, deny = (_rules(table, key, file, text) for key in _LISTS)
    return Policy(allow, ask, deny, "ask" if unmatched == "ask" else "deny")


def _rules(table: Mapping[str, object], key: str, file: Path, text: str) -> tuple[Grant, ...]:
    listed = table.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise SettingsError(str(file), f"{line_of(text, key)}{key} is a list of grants, as texts")
    rules: list[Grant] = []
    for one in listed:
        rule = parse_grant(one)
        where = line_of(text, one)
        if isinstance(rule, GrantError):
            at = f"{where}{key}: {one!r}: at character {rule.place + 1}"
            raise SettingsError(str(file), f"{at}: {rule.message}")
        unsupported = rule.unsupported()
        if unsupported is not None:
            raise SettingsError(str(file), f"{where}{key}: {unsupported} is not supported yet")
        if key != "allow" and rule.caveats:
            raise SettingsError(str(file), f"{where}{key}: {one!r}: only allow takes caveats")
        rules.append(rule)
    return tuple(rules)


def _forbids(rule: Grant, access: Access) -> bool:
    """Say whether a rule to deny names `access`, in any spelling that means the same.

    As never rules do: to deny reading is to deny writing too, but not the other way round.
    """
    if rule.path is not None:
        never = NeverRule("read" if rule.action == "read" else "write", rule.path)
        return isinstance(access, ReadAccess | WriteAccess) and never.forbids(access)
    if isinstance(access, FetchAccess) and isinstance(rule.selector, FetchSelector):
        return ExceptPlaces((rule.selector,), ()).leaves_out(access)
    return rule.selects(access)


def line_of(text: str, word: str) -> str:
    """Return "line N: " for the first line with a word; tomllib does not say where it found it."""
    if not word:
        return ""
    spelt = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    for number, line in enumerate(text.splitlines(), 1):
        if spelt.search(line) or escaped in line:
            return f"line {number}: "
    return ""
