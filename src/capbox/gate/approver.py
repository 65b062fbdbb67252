"""The seam to whoever answers when a grant is missing, and what they are shown.

Guarantees: what is shown is the canonical effect, with no character that could disguise it. Does
not: grant anything; an answer becomes a lease only within the operator's ceiling.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from capbox.authority.access import Access

_ARGUMENTS_CHARACTERS_MAX = 400
# What Unicode takes for printable and nothing draws: fillers, and selectors ("ASCII smuggling").
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_VOID = re.compile(f"[{_SELECTORS}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")


@dataclass(frozen=True, slots=True)
class AskRequest:
    """One question: may this tool do this?

    "Once" is an answer for the call that waits, a longer one for `grant`, exactly as shown. All
    text is neutralised.
    """

    run: str
    tool: str
    tool_digest: str
    access: Access
    grant: str
    effect: str
    arguments: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Once:
    """Yes, for this call alone."""


@dataclass(frozen=True, slots=True)
class ForUses:
    """Yes, for so many calls or requests of this run, this one included."""

    count: int


@dataclass(frozen=True, slots=True)
class ForRun:
    """Yes, until the run ends."""


@dataclass(frozen=True, slots=True)
class For:
    """Yes, for so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Always:
    """Yes, in this run, and in later ones on this workspace without a question; `uses` in all."""

    uses: int | None = None


@dataclass(frozen=True, slots=True)
class ByRule:
    """Yes, for what a rule of the operator's says: `grant`, a text. Nobody was asked."""

    grant: str


@dataclass(frozen=True, slots=True)
class No:
    """No; it is not asked again in this run. `by` is who said so: a rule, or silence, is no one."""

    reason: str = "refused by the person who was asked"
    by: Literal["person", "nobody", "rule"] = "person"


@dataclass(frozen=True, slots=True)
class Stop:
    """No, and the run ends."""


Yes = Once | ForUses | ForRun | For | Always | ByRule
Answer = Yes | No | Stop


class Approver(Protocol):
    """Answers questions; every implementation passes `tests/contracts`."""

    async def ask(self, request: AskRequest) -> Answer:
        """Return the answer. Whatever is not a clear yes is `No`; it never raises for input."""
        ...


class DenyApprover:
    """Nobody is there: everything is refused."""

    async def ask(self, request: AskRequest) -> Answer:
        """Return `No`, whatever is asked."""
        return No("nobody is there to approve it", by="nobody")


def ask_request(
    access: Access,
    *,
    run: str,
    tool: str,
    tool_digest: str,
    host: str | None,
    arguments: str,
    details: tuple[str, ...] = (),
) -> AskRequest:
    """Build the question; `arguments` is their JSON, `host` the path on this machine, if any."""
    where = f", which is {host}" if host is not None else ""
    shown = arguments[:_ARGUMENTS_CHARACTERS_MAX]
    more = len(arguments) - len(shown)
    return AskRequest(
        run=run,
        tool=tool,
        tool_digest=tool_digest,
        access=access,
        grant=neutral(access.missing),
        effect=neutral(f"{tool} (sha256 {tool_digest[:12]}) wants to {access}{where}"),
        arguments=neutral(shown) + (f" ... and {more} characters more" if more else ""),
        details=tuple(map(neutral, details)),
    )


def neutral(text: str) -> str:
    """Return `text` with what is not drawn, or is no plain space, spelt out (CVE-2021-42574)."""
    return "".join(_spelt(c) if _VOID.match(c) or not c.isprintable() else c for c in text)


def _spelt(c: str) -> str:
    return f"\\u{ord(c):04x}" if c <= "\uffff" else f"\\U{ord(c):08x}"
